"""QMUL Shoe v2 and Chair v2, as they are distributed now and as they were."""

import shutil
from pathlib import Path

import pytest

from data_tools.groups import DataError
from keras_cgan.data import FolderPairs


@pytest.fixture
def new(tmp_path, paint):
    folder = tmp_path / "ChairV2"
    for split, photo in (("train", "1031000079"), ("train", "5"), ("test", "7")):
        paint(folder / f"{split}B" / f"{photo}.png", 30)
        for number in (1, 2, 10):
            paint(folder / f"{split}A" / f"{photo}_{number}.png", 100 + number)
    paint(folder / "testA" / "99_1.png")
    paint(folder / "test_noise" / "7_1_mask1.png")
    return folder


@pytest.fixture
def old(tmp_path, paint):
    folder = tmp_path / "old"
    for photo in ("1", "2", "3", "4"):
        paint(folder / "ShoeV2_photo" / f"{photo}.png", 30)
        paint(folder / "ShoeV2_sketch_png" / f"{photo}_1.png", 110)
        paint(folder / "ShoeV2_sketch_png" / f"{photo}_2.png", 120)
    return folder


def test_new_layout(run, new):
    made = run("qmul", new)
    assert made.counts == {"train": {"chair": (2, 6)}, "test": {"chair": (1, 3)}}
    assert {name for name in made.files if name.startswith("test")} == {
        "test/photo/chair/7.png",
        *(f"test/sketch/chair/7-{number}.png" for number in (1, 2, 3)),
    }
    assert made.grey("test/sketch/chair/7-3.png") == 110  # the tenth is the last
    assert made.left_out == {"sketches without a photo (left out)": ["testA/99_1.png"]}
    pairs = FolderPairs(made.out, "train")
    assert len(pairs) == 6 and len(set(pairs.photo_ids)) == 2


def test_old_layout_without_lists_has_no_split(run, old):
    made = run("qmul", old)
    assert made.counts == {"all": {"shoe": (4, 8)}}
    assert made.grey("sketch/shoe/3-2.png") == 120
    assert len(FolderPairs(made.out, "train")) == 6  # a fifth of the photos, one at least, is held out


def test_old_layout_with_lists(run, old):
    (old / "photo_train.txt").write_text("1.png\n2\n")
    (old / "photo_test.txt").write_text("2.png\n")
    (old / "sketch_test.txt").write_text("3_1.svg\n")
    made = run("qmul", old)
    assert made.counts == {"train": {"shoe": (1, 2)}, "test": {"shoe": (2, 4)}}
    assert made.left_out == {
        "photos in the lists of train and of test (taken for test)": ["ShoeV2_photo/2.png"],
        "photos that no list names (left out)": ["ShoeV2_photo/4.png"],
    }


@pytest.mark.parametrize("above", ["", "sets/of"])
def test_two_sets_in_a_folder_are_two_classes(run, new, tmp_path, paint, above):
    both = tmp_path / "both" / above
    both.mkdir(parents=True)
    new.rename(both / "ChairV2")
    paint(both / "ShoeV2" / "trainB" / "5.png", 30)
    paint(both / "ShoeV2" / "trainA" / "5_1.png", 90)
    paint(both / "notes" / "1.png")
    made = run("qmul", tmp_path / "both")
    assert made.counts == {"train": {"chair": (2, 6), "shoe": (1, 1)}, "test": {"chair": (1, 3)}}
    assert made.grey("train/sketch/shoe/5.png") == 90 and made.grey("train/sketch/chair/5-1.png") == 101


def test_two_older_sets_in_folders_of_their_own(run, old, paint):
    paint(old / "ChairV2" / "ChairV2_photo" / "1.png")
    paint(old / "ChairV2" / "ChairV2_sketch_png" / "1_1.png")
    (old / "ShoeV2").mkdir()
    for side in ("photo", "sketch_png"):
        (old / f"ShoeV2_{side}").rename(old / "ShoeV2" / f"ShoeV2_{side}")
    assert run("qmul", old).counts == {"all": {"chair": (1, 1), "shoe": (4, 8)}}
    (old / "ChairV2" / "photo_train.txt").write_text("1\n")
    with pytest.raises(DataError, match="must have splits, .* for all .*Received: none for .*ShoeV2_photo"):
        run("qmul", old, out="other")


def test_the_class_is_given_where_it_cannot_be_seen(run, new, tmp_path, monkeypatch):
    monkeypatch.chdir(new)
    assert list(run("qmul", new.relative_to(new)).counts["test"]) == ["chair"]
    unnamed = new.rename(tmp_path / "v2")
    with pytest.raises(DataError, match="--class-name must be given .*Received"):
        run("qmul", unnamed, out="other")
    assert list(run("qmul", unnamed, "--class-name", "seat", out="other").counts["test"]) == ["seat"]


@pytest.mark.parametrize(("stem", "ending"), [("ChairV2", "zip"), ("my chairs", "gztar")])
def test_an_archive_is_called_as_the_folder_in_it_would_be(run, new, tmp_path, stem, ending):
    archive = Path(shutil.make_archive(str(tmp_path / stem), ending, new))
    assert run("qmul", archive).files == run("qmul", new, out="folder").files
    unnamed = archive.rename(archive.with_name(f"..{archive.name.removeprefix(stem)}"))
    with pytest.raises(DataError, match="--class-name must be given") as error:
        run("qmul", unnamed, out="other")
    assert ".unpacked" not in str(error.value)


def test_an_archive_whose_name_says_no_class_is_named(run, new, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "v2"), "zip", new))
    with pytest.raises(DataError, match="Received: no --class-name, and trainB, v2$"):
        run("qmul", archive)


def test_one_class_name_is_not_given_to_several_sets(run, new, old, tmp_path):
    new.rename(old / "ChairV2")
    (old / "ShoeV2").mkdir()
    for side in ("photo", "sketch_png"):
        (old / f"ShoeV2_{side}").rename(old / "ShoeV2" / f"ShoeV2_{side}")
    with pytest.raises(
        DataError, match="--class-name must be left out.*several.*Received: thing, for .*ChairV2.*ShoeV2"
    ):
        run("qmul", old, "--class-name", "thing")


def test_two_older_sets_side_by_side_are_two(run, old, paint):
    paint(old / "ChairV2_photo" / "1.png")
    paint(old / "ChairV2_sketch_png" / "1_1.png")
    assert run("qmul", old).counts == {"all": {"chair": (1, 1), "shoe": (4, 8)}}
    with pytest.raises(DataError, match="--class-name must be left out"):
        run("qmul", old, "--class-name", "thing", out="other")
