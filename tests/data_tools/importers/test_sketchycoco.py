"""SketchyCOCO: objects, their sketches and edges, in folders of any depth."""

import pytest

from data_tools.groups import DataError
from keras_cgan.data import FolderPairs


@pytest.fixture
def coco(source, paint):
    """A function that writes GT, Sketch and Edge of each of some names."""

    def coco(*names, base="data/Object"):
        for name in names:
            for grey, side in ((30, "GT"), (130, "Sketch"), (230, "Edge")):
                paint(source / base / side / f"{name}.png", grey)
        paint(source / "data" / "Scene" / "GT" / "trainInTrain" / "1.png")
        return source

    return coco


@pytest.mark.parametrize(("arguments", "grey"), [((), 130), (["--edges"], 230)])
def test_splits_and_classes(run, coco, arguments, grey):
    source = coco("trainInTrain/2/1", "trainInTrain/17/1", "trainInTrain/17/2", "valInTrain/2/1", "val/17/1")
    made = run("sketchycoco", source, *arguments)
    assert made.counts == {"train": {"2": (1, 1), "17": (2, 2)}, "test": {"2": (1, 1), "17": (1, 1)}}
    assert made.grey("train/photo/17/2.png") == 30 and made.grey("train/sketch/17/2.png") == grey
    assert made.left_out == {}
    assert FolderPairs(made.out, "train").class_names == ("17", "2")


def test_val_stays_beside_a_test(run, coco):
    made = run("sketchycoco", coco("train/2/1", "val/2/1", "test/2/1", base="Object"))
    assert set(made.counts) == {"train", "val", "test"}


def test_no_splits_and_folders_above(run, coco, paint):
    source = coco("animals/cat/1", "animals/cat/2", "cars/1", "loose", "train/3")
    paint(source / "data" / "Object" / "GT" / "cars" / "9.png")
    made = run("sketchycoco", source)
    assert made.counts == {"all": {"cat": (2, 2), "cars": (1, 1)}}
    assert made.left_out == {
        "images outside of a class folder, or of a split (left out)": [
            f"data/Object/{side}/{name}.png" for name in ("loose", "train/3") for side in ("GT", "Sketch")
        ],
        "photos without a sketch (left out)": ["data/Object/GT/cars/9.png"],
    }


def test_where_some_have_a_split_the_others_are_left_out(run, coco):
    made = run("sketchycoco", coco("train/2/1", "17/1"))
    assert made.counts == {"train": {"2": (1, 1)}}
    (left,) = made.left_out.values()
    assert left == ["data/Object/GT/17/1.png", "data/Object/Sketch/17/1.png"]


def test_images_without_classes(run, coco):
    with pytest.raises(
        DataError, match="data/Object/GT/.*\n(.|\n)*Left out:\n    4 images outside of a class"
    ):
        run("sketchycoco", coco("train/1", "val/1"))
