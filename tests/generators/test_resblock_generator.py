"""The residual generator, and the block that it shares with its discriminator."""

import keras
import numpy as np
import pytest

from keras_cgan import resblock_generator
from keras_cgan.blocks import preactivated

# One block of 128 maps: two 3x3 kernels, the second with bias, and a 1x1 convolution.
BLOCK = 2 * 9 * 128 * 128 + 128 + 128 * 128 + 128
REST = 128 * 2048 + 2048 + 2 * 128 + 9 * 128 * 3 + 3


def n_trainable(generator):
    return sum(int(np.prod(variable.shape)) for variable in generator.trainable_variables)


def test_the_size_of_controlgan():
    generator = resblock_generator((32, 32, 3), n_classes=10)
    sizes = [
        tuple(generator.get_layer(name).output.shape[1:])
        for name in ("start_map", "block1_add", "block2_add", "block3_add", "image_conv")
    ]
    assert sizes == [(4, 4, 128), (8, 8, 128), (16, 16, 128), (32, 32, 128), (32, 32, 3)]
    # Of each of the two norms: gamma and beta, each 10 weights and a bias a map.
    assert n_trainable(generator) == REST + 3 * (BLOCK + 2 * 2 * (10 * 128 + 128))


def test_without_a_label():
    generator = resblock_generator((32, 32, 3))
    assert n_trainable(generator) == REST + 3 * (BLOCK + 2 * 2 * 128)
    assert generator.input.name == "latent" and generator.input_shape == (None, 128)


@pytest.mark.parametrize("label_is_given", [True, False])
def test_the_last_norm_has_its_own_gamma(label_is_given):
    generator = resblock_generator((8, 8, 1), n_classes=3 if label_is_given else None, filters=4, n_blocks=2)
    assert generator.get_layer("image_norm").scale
    assert generator.get_layer("block1_norm1").scale is not label_is_given


def block(shape, filters, **options):
    x = keras.Input(shape)
    return keras.Model(x, preactivated(x, filters, "block", **options))


def conv(layer, x):
    """A "same" convolution with stride 1, in NumPy."""
    kernel = layer.kernel.numpy()
    size = kernel.shape[0]
    padded = np.pad(x, [(0, 0), (size // 2, size // 2), (size // 2, size // 2), (0, 0)])
    height, width = x.shape[1:3]
    y = sum(padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(size) for j in range(size))
    return y + layer.bias.numpy()


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def halved(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


@pytest.mark.parametrize("activate_first", [True, False])
@pytest.mark.parametrize("resize", ["up", "down", None])
@pytest.mark.parametrize("filters", [3, 4])
def test_the_block_by_hand(filters, resize, activate_first):
    """As the code of WGAN-GP has it: the shortcut's convolution after "up" and before "down"."""
    model = block((4, 6, 3), filters, resize=resize, activate_first=activate_first)
    for layer in model.layers:
        if hasattr(layer, "bias"):
            layer.bias.assign(np.random.default_rng(1).normal(size=layer.bias.shape))
    x = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    y = np.maximum(x, 0) if activate_first else x
    y = conv(model.get_layer("block_conv1"), doubled(y) if resize == "up" else y)
    y = conv(model.get_layer("block_conv2"), np.maximum(y, 0))
    shortcut = doubled(x) if resize == "up" else x
    if resize or filters != 3:
        shortcut = conv(model.get_layer("block_shortcut"), shortcut)
    else:
        assert "block_shortcut" not in [layer.name for layer in model.layers]
    if resize == "down":
        y, shortcut = halved(y), halved(shortcut)
    np.testing.assert_allclose(model(x), y + shortcut, atol=1e-4)


def test_norms_come_before_the_relus():
    model = block((4, 4, 3), 3, norm="batch")
    for part in (1, 2):
        assert model.get_layer(f"block_relu{part}").input is model.get_layer(f"block_norm{part}").output
    assert model.get_layer("block_norm1").input is model.input
    assert not model.get_layer("block_conv1").use_bias and model.get_layer("block_conv2").use_bias
    spectral = block((4, 4, 3), 4, norm="spectral")
    names = [x.name for x in spectral.layers if isinstance(x, keras.layers.SpectralNormalization)]
    assert sorted(names) == ["block_conv1_sn", "block_conv2_sn", "block_shortcut_sn"]
