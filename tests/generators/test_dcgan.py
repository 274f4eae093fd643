"""The DCGAN generator: the papers' sizes, where norms are, the label as input."""

import keras
import numpy as np
import pytest

from keras_cgan import dcgan_generator

NORMS = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)


def layer_names(generator, kind):
    return [layer.name for layer in generator.layers if isinstance(layer, kind)]


def maps(generator):
    """Shapes of the feature maps, from the smallest on."""
    names = ["start_map", *layer_names(generator, keras.layers.Conv2DTranspose)]
    return [tuple(generator.get_layer(name).output.shape[1:]) for name in names]


def n_trainable(generator):
    return sum(int(np.prod(variable.shape)) for variable in generator.trainable_variables)


def test_the_size_of_dcgan():
    generator = dcgan_generator((64, 64, 3))
    assert maps(generator) == [(4, 4, 512), (8, 8, 256), (16, 16, 128), (32, 32, 64), (64, 64, 3)]
    assert layer_names(generator, NORMS) == ["start_norm", "up1_norm", "up2_norm", "up3_norm"]
    # Kernels; gamma and beta instead of the bias before a norm; the last bias.
    kernels = 100 * 8192 + 16 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    assert n_trainable(generator) == kernels + 2 * (512 + 256 + 128 + 64) + 3


def test_the_size_of_infogan():
    generator = dcgan_generator((28, 28, 1), latent_size=74, dense=(1024,), filters=(128, 64))
    assert maps(generator) == [(7, 7, 128), (14, 14, 64), (28, 28, 1)]
    assert layer_names(generator, NORMS) == ["dense1_norm", "start_norm", "up1_norm"]
    kernels = 74 * 1024 + 1024 * 7 * 7 * 128 + 16 * (128 * 64 + 64)
    assert n_trainable(generator) == kernels + 2 * (1024 + 128 + 64) + 1


def test_the_size_of_acgan():
    generator = dcgan_generator(
        (32, 32, 3), n_classes=10, filters=(768, 384, 256, 192), kernel_size=5, norm_first=False
    )
    assert maps(generator) == [(2, 2, 768), (4, 4, 384), (8, 8, 256), (16, 16, 192), (32, 32, 3)]
    assert generator.get_layer("start_dense").kernel.shape == (110, 2 * 2 * 768)
    assert generator.get_layer("start_dense").use_bias
    assert layer_names(generator, NORMS) == ["up1_norm", "up2_norm", "up3_norm"]
    steps = [f"{step}_conv" for step in ("up1", "up2", "up3", "image")]
    assert {generator.get_layer(name).kernel_size for name in steps} == {(5, 5)}
    assert [generator.get_layer(name).use_bias for name in steps] == [False, False, False, True]


def test_relu_after_every_layer_but_the_last():
    generator = dcgan_generator((8, 16, 1), dense=(4, 4), filters=(4, 4))
    relus = layer_names(generator, keras.layers.ReLU)
    assert relus == ["dense1_relu", "dense2_relu", "start_relu", "up1_relu"]
    assert generator.output_shape == (None, 8, 16, 1)


def test_weights_start_as_the_paper_has_them():
    generator = dcgan_generator((16, 16, 1), dense=(64,), filters=(32, 32))
    kernels = [layer.kernel.numpy() for layer in generator.layers if hasattr(layer, "kernel")]
    assert len(kernels) == 4
    for kernel in kernels:
        assert 0.017 < kernel.std() < 0.023


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("batch", ["dense1_norm", "up1_norm", "up2_norm"]),
        ("instance", ["up1_norm", "up2_norm"]),
        ("spectral", []),
        (None, []),
    ],
)
def test_no_norm_where_it_would_say_nothing(norm, expected):
    """The first map is a single place; an instance norm of a vector is zero."""
    generator = dcgan_generator((8, 8, 1), dense=(4,), filters=(4, 4, 4), norm=norm)
    assert layer_names(generator, NORMS) == expected
    weighted = 5 if norm == "spectral" else 0
    assert len(layer_names(generator, keras.layers.SpectralNormalization)) == weighted
    one, other = np.eye(100, dtype="float32")[:2]
    images = generator(np.stack([one, other]), training=True).numpy()
    # Without a norm, weights of .02 leave little of anything.
    assert np.abs(images[0] - images[1]).max() > 0.01 * np.abs(images).max() > 0


def test_upsampling_by_resize_takes_no_transposed_convolution():
    generator = dcgan_generator((8, 8, 1), filters=(4, 4), upsampling="resize")
    assert not layer_names(generator, keras.layers.Conv2DTranspose)
    assert layer_names(generator, keras.layers.UpSampling2D) == ["up1_resize", "image_resize"]


def test_the_label_beside_the_latent_goes_in_linearly():
    generator = dcgan_generator((8, 8, 1), latent_size=3, n_classes=4, filters=(4, 4))
    start = keras.Model(generator.input, generator.get_layer("start_dense").output)
    latents = np.random.default_rng(0).normal(size=(1, 3)).repeat(5, axis=0).astype("float32")
    one, other = np.eye(4, dtype="float32")[:2]
    labels = np.stack([one, other, 3 * one - other, -one, 0 * one])
    a, b, mixed, negative, nothing = start({"latent": latents, "label": labels}).numpy()
    np.testing.assert_allclose(mixed - nothing, 3 * (a - nothing) - (b - nothing), atol=1e-6)
    np.testing.assert_allclose(negative - nothing, nothing - a, atol=1e-6)
    images = generator({"latent": latents, "label": labels}).numpy()
    assert len(np.unique(images.reshape(5, -1), axis=0)) == 5


def test_the_label_reaches_the_norms_of_vectors_too():
    generator = dcgan_generator((8, 8, 1), n_classes=3, dense=(6,), filters=(4, 4), label_in="norms")
    norm = generator.get_layer("dense1_norm")
    assert not norm.center and not norm.scale
    shifted = generator.get_layer("dense1_norm_shift").output
    assert shifted.shape == (None, 6)
    hidden = keras.Model(generator.input, shifted)
    latents = np.ones((2, 100), "float32")
    one, other = hidden({"latent": latents, "label": np.eye(3, dtype="float32")[:2]}).numpy()
    assert np.abs(one - other).min() > 0
