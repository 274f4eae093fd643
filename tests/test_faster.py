"""Matrix products give what the convolutions give, and only where they are meant to."""

import gc
import types
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cgan import fast_convolutions, faster, unet_generator
from keras_cgan.faster import faster_network


def drawn(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def outputs_and_gradients(convolve, x, kernel):
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = convolve(x, kernel)
        # Of every output by another weight, so that none can stand in for another.
        loss = tf.reduce_sum(y * drawn(*y.shape, seed=3))
    return y, *tape.gradient(loss, [x, kernel])


def assert_same(first, second, atol=2e-5):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=atol, rtol=1e-5)


@pytest.mark.parametrize("filters", [1, 6], ids=["few maps", "more"])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 2), (4, 3)], ids=str)
@pytest.mark.parametrize("batch", [1, 5])
def test_up_is_a_transposed_convolution(batch, size, filters):
    def expected(x, kernel):
        shape = (batch, 2 * size[0], 2 * size[1], filters)
        return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")

    x, kernel = drawn(batch, *size, 7), drawn(4, 4, filters, 7, seed=1)
    assert_same(
        outputs_and_gradients(fast_convolutions.up, x, kernel), outputs_and_gradients(expected, x, kernel)
    )


@pytest.mark.parametrize("size", [(2, 2), (2, 4), (4, 4), (8, 6)], ids=str)
@pytest.mark.parametrize("batch", [1, 5])
def test_down_is_a_convolution(batch, size):
    x, kernel = drawn(batch, *size, 7), drawn(4, 4, 7, 6, seed=1)
    assert_same(
        outputs_and_gradients(fast_convolutions.down, x, kernel),
        outputs_and_gradients(lambda x, kernel: tf.nn.conv2d(x, kernel, 2, "SAME"), x, kernel),
    )


@pytest.mark.parametrize("filters", [1, 6], ids=["few maps", "more"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)], ids=str)
def test_resize_up_is_nearest_neighbour_and_a_convolution(size, filters):
    def expected(x, kernel):
        return tf.nn.conv2d(tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2), kernel, 1, "SAME")

    x, kernel = drawn(3, *size, 7), drawn(3, 3, 7, filters, seed=1)
    assert_same(
        outputs_and_gradients(fast_convolutions.resize_up, x, kernel),
        outputs_and_gradients(expected, x, kernel),
    )


def unet(**options):
    return unet_generator((16, 16, 3), **{"n_classes": 3, "filters": 4, "dropout": 0.0, **options})


def conditions(batch=3):
    return {"photo": drawn(batch, 16, 16, 3), "label": tf.one_hot(tf.range(batch) % 3, 3)}


def taken(network):
    """The names of the layers that are matrix products."""
    return [layer.name for layer in network.layers if isinstance(layer, faster._Faster)]


@pytest.mark.parametrize(
    "upsampling, expected",
    [
        (
            "transpose",
            {"down2_conv", "down3_conv", "down4_conv", "up1_conv", "up2_conv", "up3_conv", "up4_conv"},
        ),
        ("resize", {"down2_conv", "down3_conv", "down4_conv", "up4_conv"}),
    ],
)
def test_a_unet_draws_and_learns_the_same(upsampling, expected):
    network = unet(upsampling=upsampling)
    twin = faster_network(network)
    assert set(taken(twin)) == expected
    np.testing.assert_allclose(twin(conditions()), network(conditions()), atol=1e-6)

    def gradients(model):
        before = [tf.identity(variable.value) for variable in network.variables]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(conditions(), training=True) * drawn(3, 16, 16, 1))
        moved = [variable.numpy() for variable in network.non_trainable_variables]
        found = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
        assert None not in found
        for variable, value in zip(network.variables, before):
            variable.assign(value)
        return found, moved

    (found, moved), (expected, expected_moved) = gradients(twin), gradients(network)
    assert_same(found, expected)
    assert_same(moved, expected_moved)


def test_the_variables_are_the_networks_own_and_in_its_order():
    network = unet()
    twin = faster_network(network)
    for kind in ("trainable_variables", "non_trainable_variables"):
        assert [id(v) for v in getattr(twin, kind)] == [id(v) for v in getattr(network, kind)]


def test_the_network_is_saved_as_plain_keras_and_keeps_its_graph(tmp_path):
    network = unet()
    expected = network(conditions())
    faster_network(network)(conditions())
    assert network.get_layer("up1_conv").output.shape == (None, 2, 2, 16)
    network.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras", custom_objects={})
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in network.layers]
    np.testing.assert_allclose(loaded(conditions()), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "XLA"])
