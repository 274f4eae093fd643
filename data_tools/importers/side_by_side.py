"""Pairs of pix2pix: one image holds photo and sketch, side by side."""

from data_tools.groups import Group, HalfOfFile
from data_tools.importers.importer import (
    SPLIT_NAMES,
    Importer,
    add_ab_options,
    class_folders,
    holding_splits,
    image_files,
    split_folders,
)


def add_options(parser):
    add_ab_options(parser, "the photo is left and the sketch right")


def find(root, options, findings):
    photo, sketch = ("left", "right") if options["direction"] == "AtoB" else ("right", "left")
    for split, base in split_folders(holding_splits(root) or root, findings).items():
        classes = [(folder.name, folder) for folder in class_folders(base, findings)]
        for class_name, folder in [(options["class_name"], base), *classes]:
            for path in image_files(folder, findings):
                yield Group(
                    split, class_name, path.stem, HalfOfFile(path, photo), (HalfOfFile(path, sketch),)
                )


IMPORTER = Importer(
    name="side-by-side",
    summary="pix2pix: photo and sketch side by side in one image",
    layout=f"""    [<split>/][<class>/]<name>.jpg
    ({SPLIT_NAMES})""",
    example="side-by-side edges2shoes --direction BtoA --out my_pairs",
    find=find,
    add_options=add_options,
)
