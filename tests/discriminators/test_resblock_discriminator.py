"""The residual discriminator: ControlGAN's size, where dropout is, no norm."""

import keras
import numpy as np
import pytest

from keras_cgan import resblock_discriminator


def layer_names(discriminator, kind):
    return sorted(layer.name for layer in discriminator.layers if isinstance(layer, kind))


def test_the_size_of_controlgan():
    discriminator = resblock_discriminator((32, 32, 3))
    sizes = [tuple(discriminator.get_layer(f"block{number}_add").output.shape[1:]) for number in range(1, 5)]
    assert sizes == [(16, 16, 128), (8, 8, 128), (8, 8, 128), (8, 8, 128)]
    conv = 9 * 128 * 128 + 128
    first = (9 * 3 * 128 + 128) + conv + (3 * 128 + 128)
    second = 2 * conv + (128 * 128 + 128)
    assert discriminator.count_params() == first + second + 2 * (2 * conv) + 129


def test_dropout_after_the_last_three_blocks():
    discriminator = resblock_discriminator((16, 16, 1), filters=4)
    dropouts = {
        layer.name: layer.rate for layer in discriminator.layers if isinstance(layer, keras.layers.Dropout)
    }
    assert dropouts == {"block2_dropout": 0.2, "block3_dropout": 0.5, "block4_dropout": 0.5}
    images = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype("float32")
    assert np.array_equal(discriminator(images), discriminator(images))
    assert not np.array_equal(discriminator(images, training=True), discriminator(images, training=True))


@pytest.mark.parametrize(
    ("dropout", "expected"),
    [((), []), ((0.0, 0.5), ["block3_dropout"]), ((0.1, 0.1, 0.1), [f"block{n}_dropout" for n in (1, 2, 3)])],
)
def test_the_rates_belong_to_the_last_blocks(dropout, expected):
    discriminator = resblock_discriminator((8, 8, 1), filters=2, n_blocks=3, dropout=dropout)
    assert layer_names(discriminator, keras.layers.Dropout) == expected


def test_the_image_itself_is_not_cut_off_at_0():
    discriminator = resblock_discriminator((8, 8, 1), filters=4)
    assert discriminator.get_layer("block1_conv1").input is discriminator.input
    names = layer_names(discriminator, keras.layers.ReLU)
    assert "block1_relu1" not in names and "block2_relu1" in names


def test_each_image_is_judged_by_itself():
    """What a gradient penalty needs: no norm over the batch."""
    discriminator = resblock_discriminator((8, 8, 1), filters=4, dropout=())
    kinds = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    assert not layer_names(discriminator, kinds)
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype("float32")
    alone = np.concatenate([discriminator(image[None], training=True) for image in images])
    np.testing.assert_allclose(discriminator(images, training=True), alone, atol=1e-6)


@pytest.mark.parametrize(("shape", "n_blocks"), [((4, 5, 1), 3), ((2, 2, 1), 1)])
def test_small_and_odd_images(shape, n_blocks):
    discriminator = resblock_discriminator(shape, filters=2, n_blocks=n_blocks, dropout=())
    assert discriminator(np.ones((1, *shape), "float32")).shape == (1, 1)
