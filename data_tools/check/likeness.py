"""Which of many images look nearly the same, as they are or mirrored."""

import numpy as np

from data_tools.check.features import mirrored_hash

from keras_cgan.data.images import WHITE

MOST_BITS = 32  # of 512 that hashes may differ in before pixels are compared; a poor JPEG's differs in 14
MOST_DIFFERENCE = 0.1  # of thumbnails, in their own standard deviations; a JPEG of quality 50 is within it
_MOST_COLOUR = 8  # levels between the channels of a thumbnail that is called grey
_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, in grey
_MOST_IN_GREY = 13  # levels of a thumbnail's pixels: a JPEG differs in 12, a drawing's coloured spot in 27
_LEAST_RANGE = 50  # levels from the darkest to the lightest: of paler ones, all would be the same in grey
_LEAST_CONTRAST = 2  # levels of standard deviation: below, all images are alike, and none is called so
_HASHES = 2**20  # pairs of hashes compared at once
_THUMBNAILS = 4096  # pairs of thumbnails compared at once
_MOST_NEIGHBOURS = (
    64  # followed of one image: in a set of thousands that are all alike, the rest adds nothing
)
_ONES = np.array([number.bit_count() for number in range(256)], np.uint8)


def near_pairs(bits, thumbnails, most_bits=MOST_BITS, most_difference=MOST_DIFFERENCE, progress=None):
    """Finds the images that look nearly the same: alike by hash, and by the pixels of their thumbnails.

    The hash alone would call many line drawings alike, which are all paper with something in the middle.
    Where one of two is grey, both are compared in grey.

    Args:
        bits: Perceptual hashes, uint64 `(n, words)`.
        thumbnails: uint8 `(n, height, width, channels)`.
        most_bits: Bits that two hashes may differ in.
        most_difference: The greatest root mean square of the difference of two thumbnails, each brought to
            mean 0 and standard deviation 1: 0 for the same, lighter or paler, about 1.4 for two that are
            unrelated. Images of a single colour are never alike.
        progress: A `Progress` of `n`, or `None`.

    Returns:
        Integers `(pairs, 2)`, the lower first, sorted; of an image at most 64 with later ones.

    Example:

    >>> near_pairs(np.stack(hashes), np.stack(thumbnails))
    """
    images = np.ascontiguousarray(bits, np.uint64), np.asarray(thumbnails)
    return _near(images, images, most_bits, most_difference, progress, later=True)


def near_mirrored(
    bits, thumbnails, parts, most_bits=MOST_BITS, most_difference=MOST_DIFFERENCE, progress=None
):
    """Finds the images that look nearly like others of another part, mirrored left to right.

    Args:
        bits, thumbnails, most_bits, most_difference: As in `near_pairs`.
        parts: Integers `(n,)`, from 0: the part that each is in.
        progress: A `Progress` of the number of images that are not in part 0, or `None`.

    Returns:
        Integers `(pairs, 2)`, the lower first, sorted; of an image at most 64 with those of lower parts.

    Example:

    >>> near_mirrored(np.stack(hashes), np.stack(thumbnails), [0, 0, 1])
    """
    bits, thumbnails, parts = np.ascontiguousarray(bits, np.uint64), np.asarray(thumbnails), np.asarray(parts)
    found = [np.empty((0, 2), int)]
    for part in range(1, parts.max(initial=0) + 1):
        own, lower = np.flatnonzero(parts == part), np.flatnonzero(parts < part)
        mirrored = mirrored_hash(bits[own]), thumbnails[own, :, ::-1]
        pairs = _near(mirrored, (bits[lower], thumbnails[lower]), most_bits, most_difference, progress)
        found.append(np.sort(np.stack([own[pairs[:, 0]], lower[pairs[:, 1]]], axis=1)))
    return np.unique(np.concatenate(found), axis=0)


