"""Is it this photo that was drawn, and not just any of its class, or one from the training set?"""

import numpy as np

from keras_cgan.metrics.checked import checked_classes, checked_sketches
from keras_cgan.metrics.sketches import _blurred

_BLOCK = 2**24  # float64 values at a time: 128 MB
_TIE = 1e-6  # as a share of a row's largest distance: below it lies the rounding of float32


def photo_rank(distances, labels):
    """Where the true sketch of a photo comes among those of its class, by likeness to what was drawn.

    For each photo the share of the other true sketches of its class that are farther from its output
    than its own true sketch is; ties count half. One sketch a class for every photo gets .5.

    Args:
        distances: `(n, n)`: how far the output of the photo of the row is from the true sketch of
            the photo of the column, in any unit; as of `chamfer_distances` or `feature_distances`.
            Two are tied where they differ by at most a millionth of the row's largest.
        labels: `(n, n_classes)`, one-hot.

    Returns:
        A float in [0, 1]: .5 is chance, 1 always first. The mean over the photos whose class has
        another sketch; NaN where there is none.

    Raises:
        ValueError: The distances are not square or not finite, or the labels are not one-hot or not
            one for each row.

    Example:

    >>> photo_rank(chamfer_distances(drawn, real), labels)
    0.62
    """
    distances = _finite(distances=distances)
    if distances.shape[0] != distances.shape[1]:
        raise ValueError(f"`distances` must be square, (n, n). Received: a shape of {distances.shape}")
    same = same_class(labels, len(distances))
    np.fill_diagonal(same, False)
    difference = distances - np.diag(distances)[:, None]
    tied = np.abs(difference) <= _TIE * np.abs(distances).max(axis=1, keepdims=True)
    beaten = np.where(tied, 0.5, difference > 0)
    others = same.sum(axis=1)
    if not others.any():
        return float("nan")
    ranked = others > 0
    return float(np.mean((beaten * same).sum(axis=1)[ranked] / others[ranked]))


def feature_distances(features, real_features):
    """The cosine distance of each feature row to each real one.

    Args:
        features: Of what was drawn, `(n, d)`, such as the last hidden layer of a judge.
        real_features: Of the real sketches, `(m, d)`.

    Returns:
        `(n, m)`, float64 in [0, 2]: 0 for one direction, 2 for opposite ones, 1 where one is zero.

    Raises:
        ValueError: The rows are of other lengths, or not finite.

    Example:

    >>> photo_rank(feature_distances(phi.predict(drawn), phi.predict(real)), labels)
    0.58
    """
    drawn, real = _finite(features=features), _finite(real_features=real_features)
    if drawn.shape[1] != real.shape[1]:
        raise ValueError(
            "`features` and `real_features` must have rows of one length. "
            f"Received: {drawn.shape[1]} and {real.shape[1]}"
        )
    drawn, real = _unit(drawn), _unit(real)
    return np.clip(1 - drawn @ real.T, 0, 2)


def nearest_training_distance(sketches, test_sketches, train_sketches):
    """How near what was drawn is to the training sketches, beside how near real unseen ones are.

    The Euclidean distance of a sketch to its nearest training sketch, both blurred as in
    `within_class_diversity`. A ratio near 0 means copies, 1 as far as real unseen sketches are. Blank or
    faint sketches lie below 1 too, without being copies: compare with that of white paper. Above 1 it may
    still be poor: noise is far from all sketches.

    Args:
        sketches: Drawn for the test photos, `(n, height, width, channels)` in [-1, 1].
        test_sketches: Real ones that were not trained on, `(m, height, width, channels)`.
        train_sketches: Those that were, `(k, height, width, channels)`.

    Returns:
        A dict of floats: `"drawn"` and `"real"`, the mean distances of the drawn and of the real
        test sketches, and `"ratio"`, drawn over real; NaN where all real ones are training sketches.

    Raises:
        ValueError: The sizes differ, or values are not finite.

    Example:

    >>> nearest_training_distance(drawn, test_sketches, train_sketches)
    {'drawn': 9.1, 'real': 10.4, 'ratio': 0.875}
    """
    drawn, test, train = checked_sketches(
        sketches=sketches, test_sketches=test_sketches, train_sketches=train_sketches
    )
    to_drawn, to_real = (_mean_to_nearest(queries, train) for queries in (drawn, test))
    return {"drawn": to_drawn, "real": to_real, "ratio": to_drawn / to_real if to_real else float("nan")}


def _finite(**given):
    """The one array that is given as float64; a `ValueError` that names it if it is no finite matrix."""
    ((argument, rows),) = given.items()
    rows = np.asarray(rows, "float64")
    if rows.ndim != 2 or not rows.size:
        raise ValueError(
            f"`{argument}` must be a matrix of at least one row. Received: a shape of {rows.shape}"
        )
    if not np.isfinite(rows).all():
        bad = np.count_nonzero(~np.isfinite(rows))
        raise ValueError(f"`{argument}` must be finite. Received: {bad} values that are not")
    return rows


def same_class(labels, n):
    """Which are of one class: booleans `(n, n)`."""
    classes = checked_classes(labels, n)
    return classes[:, None] == classes


def _unit(rows):
    """Rows of length 1; those of zeros are left."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def _mean_to_nearest(sketches, train_sketches):
    step = max(1, _BLOCK // sketches[0].size)
    nearest = []
    for start in range(0, len(sketches), step):
        rows = _blurred(sketches[start : start + step]).astype("float64")
        blocks = range(0, len(train_sketches), step)
        nearest.append(np.min([_to_nearest(rows, train_sketches[b : b + step]) for b in blocks], axis=0))
    return float(np.mean(np.concatenate(nearest)))


def _to_nearest(rows, sketches):
    """The distance of each row to the nearest of the sketches."""
    others = _blurred(sketches).astype("float64")
    nearest = np.argmin(np.sum(others**2, axis=1) - 2 * rows @ others.T, axis=1)
    # By differences, so that copies are at 0.
    return np.linalg.norm(rows - others[nearest], axis=1)
