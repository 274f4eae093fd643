"""Photos alone, with sketches that OpenCV makes of them."""

from typing import NamedTuple

from data_tools.drawn_sketches import SKETCHES, draw_sketch
from data_tools.groups import Group, ImageFile
from data_tools.importers.importer import (
    SPLIT_NAMES,
    Importer,
    add_class_name,
    class_folders,
    holding_classes,
    holding_splits,
    image_files,
    positive,
    split_folders,
    sub_folders,
)

from keras_cgan.data.images import decode_image


def add_options(parser):
    parser.add_argument(
        "--sketch",
        choices=SKETCHES,
        default="edges",
        help="Canny's edges, a colour-dodge pencil, an adaptive threshold, or an extended difference of "
        "Gaussians (default: %(default)s)",
    )
    parser.add_argument(
        "--sketch-side",
        type=positive,
        metavar="PIXELS",
        default=256,
        help="the longer side of the photo when its lines are drawn: fewer make coarser sketches "
        "(default: %(default)s)",
    )
    add_class_name(parser)


def find(root, options, findings):
    splits = split_folders(holding_splits(root) or holding_classes(root), findings)
    has_classes = any(map(sub_folders, splits.values()))
    for split, folder in splits.items():
        for class_name, files in _classes(folder, None if has_classes else options["class_name"], findings):
            for path in files:
                sketch = DrawnSketch(path, options["sketch"], options["sketch_side"])
                yield Group(split, class_name, path.stem, ImageFile(path), (sketch,))


def _classes(folder, class_name, findings):
    """The `(class, files)` of a split; images outside of a class folder are of a class, or recorded."""
    loose = image_files(folder, findings)
    if class_name:
        yield class_name, loose
    else:
        for path in loose:
            findings.add("images outside of a class folder (left out)", path)
    for class_folder in class_folders(folder, findings):
        yield class_folder.name, image_files(class_folder, findings)


class DrawnSketch(NamedTuple):
    """The sketch that OpenCV makes of a photo's file."""

    path: object
    how: str
    side: int

    def load(self):
        return draw_sketch(decode_image(self.path), self.how, self.side)

    def __str__(self):
        return str(self.path)


IMPORTER = Importer(
    name="photos",
    summary="photos alone: sketches are traced from them by OpenCV, for trying things out",
    layout=f"""    [<split>/][<class>/]<name>.jpg
    ({SPLIT_NAMES})
    The sketches align with their photos to the pixel and hold nothing that an artist would add or leave
    out: a model that is trained on them learns the filter of --sketch, which is there already.""",
    example="photos my_photos --sketch xdog --out my_pairs",
    find=find,
    add_options=add_options,
)
