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
    holding_splits,
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
    parser.add_argument(
        "--photos", metavar="DIR", help="in the source or in each split, where it is not called A"
    )
    parser.add_argument(
        "--sketches", metavar="DIR", help="in the source or in each split, where it is not called B"
    )


def find(root, options, findings):
    named = {f"--{name}": options[name] for name in ("photos", "sketches")}
    if any(named.values()):
        _check_named(named, options["direction"])
        parts = _of_two_folders(root, named.values(), findings)
        if not parts:
            raise DataError(
                f"{root}, or split folders in it, must have the folders of --photos and --sketches. "
                f"Received: {', '.join(_missing(root, named))}"
            )
    else:
        sides = "BA" if options["direction"] == "BtoA" else "AB"
        parts = _of_suffixes(root, sides, findings) or _of_two_folders(root, sides, findings)
    for split, photos, sketches in parts:
        yield from _of_split(split, photos, sketches, options["class_name"], findings)


def _check_named(named, direction):
    for option, folder in named.items():
        if not folder or PurePath(folder).is_absolute() or ".." in PurePath(folder).parts:
            raise DataError(f"{option} must be a folder in the source, as the other is. Received: {folder}")
    if PurePath(named["--photos"]) == PurePath(named["--sketches"]):
        raise DataError(f"--photos and --sketches must differ. Received: {named['--photos']} for both")
    if direction == "BtoA":
        raise DataError(
            "--direction must be left out where --photos and --sketches say which is which. Received: BtoA"
        )


def _missing(root, named):
    """The options whose folders are nowhere, or all where they are not beside each other."""
    places = [place for base in nested(root) for place in (base, *_split_folders(base))]
    texts = {f"{option} {folder}": folder for option, folder in named.items()}
    missing = [text for text, folder in texts.items() if not any((at / folder).is_dir() for at in places)]
    return missing or texts


def _split_folders(base):
    return [folder for folder in sub_folders(base) if split_of(folder.name)]


def _of_suffixes(root, sides, findings):
    """The `(split, photos, sketches)` of `<split>A` and `<split>B`."""
    for base in nested(root):
        folders = sub_folders(base)
        photos, sketches = (
            one_a_split((split_of(path.name[:-1]), path) for path in folders if path.name.endswith(side))
            for side in sides
        )
        both = [split for split in photos if split in sketches]
        if both:
            read = [of_side[split] for of_side in (photos, sketches) for split in both]
            _note_beside((path for path in folders if path not in read), findings)
            return [(split, photos[name], sketches[name]) for name, split in as_splits(both).items()]
    return []


def _of_two_folders(root, names, findings):
    """The same of two folders of these names, which have split folders, are in split folders, or neither."""
    photos, sketches = names
    for base in nested(root):
        above = [path for path in _split_folders(base) if any((path / name).is_dir() for name in names)]
        if len(above) == 1 and holding_splits(above[0] / photos):  # a set of that name
            base, above = above[0], []
        if all((base / name).is_dir() for name in names):
            _note_beside(above, findings)
            return _parted(base / photos, base / sketches, findings)
        if all(any((path / name).is_dir() for path in above) for name in names):
            found = one_a_split((split_of(path.name), path) for path in above)
            _note_beside((path for path in sub_folders(base) if path not in above), findings)
            return [
                (split, found[of] / photos, found[of] / sketches) for of, split in as_splits(found).items()
            ]
    return []


def _note_beside(folders, findings):
    for path in folders:
        findings.add("folders beside those that are read (not read)", path)


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
    <split>/A/[<class>/]<name>.jpg, <split>/B/[<class>/]<name>.png
    (several sketches of a photo: <name>-1.png, <name>-2.png, ...)
    the same with any names of folders instead of A and B: --photos, --sketches
    ({SPLIT_NAMES})""",
    example="folders my_set --photos pictures --sketches drawings --out my_pairs",
    find=find,
    add_options=add_options,
)
