"""TU-Berlin: sketches alone."""

import pytest

from keras_cgan.data import FolderPairs, open_images


@pytest.fixture
def berlin(source, paint):
    for name in ("airplane", "bear (animal)", "train"):
        for number in range(1, 12):
            paint(source / "png" / name / f"{number}.png", 100 + number)
    paint(source / "svg" / "airplane" / "1.png")
    (source / "png" / "filelist.txt").write_text("airplane/1.png\n")
    paint(source / "png" / "loose.png")
    return source


@pytest.mark.parametrize("inner", ["", "png"])
def test_sketches_without_photos(run, berlin, inner):
    made = run("tu-berlin", berlin / inner)
    assert made.counts == {"all": {name: (0, 11) for name in ("airplane", "bear (animal)", "train")}}
    assert all(name.startswith("sketch/") for name in made.files) and len(made.files) == 33
    assert made.grey("sketch/bear (animal)/10.png") == 110
    base = "" if inner else "png/"
    assert made.left_out == {
        "files that are no images by their extension (not read)": [f"{base}filelist.txt"],
        "images outside of a class folder (left out)": [f"{base}loose.png"],
    }
    train, test = open_images(made.out)
    assert train.class_names[1] == "bear (animal)" and len(train) + len(test) == 33
    with pytest.raises(ValueError, match="sketch-only"):
        FolderPairs(made.out, "train")


def test_class_folders_in_a_single_folder(run, berlin, tmp_path):
    (tmp_path / "unpacked").mkdir()
    (berlin / "png").rename(tmp_path / "unpacked" / "any name")
    assert len(run("tu-berlin", tmp_path / "unpacked").files) == 33


def test_a_single_class(run, source, paint):
    paint(source / "ant" / "1.png")
    assert run("tu-berlin", source).files == {"sketch/ant/1.png"}
