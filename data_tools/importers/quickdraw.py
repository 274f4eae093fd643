"""Quick, Draw!: sketches of 345 classes as strokes or as small bitmaps, without photos."""

import json
import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from data_tools.groups import DataError, Group
from data_tools.importers.importer import Importer, find_folder, natural, nested, positive

from keras_cgan.data.images import WHITE, ImageError

PLACES = {
    "simplified": ("full/simplified", "simplified"),
    "raw": ("full/raw", "raw"),
    "bitmap": ("full/numpy_bitmap", "numpy_bitmap"),
}
SIZE, MARGIN, THICKNESS = 256, 12, 4  # a line is a 64th: still seen at 32 pixels
SIDE = 28  # of a bitmap
MOST_LINE = 2**24  # bytes; the longest drawings have some 100,000
MOST_COORDINATE = 1e6
NO_DRAWING = "lines that are no drawing (left out)"
EMPTY = "drawings without a stroke (left out)"
BEYOND = f"drawings with coordinates that are not finite or beyond {MOST_COORDINATE:,.0f} (left out)"
UNRECOGNIZED = "drawings that were not recognized (left out)"
_DOWNLOADED = re.compile("full_(simplified|raw|numpy_bitmap)_")  # what browsers make of the place
_SHIFT = 4  # bits below a pixel


def add_options(parser):
    parser.add_argument("--kind", choices=tuple(PLACES), help="which to read, where there are several")
    parser.add_argument(
        "--per-class",
        type=positive,
        default=1000,
        help="drawings of a class, the first (default: %(default)s)",
    )
    parser.add_argument(
        "--unrecognized",
        action="store_true",
        help="keep drawings that the game did not recognize (bitmaps do not say which these are)",
    )


def find(root, options, findings):
    kinds = {}
    for file in _files(root, findings):
        kinds.setdefault(_kind(file), []).append(file)
    if len(kinds) > 1 and options["kind"] is None:
        there = ", ".join(kind for kind in PLACES if kind in kinds)
        raise DataError(f"--kind must say which of {there} in {root} to read. Received: no --kind")
    for file in kinds.get(options["kind"] or next(iter(kinds), None), ()):
        images = _bitmaps(file, findings) if file.suffix == ".npy" else _drawings(file, options, findings)
        for number, image in islice(images, options["per_class"]):
            yield Group(None, _DOWNLOADED.sub("", file.stem), str(number), None, (image,))


class Strokes(NamedTuple):
    """A drawing in a file of them: the line that begins at an offset."""

    path: Path
    number: int
    offset: int

    def load(self):
        try:
            with open(self.path, "rb") as opened:
                opened.seek(self.offset)
                return draw(_strokes(_parse(opened.readline(MOST_LINE))))
        except OSError as error:
            raise ImageError(f"Cannot read {self}: {error}") from error

    def __str__(self):
        return f"{self.path}, line {self.number}"


class Bitmap(NamedTuple):
    """A row of a file of bitmaps, white on black."""

    path: Path
    number: int

    def load(self):
        bitmaps = _array(self.path)
        if len(bitmaps) < self.number:
            raise ImageError(f"There is no {self}: it holds {len(bitmaps)}.")
        return WHITE - np.array(bitmaps[self.number - 1]).reshape(SIDE, SIDE)

    def __str__(self):
        return f"{self.path}, bitmap {self.number}"


