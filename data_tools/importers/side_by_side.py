"""Pairs of pix2pix: one image holds photo and sketch, side by side."""

from data_tools.groups import Group, HalfOfFile
from data_tools.importers.importer import (
    SPLITS,
    Importer,
    class_folders,
    image_files,
    nested,
    split_folders,
    sub_folders,
)


def add_options(parser):
    parser.add_argument(
        "--direction",
        choices=("AtoB", "BtoA"),
        default="AtoB",
        help="AtoB: the photo is left and the sketch right; BtoA: the other way round (default: %(default)s)",
    )
    parser.add_argument("--class-name", default="all", help="where there are no class folders (default: all)")


def find(root, options, findings):
    photo, sketch = ("left", "right") if options["direction"] == "AtoB" else ("right", "left")
    parted = (base for base in nested(root) if any(folder.name in SPLITS for folder in sub_folders(base)))
    for split, base in split_folders(next(parted, root), findings).items():
        classes = [(folder.name, folder) for folder in class_folders(base, findings)]
        for class_name, folder in [(options["class_name"], base), *classes]:
            for path in image_files(folder, findings):
                yield Group(
                    split, class_name, path.stem, HalfOfFile(path, photo), (HalfOfFile(path, sketch),)
                )


IMPORTER = Importer(
    name="side-by-side",
    summary="pix2pix: photo and sketch side by side in one image",
    layout="""    [<split>/][<class>/]<name>.jpg
    (split: train, test or val, which is the test where there is none)""",
    example="side-by-side edges2shoes --direction BtoA --out my_pairs",
    find=find,
    add_options=add_options,
)
