"""The label as the generator's input: where it goes in, and that it does so linearly."""

import keras
import numpy as np
import pytest

from keras_cgan import dcgan_generator, resblock_generator, resnet_generator, unet_generator
from keras_cgan.generators.conditions import takes_label

SHAPE = (32, 32, 3)
UNET_NORMS = ["up1_norm", "up2_norm", "up3_norm", "up4_norm"]
RESNET_NORMS = ["block1_norm1", "block1_norm2", "block2_norm1", "block2_norm2", "up1_norm", "up2_norm"]
DCGAN_NORMS = ["start_norm", "up1_norm", "up2_norm"]
RESBLOCK_NORMS = [f"block{number}_norm{part}" for number in (1, 2) for part in (1, 2)]
IN_NORMS = {"filters": (4, 4, 4), "label_in": "norms"}
CASES = [
    # builder, its options, the norms that the label must reach
    pytest.param(unet_generator, {"norm": "batch"}, UNET_NORMS, id="unet-batch"),
    pytest.param(unet_generator, {"norm": "instance"}, UNET_NORMS, id="unet-instance"),
    pytest.param(unet_generator, {"norm": "spectral"}, [], id="unet-spectral"),
    pytest.param(unet_generator, {"label_in": "bottleneck"}, [], id="unet-bottleneck"),
    pytest.param(resnet_generator, {"norm": "instance", "blocks": 2}, RESNET_NORMS, id="resnet-instance"),
    pytest.param(resnet_generator, {"norm": None, "blocks": 2}, [], id="resnet-no-norm"),
    pytest.param(dcgan_generator, {**IN_NORMS, "norm": "batch"}, DCGAN_NORMS, id="dcgan-batch"),
    pytest.param(dcgan_generator, {**IN_NORMS, "norm": "instance"}, DCGAN_NORMS, id="dcgan-instance"),
    pytest.param(resblock_generator, {"n_blocks": 2}, RESBLOCK_NORMS, id="resblock"),
]
every_case = pytest.mark.parametrize(("builder", "options", "norms"), CASES)


def make(builder, options):
    generator = builder(SHAPE, **{"n_classes": 4, "filters": 4, **options})
    for layer in generator.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return generator


def draw(generator, labels, training=False):
    """One photo, or one latent, with each label."""
    labels = np.asarray(labels, "float32")
    (name, shape) = next((name, x.shape[1:]) for name, x in generator.input.items() if name != "label")
    one = np.random.default_rng(0).uniform(-1, 1, (1, *shape)).astype("float32")
    return generator({name: np.repeat(one, len(labels), axis=0), "label": labels}, training=training).numpy()


def label_layers(generator):
    """The layers that take the label itself."""
    label = generator.input["label"]
    dense = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dense)]
    return [layer for layer in dense if layer.input is label]


@every_case
def test_where_the_label_goes_in(builder, options, norms):
    generator = make(builder, options)
    bottleneck = ["label_bottleneck"] if "photo" in generator.input else []
    expected = [*bottleneck, *(f"{norm}_{part}" for norm in norms for part in ("gamma", "beta"))]
    assert sorted(layer.name for layer in label_layers(generator)) == sorted(expected)
    assert takes_label(generator)
    for norm in norms:
        plain = generator.get_layer(norm)
        assert not plain.center and not plain.scale, "gamma and beta come from the label"


@every_case
def test_every_label_layer_reaches_the_sketch(builder, options, norms):
    generator = make(builder, options)
    kernels = {layer.name: layer.kernel for layer in label_layers(generator)}
    start = {name: kernel.numpy() for name, kernel in kernels.items()}
    for kernel in kernels.values():
        kernel.assign(keras.ops.zeros_like(kernel))
    one, other = draw(generator, np.eye(4)[:2], training=True)
    np.testing.assert_allclose(one, other, atol=1e-6)
    for name, kernel in kernels.items():
        kernel.assign(start[name])
        one, other = draw(generator, np.eye(4)[:2], training=True)
        assert np.abs(one - other).max() > 1e-5, name
        kernel.assign(keras.ops.zeros_like(kernel))


@every_case
def test_the_label_acts_linearly(builder, options, norms):
    generator = make(builder, options)
    maps = keras.Model(
        generator.input["label"], {layer.name: layer.output for layer in label_layers(generator)}
    )
    one, other = np.eye(4, dtype="float32")[:2]
    outputs = maps(np.stack([one, other, 2 * one - other, one + other, 0 * one]))
    for layer in label_layers(generator):
        assert layer.activation is keras.activations.linear
        a, b, difference, both, nothing = outputs[layer.name].numpy()
        np.testing.assert_allclose(difference, 2 * a - b, atol=1e-5)
        np.testing.assert_allclose(both, a + b - nothing, atol=1e-5)


@every_case
def test_any_vector_is_a_legal_label(builder, options, norms):
    labels = [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
        [1, 1, 0, 1],
        [3, 0, 0, 0],
        [-1, 0, 0, 0],
        [0.5, 0.5, 0, 0],
    ]
    sketches = draw(make(builder, options), labels)
    assert sketches.shape[:3] == (7, 32, 32) and np.all(np.isfinite(sketches))
    assert len(np.unique(sketches.reshape(7, -1), axis=0)) == 7
