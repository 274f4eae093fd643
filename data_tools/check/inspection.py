"""The whole check of a folder: everything that is known of it, for the report, the sheet and the copy."""

from pathlib import Path
from typing import NamedTuple

from data_tools.check.aligning import measure_alignment, record_alignment
from data_tools.check.duplicates import find_copies, record_copies
from data_tools.check.features import read_features
from data_tools.check.kinds import Findings
from data_tools.check.layout import Layout, read_layout
from data_tools.check.looks import is_blank, record_looks, record_pairs
from data_tools.check.pairing import count, match_items, record_balance, sketches_per_photo
from data_tools.groups import DataError


class Inspection(NamedTuple):
    """What is known of a folder.

    Attributes:
        layout: Its `Layout`.
        features: `Features`, one an item of the layout.
        pairs: `(photo, sketch)`, numbers of items, those that cannot be decoded with them.
        usable: A set of the numbers of items that training can use: decoded, and no blank sketches.
        copies: `Copies` by side.
        counts, balance, sketches_per_photo: As `pairing` gives them.
        alignment: How much more sketches are like their own photo than like others, a float; NaN where it
            cannot be measured, `None` where it was not.
        class_alignment: The same by class, a dict of floats; empty where it was not measured.
        findings: `Findings`.
    """

    layout: Layout
    features: list
    pairs: list
    usable: set
    copies: dict
    counts: dict
    balance: dict
    sketches_per_photo: dict | None
    alignment: float | None
    class_alignment: dict
    findings: Findings

    @property
    def items(self):
        """The `Item`s of the layout."""
        return self.layout.items


def inspect(root, alignment=True, fit="pad", threads=None):
    """Checks a folder.

    Args:
        root: The folder of pairs, or of sketches alone.
        alignment: Whether to measure how well photos and sketches align, for which TensorFlow is started.
        fit: How images of other proportions are brought to size for that.
        threads: How many decode.

    Returns:
        An `Inspection`.

    Raises:
        DataError: There is no such folder, or it is no folder of pairs or sketches, or has no image.

    Example:

    >>> inspection = inspect("my_pairs")
    >>> inspection.findings.worst()
    'warning'
    """
    root = Path(root)
    findings = Findings(root)
    layout = read_layout(root, findings)
    items = layout.items
    if not items:
        raise DataError(f"{root} has no images in class folders")
    features = read_features(items, threads)
    record_looks(items, features, findings)
    pairs = match_items(items, findings)
    record_pairs(items, features, pairs, findings)
    usable = {
        number
        for number, (item, found) in enumerate(zip(items, features))
        if found.look and not (item.side == "sketch" and is_blank(found))
    }
    copies = {}
    for side in layout.sides:
        numbers = [number for number in sorted(usable) if items[number].side == side]
        copies[side] = find_copies(side, items, features, numbers)
        record_copies(side, copies[side], items, findings)
    counts = count(items, layout.class_names, pairs, usable)
    balance = record_balance(counts, layout.sketch_only, findings)
    measured, by_class = None, {}
    if alignment and not layout.sketch_only:
        measured, by_class = measure_alignment(items, [p for p in pairs if usable.issuperset(p)], fit)
        record_alignment(by_class, findings)
    return Inspection(
        layout,
        features,
        pairs,
        usable,
        copies,
        counts,
        balance,
        sketches_per_photo(pairs),
        measured,
        by_class,
        findings,
    )
