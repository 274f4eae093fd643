"""What an importer is, and what most of them need."""

import argparse
import re
from pathlib import PurePosixPath
from typing import Callable, NamedTuple

from data_tools.groups import DataError, Group, ImageFile
from data_tools.naming import composed, folded

from keras_cgan.data import scan

SPLITS = ("train", "test", "val")
VALIDATION = ("val", "valid", "validation", "dev")
_SPLIT_OF = {"training": "train", "testing": "test"} | {name: name for name in ("train", "test", *VALIDATION)}
SPLIT_NAMES = (
    "split: train, test or val, which is the test where there is none; training, testing, valid, validation\n"
    "    and dev are taken alike, in upper or lower case"
)
_LISTED = scan.EXTENSIONS | {".svg"}


class Importer(NamedTuple):
    """How one data set is read.

    Attributes:
        name: Of its command.
        summary: One line.
        layout: The files that it reads, as the set has them, for `--help` and for errors.
        example: A command.
        find: A function of the folder or file, the options (a dict) and `Findings` that gives `Group`s in a
            settled order, and reads no image. It records what it leaves out.
        add_options: A function that adds the importer's own options to a parser.
        licence: What the set's own page says, for `--help` and for the report.
    """

    name: str
    summary: str
    layout: str
    example: str
    find: Callable
    add_options: Callable = lambda parser: None
    licence: str = ""


def natural(path):
    """What sorts paths and texts with their numbers as numbers: 2 before 10."""
    parts = re.split(r"([0-9]+)", str(path))
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], str(path)


def image_files(folder, findings):
    """The image files in a folder, sorted; other files are recorded, folders are left."""
    files = []
    for path in _entries(folder)[1]:
        if path.suffix.lower() in scan.EXTENSIONS:
            files.append(path)
        else:
            findings.add("files that are no images by their extension (not read)", path)
    return sorted(files, key=natural)


def sub_folders(folder):
    """The folders in a folder, sorted, without hidden ones."""
    return sorted(_entries(folder)[0], key=natural)


def _entries(folder):
    return scan.entries(folder) if folder.is_dir() else ([], [])


def nested(root):
    """The root and, as long as a folder has a single folder in it, that one.

    Archives often hold all they have in one folder, or are unpacked into one.
    """
    bases = [root]
    while len(bases) < 4 and len(folders := sub_folders(bases[-1])) == 1:
        bases += folders
    return bases


def find_folder(root, *names):
    """The first folder of these names that is in the root, in a single folder in it, or the root itself.

    Returns:
        A path, or `None`.
    """
    for folder in (base / name for base in nested(root) for name in names):
        if folder.is_dir():
            return folder
    return root if root.is_dir() and root.resolve().name in names else None


def split_of(name):
    """The split that a folder of a name is, in upper or lower case: `train`, `test` or one of `VALIDATION`.

    Returns:
        A text, or `None` for any other name.
    """
    return _SPLIT_OF.get(name.casefold())


def as_splits(names):
    """What split each of these is, a dict: `val`, or another name of it, is the test where there is none."""
    held_out = next((name for name in ("test", *VALIDATION) if name in names), "test")
    return {name: "test" if name == held_out else name for name in names}


def find_classes(root, name):
    """The folder with the class folders: of that name, or the first with folders that have none in them."""
    return find_folder(root, name) or holding_classes(root)


def holding_classes(root):
    """The first of the nested folders of which no folder has folders in it; the root where there is none."""
    bases = (base for base in nested(root) if not any(map(sub_folders, sub_folders(base))))
    return next(bases, root)


def holding_splits(root):
    """The first of the nested folders that has split folders, better several, or `None`.

    A set in a folder `dev` that has `train` and `test` has these.
    """
    counts = {
        base: sum(split_of(folder.name) is not None for folder in sub_folders(base)) for base in nested(root)
    }
    return next((base for least in (2, 1) for base, count in counts.items() if count >= least), None)


def add_ab_options(parser, straight):
    """Adds the options of pairs called A and B: which of them is the photo, and the class of all.

    Args:
        parser: Of the importer's command.
        straight: What `AtoB` means, for its help.
    """
    parser.add_argument(
        "--direction",
        choices=("AtoB", "BtoA"),
        default="AtoB",
        help=f"AtoB: {straight}; BtoA: the other way round (default: %(default)s)",
    )
    add_class_name(parser)


def add_class_name(parser):
    """Adds the option of the class of images that are in no class folder."""
    parser.add_argument(
        "--class-name", default="all", help="where there are no class folders (default: %(default)s)"
    )


def split_folders(base, findings):
    """The split folders in a folder, by the split that each is; as `named_splits` for all else."""
    found = named_splits(base, findings)
    splits = as_splits(found)
    return {splits[name]: folder for name, folder in found.items()}


