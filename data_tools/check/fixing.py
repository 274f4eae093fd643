"""The cleaned copy of a folder: `python -m data_tools check <folder> --fix <out>`."""

import contextlib
from pathlib import Path
from typing import NamedTuple

from data_tools.check.cleaning import Cleaning
from data_tools.check.kinds import KINDS
from data_tools.check.looks import is_inverted
from data_tools.groups import DataError, Group, ImageFile
from data_tools.importers.importer import Importer
from data_tools.importing import run_import
from data_tools.target import Target, check_apart

from keras_cgan.data.images import WHITE, decode_image
from keras_cgan.data.scan import LAYOUT

_NAME = "check --fix"
EMPTIED = "classes of a split of which nothing is left"
_NOT_READ = ("outside", "nested_folder", "other_folder", "no_image")


class NegativeFile(NamedTuple):
    """An image file, light for dark and dark for light."""

    path: object

    def load(self):
        return WHITE - decode_image(self.path)

    def __str__(self):
        return str(self.path)


def fix(inspection, out, force=False, threads=None):
    """Writes a cleaned copy of a folder, as an import of it: whole at the end, and never in place.

    Left out are images that cannot be decoded, sketches that are blank or their photo made grey, what has no
    partner, copies of a photo within a split (the first takes their sketches), the training's copy of what is
    in the test as well, and what is in two classes. Inverted sketches are inverted back, transparency is laid
    on white, and all is written as PNG of 8 bits. Nearly the same images within a split stay, and so do
    sketches that two photos share.

    Args:
        inspection: The `Inspection` of the folder.
        out: The new folder.
        force: Whether an earlier copy, or import, in `out` is replaced.
        threads: How many decode and write.

    Returns:
        The report that is in `import.json` as well: the settings, counts by split and class, and by kind
        what was left out or changed.

    Raises:
        DataError: `out` is in the folder or holds it or something else, the layout is not one that can be
            copied, or nothing is left.
        OSError: The disk is full, or something may not be read or written.
    """
    source = inspection.layout.root
    if reasons := inspection.findings["layout"]:
        raise DataError(f"--fix cannot mend the layout of {source}: {reasons[0].detail}")
    importer = Importer(
        name=_NAME,
        summary="a cleaned copy",
        layout=LAYOUT,
        example="check my_pairs --fix my_clean_pairs",
        find=lambda root, options, findings: list(_groups(inspection, findings)),
    )
    with _errors_of_fix():
        return run_import(importer, source, out, {}, size=0, force=force, threads=threads)


def check_target(source, out, force=False):
    """Raises what `fix` would for the folder to write, before minutes of checking, and leaves no trace.

    Args:
        source: The folder that is to be checked.
        out, force: As of `fix`.

    Raises:
        DataError: `out` is in the folder or holds it or something else, or is being written.
        OSError: It may not be written.
    """
    source, out = Path(source), Path(out)
    missing = [path for path in (out, *out.parents) if not path.exists()]
    # Those of `run_import`, or a copy that was stopped could not be gone on with.
    settings = {"importer": _NAME, "source": str(source.resolve()), "size": 0, "fit": "pad"}
    try:
        with _errors_of_fix():
            check_apart(source, out)
            with Target(out, settings, force) as target:
                if not target.is_moving():
                    target.give_up()
    finally:
        for path in missing:
            with contextlib.suppress(OSError):  # it was not made, or is gone already
                path.rmdir()
    if not missing:
        out.mkdir(exist_ok=True)  # an empty one is given up, too


@contextlib.contextmanager
def _errors_of_fix():
    try:
        yield
    except DataError as error:
        raise DataError(str(error).replace("--out", "--fix")) from error


def _groups(inspection, findings):
    items, cleaning = inspection.items, Cleaning(inspection)
    for kind in _NOT_READ:
        for each in inspection.findings[kind]:
            findings.add(KINDS[kind].what, *each.files)
    for number, reason in sorted(cleaning.dropped.items()):
        findings.add(reason, items[number].path)
    for name, joined in cleaning.class_names.items():
        if name != joined:
            findings.add("classes joined with one of nearly the same name", f"{name!r} with {joined!r}")
    for place in _emptied(items, cleaning):
        findings.add(EMPTIED, place)
    for photo, sketches in cleaning.groups:
        place = items[sketches[0] if photo is None else photo]
        images = [
            _image(number, inspection, findings)
            for number in ((photo,) if photo is not None else ()) + tuple(sketches)
        ]
        yield Group(
            place.split,
            cleaning.class_names[place.class_name],
            place.path.stem,
            images.pop(0) if photo is not None else None,
            tuple(images),
        )


def _emptied(items, cleaning):
    """The classes, with their splits, of which all images are left out."""

    def places(numbers):
        return {(items[n].split, cleaning.class_names[items[n].class_name]) for n in numbers}

    kept = places(sketches[0] for _, sketches in cleaning.groups)
    return sorted("/".join(filter(None, place)) for place in places(range(len(items))) - kept)


def _image(number, inspection, findings):
    """The image to load, with what is changed in it recorded."""
    item, found = inspection.items[number], inspection.features[number]
    inverted = item.side == "sketch" and is_inverted(found)
    changes = {
        "sketches inverted back to dark on white": inverted,
        "images laid on white": found.facts.alpha,
        "images made 8 bit": found.facts.bits == 16,
    }
    for what in (what for what, is_so in changes.items() if is_so):
        findings.add(what, item.path)
    return (NegativeFile if inverted else ImageFile)(item.path)
