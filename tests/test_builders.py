"""All builders by one table: shapes, names, ranges, precision, saving, kernels, errors."""

import functools
from collections import defaultdict
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import keras_cgan


class Row(NamedTuple):
    """One call of a builder and what must come of it: a dict where there are several outputs."""

    id: str
    builder: str
    image_shape: tuple
    options: dict
    output: Any
    activation: Any

    def build(self, **options):
        return getattr(keras_cgan, self.builder)(self.image_shape, **self.options, **options)


F = {"filters": 4}
LABEL = {**F, "n_classes": 3}
TWO = {**LABEL, "n_layers": 2}
BOTH = {"real_fake": "linear", "classes": "softmax"}
Q = {"real_fake": "linear", "label": "softmax"}
Z = {"latent_size": 5}
Z_LABEL = {**Z, "n_classes": 3}
IN_NORMS = {**Z_LABEL, "filters": (4, 4), "label_in": "norms"}
ROWS = [
    # id, builder, image shape, options, output shape(s) without the batch, activation(s)
    Row("unet", "unet_generator", (64, 96, 3), F, (64, 96, 1), "tanh"),
    Row("unet-label", "unet_generator", (16, 16, 3), {**LABEL, "out_channels": 3}, (16, 16, 3), "tanh"),
    Row("unet-instance", "unet_generator", (16, 32, 1), {**LABEL, "norm": "instance"}, (16, 32, 1), "tanh"),
    Row("unet-spectral", "unet_generator", (12, 20, 3), {**LABEL, "norm": "spectral"}, (12, 20, 1), "tanh"),
    Row("unet-resize", "unet_generator", (16, 16, 3), {**LABEL, "upsampling": "resize"}, (16, 16, 1), "tanh"),
    Row("resnet", "resnet_generator", (16, 20, 3), {**F, "blocks": 2}, (16, 20, 1), "tanh"),
    Row("resnet-label", "resnet_generator", (32, 16, 3), {**LABEL, "blocks": 1}, (32, 16, 1), "tanh"),
    Row(
        "resnet-resize",
        "resnet_generator",
        (16, 16, 3),
        {**LABEL, "blocks": 1, "upsampling": "resize"},
        (16, 16, 1),
        "tanh",
    ),
    Row("mlp", "mlp_generator", (8, 12, 3), {"latent_size": 16, "hidden": (16, 16)}, (8, 12, 3), "tanh"),
    Row(
        "mlp-label",
        "mlp_generator",
        (8, 8, 1),
        {**Z_LABEL, "hidden": (16,), "latent_units": 6, "label_units": 7, "dropout": 0.5},
        (8, 8, 1),
        "tanh",
    ),
    Row(
        "dcgan",
        "dcgan_generator",
        (28, 20, 1),
        {**Z, "dense": (8, 8), "filters": (4, 4)},
        (28, 20, 1),
        "tanh",
    ),
    Row(
        "dcgan-label",
        "dcgan_generator",
        (16, 16, 3),
        {**Z_LABEL, "filters": (4, 4, 4), "kernel_size": 5, "norm_first": False},
        (16, 16, 3),
        "tanh",
    ),
    Row("dcgan-norms", "dcgan_generator", (16, 24, 3), {**IN_NORMS, "dense": (8,)}, (16, 24, 3), "tanh"),
    Row(
        "dcgan-instance",
        "dcgan_generator",
        (16, 16, 1),
        {**IN_NORMS, "dense": (8,), "norm": "instance", "upsampling": "resize"},
        (16, 16, 1),
        "tanh",
    ),
    Row(
        "dcgan-spectral",
        "dcgan_generator",
        (16, 16, 1),
        {**Z_LABEL, "dense": (8,), "filters": (4, 4), "norm": "spectral"},
        (16, 16, 1),
        "tanh",
    ),
    Row("resblock", "resblock_generator", (16, 24, 3), {**F, **Z}, (16, 24, 3), "tanh"),
    Row(
        "resblock-label",
        "resblock_generator",
        (16, 16, 1),
        {**F, **Z_LABEL, "n_blocks": 2},
        (16, 16, 1),
        "tanh",
    ),
    Row("patch", "patch_discriminator", (64, 96, 4), F, (6, 10, 1), "linear"),
    Row(
        "patch-sigmoid",
        "patch_discriminator",
        (32, 32, 1),
        {**F, "n_layers": 2, "activation": "sigmoid", "norm": "spectral"},
        (6, 6, 1),
        "sigmoid",
    ),
    Row("pixel", "patch_discriminator", (16, 24, 4), {**F, "n_layers": 0}, (16, 24, 1), "linear"),
    Row("patch-label", "patch_discriminator", (32, 48, 1), TWO, (6, 10, 1), "linear"),
    Row(
        "pixel-label",
        "patch_discriminator",
        (16, 24, 4),
        {**LABEL, "n_layers": 0, "norm": "spectral", "activation": "sigmoid"},
        (16, 24, 1),
        "sigmoid",
    ),
    Row("unit", "single_unit_discriminator", (16, 32, 4), F, (1,), "linear"),
    Row(
        "unit-sigmoid",
        "single_unit_discriminator",
        (32, 32, 4),
        {**F, "activation": "sigmoid"},
        (1,),
        "sigmoid",
    ),
    Row("pooled", "pooled_discriminator", (32, 24, 1), LABEL, (4,), "sigmoid"),
    Row(
        "pooled-softmax",
        "pooled_discriminator",
        (16, 16, 1),
        {**LABEL, "class_head": "softmax", "pooling": "avg", "hidden": 0},
        (4,),
        "softmax",
    ),
    Row(
        "two-head",
        "two_head_discriminator",
        (32, 32, 4),
        TWO,
        {"real_fake": (6, 6, 1), "classes": (4,)},
        BOTH,
    ),
    Row(
        "two-head-unit",
        "two_head_discriminator",
        (16, 24, 4),
        {**TWO, "patch": False, "activation": "sigmoid", "class_head": "sigmoid"},
        {"real_fake": (1,), "classes": (4,)},
        {"real_fake": "sigmoid", "classes": "sigmoid"},
    ),
    Row("shared-q", "shared_q_discriminator", (32, 48, 4), TWO, {"real_fake": (6, 10, 1), "label": (3,)}, Q),
    Row(
        "shared-q-unit",
        "shared_q_discriminator",
        (16, 16, 4),
        {**TWO, "patch": False, "sketch_channels": 3},
        {"real_fake": (1,), "label": (3,)},
        Q,
    ),
    Row("maxout", "maxout_discriminator", (8, 12, 3), {"hidden": ((6, 5), (6, 5))}, (1,), "linear"),
    Row(
        "maxout-label",
        "maxout_discriminator",
        (8, 8, 1),
        {"n_classes": 3, "hidden": ((6, 4),), "image_units": (6, 5), "label_units": (5, 2)},
        (1,),
        "linear",
    ),
    Row("conv", "conv_discriminator", (15, 20, 1), {"layers": ((4, 2), (4, 1), (4, 2))}, (1,), "linear"),
    Row(
        "conv-q",
        "conv_discriminator",
        (16, 16, 1),
        {"layers": ((4, 2), (4, 2)), "dense": 8, "n_classes": 3, "code_size": 2, "q_hidden": 8},
        {"real_fake": (1,), "label": (3,), "codes": (2,)},
        {**Q, "codes": "linear"},
    ),
    Row(
        "conv-spectral",
        "conv_discriminator",
        (16, 16, 3),
        {"layers": ((4, 2), (4, 2)), "norm": "spectral", "dense": 8, "n_classes": 3, "dropout": 0.5},
        {"real_fake": (1,), "label": (3,)},
        Q,
    ),
    Row(
        "conv-instance",
        "conv_discriminator",
        (16, 16, 3),
        {"layers": ((4, 2), (4, 2)), "norm": "instance", "norm_first": True, "dense": 8, "code_size": 2},
        {"real_fake": (1,), "codes": (2,)},
        {"real_fake": "linear", "codes": "linear"},
    ),
    Row("resblock-discriminator", "resblock_discriminator", (16, 20, 3), F, (1,), "linear"),
    Row("lenet", "lenet_classifier", (32, 40, 1), {"n_classes": 3}, (3,), "softmax"),
    Row("vgg", "vgg_classifier", (16, 24, 1), LABEL, (3,), "softmax"),
    Row("resnet-classifier", "resnet_classifier", (24, 16, 3), LABEL, (3,), "softmax"),
    Row(
        "resnet-classifier-blocks",
        "resnet_classifier",
        (16, 16, 3),
        {**LABEL, "stages": 2, "blocks": 2, "growth": 4, "stem_strides": 1},
        (3,),
        "softmax",
    ),
]
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])


