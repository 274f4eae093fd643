"""What all importers have in common: help, errors that show the layout, archives."""

import json
import shutil
from pathlib import Path

import pytest

from data_tools.command import main
from data_tools.groups import DataError
from data_tools.importers import IMPORTERS
from data_tools.importers.importer import find_folder, natural, nested
from keras_cgan.data import FolderPairs


@pytest.mark.parametrize("name", IMPORTERS)
def test_help_shows_the_example_and_the_layout(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    text = capsys.readouterr().out
    assert stopped.value.code == 0
    assert f"python -m data_tools {IMPORTERS[name].example}" in text and IMPORTERS[name].layout in text
    assert IMPORTERS[name].example.startswith(name)
    assert (f"licence of the set: {IMPORTERS[name].licence}\n" in text) == bool(IMPORTERS[name].licence)


@pytest.mark.parametrize(("name", "licence"), [("tu-berlin", "CC BY 4.0"), ("photos", None)])
def test_the_report_has_the_licence_where_it_is_known(name, licence, run, source, paint):
    paint(source / "ant" / "1.png")
    report = json.loads((run(name, source).out / "import.json").read_text(encoding="utf-8"))
    assert report.get("licence") == licence


@pytest.mark.parametrize("name", IMPORTERS)
def test_another_layout_is_an_error_that_shows_the_right_one(name, run, source, tmp_path):
    (source / "a" / "b" / "c").mkdir(parents=True)
    (source / "a" / "notes.txt").write_text("nothing")
    with pytest.raises(DataError) as error:
        run(name, source)
    assert IMPORTERS[name].layout in str(error.value) and str(source) in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", [name for name in IMPORTERS if name not in ("csv", "quickdraw")])
def test_a_file_for_a_folder_is_an_error_that_shows_the_layout(name, run, tmp_path):
    (tmp_path / "set.bin").write_bytes(b"?")
    with pytest.raises(DataError) as error:
        run(name, tmp_path / "set.bin")
    assert IMPORTERS[name].layout in str(error.value)


@pytest.mark.parametrize("name", ["sketchy", "csv", "quickdraw"])
@pytest.mark.parametrize("ending", ["7z", "RAR", "tar.zst", "ndjson.gz"])
def test_archives_of_other_kinds_are_unpacked_first(name, run, tmp_path, ending):
    archive = tmp_path / f"set.{ending}"
    archive.write_bytes(b"7z")
    with pytest.raises(DataError, match="archives must be .zip, .*; others must be unpacked first") as error:
        run(name, archive)
    assert str(error.value).endswith(f"Received: {archive}") and not (tmp_path / "out").exists()


def test_an_archive_with_all_in_one_folder(run, source, paint, tmp_path):
    for split in ("train", "test"):
        paint(source / "ShoeV2" / f"{split}B" / "7.png", 90)
        paint(source / "ShoeV2" / f"{split}A" / "7_1.png", 200)
    paint(source / "ShoeV2" / "trainA" / "8_1.png")
    (source / "ShoeV2" / "trainA" / "9_1.png").write_bytes(b"no image")
    (source / "ShoeV2" / "trainB" / "9.png").write_bytes(b"no image")
    archive = shutil.make_archive(str(tmp_path / "shoes"), "zip", source)
    made = run("qmul", Path(archive))
    assert made.counts == {"train": {"shoe": (1, 1)}, "test": {"shoe": (1, 1)}}
    # Paths in what is reported are those in the archive: the unpacked folder is gone.
    assert made.left_out["sketches without a photo (left out)"] == ["ShoeV2/trainA/8_1.png"]
    (unread,) = made.left_out["images cannot be read (left out)"]
    assert unread.startswith("'ShoeV2/trainB/9.png' is no image")
    assert len(FolderPairs(made.out, "test")) == 1


def test_an_import_without_images_leaves_the_folder_to_other_options(run, source, paint):
    paint(source / "1.png")
    paint(source / "x" / "trainB" / "1.png")
    paint(source / "x" / "trainA" / "1_1.png")
    with pytest.raises(DataError, match="--class-name"):
        run("qmul", source)
    assert run("qmul", source, "--class-name", "hat").counts == {"train": {"hat": (1, 1)}}


def test_an_earlier_import_outlives_one_that_fails(run, source, paint):
    paint(source / "png" / "ant" / "1.png")
    made = run("tu-berlin", source)
    with pytest.raises(DataError, match="there are no images for qmul"):
        run("qmul", source, force=True)
    assert {path.name for path in made.out.iterdir()} == {"import.json", "sketch"}
    assert (made.out / "sketch" / "ant" / "1.png").exists()


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["photos", "--size"], "--size: must be 0, or an integer from 8 to 8192"),
        (["photos", "--threads"], "--threads: must be an integer of at least 1"),
        (["openmoji", "--test-share"], "--test-share: must be a number in [0, 1)"),
    ],
)
@pytest.mark.parametrize("value", ["abc", "-1", "nan", "9999.5", ""])
def test_numbers_that_are_none_are_said_in_words(arguments, allowed, value, capsys):
    with pytest.raises(SystemExit):
        main([arguments[0], "set", "--out", "out", f"{arguments[1]}={value}"])
    assert f"{allowed}. Received: {value!r}\n" in capsys.readouterr().err


def test_numbers_are_sorted_as_numbers():
    names = ["b10", "b9", "a", "10", "9", "b09", "a1b10", "a1b9"]
    assert sorted(names, key=natural) == ["9", "10", "a", "a1b9", "a1b10", "b09", "b9", "b10"]


def test_folders_in_single_folders_are_found(tmp_path, monkeypatch):
    (tmp_path / "one" / "two" / "png" / "x").mkdir(parents=True)
    (tmp_path / "one" / "two" / "svg").mkdir()
    (tmp_path / "one" / ".hidden").mkdir()
    assert nested(tmp_path) == [tmp_path, tmp_path / "one", tmp_path / "one" / "two"]
    assert find_folder(tmp_path, "png") == tmp_path / "one" / "two" / "png"
    assert find_folder(tmp_path, "gif") is None
    monkeypatch.chdir(tmp_path / "one" / "two" / "svg")
    assert find_folder(Path("."), "png") is None and find_folder(Path("."), "svg") == Path(".")
