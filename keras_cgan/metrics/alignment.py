"""Do sketches lie on the lines of their photos? So that one knows whether L1 will help."""

import math

import numpy as np

from keras_cgan.metrics.rank import feature_distances, same_class
from keras_cgan.terms import blur, photo_edges

ALIGNED = 0.25  # from here up, pixels may be compared: README, "Which to use when"
_MOST_SIDE = 64  # pixels
_BLOCK = 256  # photos at a time
_MOST = 200  # pairs that are looked at, or 4 a class


def pair_alignment(photos, labels, sketches):
    """How much more sketches are like their own photo's edges than like those of others of the class.

    Likeness is the correlation of ink and edges, both blurred by a ninetieth of the height (.7 of 64
    pixels). It says of a set of pairs whether L1 between drawn and true sketch can help: drawn from
    memory, lines are nowhere near the true ones, and blank paper is the nearest.

    Args:
        photos: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.
        sketches: The true sketches, `(n, height, width, channels)` in [-1, 1].

    Returns:
        A dict of floats: `"own"` and `"others"`, the mean correlations with the photo's own edges and
        with those of other photos of its class, and `"alignment"`, own less others: 0 is drawn from
        memory, about .4 or more is traced. NaN where no class has two pairs.

    Raises:
        ValueError: The labels are not one-hot, or photos, labels and sketches do not belong together.

    Example:

    >>> photos, labels, sketches = EmbeddedPairs(100, misalignment=0.0).as_arrays((64, 64))
    >>> round(pair_alignment(photos, labels, sketches)["alignment"], 1)
    0.5
    """
    if np.shape(sketches)[:3] != np.shape(photos)[:3]:
        shape = f"({', '.join(map(str, np.shape(photos)[:3]))}, channels)"
        raise ValueError(
            f"`sketches` must be {shape}, as the photos are. Received: a shape of {np.shape(sketches)}"
        )
    same = same_class(labels, len(photos))
    np.fill_diagonal(same, False)
    sigma = np.shape(photos)[1] / 90
    ink = _rows(np.mean(1 - np.asarray(sketches), axis=-1, keepdims=True), sigma)
    edges = _rows(photos, sigma, photo_edges)
    alike = 1 - feature_distances(ink, edges)
    own = float(np.mean(np.diag(alike)))
    others = float(np.mean(alike[same])) if same.any() else float("nan")
    return {"own": own, "others": others, "alignment": own - others}


def is_aligned(pairs, image_size):
    """Whether L1 can help on a set of pairs.

    It looks at 200 pairs spread over the set, or four times as many as there are classes, where that is
    more, at 64 pixels at most.

    Args:
        pairs: A `Pairs`.
        image_size: `(height, width)` in pixels.

    Returns:
        Whether `pair_alignment` is at least `ALIGNED`, and that figure; not aligned where it is NaN.

    Raises:
        ValueError: An image of the set cannot be read; as `Pairs.as_arrays` does.

    Example:

    >>> is_aligned(EmbeddedPairs(misalignment=0.0), (64, 64))
    (True, 0.53)
    """
    most = max(_MOST, 4 * pairs.n_classes)
    size = tuple(min(side, _MOST_SIDE) for side in image_size)
    alignment = pair_alignment(*pairs.as_arrays(size, most))["alignment"]
    return bool(alignment >= ALIGNED), alignment


def describe_alignment(alignment):
    """What the figure of `is_aligned` means, in a line.

    Args:
        alignment: The figure; NaN where it could not be measured.

    Returns:
        Text.

    Example:

    >>> describe_alignment(0.46)
    'alignment of photo and sketch: 0.46, of 0 to about .5: L1 can help'
    """
    if math.isnan(alignment):
        return "alignment of photo and sketch: not measured, for no class has two of the photos looked at"
    helps = alignment >= ALIGNED
    what = "L1 can help" if helps else "pixels of photo and sketch do not belong together"
    return f"alignment of photo and sketch: {alignment:.2f}, of 0 to about .5: {what}"


def _rows(images, sigma, of=lambda images: images):
    """Each image blurred, as a row of mean 0: the cosine of two such rows is their correlation."""
    images = np.asarray(images, "float32")
    blocks = range(0, len(images), _BLOCK)
    rows = [np.asarray(blur(of(images[n : n + _BLOCK]), sigma)) for n in blocks]
    rows = np.concatenate(rows).reshape(len(images), -1)
    return rows - rows.mean(axis=1, keepdims=True)