def same_in_grey(photo, sketch):
    """Whether a sketch is its photo made grey, or the negative of that.

    Args:
        photo: A thumbnail, uint8 `(height, width, 3)`.
        sketch: A thumbnail, uint8 `(height, width, 1)`.

    Returns:
        A bool: no pixel differs by more than JPEG makes it. Photos of hardly any contrast are never the same.

    Example:

    >>> same_in_grey(photo.thumbnail, sketch.thumbnail)
    """
    grey = photo @ np.array(_LUMA, np.float32)
    drawn = sketch[..., 0].astype(np.float32)
    differences = [np.abs(each - drawn).max() for each in (grey, WHITE - grey)]
    return bool(np.ptp(grey) >= _LEAST_RANGE and min(differences) <= _MOST_IN_GREY)


def _near(first, second, most_bits, most_difference, progress, later=False):
    """Pairs of one of the first and one of the second, each hashes and thumbnails; or `later` ones alone."""
    found = [np.empty((0, 2), int)]
    rows = max(1, _HASHES // max(1, len(second[0])))
    for start in range(0, len(first[0]), rows):
        skipped = start if later else 0
        some = first[0][start : start + rows]
        pairs = np.argwhere(hamming(some[:, None], second[0][None, skipped:]) <= most_bits) + [start, skipped]
        if later:
            pairs = pairs[pairs[:, 1] > pairs[:, 0]]
        found.append(_nearest(pairs[_differences(first[1], second[1], pairs) <= most_difference]))
        if progress:
            progress.add(len(some))
    return np.concatenate(found)


def hamming(first, second):
    """The number of bits in which hashes differ.

    Args:
        first, second: uint64 `(..., words)`, which broadcast.

    Returns:
        Integers `(...)`.
    """
    differing = first ^ second
    if hasattr(np, "bitwise_count"):  # from NumPy 2 on
        return np.bitwise_count(differing).sum(axis=-1, dtype=np.int16)
    return _ONES[differing.view(np.uint8)].sum(axis=-1, dtype=np.int16)


def groups(pairs):
    """The sets of numbers that pairs join, each sorted, in the order of their first.

    Example:

    >>> groups([(0, 2), (2, 3), (4, 5)])
    [[0, 2, 3], [4, 5]]
    """
    parent = {}

    def root(number):
        while parent.setdefault(number, number) != number:
            parent[number] = parent[parent[number]]  # halves the way for the next
            number = parent[number]
        return number

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    joined = {}
    for number in sorted(parent):
        joined.setdefault(root(number), []).append(number)
    return list(joined.values())


def _differences(first, second, pairs):
    differences = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _THUMBNAILS):
        some = pairs[start : start + _THUMBNAILS]
        one, other = _grey_if_either_is(first[some[:, 0]], second[some[:, 1]])
        flat_ones = np.minimum(one.std(axis=1), other.std(axis=1)) < _LEAST_CONTRAST
        rms = np.sqrt(np.mean(np.square(_standard(one) - _standard(other)), axis=1))
        differences[start : start + _THUMBNAILS] = np.where(flat_ones, np.inf, rms)
    return differences


def _grey_if_either_is(*thumbnails):
    """Thumbnails as rows of floats; of two that belong together both in grey where one is."""
    if thumbnails[0].shape[-1] == len(_LUMA):
        grey = np.any([np.ptp(each, axis=-1).max(axis=(1, 2)) <= _MOST_COLOUR for each in thumbnails], axis=0)
        thumbnails = [
            np.where(grey[:, None, None, None], each @ np.array(_LUMA, np.float32)[:, None], each)
            for each in thumbnails
        ]
    return [np.reshape(each, (len(each), -1)).astype(np.float32) for each in thumbnails]


def _standard(images):
    """Rows of mean 0 and standard deviation 1, so that a lighter copy is still one."""
    images = images - images.mean(axis=1, keepdims=True)
    return images / np.maximum(images.std(axis=1, keepdims=True), _LEAST_CONTRAST)


def _nearest(pairs):
    """The first few pairs of each first number; pairs are sorted by it."""
    _, begin, count = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    place = np.arange(len(pairs)) - np.repeat(begin, count)
    return pairs[place < _MOST_NEIGHBOURS]
