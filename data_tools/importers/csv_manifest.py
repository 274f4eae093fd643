"""A table of photos, their sketches and their classes."""

import csv
import functools
import os
import re
from pathlib import Path, PureWindowsPath

from data_tools.groups import DataError
from data_tools.importers.importer import (
    SPLIT_NAMES,
    Importer,
    as_splits,
    by_form,
    in_other_case,
    nested,
    pair_group,
    split_of,
)
from data_tools.naming import composed, folded, safe_name
from data_tools.target import REPORT

from keras_cgan.data import scan

COLUMNS = ("photo", "sketch", "label")
_NOT_TEXT = {  # by how files begin: xlsx and ods, xls, and what Excel calls Unicode text
    b"PK\x03\x04": "a spreadsheet or an archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_FORMULA = re.compile(r"[=+@]|-(?!\d)")  # what a spreadsheet would run, wherever the label is written to


def find(root, options, findings):
    file = root if root.is_file() else _only_csv(root)
    if file is None:
        return
    groups, parted, folders = {}, None, _Folders()
    for where, row in _rows(file):
        split, label = _split(where, row["split"], parted), _label(where, row["label"])
        parted = split is not None
        photo, sketch = paths = [_path(where, file.parent, side, row[side], folders) for side in scan.SIDES]
        missing = [
            f"{row[side]}{folders.in_other_case(path)}"
            for side, path in zip(scan.SIDES, paths)
            if not os.path.isfile(path)
        ]
        if missing:
            findings.add("rows whose files are not there (left out)", f"{where}: {', '.join(missing)}")
            continue
        sketches = groups.setdefault((split, label, photo), [])
        if sketch in sketches:
            findings.add("rows that repeat an earlier one (left out)", where)
        else:
            sketches.append(sketch)
    splits = as_splits(_differing(file, {split for split, *_ in groups}))
    for (split, label, photo), sketches in groups.items():
        yield pair_group(splits[split], label, photo, sketches)


def _only_csv(root):
    """The table in a folder, or in the single folder in it; None where there is none."""
    for base in nested(root):
        files = [path for path in scan.entries(base)[1] if path.suffix.lower() == ".csv"]
        if len(files) > 1:
            raise DataError(
                f"{base} must hold one csv file, or the source must be one. "
                f"Received: {', '.join(file.name for file in files)}"
            )
        if files:
            return files[0]
    return None


def _rows(file):
    """The rows with the texts of their cells by column, each with where it is, as a spreadsheet counts."""
    _check_text(file)
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            first = opened.readline()
            opened.seek(0)
            table = csv.reader(opened, delimiter=max(",;\t", key=first.count), strict=True)
            header = [name.strip().casefold() for name in next(table, ())]
            if any(header.count(name) != 1 for name in COLUMNS) or header.count("split") > 1:
                raise DataError(
                    f"{file} must begin with a row that names the columns photo, sketch, label and, if there "
                    "are splits, split, each once, between commas, semicolons or tabs. "
                    f"Received: {first.strip()[:200]!r}"
                )
            for number, cells in enumerate(table, 2):
                if any(map(str.strip, cells)):
                    if any(cells[len(header) :]):
                        raise DataError(
                            f"{file}, row {number}, must have a cell for each of the {len(header)} columns. "
                            f"Received: {len(cells)} cells"
                        )
                    row = dict.fromkeys((*COLUMNS, "split"), "") | dict(zip(header, map(str.strip, cells)))
                    yield f"{file}, row {number}", row
    except UnicodeDecodeError as error:
        raise DataError(f"{file} must be text in UTF-8: save it as CSV UTF-8. Received: {error}") from error
    except csv.Error as error:
        raise DataError(f"{file} is no table: {error}, in line {table.line_num}") from error


def _check_text(file):
    with open(file, "rb") as opened:
        begin = opened.read(4)
    for magic, what in _NOT_TEXT.items():
        if begin.startswith(magic):
            raise DataError(f"{file} must be text in UTF-8: save it as CSV UTF-8. Received: {what}")


def _label(where, label):
    if not label or _FORMULA.match(label):
        raise DataError(
            f"{where}, label, must be the name of a class, which does not begin as a formula does "
            f"(=, +, @, or - without a digit). Received: {label!r}"
        )
    return label


def _split(where, split, parted):
    if parted is not None and parted != bool(split):
        raise DataError(f"{where}, split, must be given in every row or in none. Received: {split!r}")
    if split and (safe_name(split) != split or folded(split) in (*scan.SIDES, REPORT)):
        raise DataError(
            f"{where}, split, must be a plain name of a folder, such as train, and none of "
            f"{', '.join(scan.SIDES)} and {REPORT}. Received: {split!r}"
        )
    return split_of(split) or split or None


def _differing(file, splits):
    """The splits, where they differ by more than case."""
    first = {}
    for split in sorted(filter(None, splits)):
        if first.setdefault(folded(split), split) != split:
            raise DataError(
                f"{file}, split, must be names that differ by more than case. "
                f"Received: {first[folded(split)]!r} and {split!r}"
            )
    return splits


def _path(where, folder, column, text, folders):
    """The path that a cell names, below the table's folder, also where it leads through links."""
    name = PureWindowsPath(text)  # takes both separators, and knows drives
    plain = text and "\0" not in text and not name.anchor
    path = folders.find(folder, name.parts) if plain else folder
    leads_to = Path(os.path.realpath(path))
    if not plain or folder.resolve() not in leads_to.parents:
        linked = plain and Path(os.path.abspath(folder)) in Path(os.path.abspath(path)).parents
        raise DataError(
            f"{where}, {column}, must be a path below the folder of the table. Received: {text!r}"
            + (f", which leads out through a link, to {leads_to}" if linked else "")
        )
    return path


class _Folders:
    """The names in folders, each of which is listed once."""

    def __init__(self):
        self.names_in = functools.cache(self.names_in)

    def names_in(self, folder):
        """What is in a folder, by its composed form, and by its name without case; none if it is closed."""
        try:
            names = os.listdir(folder)
        except OSError:
            names = []
        alike = {}
        for name in sorted(names):
            alike.setdefault(folded(name), []).append(name)
        return by_form(names), alike

    def find(self, folder, parts):
        """The path of names in a folder, where one is not there as it is in the Unicode form that is."""
        for part in parts:
            path = folder / part
            if not os.path.lexists(path):
                path = folder / self.names_in(folder)[0].get(composed(part), part)
            folder = path
        return folder

    def in_other_case(self, path):
        """What to say of the files that a missing one, or of the folders that its own, may be meant as."""
        while not os.path.lexists(path.parent):
            path = path.parent
        alike = self.names_in(path.parent)[1].get(folded(path.name), ())
        return in_other_case(*(name for name in alike if name != path.name))


IMPORTER = Importer(
    name="csv",
    summary="a table of photos, sketches and classes",
    layout=f"""    a csv file, or a folder or archive with one: photo, sketch, label[, split]
    photos/1.jpg, sketches/1.png, cat, train
    (paths from the csv's folder; several rows of one photo are several sketches of it;
    {SPLIT_NAMES})""",
    example="csv my_set/pairs.csv --out my_pairs",
    find=find,
)
