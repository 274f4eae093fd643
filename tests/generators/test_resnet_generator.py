"""The ResNet generator: size, blocks, borders."""

import keras
import numpy as np
import pytest

from keras_cgan import resnet_generator


def n_blocks(generator):
    return sum(layer.name.endswith("_add") and layer.name.startswith("block") for layer in generator.layers)


def test_the_paper_size():
    generator = resnet_generator((256, 256, 3), out_channels=3)
    parameters = sum(int(np.prod(variable.shape)) for variable in generator.trainable_variables)
    assert parameters == 11_378_179 + 5_248
    assert n_blocks(generator) == 9


@pytest.mark.parametrize(("size", "blocks"), [((128, 128), 6), ((256, 128), 6), ((256, 320), 9)])
def test_blocks_follow_from_the_shorter_side(size, blocks):
    assert n_blocks(resnet_generator((*size, 1), filters=1)) == blocks


def test_the_border_mirrors_the_image():
    """A flat photo stays flat: zero padding would show at the border."""
    generator = resnet_generator((16, 16, 1), filters=4, blocks=1, norm=None)
    stem = keras.Model(generator.input, generator.get_layer("stem_conv").output)
    maps = stem(np.full((1, 16, 16, 1), 0.7, "float32")).numpy()
    np.testing.assert_allclose(maps, np.broadcast_to(maps[:, :1, :1], maps.shape), atol=1e-6)
    assert np.abs(maps).max() > 0
