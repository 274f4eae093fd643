"""Matrix products give what the convolutions give, and only where they are meant to."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cgan import small_maps, unet_generator
from keras_cgan.small_maps import FasterNetworks, with_small_maps


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
    assert_same(outputs_and_gradients(small_maps.up, x, kernel), outputs_and_gradients(expected, x, kernel))


@pytest.mark.parametrize("size", [(2, 2), (2, 4), (4, 4), (8, 6)], ids=str)
@pytest.mark.parametrize("batch", [1, 5])
def test_down_is_a_convolution(batch, size):
    x, kernel = drawn(batch, *size, 7), drawn(4, 4, 7, 6, seed=1)
    assert_same(
        outputs_and_gradients(small_maps.down, x, kernel),
        outputs_and_gradients(lambda x, kernel: tf.nn.conv2d(x, kernel, 2, "SAME"), x, kernel),
    )


def unet(**options):
    return unet_generator((16, 16, 3), **{"n_classes": 3, "filters": 4, "dropout": 0.0, **options})


def conditions(batch=3):
    return {"photo": drawn(batch, 16, 16, 3), "label": tf.one_hot(tf.range(batch) % 3, 3)}


def taken(network):
    """The names of the layers that are matrix products."""
    return [layer.name for layer in network.layers if isinstance(layer, small_maps._SmallMap)]


def test_a_unet_draws_and_learns_the_same():
    network = unet()
    twin = with_small_maps(network)
    assert {"down3_conv", "down4_conv", "up1_conv", "up2_conv", "up4_conv"} <= set(taken(twin))
    np.testing.assert_allclose(twin(conditions()), network(conditions()), atol=1e-6)

    def gradients(model):
        before = [tf.identity(variable.value) for variable in network.variables]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(conditions(), training=True) * drawn(3, 16, 16, 1))
        moved = [variable.numpy() for variable in network.non_trainable_variables]
        found = tape.gradient(loss, [variable.value for variable in network.trainable_variables])
        for variable, value in zip(network.variables, before):
            variable.assign(value)
        return found, moved

    (found, moved), (expected, expected_moved) = gradients(twin), gradients(network)
    assert_same(found, expected)
    assert_same(moved, expected_moved)


def test_the_variables_are_the_networks_own_and_in_its_order():
    network = unet()
    twin = with_small_maps(network)
    for kind in ("trainable_variables", "non_trainable_variables"):
        assert [id(v) for v in getattr(twin, kind)] == [id(v) for v in getattr(network, kind)]


def test_the_network_is_saved_as_plain_keras_and_keeps_its_graph(tmp_path):
    network = unet()
    expected = network(conditions())
    with_small_maps(network)(conditions())
    assert network.get_layer("up1_conv").output.shape == (None, 2, 2, 16)
    network.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras", custom_objects={})
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in network.layers]
    np.testing.assert_allclose(loaded(conditions()), expected, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "XLA"])
def test_batches_of_any_size_in_one_trace(jit_compile):
    twin = with_small_maps(unet(n_classes=None))
    draw = tf.function(twin, jit_compile=jit_compile, input_signature=[tf.TensorSpec((None, 16, 16, 3))])
    for batch in (1, 4, 9):
        photo = drawn(batch, 16, 16, 3)
        np.testing.assert_allclose(draw(photo), twin(photo), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_computes_in_half_and_learns_in_float32(policy):
    keras.config.set_dtype_policy(policy)
    network = unet()
    twin = with_small_maps(network)
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
    twin = with_small_maps(network)
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
    assert with_small_maps(network) is network


def test_a_wide_kernel_is_taken_at_more_positions():
    image = keras.Input((8, 8, 1024))
    wide, narrow = (keras.Model(image, up(filters=filters)(image)) for filters in (256, 128))
    assert with_small_maps(wide) is not wide
    assert with_small_maps(narrow) is narrow


def test_networks_of_other_kinds_and_gpus_are_left(monkeypatch):
    class Subclass(keras.Model):
        pass

    other = Subclass()
    assert with_small_maps(other) is other
    network = unet()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["GPU:0"])
    assert with_small_maps(network) is network


def test_faster_networks_makes_one_twin_even_while_a_step_is_traced():
    faster, network = FasterNetworks(), unet(n_classes=None)
    photo = drawn(2, 16, 16, 3)
    drawn_in_graph = tf.function(lambda photo: faster(network)(photo))(photo)
    assert faster(network) is faster(network) is not network
    np.testing.assert_allclose(drawn_in_graph, network(photo), atol=1e-6)
