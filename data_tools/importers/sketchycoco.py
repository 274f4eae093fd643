"""SketchyCOCO: pictures of single objects, their sketches and their edges."""

from data_tools.importers.importer import (
    SPLITS,
    Importer,
    as_splits,
    find_folder,
    image_files,
    matched,
    natural,
    pair_group,
)


def add_options(parser):
    parser.add_argument("--edges", action="store_true", help="take Edge instead of Sketch")


def find(root, options, findings):
    photos = _side(root, "GT")
    sketches = _side(root, "Edge" if options["edges"] else "Sketch")
    if photos is None or sketches is None:
        return
    folders = sorted({folder for side in (photos, sketches) for folder in _folders(side)}, key=natural)
    found = {folder: _split(folder.parent.name) for folder in folders}
    splits = as_splits({split for split in found.values() if split})
    for folder in folders:
        sides = [image_files(side / folder, findings) for side in (photos, sketches)]
        if _is_class(folder, found, splits):
            for photo, own in matched(*sides, str, findings):
                yield pair_group(splits.get(found[folder]), folder.name, photo, own)
        else:
            for path in sum(sides, []):
                findings.add("images outside of a class folder, or of a split (left out)", path)


def _side(root, name):
    return find_folder(root, f"data/Object/{name}", f"Object/{name}", name)


def _folders(side):
    """The folder itself and all in it, as paths below it, without hidden ones."""
    yield side.relative_to(side)
    for path in side.rglob("*"):
        folder = path.relative_to(side)
        if path.is_dir() and not any(part.startswith(".") for part in folder.parts):
            yield folder


def _split(name):
    """The split that a folder is, such as `trainInTrain`; or None."""
    return next((split for split in SPLITS if name.lower().startswith(split)), None)


def _is_class(folder, found, splits):
    """Whether the images of a folder have a class, and a split where others have."""
    loose = not folder.name or (len(folder.parts) == 1 and _split(folder.name))
    return not loose and (found[folder] or not splits)


IMPORTER = Importer(
    name="sketchycoco",
    summary="SketchyCOCO: a photo of an object and its sketch",
    layout="""    data/Object/GT/[<split>/]<class>/<name>.png, data/Object/Sketch/[<split>/]<class>/<name>.png
    (split: begins with train, test or val, which is the test where there is none;
    with --edges, data/Object/Edge instead of Sketch)""",
    example="sketchycoco SketchyCOCO --out sketchycoco_pairs",
    find=find,
    add_options=add_options,
)
