"""Convolutions of small feature maps as matrix products: the same maths and variables, faster.

A stride-2 convolution of a few positions with a wide kernel, as at the bottom of a U-Net, is
bound by the memory of that kernel: 34 MB from 1024 to 512 maps. Libraries of convolutions copy
it into another order at each call; a matrix product reads it as it lies.
"""

import math

import keras
import tensorflow as tf
from keras import layers

# Where a product is faster on a CPU: benchmarks/small_maps.py.
FEW_POSITIONS = 16  # of the smaller map, of one image
SOME_POSITIONS, WIDE_KERNEL = 64, 2**22  # so many with so many weights
FEW_MAPS = 4  # at most so many out of a transposed convolution, of any size
FEW_ROWS = 4  # of the smaller factor, where it is better left in front


def with_small_maps(network):
    """The same network, with its 4x4 stride-2 convolutions of small maps as matrix products.

    Args:
        network: A `keras.Model`; others than functional ones come back as they are.

    Returns:
        A model with the variables and all other layers of `network`: train or run either, and
        both have learnt. Save `network`. It is `network` itself where nothing is to be gained,
        and on a machine with a GPU.

    Example:

    >>> draw = tf.function(with_small_maps(generator))
    >>> sketch = draw(photo[None])
    """
    if not isinstance(network, keras.Function) or tf.config.list_physical_devices("GPU"):
        return network
    if not any(_kind(layer) for layer in network.layers):
        return network
    return keras.models.clone_model(
        network, clone_function=lambda layer: _SmallMap(layer) if _kind(layer) else layer
    )


def _kind(layer):
    """`"up"` or `"down"` for a layer that is to be a matrix product; else `None`."""
    kinds = {layers.Conv2DTranspose: "up", layers.Conv2D: "down"}
    kind = kinds.get(type(layer))
    if kind is None or layer.quantization_mode or layer.activity_regularizer:
        return None
    plain = (
        tuple(layer.kernel_size) == (4, 4)
        and tuple(layer.strides) == (2, 2)
        and layer.padding == "same"
        and layer.data_format == "channels_last"
        and tuple(layer.dilation_rate) == (1, 1)
        and getattr(layer, "groups", 1) == 1
        and getattr(layer, "output_padding", None) is None
    )
    if not plain:
        return None
    wide, narrow = (layer.output, layer.input) if kind == "up" else (layer.input, layer.output)
    if None in wide.shape[1:3] or wide.shape[1] % 2 or wide.shape[2] % 2:
        return None
    positions = narrow.shape[1] * narrow.shape[2]
    few = positions <= FEW_POSITIONS
    some = positions <= SOME_POSITIONS and math.prod(layer.kernel.shape) >= WIDE_KERNEL
    return kind if few or some or (kind == "up" and layer.filters <= FEW_MAPS) else None


class FasterNetworks:
    """Remembers what `with_small_maps` made of each network.

    A plain object, so that a model that holds it does not own the networks once more.
    """

    def __init__(self):
        self._known = {}

    def __call__(self, network):
        """The network to call in place of `network`."""
        if id(network) not in self._known:
            with tf.init_scope():
                self._known[id(network)] = network, with_small_maps(network)
        return self._known[id(network)][1]


