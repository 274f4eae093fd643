"""Images that are there more than once: within a split, in several splits, in several classes."""

import re
import unicodedata
from typing import NamedTuple

import numpy as np

from data_tools.check.likeness import groups, near_mirrored, near_pairs
from data_tools.progress import Progress


class Copies(NamedTuple):
    """Which images of one side are the same, and which nearly.

    Attributes:
        same: Lists of the numbers of items whose pixels are the same.
        near: `(pairs, 2)`, numbers of items that look nearly the same, one of each set of the same.
        mirrored: `(pairs, 2)`, such numbers of items in different splits, of which one looks nearly like the
            other mirrored, and not as it is.
    """

    same: list
    near: np.ndarray
    mirrored: np.ndarray


def class_key(name):
    """What two names of one class have in common: they differ by case, spaces and underscores alone.

    Example:

    >>> class_key("Hot Air_balloon") == class_key("hotair balloon")
    True
    """
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFC", name)).casefold()


def find_copies(side, items, features, numbers):
    """Finds the copies among images of one side.

    Args:
        side: `"photo"` or `"sketch"`.
        items: `Item`s.
        features: Their `Features`.
        numbers: Which of them to compare: those of the side that could be decoded, without blank ones.

    Returns:
        `Copies`.
    """
    by_digest = {}
    for number in numbers:
        by_digest.setdefault(features[number].look.digest, []).append(number)
    same = [numbers for numbers in by_digest.values() if len(numbers) > 1]
    first = np.array([numbers[0] for numbers in by_digest.values()], int)
    if not len(first):
        return Copies(same, *np.empty((2, 0, 2), int))
    looks = [features[number].look for number in first]
    bits, thumbnails = np.stack([a.bits for a in looks]), np.stack([a.thumbnail for a in looks])
    splits = np.unique([items[number].split or "" for number in first], return_inverse=True)[1]
    progress = Progress(len(first) + np.count_nonzero(splits), f"searches for {side} copies")
    near = near_pairs(bits, thumbnails, progress=progress)
    mirrored = near_mirrored(bits, thumbnails, splits, progress=progress)
    as_they_are = set(map(tuple, near.tolist()))
    only = [pair for pair in mirrored.tolist() if tuple(pair) not in as_they_are]
    return Copies(same, first[near], first[np.array(only, int).reshape(-1, 2)])


def record_copies(side, copies, items, findings):
    """Records copies by what they do: a class or a split in common or not.

    Args:
        side: `"photo"` or `"sketch"`.
        copies: Its `Copies`.
        items: `Item`s.
        findings: `Findings`.
    """
    exact = {
        "classes": f"{side}_in_two_classes",
        "splits": f"leaked_{side}",
        "neither": f"duplicate_{side}",
    }
    nearly = {
        "classes": f"{side}_nearly_in_two_classes",
        "splits": f"nearly_leaked_{side}",
        "neither": f"near_duplicate_{side}",
    }
    near, mirrored = (_with_the_same(pairs, copies.same) for pairs in (copies.near, copies.mirrored))
    for kinds, found in ((exact, copies.same), (nearly, near)):
        for group in found:
            paths = [items[number].path for number in group]
            differ = _differences([items[number] for number in group])
            for what in differ or ["neither"]:
                findings.add(kinds[what], *paths)
    for group in mirrored:
        findings.add(f"mirrored_{side}", *(items[number].path for number in group))


def _with_the_same(pairs, same):
    """The sets that pairs join, with those that are the same as one in them."""
    same_as = {numbers[0]: numbers for numbers in same}
    return [sorted(n for each in group for n in same_as.get(each, [each])) for group in groups(pairs)]


def _differences(items):
    classes, splits = {class_key(item.class_name) for item in items}, {item.split for item in items}
    return [what for what, values in (("classes", classes), ("splits", splits)) if len(values) > 1]
