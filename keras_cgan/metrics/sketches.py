"""How good are the sketches of photos? Each measure is a plain function of arrays, and none stands alone.

Class accuracy and label swap are both won by a generator that draws one sketch a class
for every photo: within-class diversity tells. All-white paper has a good L1: print it
beside.
"""

import numpy as np

from keras_cgan.checks import check_at_least
from keras_cgan.data.blur import blur
from keras_cgan.metrics.checked import checked_classes, checked_sketches


def class_accuracy(judge, sketches, labels):
    """The share of sketches that a classifier takes for their class.

    Args:
        judge: Model from sketches to `(batch, n_classes)`.
        sketches: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: There is no sketch, not a one-hot label for each, or the judge tells other classes.

    Example:

    >>> class_accuracy(judge, generator.predict(x), x["label"])
    0.91

    Source: Odena et al. 2017, section 4.1.
    """
    named, classes = _named(judge, sketches, labels)
    return float(np.mean(named == classes))


def confusion_matrix(judge, sketches, labels):
    """How many sketches of each class a classifier takes for each class.

    Args:
        judge: Model from sketches to `(batch, n_classes)`.
        sketches: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.

    Returns:
        Integers `(n_classes, n_classes)`: a row a class, a column for what it was taken for.

    Raises:
        ValueError: As `class_accuracy` does.

    Example:

    >>> confusion_matrix(judge, generator.predict(x), x["label"]).diagonal().sum()
    110
    """
    named, classes = _named(judge, sketches, labels)
    n_classes = np.shape(labels)[1]
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (classes, named), 1)
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
        ValueError: There is no other class to ask for, or an argument is not as above.

    Example:

    >>> label_swap(generator, judge, photos, labels)
    {'asked': 0.62, 'photo': 0.2}
    """
    check_at_least(1, most_swaps=most_swaps)
    own, n_classes = checked_classes(labels, len(photos)), np.shape(labels)[1]
    if n_classes < 2:
        raise ValueError(f"`labels` must be of at least two classes. Received: {n_classes}")
    asked, photo = [], []
    shifts = np.linspace(1, n_classes - 1, min(n_classes - 1, most_swaps)).round().astype(int)
    for shift in shifts:
        wanted = (own + shift) % n_classes
        conditions = {"photo": photos, "label": np.eye(n_classes, dtype="float32")[wanted]}
        named, _ = _named(judge, generator.predict(conditions, verbose=0), labels)
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
        ValueError: The shapes differ, values are not finite, or labels are not one-hot.

    Example:

    >>> within_class_diversity(generator.predict(x), sketches, x["label"])
    0.52
    """
    sketches, real_sketches = checked_sketches(paired=True, sketches=sketches, real_sketches=real_sketches)
    classes = checked_classes(labels, len(sketches))
    groups = [np.flatnonzero(classes == c) for c in np.unique(classes)]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return float("nan")
    drawn, real = (
        np.mean([_mean_distance(blurred[group]) for group in groups])
        for blurred in (_blurred(sketches), _blurred(real_sketches))
    )
    return float(drawn / real) if real > 0 else float("nan")


def within_class_share(sketches, labels):
    """Which share of how much sketches differ lies within the classes: where it is 0, the class says all.

    The variance of blurred sketches about the mean of their class, over that about the mean of all, summed
    over the pixels: about 1 where classes make no difference, however faint what differs is. One sketch a
    class has 0, and so has one pattern a class with a trace of the photo, which `within_class_diversity`
    may miss.

    Args:
        sketches: `(n, height, width, channels)` in [-1, 1], each of another photo.
        labels: `(n, n_classes)`, one-hot.

    Returns:
        A float, from 0; NaN where no class has two sketches, or all are alike.

    Raises:
        ValueError: Values are not finite, or labels are not one-hot.

    Example:

    >>> within_class_share(generator.predict(x), x["label"]), within_class_share(sketches, x["label"])
    (0.03, 0.88)

    Source: Fisher 1925, "Statistical methods for research workers", chapter 7: the mean squares of a one-way
    analysis of variance.
    """
    (sketches,) = checked_sketches(sketches=sketches)
    classes = checked_classes(labels, len(sketches))
    rows = _blurred(sketches).astype("float64")
    groups = [rows[classes == c] for c in np.unique(classes)]
    freedom = len(rows) - len(groups)
    squares = np.sum((rows - rows.mean(axis=0)) ** 2)
    if not freedom or squares <= 1e-6 * rows.size:  # equal but for rounding
        return float("nan")
    within = sum(np.sum((group - group.mean(axis=0)) ** 2) for group in groups)
    return float(within / freedom / (squares / (len(rows) - 1)))


def l1_distance(sketches, real_sketches):
    """Mean absolute difference on a scale where black to white is 1.

    Args:
        sketches: `(n, height, width, channels)` in [-1, 1].
        real_sketches: Of the same shape.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: The shapes differ, or values are not finite.

    Example:

    >>> l1_distance(np.ones_like(real), real)  # all-white paper: print it beside
    0.162
    """
    drawn, real = checked_sketches(paired=True, sketches=sketches, real_sketches=real_sketches)
    return float(np.mean(np.abs(drawn.astype("float64") - real)) / 2)


def _named(judge, sketches, labels):
    """The class that a classifier gives each sketch, and the class of its label."""
    (sketches,) = checked_sketches(sketches=sketches)
    classes = checked_classes(labels, len(sketches))
    outputs = judge.predict(sketches, verbose=0)
    if np.shape(outputs) != np.shape(labels):
        raise ValueError(
            "`judge` must tell the classes of `labels`. Received: outputs of shape "
            f"{np.shape(outputs)} for labels of shape {np.shape(labels)}"
        )
    return np.argmax(outputs, axis=1), classes


def _blurred(sketches):
    """Each sketch blurred, as a row."""
    return np.reshape(blur(sketches, np.shape(sketches)[1] / 32), (len(sketches), -1))


def _mean_distance(rows):
    """Mean Euclidean distance over all pairs of different rows."""
    squares = np.sum(rows**2, axis=1)
    squared = squares[:, None] + squares[None] - 2 * rows @ rows.T
    return np.sqrt(np.maximum(squared[np.triu_indices(len(rows), 1)], 0)).mean()
