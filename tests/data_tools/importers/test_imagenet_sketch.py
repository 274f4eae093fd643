"""ImageNet-Sketch: sketches alone, by ids that a list names."""

import pytest

from data_tools.groups import DataError
from keras_cgan.data import open_images


@pytest.fixture
def imagenet(source, paint):
    for number, key in enumerate(("n01440764", "n02012849", "n03126707", "n99999999")):
        for sketch in (2, 13):
            paint(source / "sketch" / key / f"sketch_{sketch}.JPEG", 50 * number + sketch)
    return source


def test_ids_are_classes(run, imagenet):
    made = run("imagenet-sketch", imagenet)
    assert "sketch/n01440764/sketch_13.png" in made.files and len(made.files) == 8
    assert made.left_out == {}


@pytest.mark.parametrize("separator", [" ", "\t"])
def test_names_of_ids(run, imagenet, tmp_path, separator):
    names = tmp_path / "names.txt"
    lines = ("n01440764 tench, Tinca tinca", "n02012849 crane", "n03126707 Crane, lifter", "n00000001 none")
    names.write_text("\n".join(line.replace(" ", separator, 1) for line in lines) + "\n\n")
    made = run("imagenet-sketch", imagenet / "sketch", "--class-names", names)
    classes = {"tench", "crane n02012849", "Crane n03126707", "n99999999"}
    assert made.counts == {"all": {name: (0, 2) for name in classes}}
    assert made.grey("sketch/Crane n03126707/sketch_2.png") == 102
    assert made.left_out == {"classes not in --class-names (their folder's name is kept)": ["n99999999"]}
    train, _ = open_images(made.out)
    assert set(train.class_names) == classes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"n01440764\n", "must be an id and names. Received: 'n01440764'"),
        (b"n0 \xff", "UTF-8"),
        (None, "text file"),
    ],
)
def test_files_that_name_nothing(run, imagenet, tmp_path, text, message):
    if text is not None:
        (tmp_path / "names.txt").write_bytes(text)
    with pytest.raises(DataError, match=message):
        run("imagenet-sketch", imagenet, "--class-names", tmp_path / "names.txt")
