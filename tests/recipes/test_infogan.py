"""InfoGAN: Q reads sampled codes off fakes, both networks lose what it misreads; no label, no real image."""

import numpy as np
import pytest
import steps
import tensorflow as tf

from keras_cgan import Latent, conv_discriminator, dcgan_generator
from keras_cgan.recipes import InfoGAN, infogan

SHAPE = (16, 16, 1)


def small(continuous=2):
    model = infogan(SHAPE, n_values=3, continuous=continuous, noise=5, width=1 / 16)
    model.run_eagerly = True
    return model


def test_the_papers_networks():
    model = infogan()
    generator, discriminator = model.generator, model.discriminator
    assert model.latent.get_config() == Latent(62, (10,), 2, "uniform").get_config()
    # A convolution or dense layer that a norm follows has no bias: the norm has one.
    dense, maps = 74 * 1024 + 2 * 1024, 1024 * 6272 + 2 * 128
    assert _weights(generator) == dense + maps + 16 * 128 * 64 + 2 * 64 + 16 * 64 + 1
    trunk = 16 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 6272 * 1024 + 2 * 1024
    heads = 1025 + 1024 * 128 + 2 * 128 + 129 * 10 + 129 * 2
    assert _weights(discriminator) == trunk + heads
    shapes = {name: output.shape[1:] for name, output in discriminator.output.items()}
    assert shapes == {"real_fake": (1,), "label": (10,), "codes": (2,)}
    slopes = {layer.negative_slope for layer in discriminator.layers if "relu" in layer.name}
    assert slopes == {0.1}


def _weights(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_the_papers_settings():
    model = small()
    assert (model.adversarial.name, model.code_weight, model.continuous_weight) == ("nonsaturating", 1.0, 0.1)
    assert {player: steps.adam(optimizer) for player, optimizer in model.optimizers.items()} == {
        "d": (2e-4, 0.5, 0.999),
        "g": (1e-3, 0.5, 0.999),
    }


def test_all_learn_as_a_graph():
    model = small()
    model.run_eagerly = False
    steps.assert_all_learn(model, steps.images())
    assert model.predict(model.latent.grid(code=0, rows=2), verbose=0).shape == (6, *SHAPE)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(), update, steps.images())


@pytest.mark.parametrize("continuous", [2, 0])
def test_the_losses_by_hand(continuous):
    """Equation 6: cross-entropy of the category, half the squared distance of the continuous codes."""
    model = steps.compiled(small(continuous))
    images = steps.images()
    drawn = steps.drawn_next(model, images)
    latent = drawn["latent"].numpy()
    judge = steps.twin(model.d_model)
    logs = model.train_on_batch(images)
    real, fake, asked = (judge(seen, training=True) for seen in (images, drawn["image"], drawn["image"]))
    code = steps.class_loss(latent[:, 5:8], fake["label"])
    expected = {
        "d_loss": steps.softplus(-real["real_fake"]) + steps.softplus(fake["real_fake"]) + code,
        "g_loss": steps.softplus(-asked["real_fake"]) + code,
        "d_code": code,
        "g_code": code,
    }
    if continuous:
        off = np.mean(np.sum((latent[:, 8:] - fake["codes"]) ** 2, axis=1)) / 2
        expected.update({"d_continuous": off, "g_continuous": off})
        expected["d_loss"] += 0.1 * off
        expected["g_loss"] += 0.1 * off
    assert logs == pytest.approx(expected, rel=1e-4)


def test_q_learns_from_fakes_alone():
    """Other real images: the same code losses, and the same step of Q's own layers; D's step moves them."""
    model = small()
    heads = [v for v in model.d_model.trainable_variables if v.path.startswith(("q_", "label", "codes"))]
    assert len(heads) == 7
    before = [variable.numpy() for variable in model.variables]
    results = []
    for seed in (1, 2):
        steps.compiled(model, d=0.1)
        for variable, value in zip(model.variables, before, strict=False):
            variable.assign(value)
        start = [head.numpy() for head in heads]
        logs = model.train_on_batch(steps.images(seed=seed))
        results.append((logs, [head.numpy() for head in heads]))
        assert all(np.abs(new - old).max() > 0 for new, old in zip(results[-1][1], start, strict=True))
    (logs, moved), (others, moved_too) = results
    assert logs["d_code"] == others["d_code"] and logs["d_continuous"] == others["d_continuous"]
    assert logs["d_loss"] != others["d_loss"]
    for new, other in zip(moved, moved_too, strict=True):
        np.testing.assert_allclose(new, other, atol=1e-6)


def test_labels_are_passed_over():
    model = steps.compiled(small())
    assert model.n_classes is None
    assert model.unpack((steps.images(), steps.labels(), None)).label is None
    dataset = tf.data.Dataset.from_tensors({"image": steps.images(), "label": steps.labels()})
    assert "d_code" in model.fit(dataset, verbose=0).history


@pytest.mark.parametrize(
    ("latent", "heads", "received"),
    [
        (Latent(5, (4,), 0), {"n_classes": 3}, "'label' of \\(3,\\)"),
        (Latent(5, (4,), 0), {}, "'label' of \\(\\)"),
        (Latent(5, (4,), 2), {"n_classes": 4}, "'codes' of \\(\\)"),
        (Latent(5, (4,), 0), {"n_classes": 4, "code_size": 2}, "'codes' of \\(2,\\)"),
        (Latent(5, (4, 4), 0), {"n_classes": 4}, "'label' of \\(4,\\)"),
    ],
)
def test_a_discriminator_that_does_not_read_the_codes(latent, heads, received):
    generator = dcgan_generator(SHAPE, latent.size, filters=(4, 2))
    discriminator = conv_discriminator(SHAPE, layers=((2, 2),), **heads)
    with pytest.raises(ValueError, match=f"`discriminator` must have an output.*Received: {received}$"):
        InfoGAN(generator, discriminator, latent)


def test_a_loaded_model_goes_on(tmp_path):
    loaded = steps.assert_goes_on(small(), tmp_path / "infogan.keras", steps.images())
    assert loaded.latent.get_config() == Latent(5, (3,), 2, "uniform").get_config()


@pytest.mark.slow
def test_the_warp_is_ds_and_qs():
    """It bends what D and Q see, of real images and of fakes, in training; a loaded model goes on."""
    assert "warp" not in {layer.name for layer in small().discriminator.layers}
    bent = infogan(SHAPE, n_values=3, noise=5, width=1 / 16, warp=0.5, background=1.0)
    layer = bent.discriminator.get_layer("warp")
    assert (layer.strength, layer.background) == (0.5, 1.0)
    assert "warp" in {layer.name for layer in bent.d_model.layers}
    assert "warp" not in {layer.name for layer in bent.generator.layers}
    steps.assert_all_learn(bent, steps.images())
    # The first layer of all: nothing sees an image that is not bent.
    assert [
        node.operation.name for node in bent.discriminator.input._keras_history.operation._outbound_nodes
    ][0] == "warp"


def test_a_loaded_model_with_a_warp_goes_on(tmp_path):
    bent = infogan(SHAPE, n_values=3, noise=5, width=1 / 16, warp=0.5)
    bent.run_eagerly = True
    steps.assert_goes_on(bent, tmp_path / "bent.keras", steps.images())
