"""Sketchy: several sketches of each photo, by many people, some of them marked as invalid."""

import argparse
from pathlib import Path

from data_tools.groups import DataError
from data_tools.importers.importer import (
    Importer,
    class_folders,
    find_folder,
    image_files,
    listed,
    matched,
    pair_group,
    read_lines,
    sub_folders,
)

from keras_cgan.data import scan

INVALID = ("error", "ambiguous", "pose", "context")
SAME_SCALE = "tx_000000000000"
_TEST = "testset.txt"
_LISTS = (_TEST, *(f"invalid-{kind}.txt" for kind in INVALID))


def add_options(parser):
    parser.add_argument(
        "--transform",
        default=SAME_SCALE,
        help="folder of photos and sketches: tx_000000000000, the only one with both at one scale, or "
        "tx_000100000000; sketches alone have others (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-invalid",
        type=_kinds,
        action="extend",
        default=[],
        metavar="KIND[,KIND]",
        help=f"sketches to keep although invalid-<kind>.txt lists them: {', '.join(INVALID)} (default: none)",
    )
    parser.add_argument(
        "--info",
        metavar="DIR",
        help="folder of the lists, testset.txt and invalid-<kind>.txt (default: info in the source or beside "
        "it)",
    )


def find(root, options, findings):
    photos, sketches = _sides(root, options["transform"])
    if photos is None:
        return
    info = _info(root, options["info"])
    names = sorted({folder.name for side in (photos, sketches) for folder in class_folders(side, findings)})
    files = {name: [image_files(side / name, findings) for side in (photos, sketches)] for name in names}
    there = [{(name, path.stem) for name in names for path in files[name][side]} for side in (0, 1)]
    test = _list(info, _TEST, "a fifth of the photos will be held out", there[0], findings)
    invalid = {}
    for kind in INVALID:
        if kind not in options["keep_invalid"]:
            for key in _list(info, f"invalid-{kind}.txt", "their sketches are kept", there[1], findings):
                invalid.setdefault(key, kind)
    for name in names:
        of_class, drawn = files[name]
        for photo, own in matched(of_class, list(_valid(drawn, invalid, findings)), _photo_of, findings):
            split = None if not test else "test" if (name, photo.stem) in test else "train"
            yield pair_group(split, name, photo, own)


def _sides(root, transform):
    """The folders of photos and of sketches of a transform; `None` for both where the set is another."""
    bases = [find_folder(root, f"256x256/{side}", side) for side in scan.SIDES]
    found = next(filter(None, bases), root / "photo")
    bases = [base or found.with_name(side) for side, base in zip(scan.SIDES, bases)]
    folders = [base / transform for base in bases]
    missing = [str(folder) for folder in folders if not folder.is_dir()]
    if not missing:
        return folders
    there = [[path.name for path in sub_folders(base) if path.name.startswith("tx_")] for base in bases]
    if not any(there):
        return None, None
    of_photos, of_sketches = (", ".join(names) or "none" for names in there)
    raise DataError(
        f"--transform must be a folder of photos and of sketches: of photos there are {of_photos}; of "
        f"sketches {of_sketches}. Received: {transform}, and there is no {' and no '.join(missing)}"
    )


def _valid(files, invalid, findings):
    for path in files:
        if kind := invalid.get((path.parent.name, path.stem)):
            findings.add(f"sketches that info/invalid-{kind}.txt lists (left out)", path)
        else:
            yield path


def _photo_of(sketch):
    return sketch.rpartition("-")[0]


def _info(root, named):
    """The folder of the lists; `None` where there is none."""
    if named is None:
        beside = root.resolve().parent / "info"
        return find_folder(root, "info", "256x256/info") or (beside if beside.is_dir() else None)
    for folder in (Path(named, "info"), Path(named)):
        if any((folder / name).is_file() for name in _LISTS):
            return folder
    raise DataError(f"--info must be a folder with {' or '.join(_LISTS)}. Received: {named}")


def _list(info, name, otherwise, there, findings):
    """The `(class, stem)` of the images that a list names, a set, of those that are there."""
    if info is None or not (info / name).is_file():
        findings.add(f"lists not found ({otherwise})", f"info/{name}")
        return set()
    names = set(map(listed, read_lines(info / name)))
    for key in sorted(names - there):
        findings.add(f"lines of info/{name} that name no image of the set", "/".join(key))
    return names & there


def _kinds(text):
    """An option's kinds of invalid sketches, between commas."""
    kinds = text.split(",")
    if unknown := sorted(set(kinds) - set(INVALID)):
        raise argparse.ArgumentTypeError(
            f"must be of {', '.join(INVALID)}, between commas. Received: {', '.join(unknown)}"
        )
    return kinds


IMPORTER = Importer(
    name="sketchy",
    summary="Sketchy: photos, each with several sketches drawn from memory",
    layout="""    256x256/photo/tx_000000000000/<class>/<name>.jpg
    256x256/sketch/tx_000000000000/<class>/<name>-<number>.png
    info/testset.txt, info/invalid-{error,ambiguous,pose,context}.txt    (or in --info, or beside it)""",
    example="sketchy rendered_256x256.7z-unpacked --out sketchy_pairs",
    find=find,
    add_options=add_options,
)
