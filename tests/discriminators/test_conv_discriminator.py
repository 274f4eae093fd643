"""The convolutional discriminator: the papers' sizes, norms, heads."""

import keras
import numpy as np
import pytest

from keras_cgan import conv_discriminator

NORMS = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
INFOGAN = {"leak": 0.1, "dense": 1024, "n_classes": 10, "code_size": 2, "q_hidden": 128}
ACGAN = {
    "layers": ((16, 2), (32, 1), (64, 2), (128, 1), (256, 2), (512, 1)),
    "kernel_size": 3,
    "dropout": 0.5,
    "n_classes": 10,
}
SMALL = {"layers": ((4, 2), (4, 2))}


def layer_names(discriminator, kind):
    return [layer.name for layer in discriminator.layers if isinstance(layer, kind)]


def maps(discriminator):
    names = layer_names(discriminator, keras.layers.Conv2D)
    return [tuple(discriminator.get_layer(name).output.shape[1:]) for name in names]


def n_trainable(discriminator):
    return sum(int(np.prod(variable.shape)) for variable in discriminator.trainable_variables)


def test_the_size_of_infogan():
    discriminator = conv_discriminator((28, 28, 1), **INFOGAN)
    assert maps(discriminator) == [(14, 14, 64), (7, 7, 128)]
    assert layer_names(discriminator, NORMS) == ["conv2_norm", "shared_norm", "q_norm"]
    relus = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.LeakyReLU)]
    assert len(relus) == 4 and {layer.negative_slope for layer in relus} == {0.1}
    trunk = (16 * 64 + 64) + (16 * 64 * 128 + 2 * 128) + (7 * 7 * 128 * 1024 + 2 * 1024)
    heads = 1025 + (1024 * 128 + 2 * 128) + 129 * 10 + 129 * 2
    assert n_trainable(discriminator) == trunk + heads


def test_the_size_of_acgan():
    discriminator = conv_discriminator((32, 32, 3), **ACGAN)
    assert maps(discriminator) == [
        (16, 16, 16),
        (16, 16, 32),
        (8, 8, 64),
        (8, 8, 128),
        (4, 4, 256),
        (4, 4, 512),
    ]
    assert layer_names(discriminator, NORMS) == [f"conv{number}_norm" for number in range(2, 7)]
    dropouts = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.Dropout)]
    assert [layer.rate for layer in dropouts] == [0.5] * 6
    widths = [3, 16, 32, 64, 128, 256, 512]
    kernels = sum(9 * a * b for a, b in zip(widths, widths[1:]))
    norms = 2 * sum(widths[2:])
    assert n_trainable(discriminator) == kernels + 16 + norms + (4 * 4 * 512 + 1) * 11
    assert list(discriminator.output) == ["real_fake", "label"]


def test_one_output_without_heads():
    discriminator = conv_discriminator((28, 28, 1))
    assert discriminator.output.shape == (None, 1) and maps(discriminator) == [(14, 14, 64), (7, 7, 128)]


@pytest.mark.parametrize(
    ("options", "outputs"),
    [
        ({"n_classes": 3}, {"real_fake": 1, "label": 3}),
        ({"code_size": 2}, {"real_fake": 1, "codes": 2}),
        ({"n_classes": 3, "code_size": 4}, {"real_fake": 1, "label": 3, "codes": 4}),
    ],
)
@pytest.mark.parametrize("q_hidden", [0, 8])
@pytest.mark.parametrize("dense", [0, 8])
def test_what_the_heads_share(options, outputs, q_hidden, dense):
    discriminator = conv_discriminator((8, 8, 1), **SMALL, **options, q_hidden=q_hidden, dense=dense)
    assert {name: output.shape[1] for name, output in discriminator.output.items()} == outputs
    trunk = discriminator.get_layer("shared_relu" if dense else "flatten").output
    assert discriminator.get_layer("unit_logits").input is trunk
    if q_hidden:
        assert discriminator.get_layer("q_dense").input is trunk
    read = discriminator.get_layer("q_relu").output if q_hidden else trunk
    for name in outputs.keys() - {"real_fake"}:
        assert discriminator.get_layer(f"{name}_logits").input is read


@pytest.mark.parametrize(
    ("norm", "first", "expected"),
    [
        ("batch", False, ["conv2_norm", "shared_norm", "q_norm"]),
        ("batch", True, ["conv1_norm", "conv2_norm", "shared_norm", "q_norm"]),
        ("instance", False, ["conv2_norm"]),
        ("instance", True, ["conv1_norm", "conv2_norm"]),
        (None, True, []),
        ("spectral", False, []),
    ],
)
def test_no_norm_where_it_would_say_nothing(norm, first, expected):
    """The last map is a single place; an instance norm of a vector is zero."""
    discriminator = conv_discriminator(
        (8, 8, 1),
        layers=((4, 2), (4, 2), (4, 2)),
        norm=norm,
        norm_first=first,
        dense=4,
        code_size=2,
        q_hidden=4,
    )
    assert layer_names(discriminator, NORMS) == expected
    spectral = len(layer_names(discriminator, keras.layers.SpectralNormalization))
    assert spectral == (5 if norm == "spectral" else 0)
    for name in ("conv1_conv", "conv2_conv", "conv3_conv", "shared_dense", "q_dense"):
        layer = discriminator.get_layer(f"{name}_sn").layer if spectral else discriminator.get_layer(name)
        # The bias is there where no norm cancels it.
        assert layer.use_bias is (f"{name.split('_')[0]}_norm" not in expected)


def test_odd_sides_are_rounded_up():
    discriminator = conv_discriminator((15, 9, 1), layers=((2, 2), (2, 2), (2, 3)))
    assert maps(discriminator) == [(8, 5, 2), (4, 3, 2), (2, 1, 2)]
