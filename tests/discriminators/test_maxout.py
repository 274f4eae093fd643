"""The maxout discriminator: the papers' sizes, maxout by hand, weights, label."""

import keras
import numpy as np
import pytest

from keras_cgan import maxout_discriminator
from keras_cgan.blocks import maxout

MNIST = (28, 28, 1)
CONDITIONAL = {"n_classes": 10, "image_units": (240, 5), "hidden": ((240, 4),)}


def kernels(discriminator):
    return {
        layer.name: tuple(layer.kernel.shape) for layer in discriminator.layers if hasattr(layer, "kernel")
    }


def rates(discriminator):
    return {
        layer.name: layer.rate for layer in discriminator.layers if isinstance(layer, keras.layers.Dropout)
    }


def test_the_size_of_the_gan_paper():
    discriminator = maxout_discriminator(MNIST)
    assert kernels(discriminator) == {
        "hidden1_dense": (784, 1200),
        "hidden2_dense": (240, 1200),
        "unit_logits": (240, 1),
    }
    assert discriminator.count_params() == (784 + 1) * 1200 + (240 + 1) * 1200 + 241
    assert rates(discriminator) == {"image_dropout": 0.2, "hidden1_dropout": 0.5, "hidden2_dropout": 0.5}


def test_the_size_of_the_conditional_paper():
    discriminator = maxout_discriminator(MNIST, **CONDITIONAL)
    assert kernels(discriminator) == {
        "image_maxout_dense": (784, 1200),
        "label_maxout_dense": (10, 250),
        "hidden1_dense": (290, 960),
        "unit_logits": (240, 1),
    }
    assert discriminator.count_params() == 785 * 1200 + 11 * 250 + 291 * 960 + 241
    assert sorted(rates(discriminator).values()) == [0.2, 0.5, 0.5, 0.5]


def test_no_dropout_layer_at_rate_0():
    discriminator = maxout_discriminator((4, 4, 1), hidden=((3, 2),), input_dropout=0.0, dropout=0.0)
    assert rates(discriminator) == {}


def test_maxout_by_hand():
    x = keras.Input((5,))
    model = keras.Model(x, maxout(x, units=4, pieces=3, name="unit"))
    layer = model.get_layer("unit_dense")
    layer.bias.assign(np.random.default_rng(1).normal(size=12))
    values = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")
    expected = np.full((7, 4), -np.inf)
    for piece in range(3):
        columns = slice(4 * piece, 4 * (piece + 1))
        one = values @ layer.kernel.numpy()[:, columns] + layer.bias.numpy()[columns]
        expected = np.maximum(expected, one)
    np.testing.assert_allclose(model(values), expected, atol=1e-5)


@pytest.mark.parametrize("weight_range", [0.005, 0.1])
def test_weights_are_uniform(weight_range):
    discriminator = maxout_discriminator(MNIST, weight_range=weight_range, **CONDITIONAL)
    for name in kernels(discriminator):
        layer = discriminator.get_layer(name)
        drawn = layer.kernel.numpy()
        assert -weight_range <= drawn.min() < -0.9 * weight_range
        assert 0.9 * weight_range < drawn.max() <= weight_range
        assert not np.any(layer.bias.numpy())


def test_its_layers_see_the_papers_pixels():
    discriminator = maxout_discriminator((4, 4, 1), hidden=((8, 2),))
    images = np.linspace(-1, 1, 32, dtype="float32").reshape(2, 4, 4, 1)
    seen = keras.Model(discriminator.input, discriminator.get_layer("hidden1_dense").input)(images)
    np.testing.assert_allclose(seen, (images.reshape(2, 16) + 1) / 2, atol=1e-6)


def small(**options):
    # Of a range in which a label shows.
    return maxout_discriminator((4, 4, 1), hidden=((8, 2),), n_classes=3, weight_range=0.5, **options)


def test_the_label_goes_in_linearly():
    """The pieces are linear in it, so what maxout makes of a scaled label is scaled."""
    discriminator = small(label_units=(6, 3))
    label = discriminator.input["label"]
    one, other = np.eye(3, dtype="float32")[:2]
    pieces = keras.Model(label, discriminator.get_layer("label_maxout_dense").output)
    a, b, mixed = pieces(np.stack([one, other, 2 * one - 3 * other])).numpy()
    np.testing.assert_allclose(mixed, 2 * a - 3 * b, atol=1e-5)
    units = keras.Model(label, discriminator.get_layer("label_maxout_max").output)
    a, scaled, negative = units(np.stack([one, 3 * one, -one])).numpy()
    np.testing.assert_allclose(scaled, 3 * a, atol=1e-5)
    assert not np.allclose(negative, a)


@pytest.mark.parametrize("label_units", [(6, 3), None])
def test_every_label_is_judged_otherwise(label_units):
    discriminator = small(label_units=label_units)
    width = 16 + (6 if label_units else 3)
    assert discriminator.get_layer("image_and_label").output.shape == (None, width)
    images = np.ones((5, 4, 4, 1), "float32")
    labels = np.asarray([[1, 0, 0], [0, 1, 0], [2, 0, 0], [-1, 0, 0], [0, 0, 0]], "float32")
    logits = discriminator({"image": images, "label": labels}).numpy()
    assert logits.shape == (5, 1) and len(np.unique(logits)) == 5


def test_dropout_in_training_only():
    discriminator = maxout_discriminator((4, 4, 1), hidden=((8, 2),), weight_range=0.5)
    images = np.ones((2, 4, 4, 1), "float32")
    assert np.array_equal(discriminator(images), discriminator(images))
    assert not np.array_equal(discriminator(images, training=True), discriminator(images, training=True))
