"""Folders of pairs: what is read, what is refused, and what is warned about."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from keras_cgan.data import DataWarning, FolderPairs, ImageError, scan, write_image

RED, INK = (255, 0, 0), 0


def add(folder, *names, value=RED, shape=(16, 16)):
    """Writes one-coloured images; a value of three numbers makes them RGB."""
    for name in names:
        write_image(folder / name, np.full((*shape, *np.shape(value)), value, np.uint8))


def add_pairs(base, class_name, count, start=0):
    names = [f"{number:03d}.png" for number in range(start, start + count)]
    add(base / "photo" / class_name, *names)
    add(base / "sketch" / class_name, *names, value=INK)


def read_quietly(*args, **kwargs):
    """Reads a folder in which there is nothing to warn about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return FolderPairs(*args, **kwargs)


def test_reading_folders_needs_no_tensorflow():
    code = "import sys; from keras_cgan.data import FolderPairs; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_split_folders_are_read(tmp_path):
    add_pairs(tmp_path / "train", "chair", 2)
    add_pairs(tmp_path / "train", "apple tree", 1)
    add_pairs(tmp_path / "val", "apple tree", 1, start=7)
    add_pairs(tmp_path / "val", "chair", 1, start=8)
    pairs = read_quietly(tmp_path)
    assert pairs.class_names == ("apple tree", "chair")
    assert pairs.names == ("apple tree/000", "chair/000", "chair/001")
    np.testing.assert_array_equal(pairs.labels, [0, 1, 1])
    assert pairs.photo_paths[1] == tmp_path / "train/photo/chair/000.png"
    assert pairs.sketch_paths[1] == tmp_path / "train/sketch/chair/000.png"
    assert pairs.split_note is None
    assert read_quietly(tmp_path, split="val").names == ("apple tree/007", "chair/008")


def test_a_pair_is_loaded_at_the_size_asked(tmp_path):
    add(tmp_path / "train/photo/a", "x.jpg", shape=(8, 16))
    add(tmp_path / "train/sketch/a", "x.PNG", value=INK, shape=(8, 16))
    add_pairs(tmp_path / "test", "a", 1)
    photo, sketch = read_quietly(tmp_path).load(0, (16, 16))
    assert photo.shape == (16, 16, 3) and sketch.shape == (16, 16, 1)
    assert photo.dtype == sketch.dtype == np.uint8
    np.testing.assert_allclose(photo[8, 8], RED, atol=6)
    # By default the proportions are kept, with white above and below, alike in both.
    assert photo[:4].min() == sketch[:4].min() == 255 and sketch[4:12].max() == 0
    assert read_quietly(tmp_path, fit="stretch").load(0, (16, 16))[1].max() == 0
    photo, sketch = FolderPairs(tmp_path, photo_channels=1, sketch_channels=3, check=False).load(0, (16, 16))
    assert photo.shape == (16, 16, 1) and sketch.shape == (16, 16, 3)


def test_several_sketches_share_a_photo(tmp_path):
    add(tmp_path / "test/photo/a", "n1_5.png", "jack-2.png", "x.png")
    sketches = ["n1_5-1.png", "n1_5-2.png", "jack-2.png", "jack-2-10.png", "x.png"]
    add(tmp_path / "test/sketch/a", *sketches, value=INK)
    pairs = read_quietly(tmp_path, split="test")
    of = dict(zip(pairs.names, [path.stem for path in pairs.photo_paths]))
    assert of == {
        "a/n1_5-1": "n1_5",
        "a/n1_5-2": "n1_5",
        "a/jack-2": "jack-2",
        "a/jack-2-10": "jack-2",
        "a/x": "x",
    }
    ids = dict(zip(pairs.names, pairs.photo_ids))
    assert ids["a/n1_5-1"] == ids["a/n1_5-2"] and ids["a/jack-2"] == ids["a/jack-2-10"]
    assert len(set(ids.values())) == 3


