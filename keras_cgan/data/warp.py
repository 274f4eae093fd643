"""Pairs bent at random, photo and sketch alike: where few of them are all that there is to learn from."""

import math

import cv2
import numpy as np

from keras_cgan.data.images import WHITE

_SHIFT = 0.05  # of the side


def warp_map(rng, image_size, strength):
    """Where the pixels of a bent image come from: what `keras_cgan.RandomWarp` does to a tensor, as a map.

    Args:
        rng: A `numpy.random.Generator`.
        image_size: `(height, width)` in pixels.
        strength: At 1 both sides are scaled by up to `exp(.22)`, slanted by up to .3, and a wave of up to a
            twentieth of the side goes through; less in proportion. Whatever it is, the image is shifted by up
            to a twentieth.

    Returns:
        `(rows, columns)`: for each pixel the place it is taken from, float32 `(height, width)`, in pixels
        from the middle of the image.

    Example:

    >>> rows, columns = warp_map(np.random.default_rng(0), (64, 64), strength=0.7)

    Source: Simard et al. 2003, "Best practices for convolutional neural networks applied to visual document
    analysis", section 2; there the bends are a smoothed random field.
    """
    height, width = image_size
    row = (np.arange(height) - (height - 1) / 2)[:, None]
    column = (np.arange(width) - (width - 1) / 2)[None]
    rows = _bent(rng, row, column, height, width, strength)
    # Along the rows that the pixels come from: a pass across and one down make any linear map.
    columns = _bent(rng, column, rows, width, height, strength)
    return rows.astype("float32"), columns.astype("float32")


def _bent(rng, along, across, side, other_side, strength):
    places = along * math.exp(rng.uniform(-0.22, 0.22) * strength)
    places = places + across * rng.uniform(-0.3, 0.3) * strength + rng.uniform(-_SHIFT, _SHIFT) * side
    waves = rng.uniform(0.5, 1.5) * 2 * math.pi / other_side
    wave = np.sin(across * waves + rng.uniform(-math.pi, math.pi))
    return places + rng.uniform(-0.05, 0.05) * strength * side * wave


def take(image, rows, columns, middle, sketch):
    """An image bent by a map.

    Args:
        image: uint8 `(h, w, channels)`, of 1 to 4 channels.
        rows, columns: As `warp_map` returns them, float32 `(height, width)`.
        middle: `(row, column)` of the image, in pixels, that lies in the middle of the result.
        sketch: Whether there is white paper around the image, rather than more of its border.

    Returns:
        uint8 `(height, width, channels)`.

    Example:

    >>> take(photo, *warp_map(rng, (64, 64), 0.7), middle=(32.5, 31.5), sketch=False).shape
    (64, 64, 3)
    """
    rows, columns = (np.asarray(places + at, "float32") for places, at in zip((rows, columns), middle))
    around = cv2.BORDER_CONSTANT if sketch else cv2.BORDER_REPLICATE
    taken = cv2.remap(image, columns, rows, cv2.INTER_LINEAR, None, around, (WHITE,) * 4)
    return taken.reshape(*rows.shape, image.shape[-1])  # cv2 drops a channel axis of 1
