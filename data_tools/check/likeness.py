"""Which of many images look nearly the same."""

import numpy as np

MOST_BITS = 32  # of 512 that hashes may differ in before pixels are compared; a poor JPEG's differs in 14
MOST_DIFFERENCE = 0.1  # of thumbnails, in their own standard deviations; a JPEG of quality 50 is within it
_LEAST_CONTRAST = 2  # levels of standard deviation: below, all images are alike, and none is called so
_HASHES = 2**20  # pairs of hashes compared at once
_THUMBNAILS = 4096  # pairs of thumbnails compared at once
_MOST_NEIGHBOURS = (
    64  # followed of one image: in a set of thousands that are all alike, the rest adds nothing
)
_ONES = np.array([number.bit_count() for number in range(256)], np.uint8)


def near_pairs(bits, thumbnails, most_bits=MOST_BITS, most_difference=MOST_DIFFERENCE):
    """Finds the images that look nearly the same: alike by hash, and by the pixels of their thumbnails.

    The hash alone would call many line drawings alike, which are all paper with something in the middle.

    Args:
        bits: Perceptual hashes, uint64 `(n, words)`.
        thumbnails: uint8 `(n, height, width, channels)`.
        most_bits: Bits that two hashes may differ in.
        most_difference: The greatest root mean square of the difference of two thumbnails, each brought to
            mean 0 and standard deviation 1: 0 for the same, lighter or paler, about 1.4 for two that are
            unrelated. Images of a single colour are never alike.

    Returns:
        Integers `(pairs, 2)`, the lower first, sorted; of an image at most 64 with later ones.

    Example:

    >>> near_pairs(np.stack(hashes), np.stack(thumbnails))
    """
    bits = np.ascontiguousarray(bits, np.uint64)
    flat = np.asarray(thumbnails).reshape(len(bits), -1)
    found = []
    rows = max(1, _HASHES // max(1, len(bits)))
    for start in range(0, len(bits), rows):
        distances = hamming(bits[start : start + rows, None], bits[None, start:])
        first, second = np.nonzero(distances <= most_bits)
        ahead = second > first
        pairs = np.stack([first[ahead], second[ahead]], axis=1) + start
        found.append(_nearest(pairs[_differences(flat, pairs) <= most_difference]))
    return np.concatenate(found) if found else np.empty((0, 2), int)


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


def _differences(flat, pairs):
    differences = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _THUMBNAILS):
        first, second = (flat[pairs[start : start + _THUMBNAILS, n]].astype(np.float32) for n in (0, 1))
        flat_ones = np.minimum(first.std(axis=1), second.std(axis=1)) < _LEAST_CONTRAST
        first, second = (_standard(image) for image in (first, second))
        rms = np.sqrt(np.mean(np.square(first - second), axis=1))
        differences[start : start + _THUMBNAILS] = np.where(flat_ones, np.inf, rms)
    return differences


def _standard(images):
    """Rows of mean 0 and standard deviation 1, so that a lighter copy is still one."""
    images = images - images.mean(axis=1, keepdims=True)
    return images / np.maximum(images.std(axis=1, keepdims=True), _LEAST_CONTRAST)


def _nearest(pairs):
    """The first few pairs of each first number; pairs are sorted by it."""
    _, begin, count = np.unique(pairs[:, 0], return_index=True, return_counts=True)
    place = np.arange(len(pairs)) - np.repeat(begin, count)
    return pairs[place < _MOST_NEIGHBOURS]