def test_batches_of_any_size_in_one_trace(jit_compile):
    twin = faster_network(unet(n_classes=None))
    draw = tf.function(twin, jit_compile=jit_compile, input_signature=[tf.TensorSpec((None, 16, 16, 3))])
    for batch in (1, 4, 9):
        photo = drawn(batch, 16, 16, 3)
        np.testing.assert_allclose(draw(photo), twin(photo), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_computes_in_half_and_learns_in_float32(policy):
    keras.config.set_dtype_policy(policy)
    network = unet()
    twin = faster_network(network)
    inner = twin.get_layer("up1_conv")
    assert inner.compute_dtype == policy.removeprefix("mixed_")
    assert inner(tf.cast(drawn(2, 1, 1, 32), inner.compute_dtype)).dtype == inner.compute_dtype
    np.testing.assert_allclose(twin(conditions()), network(conditions()), atol=0.02)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(twin(conditions(), training=True))
    (gradient,) = tape.gradient(loss, [network.get_layer("up1_conv").kernel.value])
    assert gradient.dtype == "float32"


def test_bias_activation_and_a_frozen_layer_are_kept():
    image = keras.Input((4, 4, 3))
    layer = layers.Conv2DTranspose(
        2, 4, strides=2, padding="same", activation="tanh", bias_initializer="ones", name="up"
    )
    network = keras.Model(image, layer(image))
    layer.trainable = False
    twin = faster_network(network)
    assert taken(twin) == ["up"]
    assert twin.trainable_variables == []
    np.testing.assert_allclose(twin(drawn(2, 4, 4, 3)), network(drawn(2, 4, 4, 3)), atol=1e-6)


def down(**options):
    return layers.Conv2D(**{"filters": 2, "kernel_size": 4, "strides": 2, "padding": "same", **options})


def up(**options):
    return layers.Conv2DTranspose(
        **{"filters": 8, "kernel_size": 4, "strides": 2, "padding": "same", **options}
    )


LEFT = {
    "kernel of 3": lambda: (4, down(kernel_size=3)),
    "stride of 1": lambda: (4, down(strides=1)),
    "no padding": lambda: (4, down(padding="valid")),
    "groups": lambda: (4, down(groups=2)),
    "dilation": lambda: (4, up(kernel_size=4, strides=1, dilation_rate=2)),
    "output padding": lambda: (4, up(output_padding=1)),
    "odd sides": lambda: (5, down()),
    "sides not known": lambda: (None, down()),
    "large map up": lambda: (8, up()),
    "large map down": lambda: (16, down()),
    "activity regularizer": lambda: (4, down(activity_regularizer="l2")),
    "spectral norm": lambda: (4, layers.SpectralNormalization(down())),
}


@pytest.mark.parametrize("kind", LEFT)
def test_other_layers_are_left(kind):
    side, layer = LEFT[kind]()
    image = keras.Input((side, side, 4))
    network = keras.Model(image, layer(image))
    assert faster_network(network) is network


def resized(up=None, conv=None, side=8, channels=4):
    """A network that doubles the size, its first layer and its second."""
    image = keras.Input((side, side, channels))
    first = up or layers.UpSampling2D(2)
    second = conv or layers.Conv2D(2, 3, padding="same")
    x = first(image)
    return image, x, second(x)


@pytest.mark.parametrize(
    "options",
    [
        {"side": 4},
        {"channels": 1024, "conv": layers.Conv2D(512, 3, padding="same")},
        {"up": layers.UpSampling2D(3)},
        {"up": layers.UpSampling2D(2, interpolation="bilinear")},
        {"conv": layers.Conv2D(2, 5, padding="same")},
        {"conv": layers.Conv2D(2, 3, padding="valid")},
        {"conv": layers.SeparableConv2D(2, 3, padding="same")},
    ],
    ids=["few positions", "wide kernel", "size of 3", "bilinear", "5x5", "no padding", "separable"],
)
def test_other_ways_of_resizing_are_left(options):
    image, _, y = resized(**options)
    network = keras.Model(image, y)
    assert faster_network(network) is network


def test_a_resized_map_that_is_read_elsewhere_too_is_left():
    image, x, y = resized()
    for outputs in ([x, y], [y, layers.ReLU()(x)], layers.Concatenate()([y, x])):
        network = keras.Model(image, outputs)
        assert faster_network(network) is network


def test_resizing_and_its_convolution_become_one():
    image, _, y = resized(conv=layers.Conv2D(6, 3, padding="same", activation="relu", name="conv"))
    network = keras.Model(image, y)
    twin = faster_network(network)
    assert taken(twin) == ["conv"]
    assert not any(isinstance(layer, layers.UpSampling2D) for layer in twin.layers)
    np.testing.assert_allclose(twin(drawn(2, 8, 8, 4)), network(drawn(2, 8, 8, 4)), atol=1e-6)


def test_a_wide_kernel_is_taken_at_more_positions():
    image = keras.Input((8, 8, 1024))
    wide, narrow = (keras.Model(image, up(filters=filters)(image)) for filters in (256, 128))
    assert faster_network(wide) is not wide
    assert faster_network(narrow) is narrow


def test_networks_of_other_kinds_and_gpus_are_left(monkeypatch):
    class Subclass(keras.Model):
        pass

    other = Subclass()
    assert faster_network(other) is other
    network = unet()
    gpu = types.SimpleNamespace(device_type="GPU")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: [gpu])
    assert faster_network(network) is network


