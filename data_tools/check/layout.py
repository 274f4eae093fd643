"""Which images of a folder are read, as what, and what in it is not read. Decodes nothing."""

import os
from pathlib import Path
from typing import NamedTuple

from data_tools.groups import DataError

from keras_cgan.data import scan
from keras_cgan.data.shards import is_sharded


class Item(NamedTuple):
    """An image file and its place.

    Attributes:
        path: The file.
        split: `None` where there are no split folders.
        side: `"photo"` or `"sketch"`.
        class_name: Of its folder.
    """

    path: Path
    split: str | None
    side: str
    class_name: str


class Layout(NamedTuple):
    """What a folder of pairs, or of sketches alone, consists of.

    Attributes:
        root: The folder.
        splits: Names, or `(None,)` where there are no split folders.
        sides: Those of `("photo", "sketch")` that there are.
        class_names: Sorted, of all splits, as the reader numbers them: those of empty folders, too.
        items: The image files in class folders, sorted by split, side, class and name.
    """

    root: Path
    splits: tuple
    sides: tuple
    class_names: tuple
    items: tuple

    @property
    def sketch_only(self):
        """Whether there are sketches but no photos."""
        return self.sides == ("sketch",)


def read_layout(root, findings):
    """Finds the images of a folder, and records what else is in it.

    Args:
        root: The folder.
        findings: `Findings`.

    Returns:
        A `Layout`.

    Raises:
        DataError: There is no such folder, or no photo or sketch folder where it should be.
    """
    if not root.is_dir():
        raise DataError(f"the folder to check must exist. Received: {root}")
    if is_sharded(root):
        raise DataError(f"{root} holds shards: check the folder that they were made of")
    parted = scan.split_names(root)
    flat = any((root / side).is_dir() for side in scan.SIDES)
    if not (parted or flat):
        raise DataError(f"{root} has no photo or sketch folder. {scan.LAYOUT}")
    splits = (*((None,) if flat else ()), *parted)
    items, sides = [], set()
    _note_others(root, {*parted, *(scan.SIDES if flat else ())}, findings, images_alone=True)
    for split in splits:
        base = root / split if split else root
        if split:
            _note_others(base, scan.SIDES, findings)
        for side in scan.SIDES:
            if (base / side).is_dir():
                sides.add(side)
                items += _items(base / side, split, findings)
    _note_clutter(root, findings)
    sides = tuple(side for side in scan.SIDES if side in sides)
    class_names = tuple(sorted({*scan.class_folders(root), *(item.class_name for item in items)}))
    layout = Layout(root, splits, sides, class_names, tuple(items))
    _note_refusals(layout, findings)
    return layout


def _items(folder, split, findings):
    class_folders, files = scan.entries(folder)
    for path in files:
        findings.add("outside" if _is_image(path) else "no_image", path)
    for class_folder in class_folders:
        nested, files = scan.entries(class_folder)
        for path in nested:
            findings.add("nested_folder", path)
        for path in files:
            if _is_image(path):
                yield Item(path, split, folder.name, class_folder.name)
            else:
                findings.add("no_image", path)


def _note_others(base, known, findings, images_alone=False):
    """Records what is beside the folders that are read; of the root's files the images alone."""
    folders, files = scan.entries(base)
    for path in folders:
        if path.name not in known:
            findings.add("other_folder", path)
    for path in files:
        if _is_image(path):
            findings.add("outside", path)
        elif not images_alone:
            findings.add("no_image", path)


def _note_clutter(root, findings):
    """Records what the readers pass over quietly, the topmost of it."""
    for folder, folders, files in os.walk(root):
        shown = {path.name for path in sum(scan.entries(Path(folder)), [])}
        for name in sorted({*folders, *files} - shown):
            findings.add("clutter", Path(folder) / name)
        folders[:] = [name for name in folders if name in shown]


def _note_refusals(layout, findings):
    """Records why the reader of pairs would stop; sketches alone are no pairs, and have other readers."""
    mixed = None in layout.splits and len(layout.splits) > 1  # which no reader takes
    if mixed or not layout.sketch_only:
        reasons = set()
        for split in ("train", "test"):
            try:
                scan.find_base(layout.root, split)
            except ValueError as error:
                reasons.add(str(error).split(scan.LAYOUT)[0].strip())
        for reason in sorted(reasons):
            findings.add("layout", layout.root.name, detail=reason)
    if len(layout.class_names) < 2:
        findings.add("one_class", *(layout.class_names or ("no class",)))


def _is_image(path):
    return path.suffix.lower() in scan.EXTENSIONS
