"""Pairs side by side in one image."""

import numpy as np
import pytest

from data_tools.groups import DataError
from keras_cgan.data import FolderPairs, write_image


@pytest.fixture
def halves(source):
    def halves(name, width=16):
        image = np.full((8, width, 3), 50, np.uint8)
        image[:, width // 2 :] = 220
        write_image(source / name, image)

    return halves


@pytest.mark.parametrize(("direction", "photo"), [("AtoB", 50), ("BtoA", 220)])
def test_direction_and_splits(run, source, halves, direction, photo):
    for name in ("train/1.png", "train/2.png", "val/1.jpg"):
        halves(f"edges2shoes/{name}")
    halves("edges2shoes/train/odd.png", width=15)
    halves("edges2shoes/extra/1.png")
    made = run("side-by-side", source, "--direction", direction, "--class-name", "shoe")
    # There is no test: val is it.
    assert made.counts == {"train": {"shoe": (2, 2)}, "test": {"shoe": (1, 1)}}
    assert made.grey("train/photo/shoe/1.png") == photo
    assert made.grey("train/sketch/shoe/1.png") == 270 - photo
    assert made.image("train/sketch/shoe/1.png").shape[:2] == (8, 8)
    assert made.left_out["images and folders beside those of the splits (not read)"] == ["edges2shoes/extra"]
    (odd,) = made.left_out["images cannot be read (left out)"]
    assert "odd.png must be an even number" in odd
    assert len(FolderPairs(made.out, "train")) == 2


def test_val_stays_beside_a_test(run, source, halves):
    for split in ("train", "test", "val"):
        halves(f"{split}/cat/1.png")
        halves(f"{split}/2.png")
    made = run("side-by-side", source)
    assert made.counts == {split: {"all": (1, 1), "cat": (1, 1)} for split in ("train", "test", "val")}


def test_classes_without_splits_may_be_trains(run, source, halves):
    for name in ("train", "bus"):
        halves(f"{name}/1.png")
    halves("bus/more/1.png")
    made = run("side-by-side", source)
    assert made.counts == {"all": {"bus": (1, 1), "train": (1, 1)}}
    assert made.left_out == {"folders inside a class folder (not read)": ["bus/more"]}


def test_only_odd_images(run, source, halves):
    halves("train/1.png", width=15)
    with pytest.raises(DataError, match="even number"):
        run("side-by-side", source)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "valid"),
        ("Train", "Test"),
        ("training", "testing"),
        ("TRAIN", "Validation"),
        ("train", "dev"),
    ],
)
@pytest.mark.parametrize("inner", ["", "cat/"])
@pytest.mark.parametrize("base", ["", "dev/"])
def test_splits_of_other_names(run, source, halves, names, inner, base):
    """They are never classes, which would train on the test."""
    for name in names:
        halves(f"{base}{name}/{inner}1.png")
    made = run("side-by-side", source)
    assert made.counts == {split: {inner[:-1] or "all": (1, 1)} for split in ("train", "test")}


@pytest.mark.parametrize("name", ["train", "Train", "dev", "testing"])
def test_a_class_may_be_called_as_a_split(run, source, halves, name):
    for folder in (name, "bus", "cat"):
        halves(f"{folder}/1.png")
    assert run("side-by-side", source).counts == {"all": dict.fromkeys(("bus", "cat", name), (1, 1))}


def test_two_folders_of_one_split(run, source, halves):
    for folder in ("train", "training", "test"):
        halves(f"{folder}/1.png")
    with pytest.raises(DataError, match="one folder a split. Received: train and training, both train"):
        run("side-by-side", source)
