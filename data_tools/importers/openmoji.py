"""OpenMoji: emoji in colour, and the same in black lines."""

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from data_tools.check.likeness import groups
from data_tools.groups import DataError, Group, ImageFile
from data_tools.importers.importer import Importer, nested, number_type, positive

from keras_cgan.data import scan
from keras_cgan.data.images import ImageError, decode_bytes, read_bytes

BY = {"group": "group", "subgroup": "subgroups"}  # by option, the key of the table
MOST_DEPTH = 64  # of a drawing's elements
_PNG_FOLDERS = ("618x618", "72x72")
_CODE = re.compile("[0-9A-Fa-f-]+")
_TONE = re.compile("1F3F[B-F]")
_LINK = re.compile(r"#|data:image/(png|jpe?g|gif|webp)[;,]")
_URL = re.compile(r"""url\(\s*["']?\s*#([^)"'\s]+)""", re.IGNORECASE)
_GRADIENTS = ("linearGradient", "radialGradient")  # which the renderer follows without calling itself
# Code points without a shape of their own: joiners, and what asks for colour, text, a woman or a man.
_NO_SHAPE = ("200D", "FE0F", "FE0E", "2640", "2642")
_PEOPLE = {"1F468": "1F9D1", "1F469": "1F9D1", "1F466": "1F9D2", "1F467": "1F9D2"}  # to the person, the child


def add_options(parser):
    parser.add_argument(
        "--by",
        choices=BY,
        default="group",
        help="what is a class: group, such as animals-nature, or subgroup, such as animal-bird "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="CLASS",
        help="classes to import (default: all); name them after the source",
    )
    parser.add_argument(
        "--one-tone", action="store_true", help="leave out skin tones: their line drawings are the same"
    )
    parser.add_argument(
        "--test-share",
        type=number_type(float, lambda value: 0 <= value < 1, "a number in [0, 1)"),
        default=0.2,
        help="of the designs of a class; what is of one design, such as all skin tones, is on one side "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--svg-size",
        type=positive,
        default=256,
        metavar="PIXELS",
        help="at which SVG is drawn, before --size: more is slower, by the square (default: %(default)s)",
    )


def find(root, options, findings):
    base = next((base for base in nested(root) if (base / "data" / "openmoji.json").is_file()), None)
    if base is None:
        return
    drawn = _drawings(base, options["svg_size"])
    chosen = list(_chosen(_entries(base / "data" / "openmoji.json"), options, findings))
    there = []
    for class_name, entry in chosen:
        images = [drawn(side, entry["hexcode"]) for side in ("color", "black")]
        if all(image.path.is_file() for image in images):
            there.append((class_name, entry, images))
        else:
            findings.add("emoji that are not there in colour and in black (left out)", entry["hexcode"])
    designs = _designs(there)
    test = _test_designs(zip((class_name for class_name, *_ in there), designs), options["test_share"])
    for (class_name, entry, (photo, sketch)), design in zip(there, designs):
        yield Group("test" if design in test else "train", class_name, entry["hexcode"], photo, (sketch,))


class Drawing(NamedTuple):
    """An SVG file, drawn on white at a size in pixels: the longer side of what it shows."""

    path: Path
    size: int

    def load(self):
        svg_to_bytes = _renderer()
        try:
            text = self.path.read_text(encoding="utf-8")
            _check_drawing(text)
            data = svg_to_bytes(svg_string=text, width=self.size, height=self.size, skip_system_fonts=True)
        except (OSError, ValueError, ElementTree.ParseError) as error:
            raise ImageError(f"Cannot draw {str(self.path)!r}: {error}") from error
        return decode_bytes(bytes(data), self.path)

    def __str__(self):
        return str(self.path)


def _check_drawing(svg):
    """Raises a `ValueError` where a drawing would pull in another file or another drawing, or is too deep.

    The renderer calls itself for what is in an element or linked from it, and where no stack is left for
    that, the process ends: `MOST_DEPTH` is far below.
    """
    root = ElementTree.fromstring(svg)
    by_id, styled = {}, set()
    for element in root.iter():
        for link in _hrefs(element):
            if not _LINK.match(link.strip()):
                raise ValueError(
                    "href must begin with # or data: of an image (PNG, JPEG, GIF or WebP). "
                    f"Received: {link[:200]!r}"
                )
        if _tag(element) not in _GRADIENTS:
            by_id.setdefault(element.get("id"), []).append(element)
        if _tag(element) == "style":
            styled.update(_URL.findall("".join(element.itertext())))
    parents = {inner: element for element in root.iter() for inner in element}
    depth = 0
    # A style sheet may lead from any element to those that it names, one after the other.
    for start in (root, *(element for name in sorted(styled) for element in by_id.get(name, ()))):
        depth += _depth(start, by_id, parents, MOST_DEPTH - depth)


def _depth(start, by_id, parents, most):
    """How many elements are in or linked from each other, at most, from one on.

    Raises:
        ValueError: There are more than `most`.
    """
    depths, reached = {start: 1}, [start]
    while reached:
        element = reached.pop()
        if depths[element] > most:
            raise ValueError(f"elements must be at most {MOST_DEPTH} deep, with what they link to")
        for inner in (*element, *_linked(element, by_id, parents)):
            if depths.get(inner, 0) <= depths[element]:  # the longest way counts
                depths[inner] = depths[element] + 1
                reached.append(inner)
    return max(depths.values())


