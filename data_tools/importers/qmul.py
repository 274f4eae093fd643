"""QMUL Shoe v2 and Chair v2: photos of one class a set, each with several sketches."""

import re

from data_tools.groups import DataError
from data_tools.importers.importer import (
    Importer,
    image_files,
    listed,
    matched,
    nested,
    pair_group,
    read_lines,
    sub_folders,
)

CLASSES = ("shoe", "chair")


def add_options(parser):
    parser.add_argument(
        "--class-name",
        help="of the set, where it is a single one (default: shoe or chair, as the name of the folder or the "
        "archive has it)",
    )


def find(root, options, findings):
    parts = next(filter(None, map(_sets, nested(root))), [])
    lists_of = {photos: {} if split else _lists(photos.parent) for split, photos, _ in parts}
    _check_class_name(options["class_name"], parts)
    _check_splits(root, parts, lists_of)
    for split, photos, sketches in parts:
        class_name = options["class_name"] or _class_name(photos, root)
        lists = lists_of[photos]
        files = image_files(photos, findings), image_files(sketches, findings)
        for photo, own in matched(*files, _photo_of, findings):
            of_photo = _split(photo, lists, findings) if lists else split
            if of_photo or not lists:
                yield pair_group(of_photo, class_name, photo, own)


def _sets(base):
    """The parts of a folder or, where it has none, of all folders in it."""
    return _parts(base) or [part for folder in sub_folders(base) for part in _parts(folder)]


def _parts(base):
    """The `(split, photos, sketches)` in a folder: of the new layout, or else of the old one."""
    new = [(split, base / f"{split}B", base / f"{split}A") for split in ("train", "test")]
    new = [part for part in new if part[1].is_dir() and part[2].is_dir()]
    return new or [
        (None, folder, base / f"{name[1]}sketch_png")
        for folder in sub_folders(base)
        if (name := re.fullmatch("(.*)photo", folder.name)) and (base / f"{name[1]}sketch_png").is_dir()
    ]


def _check_class_name(class_name, parts):
    sets = dict.fromkeys(photos.parent if split else photos for split, photos, _ in parts)
    if class_name and len(sets) > 1:
        raise DataError(
            "--class-name must be left out where there are several sets, or they must be imported one at a "
            f"time. Received: {class_name}, for {', '.join(map(str, sets))}"
        )


def _check_splits(root, parts, lists_of):
    unsplit = [photos for split, photos, _ in parts if not (split or lists_of[photos])]
    if 0 < len(unsplit) < len(parts):
        raise DataError(
            f"{root} must have splits, or lists of them, for all of its sets or for none. "
            f"Received: none for {', '.join(map(str, unsplit))}"
        )


def _class_name(photos, root):
    # The source may be ".", which only resolves to a name.
    names = [*reversed(photos.relative_to(root).parts), root.resolve().name]
    if seen := [class_name for name in names for class_name in CLASSES if class_name in name.lower()]:
        return seen[0]
    raise DataError(
        f"--class-name must be given where no folder's name has {' or '.join(CLASSES)} in it. "
        f"Received: no --class-name, and {', '.join(names)}"
    )


def _photo_of(sketch):
    return sketch.rpartition("_")[0]


def _lists(base):
    """The stems of the photos of each split for which there are lists."""
    lists = {}
    for split in ("test", "train"):
        for side, photo_of in (("photo", str), ("sketch", _photo_of)):
            file = base / f"{side}_{split}.txt"
            if file.is_file():
                stems = (photo_of(listed(line)[1]) for line in read_lines(file))
                lists.setdefault(split, set()).update(stems)
    return lists


def _split(photo, lists, findings):
    splits = [split for split, stems in lists.items() if photo.stem in stems]
    if len(splits) > 1:
        findings.add("photos in the lists of train and of test (taken for test)", photo)
    if not splits:
        findings.add("photos that no list names (left out)", photo)
    return splits[0] if splits else None


IMPORTER = Importer(
    name="qmul",
    summary="QMUL Shoe v2, Chair v2 or both: photos, each with several sketches",
    layout="""    {trainB,testB}/<photo>.png, {trainA,testA}/<photo>_<number>.png
or, where the set is older,
    ShoeV2_photo/<photo>.png, ShoeV2_sketch_png/<photo>_<number>.png
    {photo,sketch}_{train,test}.txt    (without them there are no splits)
or a folder with such folders, ShoeV2 and ChairV2, a class each""",
    example="qmul ShoeV2 --out shoe_pairs",
    find=find,
    add_options=add_options,
)
