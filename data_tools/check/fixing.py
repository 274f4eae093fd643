"""The cleaned copy of a folder: `python -m data_tools check <folder> --fix <out>`."""

from typing import NamedTuple

from data_tools.check.cleaning import Cleaning
from data_tools.check.kinds import KINDS
from data_tools.check.looks import is_inverted
from data_tools.groups import DataError, Group, ImageFile
from data_tools.importers.importer import Importer
from data_tools.importing import run_import

from keras_cgan.data.images import WHITE, decode_image
from keras_cgan.data.scan import LAYOUT

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

    Left out are images that cannot be decoded, blank sketches, what has no partner, copies of a photo within
    a split (the first takes their sketches), the training's copy of what is in the test as well, and what is
    in two classes. Inverted sketches are inverted back, transparency is laid on white, and all is written as
    PNG of 8 bits. Nearly the same images within a split stay, and so do sketches that two photos share.

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
        name="check --fix",
        summary="a cleaned copy",
        layout=LAYOUT,
        example="check my_pairs --fix my_clean_pairs",
        find=lambda root, options, findings: list(_groups(inspection, findings)),
    )
    try:
        return run_import(importer, source, out, {}, size=0, force=force, threads=threads)
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