def test_a_sketch_whose_name_fits_two_photos_is_said(tmp_path):
    """Both sketches may be of `a`: `a-1` is the first of several, or that of the photo `a-1`."""
    add(tmp_path / "test/photo/x", "a.png", "a-1.png", "b.png", "b-1.png", "c-1.png")
    add(tmp_path / "test/sketch/x", "a-1.png", "a-2.png", "b.png", "b-1.png", "c-1.png", value=INK)
    with pytest.warns(DataWarning) as warned:
        pairs = FolderPairs(tmp_path, split="test")
    (message,) = map(str, (each.message for each in warned))
    assert message.endswith(
        "1 sketches whose names fit two photos (taken for the one of the same name): "
        "test/sketch/x/a-1.png (or one of several of a.png)"
    )
    of = dict(zip(pairs.names, [path.stem for path in pairs.photo_paths]))
    assert of == {"x/a-1": "a-1", "x/a-2": "a", "x/b": "b", "x/b-1": "b-1", "x/c-1": "c-1"}


def test_without_split_folders_photos_are_held_out_by_class(tmp_path):
    for class_name, count in (("a", 10), ("b", 2)):
        add_pairs(tmp_path, class_name, count)
        add(tmp_path / "sketch" / class_name, "000-1.png", "000-2.png", "001-1.png", value=INK)
    train, test = (read_quietly(tmp_path, split=split) for split in ("train", "test"))
    assert not set(train.photo_paths) & set(test.photo_paths)
    assert len(set(train.photo_paths)) == 8 + 1 and len(set(test.photo_paths)) == 2 + 1
    assert len(train) + len(test) == 12 + 2 * 3
    assert set(train.labels) == set(test.labels) == {0, 1}
    assert "20% of the photos" in train.split_note and train.split_note == test.split_note
    assert read_quietly(tmp_path, split="test").names == test.names
    others = {read_quietly(tmp_path, split="test", seed=seed).names for seed in range(1, 6)}
    assert others != {test.names}
    assert len(set(read_quietly(tmp_path, split="test", test_share=0.5).photo_paths)) == 5 + 1
    assert len(read_quietly(tmp_path, test_share=0)) == 18
    with pytest.raises(ValueError, match=r"`test_share` must be above 0.*Received: test_share=0"):
        FolderPairs(tmp_path, split="test", test_share=0)
    with pytest.raises(ValueError, match=r"`split` must be 'train' or 'test'.*Received: .*split='val'"):
        FolderPairs(tmp_path, split="val")


def test_some_photo_of_each_class_is_left_to_train_on(tmp_path):
    add_pairs(tmp_path, "a", 2)
    add_pairs(tmp_path, "single", 1)
    assert read_quietly(tmp_path, test_share=0.9).class_names == ("a", "single")
    with pytest.warns(DataWarning, match="1 classes have no pair in split 'test': single"):
        assert len(FolderPairs(tmp_path, split="test", test_share=0.9)) == 1


def test_adding_photos_leaves_most_others_on_their_side(tmp_path):
    add_pairs(tmp_path, "a", 20)
    before = set(read_quietly(tmp_path, split="test").names)
    add_pairs(tmp_path, "a", 5, start=20)
    after = set(read_quietly(tmp_path, split="test").names)
    assert len(before) == 4 and len(after) == 5
    assert len(before - after) <= 2


def test_train_alone_is_parted_and_says_so(tmp_path):
    add_pairs(tmp_path / "train", "a", 10)
    with pytest.warns(DataWarning, match="no test split of its own: 20% of the photos"):
        train = FolderPairs(tmp_path)
    with pytest.warns(DataWarning, match="no test split of its own"):
        test = FolderPairs(tmp_path, split="test")
    assert len(train) == 8 and len(test) == 2
    assert not set(train.names) & set(test.names)
    assert len(read_quietly(tmp_path, test_share=0)) == 10
    add_pairs(tmp_path / "val", "a", 1)
    assert len(read_quietly(tmp_path)) == 10  # whoever keeps a val folder has parted the set
    with pytest.raises(ValueError, match=r"no split 'test'.*\n.*\n.*\n.*\nFound: splits \['train', 'val'\]"):
        FolderPairs(tmp_path, split="test")


def test_classes_are_those_of_all_splits(tmp_path):
    add_pairs(tmp_path / "train", "a", 1)
    add_pairs(tmp_path / "test", "a", 1)
    add_pairs(tmp_path / "test", "b", 1)
    with pytest.warns(DataWarning, match="1 classes have no pair in split 'train': b"):
        train = FolderPairs(tmp_path)
    assert train.class_names == read_quietly(tmp_path, split="test").class_names == ("a", "b")