class _SmallMap(layers.Layer):
    """A layer of convolution, computed as a matrix product."""

    def __init__(self, layer):
        super().__init__(dtype=layer.dtype_policy, name=layer.name)
        self.layer = layer
        self._compute = up if _kind(layer) == "up" else down
        self.built = True

    def call(self, inputs):
        kernel = tf.convert_to_tensor(self.layer.kernel)
        outputs = self._compute(inputs, kernel)
        if self.layer.use_bias:
            outputs += tf.convert_to_tensor(self.layer.bias)
        return self.layer.activation(outputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


def up(x, kernel):
    """A transposed 4x4 convolution with stride 2 and "same" padding.

    Args:
        x: `(batch, height, width, channels)`.
        kernel: `(4, 4, filters, channels)`.

    Returns:
        `(batch, 2 * height, 2 * width, filters)`.
    """
    filters, channels = kernel.shape[2:]
    height, width = x.shape[1:3]
    few = filters <= FEW_MAPS

    @tf.custom_gradient
    def run(x, kernel):
        rows = tf.reshape(x, (-1, channels))
        if height == width == 1:
            # Only the four taps in the middle fall on the map.
            middle = tf.reshape(kernel[1:3, 1:3], (4 * filters, channels))
            y = tf.reshape(_times_transposed(rows, middle), (-1, 2, 2, filters))
        else:
            y = _fold(_times_transposed(rows, tf.reshape(kernel, (-1, channels))), height, width, filters)

        def gradient(dy):
            if few:
                return (
                    tf.nn.conv2d(dy, kernel, 2, "SAME"),
                    tf.raw_ops.Conv2DBackpropFilter(
                        input=dy,
                        filter_sizes=kernel.shape,
                        out_backprop=x,
                        strides=[1, 2, 2, 1],
                        padding="SAME",
                    ),
                )
            patches = _patches(dy)
            dx = tf.matmul(patches, tf.reshape(kernel, (-1, channels)))
            dk = tf.matmul(patches, rows, transpose_a=True)
            return tf.reshape(dx, tf.shape(x)), tf.reshape(dk, kernel.shape)

        return y, gradient

    return run(x, kernel)


def down(x, kernel):
    """A 4x4 convolution with stride 2 and "same" padding, of a map with even sides.

    Args:
        x: `(batch, 2 * height, 2 * width, channels)`.
        kernel: `(4, 4, channels, filters)`.

    Returns:
        `(batch, height, width, filters)`.
    """
    channels, filters = kernel.shape[2:]
    height, width = x.shape[1] // 2, x.shape[2] // 2

    @tf.custom_gradient
    def run(x, kernel):
        if height == width == 1:
            middle = tf.reshape(kernel[1:3, 1:3], (4 * channels, filters))
            y = tf.matmul(tf.reshape(x, (-1, 4 * channels)), middle)
        else:
            y = tf.matmul(_patches(x), tf.reshape(kernel, (-1, filters)))

        def gradient(dy):
            rows = tf.reshape(dy, (-1, filters))
            dk = tf.matmul(_patches(x), rows, transpose_a=True)
            dx = _fold(_times_transposed(rows, tf.reshape(kernel, (-1, filters))), height, width, channels)
            return dx, tf.reshape(dk, kernel.shape)

        return tf.reshape(y, (-1, height, width, filters)), gradient

    return run(x, kernel)


def _times_transposed(rows, kernel):
    """`rows @ kernel^T`, where kernel is large and rows are few."""
    if rows.shape[0] is not None and rows.shape[0] <= FEW_ROWS:
        return tf.matmul(rows, kernel, transpose_b=True)
    # The large factor first: it is then read in the order in which it lies.
    return tf.transpose(tf.matmul(kernel, rows, transpose_b=True))


def _patches(y):
    """`(batch * height * width, 16 * maps)`: the 4x4 windows, two apart, of `y` with a border of 0."""
    patches = tf.image.extract_patches(y, [1, 4, 4, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME")
    return tf.reshape(patches, (-1, patches.shape[-1]))


def _fold(patches, height, width, maps):
    """The sum of overlapping 4x4 windows, two apart, without its border: `_patches` the other way."""
    y = tf.reshape(patches, (-1, height, width, 4, 4, maps))
    y = y[:, :, :, 1:3] + tf.concat(
        [tf.pad(y[:, :-1, :, 3:], _before(1)), tf.pad(y[:, 1:, :, :1], _after(1))], axis=3
    )
    y = y[:, :, :, :, 1:3] + tf.concat(
        [tf.pad(y[:, :, :-1, :, 3:], _before(2)), tf.pad(y[:, :, 1:, :, :1], _after(2))], axis=4
    )
    return tf.reshape(tf.transpose(y, (0, 1, 3, 2, 4, 5)), (-1, 2 * height, 2 * width, maps))


def _before(axis):
    return [[int(at == axis), 0] for at in range(6)]


def _after(axis):
    return [[0, int(at == axis)] for at in range(6)]