@functools.cache
def built(row_id):
    """A float32 model that the tests share; none of them trains it."""
    return next(row for row in ROWS if row.id == row_id).build()


def random_inputs(model, batch=2, scale=1.0):
    """Images or latents in [-scale, scale], and one-hot labels where the model takes them."""
    generator = np.random.default_rng(0)

    def draw(name, shape):
        if name == "label":
            return np.eye(shape[1], dtype="float32")[np.arange(batch) % shape[1]]
        return generator.uniform(-scale, scale, (batch, *shape[1:])).astype("float32")

    if isinstance(model.input, dict):
        return {name: draw(name, tensor.shape) for name, tensor in model.input.items()}
    return draw("image", model.input.shape)


def by_name(outputs):
    return outputs if isinstance(outputs, dict) else {"output": outputs}


def check_range(activation, values):
    """Whether values look as the activation makes them from large inputs."""
    assert np.all(np.isfinite(values))
    if activation == "linear":
        return
    assert np.all((values >= (-1 if activation == "tanh" else 0)) & (values <= 1))
    if activation == "tanh":
        assert values.min() < 0 < values.max()
    is_distribution = np.allclose(values.sum(axis=-1), 1, atol=1e-5)
    assert is_distribution == (activation == "softmax")


def assert_outputs(row, model, batch=2):
    """Shapes, float32 and ranges of a row's outputs."""
    outputs = by_name(model(random_inputs(model, batch, scale=50.0)))
    shapes, activations = by_name(row.output), by_name(row.activation)
    assert outputs.keys() == shapes.keys()
    for name, tensor in outputs.items():
        assert tuple(tensor.shape) == (batch, *shapes[name])
        assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
        check_range(activations[name], keras.ops.convert_to_numpy(tensor))