def test_class_names_fix_the_order_and_refuse_others(tmp_path):
    add_pairs(tmp_path / "test", "a", 1)
    add_pairs(tmp_path / "test", "b", 1)
    pairs = read_quietly(tmp_path, split="test", class_names=["b", "a"])
    assert pairs.class_names == ("b", "a") and pairs.names == ("b/000", "a/000")
    with pytest.raises(ValueError, match=r"class folders \['b'\].*Received: class_names=\['a', 'c'\]"):
        FolderPairs(tmp_path, split="test", class_names=["a", "c"])
    for wrong in ("ab", [], ["a", "b", "a"]):
        with pytest.raises(ValueError, match="`class_names` must be unique names"):
            FolderPairs(tmp_path, split="test", class_names=wrong)


def test_missing_partners_are_counted_and_named(tmp_path):
    add_pairs(tmp_path / "test", "a", 1)
    add(tmp_path / "test/photo/a", *[f"alone{number}.png" for number in range(7)])
    add(tmp_path / "test/sketch/a", "000-x.png", value=INK)
    with pytest.warns(DataWarning) as record:
        pairs = FolderPairs(tmp_path, split="test")
    assert pairs.names == ("a/000",)
    messages = sorted(str(warning.message).split(": ", 1)[1] for warning in record)
    assert messages == [
        "1 sketches without a photo (left out): test/sketch/a/000-x.png",
        "7 photos without a sketch (left out): "
        + ", ".join(f"test/photo/a/alone{number}.png" for number in range(5))
        + ", ...",
    ]
    assert {warning.filename for warning in record} == {__file__}


def test_what_is_not_read_is_named_and_clutter_is_not(tmp_path):
    add_pairs(tmp_path / "test", "a", 1)
    add(tmp_path / "test/photo", "loose.png")
    add(tmp_path / "test/photo/a/deeper", "x.png")
    (tmp_path / "test/sketch/a/notes.txt").write_text("hello")
    (tmp_path / "test/sketch/empty").mkdir()
    for clutter in ("Thumbs.db", ".DS_Store", "__MACOSX/._000.png"):
        path = tmp_path / "test/sketch/a" / clutter
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    with pytest.warns(DataWarning) as record:
        FolderPairs(tmp_path, split="test")
    messages = {str(warning.message).split(": ", 1)[1] for warning in record}
    assert messages == {
        "1 files outside of a class folder (not read): test/photo/loose.png",
        "1 folders inside a class folder (not read): test/photo/a/deeper",
        "1 files that are no images by their extension (not read): test/sketch/a/notes.txt",
        "1 classes have no pair in split 'test': empty",
    }


@pytest.mark.parametrize("side", ["photo", "sketch"])
def test_one_name_with_two_extensions_is_refused(tmp_path, side):
    add_pairs(tmp_path / "test", "a", 1)
    add(tmp_path / "test" / side / "a", "000.jpg")
    with pytest.raises(ValueError, match="differ by more than the extension. Received: 000.jpg and 000.png"):
        FolderPairs(tmp_path, split="test")