def draw(strokes):
    """Draws strokes, black on white, in the middle and as large as they fit.

    Args:
        strokes: Arrays `(points, 2)` of x and y, finite, at least one of them, each of at least one point.

    Returns:
        A uint8 array `(256, 256)`.

    Example:

    >>> draw([np.array([[0, 0], [10, 5]])]).shape
    (256, 256)
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (SIZE - 2 * MARGIN) / max((high - low).max(), 1e-9)
    lines = []
    for stroke in strokes:
        placed = (stroke - (low + high) / 2) * scale + SIZE / 2
        placed = np.rint(placed * 2**_SHIFT).astype(np.int32)
        lines.append(placed if len(placed) > 1 else placed.repeat(2, axis=0))  # cv2 draws no single point
    paper = np.full((SIZE, SIZE), WHITE, np.uint8)
    return cv2.polylines(paper, lines, False, 0, THICKNESS, cv2.LINE_AA, _SHIFT)


def _files(root, findings):
    places = [folder for names in PLACES.values() if (folder := find_folder(root, *names))]
    files = [root] if root.is_file() else [file for base in places or nested(root) for file in base.iterdir()]
    for file in sorted(
        (file for file in files if file.is_file() and not file.name.startswith(".")), key=natural
    ):
        if file.suffix in (".ndjson", ".npy"):
            yield file
        else:
            findings.add("files that are neither .ndjson nor .npy (not read)", file)


def _kind(file):
    """What a file holds: its folder may say so; otherwise raw strokes have times, and simplified ones not."""
    if file.suffix == ".npy":
        return "bitmap"
    if file.parent.name in ("simplified", "raw"):
        return file.parent.name
    for _, _, line in _lines(file):
        try:
            drawing = _parse(line)
            _strokes(drawing)
        except ImageError:
            continue
        return "raw" if len(drawing["drawing"][0]) > 2 else "simplified"
    return "simplified"


def _drawings(file, options, findings):
    for number, offset, line in _lines(file):
        strokes = Strokes(file, number, offset)
        try:
            drawing = _parse(line)
            _strokes(drawing)
        except ImageError as error:
            findings.add(str(error), strokes)
            continue
        if drawing.get("recognized") is False and not options["unrecognized"]:
            findings.add(UNRECOGNIZED, strokes)
        else:
            yield number, strokes


def _lines(file):
    """`(number, offset, line)` of the lines that are not empty; one that is too long is given as b""."""
    number = offset = 0
    with open(file, "rb") as opened:
        while line := opened.readline(MOST_LINE):
            number += 1
            begin, offset = offset, offset + len(line)
            whole = len(line) < MOST_LINE or line.endswith(b"\n")
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = opened.readline(MOST_LINE)
                offset += len(rest)
            if line.strip():
                yield number, begin, line if whole else b""


def _parse(line):
    """The object of a line; an `ImageError` says what kind of line it is otherwise."""
    try:
        drawing = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ImageError(NO_DRAWING) from error
    if not isinstance(drawing, dict) or not isinstance(drawing.get("drawing"), list):
        raise ImageError(NO_DRAWING)
    return drawing


def _strokes(drawing):
    """The strokes of a drawing, arrays `(points, 2)`."""
    strokes = []
    for stroke in drawing["drawing"]:
        try:
            points = np.array(stroke[:2], np.float64)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise ImageError(NO_DRAWING) from error
        if points.ndim != 2 or len(points) != 2:
            raise ImageError(NO_DRAWING)
        if not np.all(np.abs(points) <= MOST_COORDINATE):  # so neither is NaN
            raise ImageError(BEYOND)
        if points.size:
            strokes.append(points.T)
    if not strokes:
        raise ImageError(EMPTY)
    return strokes


def _bitmaps(file, findings):
    try:
        count = len(_array(file))
    except ImageError as error:
        findings.add("files that are no bitmaps, N x 784 of uint8 (left out)", error)
        return
    for number in range(1, count + 1):
        yield number, Bitmap(file, number)


def _array(file):
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy raises some ten kinds for damaged files
        raise ImageError(f"Cannot read {file}: {error}") from error
    shape = getattr(array, "shape", ())  # an npz archive has none
    if shape[1:] not in ((SIDE**2,), (SIDE, SIDE)) or array.dtype != np.uint8:
        raise ImageError(
            f"{file} must hold N x {SIDE**2} of uint8. "
            f"Received: {getattr(array, 'dtype', 'an archive')}, {shape}"
        )
    return array


IMPORTER = Importer(
    name="quickdraw",
    summary="Quick, Draw!: sketches alone, of 345 classes, as strokes or bitmaps",
    layout="""    full/simplified/<class>.ndjson, full/raw/<class>.ndjson or full/numpy_bitmap/<class>.npy,
    a folder of such files, or one file""",
    example="quickdraw quickdraw_dataset --kind simplified --per-class 500 --out quickdraw",
    find=find,
    add_options=add_options,
    licence="CC BY 4.0",
)