def named_splits(base, findings):
    """The split folders in a folder, by `split_of`; the folder itself, as `None`, where it has none.

    A single folder `train` with no folders in it, among others that are no splits, is a class: the vehicle.

    Raises:
        DataError: Two folders are of one split, such as `train` and `Train`.
    """
    folders = sub_folders(base)
    found = one_a_split((split_of(folder.name), folder) for folder in folders)
    if not found or (len(found) == 1 < len(folders) and not sub_folders(*found.values())):
        return {None: base}
    for path in (*image_files(base, findings), *(path for path in folders if path not in found.values())):
        findings.add("images and folders beside those of the splits (not read)", path)
    return found


def one_a_split(splits_and_folders):
    """The folders by split, a dict in the order given; those of the split `None` are passed over.

    Raises:
        DataError: Two folders are of one split.
    """
    found = {}
    for split, folder in splits_and_folders:
        if split and found.setdefault(split, folder) != folder:
            raise DataError(
                f"{folder.parent} must have one folder a split. "
                f"Received: {found[split].name} and {folder.name}, both {split}"
            )
    return found


def class_folders(base, findings):
    """The class folders in a folder; folders in these are recorded."""
    for folder in sub_folders(base):
        for inner in sub_folders(folder):
            findings.add("folders inside a class folder (not read)", inner)
        yield folder


def matched(photos, sketches, photo_of, findings):
    """Photos with their sketches; what has no partner is recorded.

    Args:
        photos, sketches: Paths.
        photo_of: A function from a sketch's stem to that of its photo.
        findings: `Findings`.

    Yields:
        `(photo, sketches)`, in the order given.
    """
    by_photo, seen, lonely = {}, set(), []
    for path in sketches:
        by_photo.setdefault(photo_of(path.stem), []).append(path)
    called = counterparts([photo.stem for photo in photos], by_photo)
    for photo in photos:
        if photo.stem in seen:
            findings.add("photos named as another but for the extension (left out)", photo)
        elif called[photo.stem] in by_photo:
            yield photo, by_photo.pop(called[photo.stem])
        else:
            lonely.append(photo)
        seen.add(photo.stem)
    alike = {folded(stem): paths[0].name for stem, paths in by_photo.items()}
    for photo in lonely:
        findings.add("photos without a sketch (left out)", _beside(photo, alike.get(folded(photo.stem))))
    alike = {folded(photo.stem): photo.name for photo in lonely}
    for stem, paths in by_photo.items():
        for path in paths:
            findings.add("sketches without a photo (left out)", _beside(path, alike.get(folded(stem))))


def _beside(what, other):
    """What is left out, a text, with what is called the same but for case, if anything is."""
    return f"{what}{in_other_case(other)}" if other else what


def in_other_case(*others):
    """What to say of files that are named as another but for upper and lower case."""
    return f" (in other case or Unicode form: {', '.join(others)})" if others else ""


def counterparts(names, others):
    """What each of these names is among others, a dict: the same, or that in another Unicode form.

    A letter with its accent is one character or two, by the system that wrote it. Names that are there in
    several forms are told apart.
    """
    theirs = by_form(others)
    return {name: name for name in names} | {
        name: theirs.get(form, name) for form, name in by_form(names).items()
    }


def by_form(names):
    """The names by their composed form, without those of which two have one."""
    found = {}
    for name in names:
        found.setdefault(composed(name), set()).add(name)
    return {form: name for form, (name, *more) in found.items() if not more}


def pair_group(split, class_name, photo, sketches):
    """The group of a photo's file and its sketches' files."""
    return Group(split, class_name, photo.stem, ImageFile(photo), tuple(map(ImageFile, sketches)))


def sketch_groups(base, findings, class_names=None):
    """A group for each sketch in the class folders of a set that has no photos.

    Args:
        base: The folder with the class folders.
        findings: `Findings`.
        class_names: A dict from the names of folders to those of classes; by default they are the same.
    """
    for path in image_files(base, findings):
        findings.add("images outside of a class folder (left out)", path)
    for folder in class_folders(base, findings):
        class_name = (class_names or {}).get(folder.name, folder.name)
        for path in image_files(folder, findings):
            yield Group(None, class_name, path.stem, None, (ImageFile(path),))


def read_lines(file):
    """The lines of a text file, stripped, without empty ones.

    Raises:
        DataError: It is no text in UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")  # with or without the mark that Windows puts first
    except UnicodeDecodeError as error:
        raise DataError(f"{file} must be text in UTF-8: {error}") from error
    return [line for line in map(str.strip, text.splitlines()) if line]


def listed(line):
    """The folder and the stem of a list's line: `airplane/n02691156_58-1`, with or without an extension."""
    path = PurePosixPath(line.replace("\\", "/"))
    return path.parent.name, path.stem if path.suffix.lower() in _LISTED else path.name


def number_type(kind, is_allowed, allowed):
    """The type of an option that is a number, for a parser.

    Args:
        kind: `int` or `float`.
        is_allowed: A function of the number.
        allowed: What it must be, for the error.
    """

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not is_allowed(value):
            raise argparse.ArgumentTypeError(f"must be {allowed}. Received: {text!r}")
        return value

    return parse


positive = number_type(int, lambda value: value >= 1, "an integer of at least 1")
