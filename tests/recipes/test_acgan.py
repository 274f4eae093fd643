"""AC-GAN: D tells classes too, of real images and of fakes; G is to be told right."""

import keras
import numpy as np
import pytest
import steps

from keras_cgan import Latent, conv_discriminator, dcgan_generator
from keras_cgan.recipes import ACGAN, acgan

BATCH = steps.images(), steps.labels()
SHAPE = (16, 16, 1)


def small(**options):
    model = acgan(SHAPE, steps.N_CLASSES, width=1 / 16, **options)
    model.run_eagerly = True
    return model


def test_the_papers_networks():
    model = acgan()
    maps = [layer.output.shape[1:] for layer in model.generator.layers if layer.name.endswith("_relu")]
    assert maps == [(2, 2, 768), (4, 4, 384), (8, 8, 256), (16, 16, 192)]
    seen = [layer.output.shape[1:] for layer in model.discriminator.layers if layer.name.endswith("_relu")]
    assert seen == [(16, 16, 16), (16, 16, 32), (8, 8, 64), (8, 8, 128), (4, 4, 256), (4, 4, 512)]
    rates = {layer.rate for layer in model.discriminator.layers if "dropout" in layer.name}
    assert rates == {0.5}
    norms = [layer.name for layer in model.discriminator.layers if layer.name.endswith("_norm")]
    assert "conv1_norm" not in norms and len(norms) == 5


def test_the_papers_settings():
    model = small()
    assert model.latent.get_config() == Latent(110, (), 0, "normal").get_config()
    assert (model.adversarial.name, model.fake_labels, model.class_weight) == (
        "nonsaturating",
        "uniform",
        1.0,
    )
    assert model.fakes_in_class_loss is True
    assert {steps.adam(optimizer) for optimizer in model.optimizers.values()} == {(2e-4, 0.5, 0.999)}


def test_what_may_be_chosen_instead():
    optimizers = {player: keras.optimizers.Adam(1e-3) for player in ("d", "g")}
    model = small(d_width=1 / 8, class_weight=0.3, optimizers=optimizers, average_decay=0.9)
    assert model.generator.get_layer("start_map").output.shape[-1] == 48
    assert model.discriminator.get_layer("conv6_conv").filters == 64
    assert (model.class_weight, model.average_decay) == (0.3, 0.9)
    assert model.optimizers == optimizers


def test_the_label_in_the_norms():
    """Then it does not go in beside the noise, and still changes what is drawn."""
    model = small(label_in="norms")
    assert model.generator.get_layer("start_dense").input.shape[-1] == 110
    assert small().generator.get_layer("start_dense").input.shape[-1] == 110 + steps.N_CLASSES
    latents = np.tile(model.latent.sample(1, 0), (3, 1))
    model.train_on_batch(*BATCH)
    drawn = model.generator.predict({"latent": latents, "label": np.eye(steps.N_CLASSES)[:3]}, verbose=0)
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-4


def test_one_width_for_both():
    assert small().discriminator.get_layer("conv6_conv").filters == 32


def test_the_warp_is_ds():
    """It bends what D sees, of real images and of fakes, in training; without it there is none."""
    assert "warp" not in {layer.name for layer in small().discriminator.layers}
    bent = small(warp=0.5, background=1.0, dropout=0.0)
    layer = bent.discriminator.get_layer("warp")
    assert (layer.strength, layer.background) == (0.5, 1.0)
    assert "warp" in {layer.name for layer in bent.d_model.layers}
    assert "warp" not in {layer.name for layer in bent.generator.layers}
    first = bent.discriminator.input._keras_history.operation._outbound_nodes
    assert [node.operation.name for node in first] == ["warp"]  # nothing sees an image that is not bent
    steps.assert_all_learn(bent, *BATCH)


def test_d_may_compare_the_images_of_a_batch():
    assert "minibatch" not in {layer.name for layer in small().discriminator.layers}
    model = small(minibatch=3)
    assert model.discriminator.get_layer("minibatch").kernels == 3
    steps.assert_all_learn(model, *BATCH)


@pytest.mark.slow
def test_all_learn_as_a_graph():
    model = small(dropout=0.0)
    model.run_eagerly = False
    steps.assert_all_learn(model, *BATCH)
    inputs = {"latent": model.latent.sample(4), "label": BATCH[1]}
    assert model.predict(inputs, verbose=0).shape == (4, *SHAPE)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(dropout=0.0), update, *BATCH)


@pytest.mark.parametrize("fakes", [True, False])
def test_the_losses_by_hand(fakes):
    """Equations 2 and 3, as losses."""
    model = steps.compiled(steps.again(small(fakes_in_class_loss=fakes), class_weight=0.7))
    image, label = BATCH
    drawn = steps.drawn_next(model, *BATCH)
    judge = steps.twin(model.d_model)
    logs = model.train_on_batch(*BATCH)
    real, fake, asked = (judge(seen, training=True) for seen in (image, drawn["image"], drawn["image"]))
    d_class = steps.class_loss(label, real["label"])
    if fakes:
        d_class += steps.class_loss(drawn["label"], fake["label"])
    g_class = steps.class_loss(drawn["label"], asked["label"])
    d_adv = steps.softplus(-real["real_fake"]) + steps.softplus(fake["real_fake"])
    assert logs == pytest.approx(
        {
            "d_loss": d_adv + 0.7 * d_class,
            "g_loss": steps.softplus(-asked["real_fake"]) + 0.7 * g_class,
            "d_class": d_class,
            "g_class": g_class,
        },
        rel=1e-4,
    )


def test_classes_are_drawn_by_their_number():
    """`fake_labels="uniform"`: whatever the classes of the real batch."""
    model = small()
    one_class = np.eye(steps.N_CLASSES, dtype="float32")[[1] * 60]
    drawn = steps.drawn_next(model, steps.images(60), one_class)["label"].numpy()
    assert set(drawn.sum(axis=1)) == {1.0} and drawn.sum(axis=0).min() > 8


@pytest.mark.parametrize(
    ("n_in", "n_out", "received"),
    [(None, 3, "of None in, of 3 out"), (3, 4, "of 3 in, of 4 out"), (3, None, "of 3 in, of None out")],
)
def test_labels_that_do_not_fit(n_in, n_out, received):
    generator = dcgan_generator(SHAPE, 5, n_in, filters=(4, 2))
    discriminator = conv_discriminator(SHAPE, layers=((2, 2),), n_classes=n_out)
    with pytest.raises(ValueError, match=f"`generator` must take a label.*Received: a label {received}$"):
        ACGAN(generator, discriminator, Latent(5, (), 0))


def test_a_loaded_model_goes_on(tmp_path):
    model = small(fakes_in_class_loss=False)
    loaded = steps.assert_goes_on(model, tmp_path / "acgan.keras", *BATCH)
    assert loaded.fakes_in_class_loss is False


@pytest.mark.parametrize("weight", [-1.0, float("nan")])
def test_a_weight_that_is_none(weight):
    with pytest.raises(ValueError, match="`class_weight` must be a number of at least 0. Received: class_w"):
        small(class_weight=weight)
