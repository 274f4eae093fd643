"""Images that are there more than once: within a split, in several splits, in several classes."""

import re
import unicodedata
from typing import NamedTuple

import numpy as np

from data_tools.check.likeness import groups, near_pairs


class Copies(NamedTuple):
    """Which images of one side are the same, and which nearly.

    Attributes:
        same: Lists of the numbers of items whose pixels are the same.
        near: `(pairs, 2)`, numbers of items that look nearly the same, one of each set of the same.
    """

    same: list
    near: np.ndarray


def class_key(name):
    """What two names of one class have in common: they differ by case, spaces and underscores alone.

    Example:

    >>> class_key("Hot Air_balloon") == class_key("hotair balloon")
    True
    """
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFC", name)).casefold()


def find_copies(features, numbers):
    """Finds the copies among images of one side.

    Args:
        features: A list of `Features`.
        numbers: Which of them to compare: those that could be decoded, without blank ones.

    Returns:
        `Copies`.
    """
    by_digest = {}
    for number in numbers:
        by_digest.setdefault(features[number].look.digest, []).append(number)
    first = np.array([same[0] for same in by_digest.values()], int)
    near = np.empty((0, 2), int)
    if len(first):
        looks = [features[number].look for number in first]
        near = first[near_pairs(np.stack([a.bits for a in looks]), np.stack([a.thumbnail for a in looks]))]
    return Copies([same for same in by_digest.values() if len(same) > 1], near)


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
    same_as = {same[0]: same for same in copies.same}
    near = [sorted(n for each in group for n in same_as.get(each, [each])) for group in groups(copies.near)]
    for kinds, found in ((exact, copies.same), (nearly, near)):
        for group in found:
            paths = [items[number].path for number in group]
            differ = _differences([items[number] for number in group])
            for what in differ or ["neither"]:
                findings.add(kinds[what], *paths)


def _differences(items):
    classes, splits = {class_key(item.class_name) for item in items}, {item.split for item in items}
    return [what for what, values in (("classes", classes), ("splits", splits)) if len(values) > 1]
