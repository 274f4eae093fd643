"""The same network, its convolutions computed by a cheaper way to the same numbers."""

import collections
import math
import weakref

import keras
import tensorflow as tf
from keras import layers, ops

from keras_cgan import fast_convolutions
from keras_cgan.unsaved import Unsaved

# Where another way is faster on a CPU: benchmarks/faster_networks.py. Positions are those of one
# image, in the smaller of the two maps.
FEW_POSITIONS = 16  # a product, whatever the kernel
SOME_POSITIONS, WIDE_KERNEL = 64, 2**22  # so many with so many weights
RESIZE_POSITIONS, RESIZE_WEIGHTS = 64, 4096  # from so many, with at most so many weights a position

# One for each network, or None: cloning leaves a trace on every layer that both have.
_KNOWN = weakref.WeakKeyDictionary()


def faster_network(network):
    """The same network, with some of its convolutions computed by a cheaper way on a CPU.

    4x4 stride-2 convolutions of small maps become matrix products, and nearest neighbour followed by
    a 3x3 convolution becomes one transposed convolution (`fast_convolutions`).

    Args:
        network: A `keras.Model`; others than functional ones come back as they are, and so do those
            with a `call` of their own.

    Returns:
        A model with the variables of `network`, which draws the same to rounding: train or run either,
        and both have learnt. Save `network`. It is `network` itself where nothing is to be gained,
        and on a machine with a GPU or another accelerator.

    Example:

    >>> draw = tf.function(faster_network(generator), reduce_retracing=True)
    >>> sketch = draw(photo[None])
    """
    if not isinstance(network, keras.Function) or not _is_keras_own(type(network).call):
        return network
    if {device.device_type for device in tf.config.list_logical_devices()} != {"CPU"}:
        return network
    if network not in _KNOWN:
        with tf.init_scope():  # this may be the first time within a step that is traced
            _KNOWN[network] = _twin(network)
    twin = _KNOWN[network]
    return network if twin is None else twin


class FasterNetwork(Unsaved, keras.Model):
    """A functional model of another's layers; `faster_network` makes it."""

    why_unsaved = (
        "A network of faster_network() cannot be saved: save the network that it was made of, which has the "
        "same variables."
    )


def _twin(network):
    """The faster network; `None` where there is nothing to gain."""
    uses = collections.defaultdict(list)
    for node in _calls(network):
        uses[id(node.operation)].append(node)
    # A layer that is used twice has two maps, and the first call of one may be in another network.
    nodes = [found[0] for found in uses.values() if len(found) == 1]
    ways = {id(node.operation): (way, node) for node in nodes if (way := _product(node))}
    ways.update(_resizing(network, nodes))
    if not ways:
        return None

    def clone(layer):
        if id(layer) not in ways:
            return layer
        way, node = ways[id(layer)]
        if way is None:
            return layers.Identity(name=layer.name, dtype=layer.dtype_policy)
        return _Faster(layer, way, node.outputs[0].shape[1:])

    twin = keras.models.clone_model(network, clone_function=clone)
    twin = FasterNetwork(twin.input, twin.output, name=network.name)
    # Each layer casts for itself: no policy of the whole, global or loaded, comes between.
    twin.autocast, twin.dtype_policy = False, "float32"
    return twin


def _calls(network):
    """Keras' records of the calls of layers that the network is made of."""
    return [node for level in network._nodes_by_depth.values() for node in level]


def _is_keras_own(method):
    return method.__module__.split(".")[0] == "keras"


class _Faster(layers.Layer):
    """A convolution layer, computed by a function of `fast_convolutions`."""

    def __init__(self, layer, way, output_shape):
        # Without autocast the kernel comes as it is: what is made of it is rounded once, at the end.
        super().__init__(dtype=layer.dtype_policy, autocast=False, name=layer.name)
        self.layer, self._way, self._output_shape = layer, way, tuple(output_shape)
        self.built = True

    def call(self, inputs):
        dtype = self.layer.compute_dtype
        outputs = self._way(ops.cast(inputs, dtype), tf.convert_to_tensor(self.layer.kernel))
        if self.layer.use_bias:
            outputs += ops.cast(self.layer.bias, dtype)
        return self.layer.activation(outputs)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._output_shape)


def _maps(node):
    """The maps that go into a layer and come out of it, where it is used."""
    return node.input_tensors[0], node.outputs[0]


def _product(node):
    """The function for a layer that is better a matrix product; else `None`."""
    layer = node.operation
    kinds = {layers.Conv2DTranspose: fast_convolutions.up, layers.Conv2D: fast_convolutions.down}
    way = kinds.get(type(layer))
    if way is None or not _is_plain(layer, kernel_size=4, strides=2):
        return None
    is_up = way is fast_convolutions.up
    narrow, wide = _maps(node) if is_up else reversed(_maps(node))
    if None in wide.shape[1:3] or wide.shape[1] % 2 or wide.shape[2] % 2:
        return None
    positions = narrow.shape[1] * narrow.shape[2]
    few = positions <= FEW_POSITIONS
    some = positions <= SOME_POSITIONS and math.prod(layer.kernel.shape) >= WIDE_KERNEL
    few_maps = is_up and layer.filters <= fast_convolutions.FEW_MAPS
    return way if few or some or few_maps else None


def _resizing(network, nodes):
    """The layers that double the size together: nothing for the first, and the second's function."""
    found = {}
    readers = collections.defaultdict(list)
    for node in _calls(network):
        for tensor in node.input_tensors:
            readers[id(tensor)].append(node)
    for node in nodes:
        layer = node.operation
        if type(layer) is not layers.UpSampling2D or tuple(layer.size) != (2, 2):
            continue
        if layer.interpolation != "nearest" or layer.data_format != "channels_last":
            continue
        small, resized = _maps(node)
        reading = readers[id(resized)]
        if any(tensor is resized for tensor in network.outputs) or len(reading) != 1:
            continue
        (reader,) = reading
        conv = reader.operation
        if not any(reader is other for other in nodes) or type(conv) is not layers.Conv2D:
            continue
        if _is_plain(conv, kernel_size=3, strides=1) and None not in small.shape[1:]:
            positions = small.shape[1] * small.shape[2]
            weights = 16 * conv.filters * small.shape[-1]
            if positions >= RESIZE_POSITIONS and weights <= RESIZE_WEIGHTS * positions:
                found |= {id(layer): (None, node), id(conv): (fast_convolutions.resize_up, reader)}
    return found


def _is_plain(layer, kernel_size, strides):
    """Whether a convolution has this kernel and stride, and nothing that the functions leave out."""
    return (
        tuple(layer.kernel_size) == (kernel_size,) * 2
        and tuple(layer.strides) == (strides,) * 2
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and tuple(layer.dilation_rate) == (1, 1)
        and getattr(layer, "groups", 1) == 1
        and getattr(layer, "output_padding", None) is None
        and not layer.quantization_mode
        and not layer.activity_regularizer
    )
