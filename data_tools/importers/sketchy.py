"""Sketchy: several sketches of each photo, by many people, some of them marked as invalid."""

from data_tools.importers.importer import (
    Importer,
    class_folders,
    find_folder,
    image_files,
    listed,
    matched,
    pair_group,
    read_lines,
)

INVALID = ("error", "ambiguous", "pose", "context")
SAME_SCALE = "tx_000000000000"


def add_options(parser):
    parser.add_argument(
        "--transform",
        default=SAME_SCALE,
        help="folder of photos and sketches: only the default has both at one scale (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-invalid",
        nargs="*",
        choices=INVALID,
        default=[],
        help="sketches to keep although info/invalid-<kind>.txt lists them (default: none)",
    )


def find(root, options, findings):
    photos = find_folder(root, f"256x256/photo/{options['transform']}", f"photo/{options['transform']}")
    sketches = find_folder(root, f"256x256/sketch/{options['transform']}", f"sketch/{options['transform']}")
    if photos is None or sketches is None:
        return
    info = find_folder(root, "info", "256x256/info")
    invalid = {}
    for kind in INVALID:
        if kind not in options["keep_invalid"]:
            for key in _listed(info, f"invalid-{kind}.txt"):
                invalid.setdefault(key, kind)
    test = set(_listed(info, "testset.txt"))
    if not test:
        findings.add("lists info/testset.txt not found (a fifth of the photos will be held out)", root)
    names = {folder.name for folder in class_folders(photos, findings)}
    for name in sorted(names.union(folder.name for folder in class_folders(sketches, findings))):
        valid = list(_valid(sketches / name, invalid, findings))
        for photo, own in matched(image_files(photos / name, findings), valid, _photo_of, findings):
            split = None if not test else "test" if (name, photo.stem) in test else "train"
            yield pair_group(split, name, photo, own)


def _valid(folder, invalid, findings):
    for path in image_files(folder, findings):
        if kind := invalid.get((folder.name, path.stem)):
            findings.add(f"sketches that info/invalid-{kind}.txt lists (left out)", path)
        else:
            yield path


def _photo_of(sketch):
    return sketch.rpartition("-")[0]


def _listed(info, name):
    """The `(class, stem)` of the lines of a list."""
    file = info / name if info else None
    return map(listed, read_lines(file)) if file and file.is_file() else ()


IMPORTER = Importer(
    name="sketchy",
    summary="Sketchy: photos, each with several sketches drawn from memory",
    layout="""    256x256/photo/tx_000000000000/<class>/<name>.jpg
    256x256/sketch/tx_000000000000/<class>/<name>-<number>.png
    info/testset.txt, info/invalid-{error,ambiguous,pose,context}.txt""",
    example="sketchy rendered_256x256.7z-unpacked --out sketchy_pairs",
    find=find,
    add_options=add_options,
)
