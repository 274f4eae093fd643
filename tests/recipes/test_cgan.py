"""Conditional GAN: both networks are told the label, and both react to it."""

import keras
import numpy as np
import pytest
import steps
import tensorflow as tf

from keras_cgan import Latent
from keras_cgan.recipes import cgan

BATCH = steps.images(), steps.labels()


def small(**options):
    model = cgan((16, 16, 1), steps.N_CLASSES, latent_units=6, label_units=8, hidden=(10,), **options)
    model.run_eagerly = True
    return model


def test_the_papers_networks():
    model = cgan()
    assert model.generator.count_params() == 101 * 200 + 11 * 1000 + 1201 * 1200 + 1201 * 784
    assert model.discriminator.count_params() == 785 * 1200 + 11 * 250 + 291 * 960 + 241
    assert model.latent.get_config() == Latent(100, (), 0, "unit").get_config()
    rates = [layer.rate for layer in model.generator.layers if "dropout" in layer.name]
    assert rates == [0.5, 0.5, 0.5]
    rates = [layer.rate for layer in model.discriminator.layers if "dropout" in layer.name]
    assert sorted(rates) == [0.2, 0.5, 0.5, 0.5]


def test_the_papers_settings():
    model = small()
    assert (model.adversarial.name, model.fake_labels) == ("nonsaturating", "data")
    for optimizer in model.optimizers.values():
        schedule = optimizer._learning_rate
        assert (schedule.learning_rate, schedule.factor, schedule.least) == (0.1, 1.00004, 1e-6)
        assert (optimizer.momentum, optimizer.final_momentum) == (0.5, 0.7)


def test_what_may_be_chosen_instead():
    optimizers = {player: keras.optimizers.Adam(1e-3) for player in ("d", "g")}
    bias = np.full((16, 16, 1), 0.5, "float32")
    model = small(
        noise_distribution="normal",
        output_bias=bias,
        dropout=0.0,
        d_dropout=(0.0, 0.3),
        optimizers=optimizers,
        average_decay=0.9,
    )
    assert model.latent.noise_distribution == "normal"
    np.testing.assert_array_equal(model.generator.trainable_variables[-1], bias.ravel())
    assert not [layer for layer in model.generator.layers if "dropout" in layer.name]
    rates = [layer.rate for layer in model.discriminator.layers if "dropout" in layer.name]
    assert rates == [0.3, 0.3, 0.3]
    assert model.optimizers == optimizers and model.average_decay == 0.9


def test_all_learn_as_a_graph():
    model = small()
    model.run_eagerly = False
    steps.assert_all_learn(model, *BATCH)
    inputs = {"latent": model.latent.sample(4), "label": BATCH[1]}
    assert model.predict(inputs, verbose=0).shape == (4, 16, 16, 1)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(), update, *BATCH)


def test_the_losses_by_hand():
    """Equation 2: fakes carry the labels of the real batch; dropout in both networks."""
    model = steps.compiled(small())
    image, label = BATCH
    drawn = steps.drawn_next(model, *BATCH)
    judge = steps.twin(model.d_model)
    logs = model.train_on_batch(*BATCH)
    np.testing.assert_array_equal(drawn["label"], label)
    shown = (tf.constant(image), drawn["image"], drawn["image"])
    seen = ({"image": image, "label": tf.constant(label)} for image in shown)
    real, fake, asked = (judge(inputs, training=True)["real_fake"] for inputs in seen)
    assert logs["d_loss"] == pytest.approx(steps.softplus(-real) + steps.softplus(fake), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(steps.softplus(-asked), rel=1e-5)


def test_both_react_to_the_label():
    model = small()
    image, label = BATCH
    other = np.roll(label, 1, axis=1)
    latent = model.latent.sample(4).numpy()
    drawn = [model.generator({"latent": latent, "label": given}) for given in (label, other)]
    assert np.abs(drawn[0] - drawn[1]).max() > 1e-4
    judged = [model.discriminator({"image": image, "label": given}) for given in (label, other)]
    assert np.abs(judged[0] - judged[1]).max() > 0


def test_a_loaded_model_goes_on(tmp_path):
    steps.assert_goes_on(small(), tmp_path / "cgan.keras", *BATCH)
