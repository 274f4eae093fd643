"""How alike are images of one class to one another?"""

import numpy as np

from keras_cgan.checks import check_at_least

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2
_FILTER = 11  # px, the side of SSIM's window
_BATCH = 50


def ms_ssim_within_class(images, labels, n_pairs=100, seed=0):
    """The mean likeness (MS-SSIM) of random pairs of images of one class: high where all look alike.

    Compare with the same number of the real images: a class above theirs has lost variety. Numbers
    compare for images of one size only: below 161 px there are fewer scales than in the papers.
    Where there is a real image for each one drawn, `within_class_diversity` compares directly.

    Args:
        images: `(n, height, width, channels)` in [-1, 1], both sides at least 11 px.
        labels: `(n, n_classes)`, one-hot.
        n_pairs: How many pairs of each class; all there are, where there are fewer.
        seed: Of the choice of pairs, an integer.

    Returns:
        A dict: `"ms_ssim"`, the mean of the classes that have two images (NaN where none has),
        `"classes"`, a list with the mean of each class or NaN, and `"scales"`, how many scales the
        size allows, 1 to 5: the paper's first weights are scaled to a sum of 1.

    Raises:
        ValueError: The images are too small, or there is not one label for each.

    Example:

    >>> ms_ssim_within_class(drawn, labels)["ms_ssim"], ms_ssim_within_class(real, labels)["ms_ssim"]
    (0.21, 0.18)

    Source: Odena et al. 2017, section 4.2; Wang et al. 2003, "Multiscale structural similarity for
    image quality assessment".
    """
    images = np.asarray(images, "float32")
    check_at_least(1, n_pairs=n_pairs)
    if images.ndim != 4 or min(images.shape[1:3]) < _FILTER:
        raise ValueError(
            f"`images` must be (n, height, width, channels), both sides at least {_FILTER} px. "
            f"Received: a shape of {images.shape}"
        )
    if np.ndim(labels) != 2 or len(labels) != len(images):
        raise ValueError(
            f"`labels` must be ({len(images)}, n_classes), one row an image. "
            f"Received: a shape of {np.shape(labels)}"
        )
    rng = np.random.default_rng(seed)
    classes = np.argmax(labels, axis=1)
    scales = _n_scales(min(images.shape[1:3]))
    means = []
    for c in range(np.shape(labels)[1]):
        members = np.flatnonzero(classes == c)
        if len(members) < 2:
            means.append(float("nan"))
            continue
        first, second = _pairs(len(members), n_pairs, rng)
        means.append(_mean_likeness(images, members[first], members[second], scales))
    known = [mean for mean in means if not np.isnan(mean)]
    return {
        "ms_ssim": float(np.mean(known)) if known else float("nan"),
        "classes": means,
        "scales": scales,
    }


def _n_scales(side):
    """How often the image can be halved (an odd side up) and still hold the window, plus one; at most 5."""
    scales = 1
    while scales < len(_WEIGHTS) and -(-side // 2) >= _FILTER:
        side, scales = -(-side // 2), scales + 1
    return scales


def _pairs(n, n_pairs, rng):
    """Pairs of different ones of n, as two arrays."""
    if n * (n - 1) // 2 <= n_pairs:
        return np.triu_indices(n, 1)
    first = rng.integers(n, size=n_pairs)
    return first, (first + rng.integers(1, n, size=n_pairs)) % n


def _mean_likeness(images, first, second, scales):
    import tensorflow as tf  # Here, so that the other measures run without it.

    weights = np.array(_WEIGHTS[:scales])
    weights = (weights / weights.sum()).tolist()
    values = []
    for start in range(0, len(first), _BATCH):
        one, other = ((images[part[start : start + _BATCH]] + 1) / 2 for part in (first, second))
        values.append(tf.image.ssim_multiscale(one, other, 1.0, weights, _FILTER).numpy())
    return float(np.mean(np.concatenate(values)))
