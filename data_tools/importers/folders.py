"""Photos and sketches of equal names in two folders, called A and B or otherwise."""

from pathlib import PurePath

from data_tools.groups import DataError
from data_tools.importers.importer import (
    SPLIT_NAMES,
    SPLITS,
    Importer,
    add_ab_options,
    as_splits,
    class_folders,
    counterparts,
    image_files,
    matched,
    named_splits,
    nested,
    one_a_split,
    pair_group,
    split_of,
    sub_folders,
)
from data_tools.naming import composed, folded

from keras_cgan.data import scan


def add_options(parser):
    add_ab_options(parser, "photos are in A and sketches in B")
    parser.add_argument("--photos", metavar="DIR", help="in the source, where it is not called A")
    parser.add_argument("--sketches", metavar="DIR", help="in the source, where it is not called B")


def find(root, options, findings):
    named = {f"--{name}": options[name] for name in ("photos", "sketches")}
    if any(named.values()):
        if options["direction"] == "BtoA":
            raise DataError(
                "--direction must be left out where --photos and --sketches say which is which. "
                "Received: BtoA"
            )
        parts = _parted(*_named(root, named), findings)
    else:
        parts = _a_and_b(root, options["direction"] == "BtoA", findings)
    for split, photos, sketches in parts:
        yield from _of_split(split, photos, sketches, options["class_name"], findings)


def _named(root, named):
    """The folders that the options name."""
    for option, folder in named.items():
        if not folder or PurePath(folder).is_absolute() or ".." in PurePath(folder).parts:
            raise DataError(f"{option} must be a folder in the source, as the other is. Received: {folder}")
    if PurePath(named["--photos"]) == PurePath(named["--sketches"]):
        raise DataError(f"--photos and --sketches must differ. Received: {named['--photos']} for both")
    for base in nested(root):
        folders = [base / folder for folder in named.values()]
        if all(folder.is_dir() for folder in folders):
            return folders
    missing = [f"{option} {folder}" for option, folder in named.items() if not (root / folder).is_dir()]
    raise DataError(
        f"{root} must have the folders of --photos and --sketches. Received: {', '.join(missing)}"
    )


def _a_and_b(root, swapped, findings):
    """The `(split, photos, sketches)` of `<split>A` and `<split>B`, or else of `A` and `B`."""
    sides = "BA" if swapped else "AB"
    for base in nested(root):
        folders = sub_folders(base)
        photos, sketches = (
            one_a_split((split_of(path.name[:-1]), path) for path in folders if path.name.endswith(side))
            for side in sides
        )
        both = [split for split in photos if split in sketches]
        if both:
            read = {of_side[split] for of_side in (photos, sketches) for split in both}
            for path in folders:
                if path not in read:
                    findings.add("folders beside those of the splits (not read)", path)
            return [(split, photos[name], sketches[name]) for name, split in as_splits(both).items()]
        if all((base / side).is_dir() for side in sides):
            return _parted(*(base / side for side in sides), findings)
    return []


def _parted(photos, sketches, findings):
    """The same of two folders that may have split folders."""
    of_photos, of_sketches = (named_splits(side, findings) for side in (photos, sketches))
    if (None in of_photos) != (None in of_sketches):
        raise DataError(
            f"{photos} and {sketches} must both have split folders ({', '.join(SPLITS)}), or neither. "
            f"Received: {_listed(of_photos)}, and {_listed(of_sketches)}"
        )
    # A split that one side lacks is a folder that is not there, and so without images.
    return [
        (split, of_photos.get(name, photos / str(name)), of_sketches.get(name, sketches / str(name)))
        for name, split in as_splits({**of_photos, **of_sketches}).items()
    ]


def _listed(folders):
    return "none" if None in folders else ", ".join(folders)


def _of_split(split, photos, sketches, class_name, findings):
    of_photos, of_sketches = (
        [folder.name for folder in class_folders(side, findings)] for side in (photos, sketches)
    )
    called = counterparts(of_sketches, of_photos)
    classes = {name: name for name in of_photos} | {called[name]: name for name in of_sketches}
    _note_other_case(classes, of_photos, findings)
    for name, *inner in [(class_name, "", ""), *((name, name, classes[name]) for name in sorted(classes))]:
        files = [image_files(side / part, findings) for side, part in zip((photos, sketches), inner)]
        _note_ambiguous(*files, findings)
        for photo, own in matched(*files, _photo_of({path.stem for path in files[0]}), findings):
            yield pair_group(split, name, photo, own)


def _note_other_case(classes, of_photos, findings):
    """Records class folders of sketches that are called as those of photos but for upper and lower case."""
    alike = {folded(name): name for name in of_photos}
    for name in classes:
        other = alike.get(folded(name), name)
        if name not in of_photos and other != name:
            findings.add("class folders that differ in case alone (not matched)", f"{other} and {name}")


def _note_ambiguous(photos, sketches, findings):
    """Records sketches whose names fit two photos."""
    by_stem = ({composed(path.stem): path for path in paths} for paths in (photos, sketches))
    for sketch, _, other in scan.ambiguous(*by_stem):
        findings.add(scan.FITS_TWO, f"{sketch} (or one of several of {other.name})")


def _photo_of(photos):
    """A function from a sketch's stem to that of its photo: the same or, of several, without their number."""
    photos = {composed(name) for name in photos}

    def photo_of(sketch):
        name, _, number = sketch.rpartition("-")
        whole, part = (composed(each) for each in (sketch, name))
        return name if whole not in photos and number.isdecimal() and part in photos else sketch

    return photo_of


IMPORTER = Importer(
    name="folders",
    summary="photos and sketches of equal names in two folders",
    layout=f"""    <split>A/[<class>/]<name>.jpg, <split>B/[<class>/]<name>.png
    A/[<split>/][<class>/]<name>.jpg, B/[<split>/][<class>/]<name>.png
    (several sketches of a photo: <name>-1.png, <name>-2.png, ...)
    the same with any names of folders instead of A and B: --photos, --sketches
    ({SPLIT_NAMES})""",
    example="folders my_set --photos pictures --sketches drawings --out my_pairs",
    find=find,
    add_options=add_options,
)
