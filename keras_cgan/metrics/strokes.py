"""Are the strokes where the true sketch has them? By their ink, and by structural similarity.

A sketch of a photo need not follow the photo's outlines, so that a good one may be pixels away from
the true one: print each number for two tolerances, and beside it that of another photo's sketch.
"""

import cv2
import numpy as np

from keras_cgan.checks import check_weights
from keras_cgan.metrics.checked import checked_sketches
from keras_cgan.metrics.similarity import _BATCH, _FILTER

_BLOCK = 2**24  # float32 values at a time: 64 MB
_ROUNDING = 1e-4  # px; the float32 root of 5 is not the root of 5


def stroke_f1(sketches, real_sketches, tolerance=1.0):
    """How well the ink of each sketch lies where the true one has ink, and the other way round.

    Ink is what is darker than mid-grey. Precision is the share of the drawn ink that has true ink
    within the tolerance, recall the share of the true ink that has drawn ink, F1 their harmonic mean.
    Unlike in the source an ink pixel may answer for several (no one-to-one matching), so that thick
    lines cost nothing within the tolerance, and the mean is over sketches.

    Args:
        sketches: `(n, height, width, channels)` in [-1, 1]; several channels count by their mean.
        real_sketches: The true sketches of the same photos, of the same shape.
        tolerance: Euclidean distance in pixels, at least 0.

    Returns:
        A float in [0, 1]: the mean F1. A sketch without ink gets 0 beside one with ink, and 1 beside
        another without.

    Raises:
        ValueError: The shapes differ, values are not finite, or `tolerance` is negative.

    Example:

    >>> stroke_f1(drawn, real, tolerance=2), stroke_f1(np.ones_like(real), real, tolerance=2)
    (0.53, 0.0)

    Source: Martin et al. 2004, "Learning to detect natural image boundaries using local brightness,
    color, and texture cues", on precision and recall.
    """
    check_weights(tolerance=tolerance)
    drawn, real = checked_sketches(paired=True, sketches=sketches, real_sketches=real_sketches)
    return float(np.mean([_f1(*inks, tolerance + _ROUNDING) for inks in zip(_ink(drawn), _ink(real))]))


def chamfer_distances(sketches, real_sketches):
    """How far the ink of each sketch is from the ink of each real one: the symmetric chamfer distance.

    The mean distance of one's ink pixels to the other's nearest ink, averaged over both directions.
    Ink is what is darker than mid-grey. A sketch without ink is at the image's diagonal from any that
    has ink, and at 0 from any that has none either.

    Args:
        sketches: `(n, height, width, channels)` in [-1, 1]; several channels count by their mean.
        real_sketches: `(m, height, width, channels)`.

    Returns:
        `(n, m)`, float64, in pixels: a row a sketch, a column a real one, as `photo_rank` takes it.

    Raises:
        ValueError: The sizes differ, or values are not finite.

    Example:

    >>> chamfer_distances(drawn, real).diagonal().mean()
    3.0

    Source: Barrow et al. 1977, "Parametric correspondence and chamfer matching: two new techniques
    for image matching".
    """
    drawn, real = (_ink(s) for s in checked_sketches(sketches=sketches, real_sketches=real_sketches))
    has_ink, real_has_ink = drawn.any(axis=(1, 2)), real.any(axis=(1, 2))
    distances = np.where(has_ink[:, None] == real_has_ink, 0.0, np.hypot(*drawn.shape[1:]))
    drawn, real = drawn[has_ink], real[real_has_ink]
    both = (_mean_distances(drawn, real) + _mean_distances(real, drawn).T) / 2
    distances[np.ix_(has_ink, real_has_ink)] = both
    return distances


def structural_similarity(sketches, real_sketches):
    """The mean structural similarity (SSIM) of sketches and the true ones.

    Blank paper flatters it, for most of a sketch is paper: print the number of white paper,
    `np.ones_like(real_sketches)`, beside.

    Args:
        sketches: `(n, height, width, channels)` in [-1, 1], both sides at least 11 px.
        real_sketches: The true sketches of the same photos, of the same shape.

    Returns:
        A float, at most 1. The window is a Gaussian of 11 px with a standard deviation of 1.5 px, on
        a scale where black to white is 1; only windows that lie within the image count.

    Raises:
        ValueError: The shapes differ, the images are too small, or values are not finite.

    Example:

    >>> structural_similarity(drawn, real), structural_similarity(np.ones_like(real), real)
    (0.35, 0.48)

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural
    similarity", section III.
    """
    import tensorflow as tf  # Here, so that the other measures run without it.

    drawn, real = checked_sketches(paired=True, sketches=sketches, real_sketches=real_sketches)
    if min(drawn.shape[1:3]) < _FILTER:
        raise ValueError(
            f"`sketches`: both sides must be at least {_FILTER} px. Received: a shape of {drawn.shape}"
        )
    values = []
    for start in range(0, len(drawn), _BATCH):
        one, other = ((s[start : start + _BATCH].astype("float32") + 1) / 2 for s in (drawn, real))
        values.append(tf.image.ssim(one, other, max_val=1.0, filter_size=_FILTER).numpy())
    return float(np.mean(np.concatenate(values)))


def _ink(sketches):
    """Where each sketch is darker than mid-grey: booleans `(n, height, width)`."""
    return np.stack([sketch.mean(axis=-1) < 0 for sketch in sketches])


def _distance_map(ink):
    """The distance of each pixel to the nearest ink, of which there must be some."""
    return cv2.distanceTransform(np.uint8(~ink), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _f1(drawn, real, tolerance):
    if not drawn.any() or not real.any():
        return float(drawn.any() == real.any())
    precision = np.mean(_distance_map(real)[drawn] <= tolerance)
    recall = np.mean(_distance_map(drawn)[real] <= tolerance)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _mean_distances(inks, others):
    """How far the ink of each is from each other's, on average: `(len(inks), len(others))`."""
    pixels = int(np.prod(inks.shape[1:]))
    step = max(1, _BLOCK // pixels)
    rows = inks.reshape(len(inks), pixels)
    sums = np.empty((len(inks), len(others)))
    for column in range(0, len(others), step):
        columns = slice(column, column + step)
        maps = np.stack([_distance_map(ink).ravel() for ink in others[columns]])
        for row in range(0, len(inks), step):
            # The sum of a map over the ink: a product with zeros and ones.
            sums[row : row + step, columns] = rows[row : row + step].astype("float32") @ maps.T
    return sums / rows.sum(axis=1, keepdims=True)
