"""pix2pix: the U-Net, L1 and the PatchGAN; the rows of the paper's tables are its arguments."""

import numpy as np
import pytest
import steps

from keras_cgan import ConditionalGAN
from keras_cgan.recipes import pix2pix

PHOTO, SKETCH = steps.images(channels=3), steps.images(seed=1)


def small(side=16, **options):
    options = {"n_layers": 1, **options}
    model = pix2pix((side, side, 3), filters=2, **options)
    model.run_eagerly = True
    return model


def test_the_papers_settings():
    chosen = steps.defaults(pix2pix)
    assert chosen == {
        "image_shape": (256, 256, 3),
        "sketch_channels": 1,
        "filters": 64,
        "l1_weight": 100.0,
        "adversarial_weight": 1.0,
        "n_layers": 3,
        "paired": True,
        "dropout": 0.5,
        "norm": "batch",
        "learning_rates": (2e-4, 2e-4),
    }
    model = small()
    assert type(model) is ConditionalGAN and model.classifier is None
    assert {steps.adam(optimizer) for optimizer in model.optimizers.values()} == {(2e-4, 0.5, 0.999)}
    assert model.get_config()["l1_weight"] == 100.0
    rates = [layer.rate for layer in model.generator.layers if "dropout" in layer.name]
    assert rates == [0.5] * len(rates) and rates


def test_rates_of_g_and_of_d():
    model = small(learning_rates=(1e-3, 3e-4))
    assert steps.adam(model.optimizers["g"]) == (1e-3, 0.5, 0.999)
    assert steps.adam(model.optimizers["d"]) == (3e-4, 0.5, 0.999)


def test_with_instance_norm_a_batch_of_others_changes_nothing():
    model = small(norm="instance", dropout=0.0)
    together = model.generator(PHOTO, training=True)
    np.testing.assert_allclose(together[:1], model.generator(PHOTO[:1], training=False), atol=1e-5)
    assert not any("batch" in type(layer).__name__.lower() for layer in model.discriminator.layers)


@pytest.mark.parametrize(("n_layers", "patches"), [(0, 64), (1, 30), (2, 14), (3, 6)])
def test_patches(n_layers, patches):
    """Each value judges 1, 16, 34 or 70 pixels."""
    discriminator = small(64, n_layers=n_layers).discriminator
    assert discriminator.output_shape == (None, patches, patches, 1)


def test_a_patch_of_one_pixel_sees_one_pixel():
    judge = small(n_layers=0).discriminator
    pair = np.concatenate([PHOTO, SKETCH], axis=-1)
    other = pair.copy()
    other[:, 5, 7] += 1.0
    changed = np.abs(judge(pair) - judge(other)).max(axis=(0, 3)) > 1e-7
    assert np.argwhere(changed).tolist() == [[5, 7]]


def test_all_learn_as_a_graph():
    model = small()
    model.run_eagerly = False
    steps.assert_all_learn(model, PHOTO, SKETCH)
    assert model.predict(PHOTO, verbose=0).shape == (4, 16, 16, 1)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(), update, PHOTO, SKETCH)


@pytest.mark.parametrize("options", [{}, {"paired": False}, {"l1_weight": 0.0}], ids=str)
def test_the_losses_by_hand(options):
    """Equations 1 to 4; D's half of the sum, its two halves in one batch."""
    model = steps.compiled(small(**options))
    fake = steps.drawn_next(model, PHOTO, SKETCH)["sketch"].numpy()
    judge = steps.twin(model.discriminator)
    logs = model.train_on_batch(PHOTO, SKETCH)
    paired = options.get("paired", True)
    real, made = (np.concatenate([PHOTO, image], -1) if paired else image for image in (SKETCH, fake))
    told = judge(np.concatenate([real, made]), training=True)
    asked = judge(made, training=True)
    l1, fooled = np.mean(np.abs(SKETCH - fake)), steps.softplus(-asked)
    expected = {
        "d_loss": (steps.softplus(-told[:4]) + steps.softplus(told[4:])) / 2,
        "g_l1": l1,
        "g_adv": fooled,
        "g_loss": options.get("l1_weight", 100.0) * l1 + fooled,
    }
    assert logs == pytest.approx(expected, rel=1e-4)


def test_without_an_adversarial_weight_it_is_l1_alone():
    """G's step is the same whatever D says, and is that of 100 L1."""
    model = small(adversarial_weight=0.0)
    start = [(variable, variable.numpy()) for variable in model.variables]
    results = []
    for shift in (0.0, 1.0):
        for variable, value in start:
            variable.assign(value)
        steps.compiled(model, g=0.1)
        for variable in model.discriminator.trainable_variables:
            variable.assign(variable + shift)
        logs = model.train_on_batch(PHOTO, SKETCH)
        assert logs["g_loss"] == pytest.approx(100 * logs["g_l1"], rel=1e-6)
        results.append(([v.numpy() for v in model.generator.trainable_variables], logs["g_adv"]))
    assert results[0][1] != results[1][1]
    for ours, theirs in zip(results[0][0], results[1][0], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_unpaired_d_sees_the_sketch_alone():
    model = small(paired=False)
    assert model.discriminator.input_shape == (None, 16, 16, 1)
    assert small().discriminator.input_shape == (None, 16, 16, 4)
    steps.compiled(model)
    model.generator.trainable_variables[-2].assign(0 * model.generator.trainable_variables[-2])
    logs = [model.train_on_batch(photo, SKETCH)["d_loss"] for photo in (PHOTO, -PHOTO)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)


def test_a_loaded_model_goes_on(tmp_path):
    """The dropout masks too."""
    steps.assert_goes_on(small(), tmp_path / "pix2pix.keras", PHOTO, SKETCH)
