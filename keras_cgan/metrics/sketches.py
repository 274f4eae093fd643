"""How good are the sketches of photos? Each measure is a plain function of arrays, and none stands alone.

Class accuracy and label swap are both won by a generator that draws one sketch a class
for every photo: within-class diversity tells. All-white paper has a good L1: print it
beside.
"""

import numpy as np

from keras_cgan.data.blur import blur


def class_accuracy(judge, sketches, labels):
    """The share of sketches that a classifier takes for their class.

    Args:
        judge: Model from sketches to `(batch, n_classes)`.
        sketches: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.

    Returns:
        A float in [0, 1].

    Example:

    >>> class_accuracy(judge, generator.predict(x), x["label"])
    0.91

    Source: Odena et al. 2017, section 4.1.
    """
    return float(np.mean(_named(judge, sketches) == np.argmax(labels, axis=1)))


def confusion_matrix(judge, sketches, labels):
    """How many sketches of each class a classifier takes for each class.

    Args:
        judge: Model from sketches to `(batch, n_classes)`.
        sketches: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.

    Returns:
        Integers `(n_classes, n_classes)`: a row a class, a column for what it was taken for.

    Example:

    >>> confusion_matrix(judge, generator.predict(x), x["label"]).diagonal().sum()
    110
    """
    n_classes = labels.shape[1]
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (np.argmax(labels, axis=1), _named(judge, sketches)), 1)
    return counts


def label_swap(generator, judge, photos, labels, most_swaps=5):
    """Asks for other classes than the photo's own, and counts what is drawn.

    Args:
        generator: Model from `{"photo", "label"}` to sketches.
        judge: Model from sketches to `(batch, n_classes)`.
        photos: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot: the photos' own classes.
        most_swaps: At most so many other classes are asked for a photo: with 6 classes all.

    Returns:
        A dict of floats in [0, 1]: `"asked"`, the share that shows the class asked for, and
        `"photo"`, the share that shows the photo's own all the same.

    Raises:
        ValueError: There is no other class to ask for.

    Example:

    >>> label_swap(generator, judge, photos, labels)
    {'asked': 0.62, 'photo': 0.2}
    """
    n_classes = labels.shape[1]
    if n_classes < 2:
        raise ValueError(f"`labels` must be of at least two classes. Received: {n_classes}")
    own = np.argmax(labels, axis=1)
    asked, photo = [], []
    shifts = np.linspace(1, n_classes - 1, min(n_classes - 1, most_swaps)).round().astype(int)
    for shift in shifts:
        wanted = (own + shift) % n_classes
        conditions = {"photo": photos, "label": np.eye(n_classes, dtype="float32")[wanted]}
        named = _named(judge, generator.predict(conditions, verbose=0))
        asked.append(np.mean(named == wanted))
        photo.append(np.mean(named == own))
    return {"asked": float(np.mean(asked)), "photo": float(np.mean(photo))}


def within_class_diversity(sketches, real_sketches, labels):
    """How much sketches of one class differ, as a share of how much the real ones do.

    The mean distance between blurred sketches of one class, averaged over the classes, over
    the same of the real sketches: 1 = as varied as the real ones, 0 = one sketch a class.
    The blur (a standard deviation of 1/32 of the height) lets near lines count as near.

    Args:
        sketches: Drawn sketches, `(n, height, width, channels)` in [-1, 1], each of another
            photo.
        real_sketches: The true sketches of the same photos, of the same shape.
        labels: `(n, n_classes)`, one-hot.

    Returns:
        A float, from 0; NaN where there is nothing to compare: no class has two sketches, or
        the real ones of each class are all alike.

    Raises:
        ValueError: The shapes differ.

    Example:

    >>> within_class_diversity(generator.predict(x), sketches, x["label"])
    0.52
    """
    if np.shape(sketches) != np.shape(real_sketches):
        raise ValueError(
            "`sketches` and `real_sketches` must have one shape. "
            f"Received: {np.shape(sketches)} and {np.shape(real_sketches)}"
        )
    classes = np.argmax(labels, axis=1)
    groups = [np.flatnonzero(classes == c) for c in np.unique(classes)]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return float("nan")
    drawn, real = (
        np.mean([_mean_distance(blurred[group]) for group in groups])
        for blurred in (_blurred(sketches), _blurred(real_sketches))
    )
    return float(drawn / real) if real > 0 else float("nan")


def l1_distance(sketches, real_sketches):
    """Mean absolute difference on a scale where black to white is 1.

    Args:
        sketches: `(n, height, width, channels)` in [-1, 1].
        real_sketches: Of the same shape.

    Returns:
        A float in [0, 1].

    Example:

    >>> l1_distance(np.ones_like(real), real)  # all-white paper: print it beside
    0.162
    """
    return float(np.mean(np.abs(np.asarray(sketches, "float64") - real_sketches)) / 2)


def _named(judge, sketches):
    """The class that a classifier gives each sketch."""
    return np.argmax(judge.predict(sketches, verbose=0), axis=1)


def _blurred(sketches):
    """Each sketch blurred, as a row."""
    return np.reshape(blur(sketches, np.shape(sketches)[1] / 32), (len(sketches), -1))


def _mean_distance(rows):
    """Mean Euclidean distance over all pairs of different rows."""
    squares = np.sum(rows**2, axis=1)
    squared = squares[:, None] + squares[None] - 2 * rows @ rows.T
    return np.sqrt(np.maximum(squared[np.triu_indices(len(rows), 1)], 0)).mean()
