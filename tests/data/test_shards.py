"""Shards: the pairs of the folder that they were made of, from files that any TensorFlow program reads."""

import json
import pickle
import struct
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

import keras_cgan
from keras_cgan.data import (
    EmbeddedPairs,
    FolderPairs,
    ImageError,
    PairPipeline,
    ShardPairs,
    open_pairs,
    shards,
    write_image,
)

sys.path.insert(0, str(Path(keras_cgan.__file__).parents[1]))  # The tools are run from a checkout.

from data_tools.shards import write_split  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::keras_cgan.data.DataWarning")


def noise(*shape, dtype=np.uint8):
    return np.random.randint(0, np.iinfo(dtype).max, shape, dtype=dtype)


def write(path, array):
    """Writes an array as it is, BGR or with alpha, 8 or 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, array)[1].tobytes())


def fill(base, photos=6):
    """Pairs of all kinds: grey, coloured, 16 bits, alpha, several sketches, other proportions and formats."""
    kinds = [
        noise(20, 30, 3),
        noise(16, 16),
        noise(24, 16, 3, dtype=np.uint16),
        noise(12, 12, 4),
        noise(9, 40, 3),
        noise(16, 16, dtype=np.uint16),
    ]
    for number in range(photos):
        write(base / "photo" / "bär 1" / f"{number}.png", kinds[number % len(kinds)])
        write(base / "photo" / "a" / f"p{number}.jpg", noise(16, 20, 3))
        write(base / "sketch" / "a" / f"p{number}.bmp", noise(16, 20))
        for sketch in range(1, 2 + number % 3):
            write(base / "sketch" / "bär 1" / f"{number}-{sketch}.png", kinds[-number % len(kinds)])
    # Between the sketches of one photo, by name, there is one of another.
    for stem in ("x", "x-5"):
        write(base / "photo" / "a" / f"{stem}.png", noise(16, 16, 3))
    for stem in ("x-1", "x-5-1", "x-6"):
        write(base / "sketch" / "a" / f"{stem}.png", noise(16, 16))


def shard(source, out, splits=("train", "test"), shard_bytes=2**20):
    for split in splits:
        write_split(FolderPairs(source, split), out / split, shard_bytes)
    return out


@pytest.fixture
def folder(tmp_path):
    """A folder of pairs without splits."""
    fill(tmp_path / "pairs")
    return tmp_path / "pairs"


@pytest.fixture
def sharded(folder, tmp_path):
    """Its shards, in several files."""
    return shard(folder, tmp_path / "shards", shard_bytes=2000)


def assert_same_pairs(pairs, expected, sizes=((16, 16), (24, 17))):
    assert len(pairs) == len(expected) > 1
    assert (pairs.class_names, pairs.names) == (expected.class_names, expected.names)
    assert pairs.split_note == expected.split_note
    for own, other in ((pairs.labels, expected.labels), (pairs.photo_ids, expected.photo_ids)):
        np.testing.assert_array_equal(own, other)
        assert own.dtype == other.dtype
    for size in sizes:
        for index in range(len(pairs)):
            for own, other in zip(pairs.load(index, size), expected.load(index, size)):
                np.testing.assert_array_equal(own, other)
                assert own.dtype == other.dtype


@pytest.mark.parametrize("bases", [[""], ["train"], ["train", "test"], ["train", "test", "val"]])
def test_they_are_the_pairs_of_the_folder(tmp_path, bases):
    for number, base in enumerate(bases):
        fill(tmp_path / "pairs" / base, photos=6 - number)
    splits = ["train", "test"] if len(bases) < 2 else bases
    out = shard(tmp_path / "pairs", tmp_path / "shards", splits, shard_bytes=3000)
    for split in splits:
        expected = FolderPairs(tmp_path / "pairs", split)
        assert_same_pairs(ShardPairs(out, split), expected)
        assert len(set(expected.photo_ids)) < len(expected)
    assert (ShardPairs(out).split_note is None) == (len(bases) > 1)
    assert len(list((out / "train").glob("*.tfrecord"))) > 1


def test_sketches_of_a_photo_need_not_follow_each_other(sharded, folder):
    whole = FolderPairs(folder, test_share=0)
    write_split(whole, sharded / "whole", 2**20)
    pairs = ShardPairs(sharded, "whole")
    ids = dict(zip(pairs.names, pairs.photo_ids))
    assert ids["a/x-1"] == ids["a/x-6"] != ids["a/x-5-1"]
    first = pairs.names.index("a/x-1")
    assert pairs.names[first : first + 3] == ("a/x-1", "a/x-5-1", "a/x-6")
    assert_same_pairs(pairs, whole)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("channels", [(3, 1), (1, 3)])
def test_channels_and_fit_are_those_of_folders(sharded, folder, fit, channels):
    options = {"photo_channels": channels[0], "sketch_channels": channels[1], "fit": fit}
    assert_same_pairs(ShardPairs(sharded, **options), FolderPairs(folder, **options), sizes=[(16, 24)])


def test_class_names_fix_the_order_and_refuse_others(sharded, folder):
    names = ["bär 1", "a"]
    assert_same_pairs(ShardPairs(sharded, class_names=names), FolderPairs(folder, class_names=names))
    assert_same_pairs(ShardPairs(sharded, class_names=("a", "bär 1")), FolderPairs(folder))
    for wrong in (["a"], ["a", "bär 1", "c"], ["a", "c"], []):
        with pytest.raises(ValueError, match=r"`class_names` must be the classes of .*shards.json.*Received"):
            ShardPairs(sharded, class_names=wrong)
    for wrong in ("ab", ["a", "bär 1", "a"]):
        with pytest.raises(ValueError, match="`class_names` must be unique names. Received"):
            ShardPairs(sharded, class_names=wrong)


@pytest.mark.parametrize("options", [{}, {"warp": 0.7, "memory_limit": 0}, {"augment": False}])
def test_training_batches_are_the_same(sharded, folder, options):
    both = [
        PairPipeline(pairs, (16, 16), batch_size=4, seed=3, **options)
        for pairs in (ShardPairs(sharded), FolderPairs(folder))
    ]
    assert both[0].steps_per_epoch > 2
    for step in range(2 * both[0].steps_per_epoch):
        for own, other in zip(*(pipeline.arrays(step) for pipeline in both)):
            np.testing.assert_array_equal(own, other)
    (x, y), (expected_x, expected_y) = (next(iter(pipeline.epoch(1))) for pipeline in both)
    np.testing.assert_array_equal(y, expected_y)
    assert all(np.array_equal(x[name], expected_x[name]) for name in ("photo", "label"))


def test_one_record_is_read_without_the_others(folder, tmp_path, monkeypatch):
    pairs = ShardPairs(shard(folder, tmp_path / "shards"))
    expected = pairs.load(0, (16, 16))
    path, begin, end, _ = pairs._records[0]
    read = []

    class Counting:
        def __init__(self, file):
            self._file, self.seek = file, file.seek

        def read(self, count):
            data = self._file.read(count)
            read.append(len(data))
            return data

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            self._file.close()

    monkeypatch.setattr(shards, "open", lambda *args: Counting(open(*args)), raising=False)
    path.write_bytes(path.read_bytes()[:end].ljust(path.stat().st_size, b"?"))
    assert all(np.array_equal(*both) for both in zip(pairs.load(0, (16, 16)), expected))
    assert sum(read) == end - begin - 16 < path.stat().st_size / 2


def test_many_threads_and_processes_read_at_once(sharded):
    pairs = ShardPairs(sharded)
    expected = [pairs.load(index, (16, 16)) for index in range(len(pairs))]
    copy = pickle.loads(pickle.dumps(pairs))
    assert copy.names == pairs.names
    order = np.random.default_rng(0).permutation(20 * len(pairs)) % len(pairs)
    with ThreadPoolExecutor(16) as pool:
        for index, loaded in zip(order, pool.map(lambda index: copy.load(index, (16, 16)), order)):
            assert all(np.array_equal(*both) for both in zip(loaded, expected[index]))


def test_reading_a_folder_still_needs_no_tensorflow(run_child):
    code = (
        "import sys; from keras_cgan.data import FolderPairs, ShardPairs, open_pairs; print('tensorflow' in "
    )
    assert run_child(code + "sys.modules)").strip() == "False"


def test_records_are_read_by_tensorflow_alone(sharded):
    pairs = ShardPairs(sharded)
    files = tf.data.TFRecordDataset([str(path) for path in sorted((sharded / "train").glob("*.tfrecord"))])
    features = {
        "photo": tf.io.FixedLenFeature([], tf.string),
        "sketch": tf.io.RaggedFeature(tf.string),
        "class": tf.io.FixedLenFeature([], tf.string),
        "name": tf.io.FixedLenFeature([], tf.string),
    }
    count = 0
    for batch in files.batch(3).map(lambda records: tf.io.parse_example(records, features)):
        for photo, sketches, class_name, name in zip(
            *(batch[key].numpy() for key in ("photo", "sketch", "class", "name"))
        ):
            class_name, name = class_name.decode(), name.decode()
            for number, sketch in enumerate(sketches, 1):
                numbered = f"{class_name}/{name}" if name[0] == "p" else f"{class_name}/{name}-{number}"
                if name == "x":
                    numbered = f"a/x-{(1, 6)[number - 1]}"
                index = pairs.names.index(numbered)
                assert pairs.class_names[pairs.labels[index]] == class_name
                for data, side in zip((photo, sketch), pairs.load(index, (16, 16))):
                    image = shards.images.to_channels(shards.images.decode_bytes(data, name), side.shape[-1])
                    np.testing.assert_array_equal(shards.images.fit_image(image, (16, 16)), side)
                count += 1
    assert count == len(pairs)


@pytest.mark.parametrize("place", [2, 10, 40, -3])
def test_a_flipped_bit_is_seen_by_checksums(sharded, place):
    pairs = ShardPairs(sharded)
    path, begin, end, _ = pairs._records[1]
    data = bytearray(path.read_bytes())
    data[(begin if place >= 0 else end) + place] ^= 4
    path.write_bytes(data)
    with pytest.raises((tf.errors.DataLossError, tf.errors.ResourceExhaustedError)):
        list(tf.data.TFRecordDataset(str(path)))
    if place == 40:
        index = int(np.flatnonzero(pairs.photo_ids == 1)[0])
        with pytest.raises(ImageError, match=rf"{path.name} is damaged at byte {begin}.*Received: checksum"):
            pairs.load(index, (16, 16))
    pairs.load(0, (16, 16))


@pytest.mark.parametrize("damage", ["cut", "grown", "missing", "empty", "folder"])
def test_files_of_another_size_are_refused_at_once(sharded, damage):
    path = sorted((sharded / "train").glob("*.tfrecord"))[-1]
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"cut": data[:-1], "grown": data + b"\0", "empty": b""}[damage])
    with pytest.raises(ValueError, match=rf"{path.name} must have {len(data)} bytes.*Received: ") as error:
        ShardPairs(sharded)
    found = {"cut": len(data) - 1, "grown": len(data) + 1, "empty": 0}.get(damage)
    assert str(error.value).endswith("no such file" if found is None else f"Received: {found} bytes")
    assert len(ShardPairs(sharded, "test")) > 0


def test_files_that_change_later_are_errors_that_name_them(sharded):
    pairs = ShardPairs(sharded)
    path = pairs._records[0].path
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ImageError, match=f"{path.name} is damaged at byte 0"):
        pairs.load(0, (16, 16))
    path.unlink()
    with pytest.raises(ImageError, match=f"Cannot read '.*{path.name}'"):
        pairs.load(0, (16, 16))


def change(path, edit):
    index = json.loads(path.read_text())
    edit(index)
    path.write_text(json.dumps(index))


EDITS = {
    "no classes": lambda index: index.pop("class_names"),
    "no note": lambda index: index.pop("split_note"),
    "a note that is none": lambda index: index.update(split_note=3),
    "classes as text": lambda index: index.update(class_names="ab"),
    "a class twice": lambda index: index.update(class_names=["a", "a"]),
    "a class of numbers": lambda index: index.update(class_names=["a", 2]),
    "a class too few": lambda index: index["class_names"].pop(),
    "a file elsewhere": lambda index: index["files"].__setitem__(0, "../00000.tfrecord"),
    "an absolute file": lambda index: index["files"].__setitem__(0, "/etc/passwd"),
    "the folder as a file": lambda index: index["files"].__setitem__(0, ".."),
    "no records": lambda index: index.update(records=[]),
    "a record less": lambda index: index["records"].pop(0),
    "records in another order": lambda index: index["records"].reverse(),
    "a record before the file": lambda index: index["records"][0].__setitem__(1, -1),
    "a record from its middle": lambda index: index["records"][0].__setitem__(1, 5),
    "a record to its middle": lambda index: index["records"][0].__setitem__(2, 30),
    "a record to nowhere": lambda index: index["records"][-1].__setitem__(2, 10**12),
    "a record that ends at a fraction": lambda index: index["records"][0].__setitem__(2, 1e3),
    "an empty record": lambda index: index["records"].insert(0, [0, 0, 3, 0]),
    "a record of no file": lambda index: index["records"][0].__setitem__(0, 99),
    "a record of the last file": lambda index: index["records"][0].__setitem__(0, -1),
    "a record that is true": lambda index: index["records"][0].__setitem__(0, False),
    "a record without a checksum": lambda index: index["records"][0].pop(),
    "a checksum that is none": lambda index: index["records"][0].__setitem__(3, "12"),
    "no pairs": lambda index: index.update(pairs=[]),
    "a pair of no record": lambda index: index["pairs"][0].__setitem__(0, 999),
    "a pair of no class": lambda index: index["pairs"][0].__setitem__(2, 2),
    "a pair of the last class": lambda index: index["pairs"][0].__setitem__(2, -1),
    "a place before the first": lambda index: index["pairs"][0].__setitem__(1, -1),
    "a name that is none": lambda index: index["pairs"][0].__setitem__(3, None),
    "a pair as a number": lambda index: index["pairs"].append(4),
    "a pair with more": lambda index: index["pairs"][0].append(4),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_index_edited_by_hand_is_refused(sharded, edit):
    path = sharded / "train" / shards.INDEX
    change(path, EDITS[edit])
    with pytest.raises(
        ValueError,
        match=r"(shards\.json must be the index of shards|tfrecord must have|"
        r"/\.\. must have).*Received: ",
    ):
        ShardPairs(sharded)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff\xfe", b"[" * 100_000, b'"class_names"']
)
def test_an_index_that_is_none_is_refused(sharded, text):
    (sharded / "train" / shards.INDEX).write_bytes(text)
    with pytest.raises(ValueError, match=r"train.shards\.json must be the index of shards. Received: "):
        ShardPairs(sharded)


def test_a_sketch_that_is_not_in_its_record(sharded):
    change(sharded / "train" / shards.INDEX, lambda index: index["pairs"][0].__setitem__(1, 7))
    with pytest.raises(ImageError, match=r"00000.tfrecord must hold a photo and its sketches at byte 0"):
        ShardPairs(sharded).load(0, (16, 16))


@pytest.mark.parametrize("content", [b"", b"no protobuf\xff", b"image"])
def test_records_of_something_else(tmp_path, content):
    if content == b"image":  # an Example as it should be, of what is no image
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"no image"]))
        features = tf.train.Features(feature={"photo": feature, "sketch": feature})
        content = tf.train.Example(features=features).SerializeToString()
    (tmp_path / "train").mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / "train" / "x.tfrecord")) as writer:
        writer.write(content)
    index = {
        "class_names": ["a"],
        "split_note": None,
        "files": ["x.tfrecord"],
        "records": [[0, 0, len(content) + 16, zlib.crc32(content)]],
        "pairs": [[0, 0, 0, "1"]],
    }
    (tmp_path / "train" / shards.INDEX).write_text(json.dumps(index))
    pairs = ShardPairs(tmp_path)
    with pytest.raises(ImageError, match=r"x\.tfrecord(, a/1' is no image| must hold a photo)"):
        pairs.load(0, (16, 16))


def test_what_is_not_there(tmp_path, sharded):
    for root, split in ((tmp_path / "nowhere", "train"), (sharded, "val")):
        with pytest.raises(FileNotFoundError, match=r"`root` must be a folder of shards.*Received: no file "):
            ShardPairs(root, split)


@pytest.mark.parametrize(
    "argument, value", [("photo_channels", 2), ("sketch_channels", 4), ("fit", "zoom"), ("fit", None)]
)
def test_arguments_are_checked(sharded, argument, value):
    with pytest.raises(ValueError, match=rf"`{argument}` must be .*Received: {argument}={value!r}"):
        ShardPairs(sharded, **{argument: value})


def test_lengths_are_those_of_records(sharded):
    for path, begin, end, _ in ShardPairs(sharded)._records:
        (length,) = struct.unpack("<Q", path.read_bytes()[begin : begin + 8])
        assert length == end - begin - 16


# ---- open_pairs


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
def test_shards_and_folders_are_opened_alike(sharded, folder, fit):
    for own, other, split in zip(
        open_pairs(sharded, fit=fit), open_pairs(folder, fit=fit), ("train", "test")
    ):
        assert type(own) is ShardPairs and type(other) is FolderPairs
        assert own.fit == other.fit == fit
        assert_same_pairs(own, other, sizes=[(16, 24)])
        assert_same_pairs(own, FolderPairs(folder, split, fit=fit), sizes=[(16, 24)])
    with pytest.raises(ValueError, match=r"`fit` must be .*Received: fit='zoom'"):
        open_pairs(sharded, fit="zoom")


def test_fit_changes_what_is_loaded(sharded):
    pad, crop, stretch = (open_pairs(sharded, fit=fit)[0] for fit in ("pad", "crop", "stretch"))
    # At most one of the two photos that are not square is held out.
    index = next(index for index, name in enumerate(pad.names) if name in ("bär 1/0-1", "bär 1/4-1"))
    loaded = [pairs.load(index, (16, 16))[0] for pairs in (pad, crop, stretch)]
    assert (loaded[0][0] == 255).all() and not (loaded[1][0] == 255).all()
    assert not np.array_equal(loaded[1], loaded[2])


def test_test_shards_of_other_classes_are_refused(sharded):
    change(sharded / "test" / shards.INDEX, lambda index: index.update(class_names=["a", "cat"]))
    with pytest.raises(ValueError, match=r"must be the classes of .*test.shards.json.*\['bär 1', 'cat'\]"):
        open_pairs(str(sharded))


def test_the_same_classes_in_another_order_are_put_in_that_of_training(sharded):
    expected = ShardPairs(sharded, "test")

    def swap(index):
        index["class_names"].reverse()
        index["pairs"] = [[record, place, 1 - label, stem] for record, place, label, stem in index["pairs"]]

    change(sharded / "test" / shards.INDEX, swap)
    assert_same_pairs(open_pairs(sharded)[1], expected)


def test_a_single_class_is_refused(tmp_path):
    for number in range(3):
        for side in ("photo", "sketch"):
            write_image(tmp_path / "pairs" / side / "only" / f"{number}.png", noise(8, 8))
    out = shard(tmp_path / "pairs", tmp_path / "shards")
    for root in (tmp_path / "pairs", out):
        with pytest.raises(ValueError, match="`folder` must hold at least two classes; .*Received: only in"):
            open_pairs(root)


def test_without_a_folder_there_is_the_embedded_set():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train, test = open_pairs(misalignment=0.7, fit="crop")
    assert (len(train), len(test)) == (420, 120)
    expected = EmbeddedPairs(120, 0.7, seed=1)
    np.testing.assert_array_equal(test.load(5, (32, 32))[1], expected.load(5, (32, 32))[1])
