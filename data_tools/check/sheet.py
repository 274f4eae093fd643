"""A contact sheet: some pairs of every class, and what looks suspicious with its name and why."""

import cv2
import numpy as np

from data_tools.check.kinds import KINDS
from data_tools.progress import quiet_decoders

from keras_cgan.data.images import ImageError, decode_image, fit_image, to_channels, write_image

CELL = 72  # px, a side
_GAP, _LINE, _MARGIN = 6, 16, 8  # px
_COLUMNS = 12  # images side by side
_WIDTH = _COLUMNS * (CELL + _GAP)
_PAIRS = (5, 3, 2, 1)  # of a class: the most with which the classes have room
_ROWS = 50  # of classes; with one pair of each there are more
_MOST_CLASSES = 1200  # 200 rows
_MOST_OF_KIND = 12  # findings
_MOST_OF_ONE = 4  # files of one finding, such as copies of each other
_COLOURS = {"error": (190, 0, 0), "warning": (170, 95, 0), "note": (90, 90, 90)}
_INK, _FRAME = (40, 40, 40), (205, 205, 205)
_FRAMES = ((0, 90, 180), (220, 120, 0))  # in turn, so that one sees which images are one finding
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_NOT_IMAGES = ("clutter", "no_image", "nested_folder", "other_folder", "layout", "class_missing")


@quiet_decoders()
def write_sheet(file, inspection, fit="pad"):
    """Writes the sheet.

    Args:
        file: Where to, a path that ends in `.png`.
        inspection: An `Inspection`.
        fit: How images of other proportions are brought into a cell.

    Raises:
        ImageError: It cannot be written.
    """
    tiles = _Tiles(inspection, fit)
    rows = [_text(_title(inspection), _INK), *_class_rows(inspection, tiles)]
    for kind, found in inspection.findings.items():
        rows += _suspicious(kind, found, tiles)
    height = sum(row.shape[0] for row in rows) + 2 * _MARGIN
    sheet = np.full((height, _WIDTH + 2 * _MARGIN, 3), 255, np.uint8)
    top = _MARGIN
    for row in rows:
        sheet[top : top + row.shape[0], _MARGIN : _MARGIN + row.shape[1]] = row
        top += row.shape[0]
    write_image(file, sheet)


class _Tiles:
    """Images in cells, by number or by path; a cell that says so where an image cannot be decoded."""

    def __init__(self, inspection, fit):
        self._inspection, self._fit = inspection, fit
        root = inspection.layout.root
        self._numbers = {item.path.relative_to(root).as_posix(): n for n, item in enumerate(inspection.items)}

    def image(self, number, frame=_FRAME):
        if self._inspection.features[number].look is None:
            return _blank("unreadable")
        try:
            image = decode_image(self._inspection.items[number].path)
        except ImageError:  # it was there a moment ago
            return _blank("unreadable")
        tile = fit_image(to_channels(image, 3), (CELL, CELL), self._fit)
        return cv2.rectangle(tile, (0, 0), (CELL - 1, CELL - 1), frame)

    def named(self, name, frame):
        """A cell in a frame, with the name of its file below it."""
        number = self._numbers.get(name)
        tile = self.image(number, frame) if number is not None else _blank("not read")
        parts = name.split("/")
        lines = ["/".join(part[:6] for part in parts[:-2]), parts[-2] if parts[1:] else "", parts[-1]]
        return np.concatenate([tile, *(_text(line, _INK, CELL, small=True) for line in lines)])


def _title(inspection):
    shown = "sketches" if inspection.layout.sketch_only else "photo | sketch"
    return f"{inspection.layout.root.name}: {shown}; below, what is suspicious"


def _class_rows(inspection, tiles):
    """Some images of each class, spread over it, photo beside sketch: fewer of many classes, side by side."""
    by_class = _by_class(inspection)
    names = sorted(by_class)[:_MOST_CLASSES]
    most = next((pairs for pairs in _PAIRS if len(names) <= _ROWS * _across(pairs)), _PAIRS[-1])
    width = _WIDTH // _across(most)
    blocks = [_block(name, _spread(by_class[name], 2 * most), tiles, width) for name in names]
    rows = [np.concatenate(blocks[n : n + _across(most)], 1) for n in range(0, len(blocks), _across(most))]
    left = len(by_class) - len(names)
    return rows + ([_text(f"({left} classes more)", _INK), _row([])] if left else [])


def _across(pairs):
    """How many classes of so many pairs are side by side."""
    return _COLUMNS // (2 * pairs)


def _block(name, numbers, tiles, width):
    """The name of a class above its images."""
    parts = _text(name, _INK, width - _GAP), _row([tiles.image(number) for number in numbers])
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), constant_values=255) for part in parts]
    )


def _by_class(inspection):
    """What may be shown of each class, a dict: numbers of items, in tuples of a photo and its sketch."""
    by_class = {}
    if inspection.layout.sketch_only:
        for number in sorted(inspection.usable):
            by_class.setdefault(inspection.items[number].class_name, []).append((number,))
    for pair in inspection.pairs:
        by_class.setdefault(inspection.items[pair[0]].class_name, []).append(pair)
    return by_class


def _spread(sets, most):
    """The numbers of some of the tuples, spread over all, at most so many numbers."""
    count = min(most // len(sets[0]), len(sets))
    places = np.linspace(0, len(sets) - 1, count).astype(int)
    return [number for place in places for number in sets[place]]


def _suspicious(kind, found, tiles):
    """The lines of a kind: what it is, and its first images; copies stand beside each other."""
    severity, what = KINDS[kind]
    if kind in _NOT_IMAGES:
        return []
    cells = []
    for number, each in enumerate(found[:_MOST_OF_KIND]):
        frame = _FRAMES[number % 2] if each.files[1:] else _FRAME
        cells += [tiles.named(name, frame) for name in each.files[:_MOST_OF_ONE] if "/" in name]
    if not cells:
        return []
    rows = [_text(f"{severity}: {len(found)} {what}", _COLOURS[severity])]
    return rows + [_row(cells[start : start + _COLUMNS]) for start in range(0, len(cells), _COLUMNS)]


def _row(cells):
    """Cells side by side, with a gap below."""
    if not cells:
        return np.full((_GAP, 1, 3), 255, np.uint8)
    return np.concatenate([np.pad(c, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for c in cells], 1)


def _blank(text):
    tile = np.full((CELL, CELL, 3), 225, np.uint8)
    cv2.putText(tile, text, (4, CELL // 2), _FONT, 0.32, _INK, 1, cv2.LINE_AA)
    return tile


def _text(text, colour, width=_WIDTH, small=False):
    """A line of text, cut to a width in pixels; OpenCV's fonts have ASCII only."""
    text, scale = text.encode("ascii", "replace").decode(), 0.28 if small else 0.42
    while text and cv2.getTextSize(text, _FONT, scale, 1)[0][0] > width:
        text = text[:-1]
    line = np.full((_LINE - 5 if small else _LINE + 4, width, 3), 255, np.uint8)
    return cv2.putText(line, text, (0, line.shape[0] - 4), _FONT, scale, colour, 1, cv2.LINE_AA)