def test_a_network_has_one_twin_even_while_a_step_is_traced():
    network = unet(n_classes=None)
    photo = drawn(2, 16, 16, 3)
    drawn_in_graph = tf.function(lambda photo: faster_network(network)(photo))(photo)
    assert faster_network(network) is faster_network(network) is not network
    np.testing.assert_allclose(drawn_in_graph, network(photo), atol=1e-6)


def test_a_twin_goes_with_its_network():
    network = unet()
    twin = weakref.ref(faster_network(network))
    assert twin() is not None
    del network
    gc.collect()  # the network, and its entry
    gc.collect()  # the twin
    assert twin() is None


def test_a_twin_is_not_saved(tmp_path):
    twin = faster_network(unet())
    for save, name in ((twin.save, "t.keras"), (twin.save_weights, "t.weights.h5")):
        with pytest.raises(NotImplementedError, match="save the network that it was made of"):
            save(tmp_path / name)


def test_a_call_of_its_own_is_kept():
    class Halved(keras.Model):
        def __init__(self, inner):
            super().__init__(inner.input, inner.output)

        def call(self, inputs, training=None):
            return super().call(inputs, training=training) * 0.5

    network = Halved(unet(n_classes=None))
    assert faster_network(network) is network


def reused_upsampling():
    image, up = keras.Input((8, 8, 4)), layers.UpSampling2D(2)
    first, second = (layers.Conv2D(4, 3, padding="same") for _ in range(2))
    return image, second(up(first(up(image))))


def reused_after_upsampling():
    image, conv = keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same")
    return image, conv(conv(layers.UpSampling2D(2)(image)))


def two_branches():
    image, up = keras.Input((8, 8, 4)), layers.UpSampling2D(2)
    first, second = (layers.Conv2D(4, 3, padding="same") for _ in range(2))
    return image, layers.Add()([first(up(image)), second(up(layers.ReLU()(image)))])


def twice_down():
    image, conv = keras.Input((8, 8, 3)), down(filters=3)
    return image, layers.Dense(2)(layers.Flatten()(conv(conv(image))))


def called_elsewhere_first():
    image, conv = keras.Input((5, 5, 3)), down()
    conv(keras.Input((4, 4, 3)))
    return image, conv(image)


@pytest.mark.parametrize(
    "build",
    [reused_upsampling, reused_after_upsampling, two_branches, twice_down, called_elsewhere_first],
    ids=lambda build: build.__name__,
)
def test_layers_that_are_used_elsewhere_too(build):
    network = keras.Model(*build())
    x = drawn(2, *network.input_shape[1:])
    np.testing.assert_allclose(faster_network(network)(x), network(x), atol=1e-6)


def test_half_precision_is_rounded_no_more_than_by_keras():
    """Sums of taps are taken in float32: in bfloat16 they would be rounded twice."""
    x, kernel = drawn(2, 8, 8, 64), drawn(3, 3, 64, 16, seed=1)
    exact = fast_convolutions.resize_up(x, kernel)
    half = tf.cast(x, tf.bfloat16)
    resized = tf.repeat(tf.repeat(half, 2, axis=1), 2, axis=2)
    plain = tf.nn.conv2d(resized, tf.cast(kernel, tf.bfloat16), 1, "SAME")

    def error(y):
        return float(tf.sqrt(tf.reduce_mean((tf.cast(y, tf.float32) - exact) ** 2)))

    assert error(fast_convolutions.resize_up(half, kernel)) < 1.15 * error(plain)