def test_the_table_has_every_builder():
    endings = ("_generator", "_discriminator", "_classifier")
    builders = {name for name in keras_cgan.__all__ if name.endswith(endings)}
    of_networks = {"joined_discriminator"}  # made of others of the table: discriminators/test_joined.py
    assert {row.builder for row in ROWS} == builders - of_networks


@every_row
@pytest.mark.parametrize("batch", [1, 3])
def test_shape_precision_and_range(row, batch):
    assert_outputs(row, built(row.id), batch)


@every_row
def test_static_shapes_and_activations(row):
    outputs = by_name(built(row.id).output)
    for name, tensor in outputs.items():
        last = tensor._keras_history.operation
        assert tuple(tensor.shape) == (None, *by_name(row.output)[name])
        assert last.activation is keras.activations.get(by_name(row.activation)[name])
        assert name in ("output", last.name)


@every_row
def test_plain_functional_uncompiled_and_named(row):
    model = built(row.id)
    one = keras.Input((1,))
    assert type(model) is type(keras.Model(one, one)), "a functional model needs no class of ours to load"
    assert not model.compiled and model.trainable
    assert model.name == row.builder.split("_")[-1]
    assert all(type(layer).__module__.startswith("keras.") for layer in model.layers)
    other = row.build(name="other")
    assert other.name == "other"
    assert [v.path for v in other.trainable_variables] == [v.path for v in model.trainable_variables]


@every_row
def test_inputs_are_named(row):
    name, shape = first_input(row)
    told_the_label = row.builder.endswith("_generator") or row.builder in (PATCH, MAXOUT)
    inputs = built(row.id).input
    if "n_classes" in row.options and told_the_label:
        assert {key: tuple(tensor.shape) for key, tensor in inputs.items()} == {
            name: (None, *shape),
            "label": (None, row.options["n_classes"]),
        }
    else:
        assert (inputs.name, tuple(inputs.shape)) == (name, (None, *shape))


def first_input(row):
    """Name and shape of what a network takes beside the label."""
    if row.builder in ("unet_generator", "resnet_generator"):
        return "photo", row.image_shape
    if row.builder.endswith("_generator"):
        return "latent", (row.options["latent_size"],)
    return ("sketch" if row.builder.endswith("_classifier") else "image"), row.image_shape


@every_row
def test_float32_outputs_under_mixed_precision(row):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = row.build()
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}
    assert_outputs(row, model)


@every_row
def test_layers_of_one_shape_start_apart(row):
    drawn = defaultdict(list)
    for variable in built(row.id).trainable_variables:
        value = keras.ops.convert_to_numpy(variable)
        if np.ptp(value) > 0:
            drawn[value.shape].append(value)
    assert drawn
    for values in drawn.values():
        assert len(np.unique([value.ravel() for value in values], axis=0)) == len(values)


@every_row
def test_the_seed_settles_the_weights(row):
    one, same, other = (_weights_from_seed(row, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other))