def test_damaged_files_are_left_out_and_named(tmp_path):
    add_pairs(tmp_path / "test", "a", 4)
    (tmp_path / "test/photo/a/001.png").write_bytes(b"")
    whole = (tmp_path / "test/sketch/a/002.png").read_bytes()
    (tmp_path / "test/sketch/a/002.png").write_bytes(whole[: len(whole) // 2])
    named = "test/photo/a/001.png, test/sketch/a/002.png"
    with pytest.warns(DataWarning, match=f"2 files cannot be decoded .*: {named}"):
        pairs = FolderPairs(tmp_path, split="test")
    assert pairs.names == ("a/000", "a/003")
    unchecked = read_quietly(tmp_path, split="test", check=False)
    assert len(unchecked) == 4
    with pytest.raises(ImageError, match="001.png"):
        unchecked.load(1, (16, 16))


def test_conversions_of_colour_are_reported(tmp_path):
    add_pairs(tmp_path / "test", "a", 2)
    add(tmp_path / "test/photo/a", "000.png", value=90)
    add(tmp_path / "test/sketch/a", "001.png", value=RED)
    tinted = tmp_path / "test/sketch/a"
    add(tinted, "000.png", value=(200, 196, 190))  # as scanned paper is: still a grey sketch
    with pytest.warns(DataWarning) as record:
        pairs = FolderPairs(tmp_path, split="test")
    messages = {str(warning.message).split(": ", 1)[1] for warning in record}
    assert messages == {
        "1 photo files are grey (repeated over 3 channels): test/photo/a/000.png",
        "1 sketch files are coloured (made grey): test/sketch/a/001.png",
    }
    np.testing.assert_array_equal(pairs.load(0, (16, 16))[0], np.full((16, 16, 3), 90))


def test_a_missing_root_shows_the_layout(tmp_path):
    message = r"(?s)`root` must be .*Expected layout:.*Received: root='.*nowhere'"
    with pytest.raises(FileNotFoundError, match=message):
        FolderPairs(tmp_path / "nowhere")


def test_another_layout_is_refused_with_what_was_found(tmp_path):
    add(tmp_path / "chair", "000.png")
    message = r"(?s)no split 'train'.*Expected layout:.*Found: \['chair'\].*Received: root="
    with pytest.raises(ValueError, match=message):
        FolderPairs(tmp_path)


def test_splits_beside_photo_and_sketch_are_ambiguous(tmp_path):
    add_pairs(tmp_path, "a", 1)
    add_pairs(tmp_path / "test", "a", 1)
    with pytest.raises(ValueError, match=r"and in \['test'\] as well"):
        FolderPairs(tmp_path)


@pytest.mark.parametrize("base", ["", "train"])
def test_a_sketch_only_set_names_what_takes_it(tmp_path, base):
    add(tmp_path / base / "sketch/a", "000.png", value=INK)
    message = r"(?s)no photo folder.*sketch-only set.*CycleGAN.*class-conditional"
    with pytest.raises(ValueError, match=message):
        FolderPairs(tmp_path)


def test_photos_alone_are_no_pairs(tmp_path):
    add(tmp_path / "train/photo/a", "000.png")
    with pytest.raises(ValueError, match=r"(?s)no sketch folder.*Received: root="):
        FolderPairs(tmp_path)


@pytest.mark.parametrize("cause", ["loose", "unmatched", "damaged", "empty"])
def test_no_pairs_at_all_tells_why(tmp_path, cause):
    base = tmp_path / "test"
    (base / "photo").mkdir(parents=True)
    (base / "sketch").mkdir()
    if cause == "loose":
        add(base / "photo", "000.png")
    elif cause == "unmatched":
        add(base / "photo/a", "000.png")
        add(base / "sketch/a", "001.png")
    elif cause == "damaged":
        add_pairs(base, "a", 1)
        (base / "photo/a/000.png").write_bytes(b"x")
    found = {
        "loose": "1 files outside of a class folder .*: test/photo/000.png",
        "unmatched": "1 sketches without a photo .*: test/sketch/a/001.png",
        "damaged": "1 files cannot be decoded .*: test/photo/a/000.png",
        "empty": "Found: no class folders",
    }[cause]
    message = f"(?s)There are no pairs in split 'test'.*Expected layout:.*{found}.*Received:"
    with pytest.raises(ValueError, match=message):
        FolderPairs(tmp_path, split="test")


@pytest.mark.parametrize(
    "argument, value",
    [
        ("photo_channels", 2),
        ("sketch_channels", 4),
        ("fit", "zoom"),
        ("test_share", 1),
        ("test_share", "0.2"),
    ],
)
def test_arguments_are_checked(tmp_path, argument, value):
    add_pairs(tmp_path / "train", "a", 2)
    with pytest.raises(ValueError, match=rf"(?s)`{argument}` must be .*Received: {argument}={value!r}"):
        FolderPairs(tmp_path, **{argument: value})


def test_a_link_to_itself_is_a_file(tmp_path):
    """As one that leads nowhere: it is then counted as what cannot be read."""
    for name in ("itself.png", "nowhere.png"):
        (tmp_path / name).symlink_to(tmp_path / name.replace("nowhere", "none"))
    assert scan.entries(tmp_path) == ([], [tmp_path / "itself.png", tmp_path / "nowhere.png"])
