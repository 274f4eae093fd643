"""The same network, its convolutions computed by a cheaper way to the same numbers."""

import math

import keras
import tensorflow as tf
from keras import layers

from keras_cgan import fast_convolutions

# Where another way is faster on a CPU: benchmarks/faster_networks.py. Positions are those of one
# image, in the smaller of the two maps.
FEW_POSITIONS = 16  # a product, whatever the kernel
SOME_POSITIONS, WIDE_KERNEL = 64, 2**22  # so many with so many weights
RESIZE_POSITIONS, RESIZE_WEIGHTS = 64, 4096  # from so many, with at most so many weights a position


def faster_network(network):
    """The same network, with some of its convolutions computed by a cheaper way on a CPU.

    4x4 stride-2 convolutions of small maps become matrix products, and nearest neighbour followed by
    a 3x3 convolution becomes one transposed convolution (`fast_convolutions`).

    Args:
        network: A `keras.Model`; others than functional ones come back as they are.

    Returns:
        A model with the variables of `network`, which draws the same to rounding: train or run either,
        and both have learnt. Save `network`. It is `network` itself where nothing is to be gained,
        and on a machine with a GPU.

    Example:

    >>> draw = tf.function(faster_network(generator))
    >>> sketch = draw(photo[None])
    """
    if not isinstance(network, keras.Function) or tf.config.list_physical_devices("GPU"):
        return network
    ways = {id(layer): way for layer in network.layers if (way := _product(layer))}
    ways.update(_resizing(network))
    if not ways:
        return network

    def clone(layer):
        way = ways.get(id(layer))
        if way is None:
            return layer
        return layers.Identity(name=layer.name) if way == "nothing" else _Faster(layer, way)

    return keras.models.clone_model(network, clone_function=clone)


class FasterNetworks:
    """Remembers what `faster_network` made of each network.

    A plain object, so that a model that holds it does not own the networks once more.
    """

    def __init__(self):
        self._known = {}

    def __call__(self, network):
        """The network to call in place of `network`."""
        if id(network) not in self._known:
            with tf.init_scope():
                self._known[id(network)] = network, faster_network(network)
        return self._known[id(network)][1]


class _Faster(layers.Layer):
    """A convolution layer, computed by a function of `fast_convolutions`."""

    def __init__(self, layer, way):
        super().__init__(dtype=layer.dtype_policy, name=layer.name)
        self.layer, self._way = layer, way
        self.built = True

    def call(self, inputs):
        outputs = self._way(inputs, tf.convert_to_tensor(self.layer.kernel))
        if self.layer.use_bias:
            outputs += tf.convert_to_tensor(self.layer.bias)
        return self.layer.activation(outputs)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.layer.output.shape[1:])


def _product(layer):
    """The function for a layer that is better a matrix product; else `None`."""
    kinds = {layers.Conv2DTranspose: fast_convolutions.up, layers.Conv2D: fast_convolutions.down}
    way = kinds.get(type(layer))
    if way is None or not _is_plain(layer, kernel_size=4, strides=2):
        return None
    is_up = way is fast_convolutions.up
    wide, narrow = (layer.output, layer.input) if is_up else (layer.input, layer.output)
    if None in wide.shape[1:3] or wide.shape[1] % 2 or wide.shape[2] % 2:
        return None
    positions = narrow.shape[1] * narrow.shape[2]
    few = positions <= FEW_POSITIONS
    some = positions <= SOME_POSITIONS and math.prod(layer.kernel.shape) >= WIDE_KERNEL
    few_maps = is_up and layer.filters <= fast_convolutions.FEW_MAPS
    return way if few or some or few_maps else None


def _resizing(network):
    """The layers that double the size together: `{id: "nothing"}` of the first, and the second's function."""
    found = {}
    for layer in network.layers:
        if type(layer) is not layers.UpSampling2D or tuple(layer.size) != (2, 2):
            continue
        if layer.interpolation != "nearest" or layer.data_format != "channels_last":
            continue
        readers = [
            other
            for other in network.operations
            if any(tensor is layer.output for tensor in keras.tree.flatten(other.input))
        ]
        if any(tensor is layer.output for tensor in network.outputs) or len(readers) != 1:
            continue
        (reader,) = readers
        if type(reader) is layers.Conv2D and _is_plain(reader, 3, 1) and None not in layer.input.shape[1:]:
            positions = layer.input.shape[1] * layer.input.shape[2]
            weights = 16 * reader.filters * layer.input.shape[-1]
            if positions >= RESIZE_POSITIONS and weights <= RESIZE_WEIGHTS * positions:
                found |= {id(layer): "nothing", id(reader): fast_convolutions.resize_up}
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
