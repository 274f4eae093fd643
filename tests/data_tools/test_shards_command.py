"""The command that makes shards of a folder of pairs."""

import argparse
import errno
import json
import os

import numpy as np
import pytest
import tensorflow as tf

from data_tools import shards
from data_tools.groups import DataError
from data_tools.importing import explain
from data_tools.target import REPORT
from keras_cgan.data import FolderPairs, ShardPairs, open_pairs, write_image
from keras_cgan.data.shards import INDEX

pytestmark = pytest.mark.filterwarnings("ignore::keras_cgan.data.DataWarning")


def make(source, out, *arguments):
    """Runs the command, as the program does, and returns its exit code."""
    whole = argparse.ArgumentParser()
    shards.add_parser(whole.add_subparsers())
    options = whole.parse_args(["shards", str(source), "--out", str(out), *map(str, arguments)])
    return options.run(options)


@pytest.fixture
def source(tmp_path, paint):
    """Pairs of two classes, without splits."""
    for class_name in ("ant", "bär"):
        for number in range(6):
            paint(tmp_path / "pairs" / "photo" / class_name / f"{number}.png", 10 * number)
            paint(tmp_path / "pairs" / "sketch" / class_name / f"{number}-1.png", 200 + number)
            paint(tmp_path / "pairs" / "sketch" / class_name / f"{number}-2.png", 220 + number)
    return tmp_path / "pairs"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def assert_whole(out, source, split="train"):
    pairs = ShardPairs(out, split)
    expected = FolderPairs(source, split)
    assert pairs.names == expected.names
    for index in range(len(pairs)):
        for own, other in zip(pairs.load(index, (8, 8)), expected.load(index, (8, 8))):
            np.testing.assert_array_equal(own, other)
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]


def test_a_folder_becomes_shards(source, out, capsys, tree):
    before = tree(source)
    assert make(source, out) == 0
    assert capsys.readouterr().out == f"made {out}: 20 pairs to train, 4 pairs to test\n"
    assert set(tree(out)) == {
        *("train", "train/00000.tfrecord", f"train/{INDEX}"),
        *("test", "test/00000.tfrecord", f"test/{INDEX}"),
        REPORT,
    }
    report = json.loads((out / REPORT).read_text())
    assert report["pairs"] == {"train": 20, "test": 4}
    assert report["settings"] == {"command": "shards", "source": str(source), "megabytes": 256}
    for split in ("train", "test"):
        assert_whole(out, source, split)
    assert [len(pairs) for pairs in open_pairs(out)] == [20, 4]
    assert tree(source) == before


def test_own_splits_are_kept_and_what_is_left_out_is_said(source, out, capsys, paint):
    (source / "all").mkdir()
    for side in ("photo", "sketch"):
        (source / side).rename(source / "all" / side)
    (source / "all").rename(source / "train")
    for split in ("test", "val"):
        paint(source / split / "photo" / "ant" / f"{split}.png")
        paint(source / split / "sketch" / "ant" / f"{split}.png")
    (source / "val" / "photo" / "ant" / "bad.png").write_bytes(b"no image")
    paint(source / "val" / "sketch" / "ant" / "bad.png")
    assert make(source, out) == 0
    told = capsys.readouterr()
    assert told.out == f"made {out}: 1 pairs to test, 24 pairs to train, 1 pairs to val\n"
    note = f"{source}: 1 files cannot be decoded (their pairs are left out): val/photo/ant/bad.png"
    assert note in told.err.splitlines()
    assert note in json.loads((out / REPORT).read_text())["notes"]
    for split in ("train", "test", "val"):
        assert_whole(out, source, split)


def test_files_are_about_as_large_as_asked(tmp_path, out):
    for number in range(12):
        for side in ("photo", "sketch"):
            noise = np.random.randint(0, 256, (300, 300, 3), np.uint8)
            write_image(tmp_path / "pairs" / side / "ab"[number % 2] / f"{number}.png", noise)
    assert make(tmp_path / "pairs", out, "--megabytes", 1) == 0
    sizes = [path.stat().st_size for path in sorted((out / "train").glob("*.tfrecord"))]
    assert len(sizes) == 5 and all(2**20 < size < 2.2 * 2**20 for size in sizes[:-1])
    assert_whole(out, tmp_path / "pairs")
    records = tf.data.TFRecordDataset([str(path) for path in (out / "train").glob("*.tfrecord")])
    assert len(list(records)) == len(ShardPairs(out)) == 10


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_size_that_is_none(source, out, value, capsys):
    with pytest.raises(SystemExit):
        make(source, out, "--megabytes", value)
    assert "--megabytes" in capsys.readouterr().err and not out.exists()


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as stopped:
        make("--help", "x")
    assert stopped.value.code == 0
    assert "python -m data_tools shards my_pairs --out my_shards" in capsys.readouterr().out


def test_shards_are_replaced_by_force_alone(source, out, paint):
    assert make(source, out) == 0
    paint(source / "photo" / "ant" / "0.png", 77)
    with pytest.raises(DataError, match="holds a finished import.*--force"):
        make(source, out)
    with pytest.raises(DataError, match="holds a finished import.*--force"):
        make(source, out, "--megabytes", 3)
    assert make(source, out, "--megabytes", 3, "--force") == 0
    assert_whole(out, source)


