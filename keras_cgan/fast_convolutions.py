"""Convolutions by a cheaper way to the same numbers: as matrix products, or at half the size.

A stride-2 convolution of a few positions with a wide kernel, as at the bottom of a U-Net, is
bound by the memory of that kernel: 34 MB from 1024 to 512 maps. Libraries of convolutions copy
it into another order at each call; a matrix product reads it as it lies.
"""

import tensorflow as tf

FEW_MAPS = 4  # out of a transposed convolution: a product is faster at any size
FEW_ROWS = 4  # of the smaller factor of a product: it is better left in front


def up(x, kernel):
    """A transposed 4x4 convolution with stride 2 and "same" padding.

    Args:
        x: `(batch, height, width, channels)`.
        kernel: `(4, 4, filters, channels)`, of the precision of `x` or a higher one.

    Returns:
        `(batch, 2 * height, 2 * width, filters)`.
    """
    kernel = tf.cast(kernel, x.dtype)
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
        kernel: `(4, 4, channels, filters)`, likewise.

    Returns:
        `(batch, height, width, filters)`.
    """
    kernel = tf.cast(kernel, x.dtype)
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


def resize_up(x, kernel):
    """Nearest neighbour to twice the size, then a 3x3 convolution with "same" padding.

    Computed as a transposed 4x4 convolution with stride 2: the four pixels that come of one see the
    same few neighbours, so their taps are summed before. 16 products a pixel of `x` instead of 36.

    Args:
        x: `(batch, height, width, channels)`.
        kernel: `(3, 3, channels, filters)`, likewise.

    Returns:
        `(batch, 2 * height, 2 * width, filters)`.
    """
    kernel = _sums_of_taps(_sums_of_taps(kernel, axis=0), axis=1)
    kernel = tf.cast(tf.transpose(kernel, (0, 1, 3, 2)), x.dtype)  # sums are rounded once
    filters = kernel.shape[2]
    if filters <= FEW_MAPS:
        return up(x, kernel)
    shape = (tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], filters)
    return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")


def _sums_of_taps(kernel, axis):
    """Four taps from three: what a pixel gives to those that lie 2 before, 1 before, 1 and 2 behind."""
    first, second, third = tf.unstack(kernel, axis=axis)
    return tf.stack([third, second + third, first + second, first], axis=axis)


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