def _linked(element, by_id, parents):
    """The elements that one links to, but for those that it is in: such links are not drawn."""
    names = [link.strip()[1:] for link in _hrefs(element)]
    names += [name for value in element.attrib.values() for name in _URL.findall(value)]
    linked = [each for name in names for each in by_id.get(name, ())]
    around = {element}
    while linked and (element := parents.get(element)) is not None:
        around.add(element)
    return [each for each in linked if each not in around]


def _hrefs(element):
    return [value for name, value in element.items() if name.rpartition("}")[2] == "href"]


def _tag(element):
    return str(element.tag).rpartition("}")[2]


def _renderer():
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise DataError(
            "SVG drawings need resvg_py: pip install 'keras_cgan[openmoji]' (in a checkout '.[openmoji]'). "
            "Without it, OpenMoji's PNG folders are read: color/618x618 and black/618x618"
        ) from error
    return svg_to_bytes


def _drawings(base, svg_size):
    """A function of `color` or `black` and a hexcode that gives an image to load: a PNG where there are."""
    for size in _PNG_FOLDERS:
        if all((base / side / size).is_dir() for side in ("color", "black")):
            return lambda side, code: ImageFile(base / side / size / f"{code}.png")
    _renderer()  # its error now, not after an hour
    return lambda side, code: Drawing(base / side / "svg" / f"{code}.svg", svg_size)


def _entries(file):
    """The entries of the table, each with the texts that are needed of it."""
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
        wanted = ("hexcode", "group", "subgroups")
        if not all(isinstance(entry[key], str) and entry[key] for entry in entries for key in wanted):
            raise TypeError("a text that is empty or none")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(
            f"{file} must be a list of objects with hexcode, group and subgroups. Received: {error!r}"
        ) from error
    if strange := [e["hexcode"] for e in entries if not _CODE.fullmatch(e["hexcode"])]:
        raise DataError(f"{file}, hexcode, must be such as 1F44B-1F3FB. Received: {strange[0]!r}")
    return entries


def _chosen(entries, options, findings):
    """The `(class, entry)` that the options ask for."""
    key = BY[options["by"]]
    classes = {entry[key] for entry in entries}
    if unknown := sorted(set(options["only"] or ()) - classes):
        raise DataError(
            f"--only must be of the classes by {options['by']}: {', '.join(sorted(classes))}. "
            f"Received: {', '.join(unknown)}"
        )
    for entry in entries:
        if options["only"] and entry[key] not in options["only"]:
            continue
        if options["one_tone"] and _has_tone(entry):
            findings.add("skin tones (left out)", entry["hexcode"])
        else:
            yield entry[key], entry


def _has_tone(entry):
    return bool(entry.get("skintone") or _TONE.search(entry["hexcode"]))


def _designs(there):
    """What emoji of one design share, one text an emoji.

    They are the same but for skin tone, woman and man, or have the same file in colour or in black: black
    lines are those of hearts of all colours.
    """
    keys, first = [], {}
    for number, (_, entry, images) in enumerate(there):
        files = [hashlib.sha256(read_bytes(image.path)).hexdigest() for image in images]
        keys += [(first.setdefault(key, number), number) for key in (_base_design(entry), *files)]
    joined = {number: group[0] for group in groups(keys) for number in group}
    return [_base_design(there[joined[number]][1]) for number in range(len(there))]


def _base_design(entry):
    base = entry.get("skintone_base_hexcode")
    code = base if isinstance(base, str) and _CODE.fullmatch(base) else entry["hexcode"]
    parts = [part for part in code.upper().split("-") if not _TONE.fullmatch(part)]
    shapes = [_PEOPLE.get(part, part) for part in parts if part not in _NO_SHAPE]
    return "-".join(shapes or parts or [code])  # an emoji may be nothing but a sign, or a tone


def _test_designs(classes_and_designs, share):
    """The designs that are held out, about a share of each class; one counts in its first class alone."""
    by_class, seen = {}, set()
    for class_name, design in classes_and_designs:
        if design not in seen:
            seen.add(design)
            by_class.setdefault(class_name, []).append(Path(class_name.replace("/", "_"), design))
    return {path.name for designs in by_class.values() for path in scan.held_out(designs, share, seed=0)}


IMPORTER = Importer(
    name="openmoji",
    summary="OpenMoji: emoji in colour, and the same in black lines, by group",
    layout="""    data/openmoji.json, color/svg/<hexcode>.svg, black/svg/<hexcode>.svg, as in the npm package
    (drawn by resvg_py: pip install 'keras_cgan[openmoji]'), or
    data/openmoji.json, color/618x618/<hexcode>.png, black/618x618/<hexcode>.png""",
    example="openmoji node_modules/openmoji --by subgroup --only animal-bird food-fruit --out openmoji_pairs",
    find=find,
    add_options=add_options,
    licence="CC BY-SA 4.0",
)