def _weights_from_seed(row, seed):
    keras.utils.set_random_seed(seed)
    return row.build().get_weights()


@pytest.mark.parametrize("row_id", ["unet", "patch", "two-head", "pooled"])
def test_the_building_stones_are_those_of_pix2pix(row_id):
    """4x4 kernels from N(0, .02), leaky ReLU .2, as the paper has them."""
    model = built(row_id)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    convolutions += [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert {layer.kernel_size for layer in convolutions} == {(4, 4)}
    assert {layer.kernel_initializer.stddev for layer in convolutions} == {0.02}
    slopes = {layer.negative_slope for layer in model.layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert slopes == {0.2}


LOAD_ALL = """
import sys, keras, numpy as np
import keras_cgan
folder = sys.argv[1]
for name in sys.argv[2:]:
    model = keras.saving.load_model(f"{folder}/{name}.keras", safe_mode=True)
    inputs = dict(np.load(f"{folder}/{name}-inputs.npz"))
    outputs = model.predict_on_batch(inputs if isinstance(model.input, dict) else inputs["image"])
    outputs = outputs if isinstance(outputs, dict) else {"output": outputs}
    np.savez(f"{folder}/{name}-outputs.npz", **outputs)
"""


@pytest.mark.slow
def test_saved_models_load_in_a_fresh_process(tmp_path, run_child):
    expected = {}
    for row in ROWS:
        model = built(row.id)
        inputs = random_inputs(model)
        model.save(tmp_path / f"{row.id}.keras")
        np.savez(tmp_path / f"{row.id}-inputs", **(inputs if isinstance(inputs, dict) else {"image": inputs}))
        expected[row.id] = by_name(model.predict_on_batch(inputs))
    run_child(LOAD_ALL, tmp_path, *expected)
    for row_id, outputs in expected.items():
        loaded = np.load(tmp_path / f"{row_id}-outputs.npz")
        assert set(loaded.files) == outputs.keys(), row_id
        for name, values in outputs.items():
            np.testing.assert_allclose(loaded[name], values, atol=1e-6, err_msg=f"{row_id}: {name}")


PATCH, UNIT = "patch_discriminator", "single_unit_discriminator"
MLP, DCGAN, MAXOUT, CONV = "mlp_generator", "dcgan_generator", "maxout_discriminator", "conv_discriminator"
RES_G, RES_D = "resblock_generator", "resblock_discriminator"
POOLED, TWO_HEAD, SHARED_Q = "pooled_discriminator", "two_head_discriminator", "shared_q_discriminator"
N = {"n_classes": 3}
BAD = [
    # builder, image shape, options, what the error names, and what it says it received
    ("unet_generator", (30, 30, 3), {}, "image_shape", r"\(30, 30, 3\)"),
    ("unet_generator", (64, 64), {}, "image_shape", r"\(64, 64\)"),
    ("unet_generator", (16, 16, 3), {**N, "label_in": "input"}, "label_in", "label_in='input'"),
    ("unet_generator", 64, {}, "image_shape", "64"),
    ("unet_generator", (16, 16, 3), {"n_classes": 1}, "n_classes", "n_classes=1"),
    ("unet_generator", (16, 16, 3), {"norm": "layer"}, "norm", "norm='layer'"),
    ("unet_generator", (16, 16, 3), {"filters": 0}, "filters", "filters=0"),
    ("unet_generator", (16, 16, 3), {"out_channels": 0}, "out_channels", "out_channels=0"),
    ("unet_generator", (16, 16, 3), {"dropout": 1.5}, "dropout", "dropout=1.5"),
    ("unet_generator", (16, 16, 3), {"upsampling": "bilinear"}, "upsampling", "upsampling='bilinear'"),
    ("resnet_generator", (18, 16, 3), {}, "image_shape", r"\(18, 16, 3\)"),
    ("resnet_generator", (12, 16, 3), {}, "image_shape", r"\(12, 16, 3\)"),
    ("resnet_generator", (16, 16, 3), {"blocks": 0}, "blocks", "blocks=0"),
    ("resnet_generator", (16, 16, 3), {"norm": 1}, "norm", "norm=1"),
    ("resnet_generator", (16, 16, 3), {"upsampling": None}, "upsampling", "upsampling=None"),
    (PATCH, (23, 64, 4), {}, "image_shape", r"\(23, 64, 4\)"),
    (PATCH, (32, 32, 4), {"n_layers": -1}, "n_layers", "n_layers=-1"),
    (PATCH, (32, 32, 4), {"activation": "tanh"}, "activation", "activation='tanh'"),
    (PATCH, (32, 32, 0), {}, "image_shape", r"\(32, 32, 0\)"),
    (PATCH, (32, 32, 4), {"n_classes": 1}, "n_classes", "n_classes=1"),
    (UNIT, (15, 64, 4), {}, "image_shape", r"\(15, 64, 4\)"),
    (UNIT, (16, 16, 4), {"n_layers": 0}, "n_layers", "n_layers=0"),
    (UNIT, (16, 16, 4), {"filters": 1.5}, "filters", "filters=1.5"),
    (POOLED, (16, 16, 1), {"n_classes": "3"}, "n_classes", "n_classes='3'"),
    (POOLED, (16, 16, 1), {**N, "class_head": "linear"}, "class_head", "class_head='linear'"),
    (POOLED, (16, 16, 1), {**N, "pooling": "sum"}, "pooling", "pooling='sum'"),
    (POOLED, (16, 16, 1), {**N, "hidden": -1}, "hidden", "hidden=-1"),
    (POOLED, (7, 16, 1), N, "image_shape", r"\(7, 16, 1\)"),
    (TWO_HEAD, (16, 16, 4), N, "image_shape", r"\(16, 16, 4\)"),
    (TWO_HEAD, (32, 32, 4), {**N, "class_head": None}, "class_head", "class_head=None"),
    (TWO_HEAD, (32, 32, 4), {**N, "n_layers": 0}, "n_layers", "n_layers=0"),
    (SHARED_Q, (32, 32, 1), N, "sketch_channels", "sketch_channels=1"),
    (SHARED_Q, (32, 32, 4), {**N, "sketch_channels": 0}, "sketch_channels", "sketch_channels=0"),
    (SHARED_Q, (32, 32, 4), {**N, "pooling": None}, "pooling", "pooling=None"),
    (MLP, (8, 8), {}, "image_shape", r"\(8, 8\)"),
    (MLP, (8, 8, 1), {"latent_size": 0}, "latent_size", "latent_size=0"),
    (MLP, (8, 8, 1), {"n_classes": 1}, "n_classes", "n_classes=1"),
    (MLP, (8, 8, 1), {"hidden": ()}, "hidden", r"hidden=\(\)"),
    (MLP, (8, 8, 1), {"hidden": 8}, "hidden", "hidden=8"),
    (MLP, (8, 8, 1), {"latent_units": 8}, "latent_units", "latent_units=8, n_classes=None"),
    (MLP, (8, 8, 1), {"label_units": 8}, "label_units", "label_units=8, n_classes=None"),
    (MLP, (8, 8, 1), {**N, "label_units": 0}, "label_units", "label_units=0"),
    (MLP, (8, 8, 1), {"dropout": 1.0}, "dropout", "dropout=1.0"),
    (MLP, (8, 8, 1), {"weight_range": 0.0}, "weight_range", "weight_range=0.0"),
    (MLP, (8, 8, 1), {"output_bias": np.zeros((8, 8))}, "output_bias", r"\(8, 8\)"),
    (MLP, (8, 8, 1), {"output_bias": np.full((8, 8, 1), np.inf)}, "output_bias", "64 of them not finite"),
    (DCGAN, (28, 32, 1), {"filters": (4, 4, 4)}, "image_shape", r"\(28, 32, 1\)"),
    (DCGAN, (8, 8, 1), {}, "image_shape", r"\(8, 8, 1\)"),
    (DCGAN, (32, 32, 1), {"filters": (4, 0)}, "filters", r"filters=\(4, 0\)"),
    (DCGAN, (32, 32, 1), {"dense": 1024}, "dense", "dense=1024"),
    (DCGAN, (32, 32, 1), {"kernel_size": 1}, "kernel_size", "kernel_size=1"),
    (DCGAN, (32, 32, 1), {"norm": "layer"}, "norm", "norm='layer'"),
    (DCGAN, (32, 32, 1), {"upsampling": 2}, "upsampling", "upsampling=2"),
    (DCGAN, (32, 32, 1), {"label_in": "output"}, "label_in", "label_in='output'"),
    (DCGAN, (32, 32, 1), {"label_in": "norms"}, "label_in", "n_classes=None"),
    (DCGAN, (32, 32, 1), {**N, "label_in": "norms", "norm": "spectral"}, "label_in", "norm='spectral'"),
    (
        DCGAN,
        (8, 8, 1),
        {**N, "label_in": "norms", "filters": (4,), "norm_first": False},
        "label_in",
        "label_in='norms'",
    ),
    (RES_G, (28, 32, 1), {}, "image_shape", r"\(28, 32, 1\)"),
    (RES_G, (32, 32, 1), {"n_blocks": 0}, "n_blocks", "n_blocks=0"),
    (RES_G, (32, 32, 1), {"filters": (4,)}, "filters", r"filters=\(4,\)"),
    (MAXOUT, (8, 8, 1), {"hidden": ((6, 5), 6)}, "hidden", r"hidden=\(\(6, 5\), 6\)"),
    (MAXOUT, (8, 8, 1), {"hidden": ()}, "hidden", r"hidden=\(\)"),
    (MAXOUT, (8, 8, 1), {"image_units": (6, 5)}, "image_units", r"image_units=\(6, 5\), n_classes=None"),
    (MAXOUT, (8, 8, 1), {**N, "image_units": 6}, "image_units", "image_units=6"),
    (MAXOUT, (8, 8, 1), {**N, "label_units": (6, 0)}, "label_units", r"label_units=\(6, 0\)"),
    (MAXOUT, (8, 8, 1), {"input_dropout": -0.1}, "input_dropout", "input_dropout=-0.1"),
    (MAXOUT, (8, 8, 1), {"dropout": 1}, "dropout", "dropout=1"),
    (MAXOUT, (8, 8, 1), {"weight_range": "wide"}, "weight_range", "weight_range='wide'"),
    (CONV, (8, 8, 1), {"layers": ((4, 2, 1),)}, "layers", r"layers=\(\(4, 2, 1\),\)"),
    (CONV, (8, 8, 1), {"layers": ()}, "layers", r"layers=\(\)"),
    (CONV, (8, 8, 1), {"kernel_size": 0}, "kernel_size", "kernel_size=0"),
    (CONV, (8, 8, 1), {"norm": "layer"}, "norm", "norm='layer'"),
    (CONV, (8, 8, 1), {"leak": 1.0}, "leak", "leak=1.0"),
    (CONV, (8, 8, 1), {"dropout": 1.0}, "dropout", "dropout=1.0"),
    (CONV, (8, 8, 1), {"dense": -1}, "dense", "dense=-1"),
    (CONV, (8, 8, 1), {"n_classes": 1}, "n_classes", "n_classes=1"),
    (CONV, (8, 8, 1), {"code_size": -1}, "code_size", "code_size=-1"),
    (CONV, (8, 8, 1), {"q_hidden": 8}, "q_hidden", "q_hidden=8, n_classes=None"),
    (RES_D, (3, 8, 1), {}, "image_shape", r"\(3, 8, 1\)"),
    (RES_D, (8, 8, 1), {"n_blocks": 2}, "dropout", r"dropout=\(0.2, 0.5, 0.5\)"),
    (RES_D, (8, 8, 1), {"dropout": 0.5}, "dropout", "dropout=0.5"),
    (RES_D, (8, 8, 1), {"dropout": (0.5, 1.0)}, "dropout", "dropout=1.0"),
    ("lenet_classifier", (15, 32, 1), N, "image_shape", r"\(15, 32, 1\)"),
    ("lenet_classifier", (32, 32, 1), {"n_classes": 1}, "n_classes", "n_classes=1"),
    ("lenet_classifier", (32, 32, 1), {**N, "dropout": -0.1}, "dropout", "dropout=-0.1"),
    ("vgg_classifier", (16, 16, 1), {**N, "blocks": 5}, "image_shape", r"\(16, 16, 1\)"),
    ("vgg_classifier", (16, 16, 1), {**N, "blocks": 0}, "blocks", "blocks=0"),
    ("resnet_classifier", (16, 16, 1), {**N, "stages": 0}, "stages", "stages=0"),
    ("resnet_classifier", (16, 16, 1), {**N, "blocks": 0}, "blocks", "blocks=0"),
    ("resnet_classifier", (16, 16, 1), {**N, "growth": 0}, "growth", "growth=0"),
    ("resnet_classifier", (16, 16, 1), {**N, "stem_strides": 0}, "stem_strides", "stem_strides=0"),
]


@pytest.mark.parametrize(("builder", "image_shape", "options", "argument", "received"), BAD)
def test_a_bad_argument_is_named(builder, image_shape, options, argument, received):
    with pytest.raises(ValueError, match=rf"`{argument}`.*Received: .*{received}"):
        getattr(keras_cgan, builder)(image_shape, **options)