def test_folders_that_are_no_pairs(source, out, tmp_path, paint):
    with pytest.raises(DataError, match="there is no folder .*nowhere"):
        make(tmp_path / "nowhere", out)
    with pytest.raises(DataError, match="there is no folder .*0.png"):
        make(source / "photo" / "ant" / "0.png", out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="(?s)no split 'train'.*Expected layout"):
        make(tmp_path / "empty", out)
    paint(tmp_path / "sketches" / "sketch" / "a" / "1.png")
    with pytest.raises(DataError, match="(?s)sketch-only set"):
        make(tmp_path / "sketches", out)
    assert not out.exists()


def test_shards_are_no_source(source, out, tmp_path):
    make(source, out)
    with pytest.raises(DataError, match="must be a folder of pairs. Received: .*, which holds shards"):
        make(out, tmp_path / "more")


def test_source_and_out_are_apart(source, tree):
    before = tree(source.parent)
    for out in (source, source / "shards", source / "photo" / "new", source / ".." / "pairs" / "x"):
        with pytest.raises(DataError, match="--out must not be in the data that is read. Received: --out"):
            make(source, out)
    with pytest.raises(DataError, match="--out must not hold the data that is read. Received: --out"):
        make(source, source.parent, "--force")
    (source.parent / "link").symlink_to(source)
    with pytest.raises(DataError, match="must not be in the data"):
        make(source, source.parent / "link" / "new")
    (source.parent / "link").unlink()
    assert tree(source.parent) == before


def test_a_folder_with_something_else_is_refused(source, out, paint, tree):
    paint(out / "mine.png")
    before = tree(out)
    for force in ([], ["--force"]):
        with pytest.raises(DataError, match="must be a new or empty folder.*with mine.png"):
            make(source, out, *force)
    assert tree(out) == before


@pytest.mark.parametrize("force", [False, True])
def test_killed_anywhere_the_same_command_goes_on(source, tmp_path, process, tree, force):
    make(source, tmp_path / "expected")
    expected = tree(tmp_path / "expected")
    earlier = tmp_path / "earlier"
    make(source, earlier, "--megabytes", 1)

    def begin(name):
        out = tmp_path / name
        if force:
            make(source, out, "--megabytes", 1)
        return out, ["--force"] if force else []

    out, arguments = begin("all")
    with process() as whole:
        make(source, out, *arguments)
    assert whole.changes > 10
    for n in range(1, whole.changes + 1):
        out, arguments = begin(f"killed {n}")
        with process(n):
            make(source, out, *arguments)
        try:
            make(source, out, *arguments)
        except DataError as error:  # it had ended, but for what nobody reads
            assert not force and "holds a finished import" in str(error)
        assert tree(out) == expected


def test_what_a_killed_process_left_is_not_kept(source, out, monkeypatch):
    def stopped(pairs, folder, shard_bytes):
        folder.mkdir()
        (folder / "00007.tfrecord").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(shards, "write_split", stopped)
        with pytest.raises(KeyboardInterrupt):
            make(source, out)
    (out / ".partial" / "val").mkdir()
    with pytest.raises(DataError, match=r"begun with other settings \(megabytes\).*--force to begin anew"):
        make(source, out, "--megabytes", 3)
    assert make(source, out) == 0
    assert_whole(out, source)
    assert not (out / "train" / "00007.tfrecord").exists() and not (out / "val").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_said_and_the_same_command_goes_on(source, out, monkeypatch):
    writer = tf.io.TFRecordWriter
    with monkeypatch.context() as patches:
        patches.setattr(tf.io, "TFRecordWriter", lambda path: writer("/dev/full"))
        with pytest.raises(OSError) as error:
            make(source, out)
    assert error.value.errno == errno.ENOSPC and "00000.tfrecord" in error.value.filename
    assert "no space is left" in explain(error.value, out) and "goes on" in explain(error.value, out)
    assert not (out / "train").exists()
    assert make(source, out) == 0
    assert_whole(out, source)


def test_other_failures_of_writing_name_the_file(source, out, monkeypatch):
    writer = tf.io.TFRecordWriter
    monkeypatch.setattr(tf.io, "TFRecordWriter", lambda path: writer("/nowhere/x.tfrecord"))
    with pytest.raises(OSError, match="00000.tfrecord") as error:
        make(source, out)
    assert error.value.errno == errno.EIO


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_an_image_that_has_become_a_pipe_is_said_and_not_waited_for(source, out, monkeypatch):
    write_split = shards.write_split

    def late(pairs, *arguments):
        pairs.photo_paths[0].unlink()
        os.mkfifo(pairs.photo_paths[0])
        write_split(pairs, *arguments)

    monkeypatch.setattr(shards, "write_split", late)
    with pytest.raises(DataError, match="must be a file. Received: a folder, a pipe or a device"):
        make(source, out)


@pytest.mark.parametrize("splits", [("train", "test"), ("",)])
def test_names_that_are_no_text(tmp_path, paint, splits):
    name = os.fsdecode(b"b\xe4r")
    try:
        for base in splits:
            for class_name in (name, "x"):
                for side in ("photo", "sketch"):
                    for stem in (name, "1", "2"):
                        paint(tmp_path / name / base / side / class_name / f"{stem}.png")
    except OSError:
        pytest.skip("this file system takes text alone")
    out = tmp_path / f"{name} shards"
    assert make(tmp_path / name, out) == 0
    for split in ("train", "test"):
        assert_whole(out, tmp_path / name, split)
