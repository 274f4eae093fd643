"""Class images from folders: the layouts that are read, what is refused, and what is warned about."""

import warnings

import numpy as np
import pytest

from keras_cgan.data import DataWarning, open_images, write_image

SIZE = (16, 16)


def add(folder, count, grey=0, start=0, shape=(16, 16)):
    for number in range(start, start + count):
        write_image(folder / f"{number:03d}.png", np.full(shape, grey, np.uint8))


def add_classes(base, count, start=0):
    """Black apples and white boats."""
    add(base / "apple", count, 0, start)
    add(base / "boat", count, 255, start)


def read_quietly(root, size=SIZE, **options):
    """Reads a folder in which there is nothing to warn about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return open_images(root, size, **options)


def check(part, names):
    assert part.class_names == ("apple", "boat") and part.names == tuple(names)
    expected = [-1 if name.startswith("apple") else 1 for name in names]
    np.testing.assert_array_equal(
        part.images, np.broadcast_to(np.reshape(expected, (-1, 1, 1, 1)), (len(names), *SIZE, 1))
    )
    np.testing.assert_array_equal(part.labels, np.eye(2)[(np.array(expected) > 0).astype(int)])


@pytest.mark.parametrize("side", ["", "sketch"])
def test_folders_that_are_parted_already(tmp_path, side):
    add_classes(tmp_path / "train" / side, 2)
    add_classes(tmp_path / "test" / side, 1, start=7)
    add_classes(tmp_path / "val" / side, 1)  # not asked for
    train, test = read_quietly(str(tmp_path))
    check(train, ["apple/000", "apple/001", "boat/000", "boat/001"])
    check(test, ["apple/007", "boat/007"])


@pytest.mark.parametrize("side", ["", "sketch"])
def test_of_folders_that_are_not_parted_a_share_is_held_out(tmp_path, side):
    add_classes(tmp_path / side, 5)
    train, test = read_quietly(tmp_path)
    assert len(train) == 8 and len(test) == 2
    assert sorted(train.names + test.names) == [f"{c}/{i:03d}" for c in ("apple", "boat") for i in range(5)]
    check(train, train.names)
    check(test, test.names)
    assert read_quietly(tmp_path)[1].names == test.names
    assert {read_quietly(tmp_path, seed=seed)[1].names for seed in range(1, 6)} != {test.names}
    assert len(read_quietly(tmp_path, test_share=0.6)[1]) == 6


def test_of_pairs_the_sketches_are_read(tmp_path):
    for split in ("train", "test"):
        add_classes(tmp_path / split / "sketch", 1)
        add(tmp_path / split / "photo" / "apple", 3, 90)
    for part in read_quietly(tmp_path):
        check(part, ["apple/000", "boat/000"])


@pytest.mark.parametrize("side", ["", "sketch"])
def test_train_alone_is_parted_and_says_so(tmp_path, side):
    add_classes(tmp_path / "train" / side, 5)
    with pytest.warns(DataWarning, match="no test split of its own: 40% of the images") as record:
        train, test = open_images(tmp_path, SIZE, test_share=0.4)
    assert len(train) == 6 and len(test) == 4
    assert record[0].filename == __file__


def test_a_folder_whose_own_name_is_train_is_parted_quietly(tmp_path):
    add_classes(tmp_path / "train", 5)
    assert len(read_quietly(tmp_path / "train")[0]) == 8


def test_images_are_brought_to_size_and_channels(tmp_path):
    for name in ("a", "b"):
        add(tmp_path / name, 2, 0, shape=(8, 16))
        write_image(tmp_path / name / "red.jpg", np.full((8, 16, 3), (255, 0, 0), np.uint8))
    with pytest.warns(DataWarning) as record:
        train, _ = open_images(tmp_path, SIZE, channels=3)
    assert {str(warning.message).split(": ")[1] for warning in record} == {
        "4 image files are grey (repeated over 3 channels)"
    }
    assert train.images.shape == (4, 16, 16, 3) and np.all(train.images[:, :4] == 1)
    with pytest.warns(DataWarning, match=r"2 image files are coloured \(made grey\): a/red.jpg, b/red.jpg"):
        train, _ = open_images(tmp_path, SIZE, fit="stretch")
    assert train.images.shape == (4, 16, 16, 1) and train.images.max() < 0


def test_what_is_not_read_is_counted_and_named(tmp_path):
    add_classes(tmp_path, 4)
    add(tmp_path, 1)
    (tmp_path / "apple" / "notes.txt").write_text("hello")
    (tmp_path / "apple" / "damaged.png").write_bytes(b"x")
    add(tmp_path / "boat" / "deeper", 1)
    add(tmp_path / "single", 1)
    (tmp_path / "__MACOSX").mkdir()
    with pytest.warns(DataWarning) as record:
        train, test = open_images(tmp_path, SIZE, test_share=0.25)
    assert {str(warning.message).split(": ", 1)[1] for warning in record} == {
        "1 files outside of a class folder (not read): 000.png",
        "1 files that are no images by their extension (not read): apple/notes.txt",
        "1 files cannot be decoded (left out): apple/damaged.png",
        "1 folders inside a class folder (not read): boat/deeper",
        "1 classes have no image in 'test': single",
    }
    assert {warning.filename for warning in record} == {__file__}
    assert train.class_names == test.class_names == ("apple", "boat", "single")
    assert "apple/damaged" not in train.names + test.names and len(train) + len(test) == 9


@pytest.mark.parametrize(
    "folders, found",
    [
        (["test/a", "test/b"], r"Found: \['test'\]"),
        (["train/a", "train/b", "val/a"], r"Found: \['train', 'val'\]"),
        (["sketch/a", "train/sketch/a", "test/sketch/a"], r"Found: \['sketch', 'test', 'train'\]"),
        (["train/sketch/a", "test/a"], r"Found: \['test', 'train'\]"),
    ],
)
def test_a_layout_that_cannot_be_told_is_refused(tmp_path, folders, found):
    for folder in folders:
        add(tmp_path / folder, 2)
    with pytest.raises(
        ValueError, match=rf"(?s)cannot be told.*Expected one of:.*{found}. Received: source='"
    ):
        open_images(tmp_path, SIZE)


@pytest.mark.parametrize("folders, found", [([], "none"), (["only"], "only"), (["train/a", "test/a"], "a")])
def test_one_class_is_refused_with_the_layout(tmp_path, folders, found):
    add(tmp_path, 1)
    for folder in folders:
        add(tmp_path / folder, 2)
    with pytest.raises(ValueError, match=rf"(?s)at least two classes. Expected.*Received: .* with {found}$"):
        open_images(tmp_path, SIZE)


def test_no_image_at_all_tells_why(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(b"x")
    message = r"(?s)no images to train on.*2 files cannot be decoded \(left out\): a/x.png, b/x.png.*Received"
    with pytest.raises(ValueError, match=message):
        open_images(tmp_path, SIZE)


def test_too_few_images_to_test_on_are_refused(tmp_path):
    add_classes(tmp_path, 1)
    with pytest.raises(ValueError, match=r"(?s)no images to test on.*have no image in 'test': apple, boat"):
        open_images(tmp_path, SIZE)
