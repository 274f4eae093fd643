"""The command: exit codes, the report as text and as JSON, the contact sheet, and TensorFlow left alone."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import planted_faults
import pytest
from planted_faults import Spoiler, draw_folder, draw_pair, jpeg, plant_all

from data_tools.check import command
from data_tools.check.kinds import KINDS
from data_tools.check.sheet import CELL
from data_tools.command import main
from data_tools.target import PART
from keras_cgan.data.images import decode_image, write_image


@pytest.fixture
def check(capsys):
    """A function `(*arguments) -> (exit code, what was printed)` that checks without TensorFlow."""

    def check(*arguments):
        code = main(["check", *map(str, arguments), "--no-alignment"])
        printed = capsys.readouterr()
        return code, printed.out + "".join(
            line for line in printed.err.splitlines(True) if line.startswith("error")
        )

    return check


def test_nothing_wrong(clean, check):
    code, text = check(clean)
    assert code == 0
    assert "train: 3 classes, 54 photos, 54 sketches, 54 pairs" in text
    assert "    chair: 18 photos, 18 sketches, 18 pairs" in text and "photo: 32 x 32 px" in text
    assert text.endswith("nothing is wrong that can be seen\n")


@pytest.mark.parametrize(
    ("fault", "code", "line"),
    [
        ("alpha", 0, "note: 2 images are transparent"),
        (
            "wrong_extension",
            1,
            "warning: 1 files are of another format than their extension says: train/photo/",
        ),
        ("blank_sketch", 1, "error: 2 sketches are blank: train/sketch/"),
    ],
)
def test_exit_codes(clean, check, fault, code, line):
    getattr(planted_faults, fault)(Spoiler(clean))
    got, text = check(clean)
    assert got == code and line in text


def test_what_cannot_be_checked_is_an_error(tmp_path, check):
    assert check(tmp_path / "nowhere")[0] == 2
    (tmp_path / "shards" / "train").mkdir(parents=True)
    (tmp_path / "shards" / "train" / "shards.json").write_text("{}")
    code, text = check(tmp_path / "shards")
    assert code == 2 and "holds shards" in text


def test_the_text_names_a_few_and_the_json_all(clean, check, tmp_path):
    photos = [Spoiler.take(spoiler)[0] for spoiler in [Spoiler(clean)] for _ in range(9)]
    for photo in photos:
        photo.write_bytes(jpeg(photo, 95))
    code, text = check(clean, "--json", tmp_path / "report.json")
    (line,) = [line for line in text.splitlines() if line.startswith("warning")]
    assert code == 1 and line.startswith("warning: 9 files") and line.endswith(", ...")
    assert line.count("train/photo/") == 4
    report = json.loads((tmp_path / "report.json").read_text())
    (finding,) = report["findings"]
    assert finding["kind"] == "wrong_extension" and finding["severity"] == "warning" and finding["count"] == 9
    assert sorted(each["files"][0] for each in finding["found"]) == sorted(
        photo.relative_to(clean).as_posix() for photo in photos
    )
    assert finding["found"][0]["detail"] == "is jpeg"
    assert report["worst"] == "warning" and report["images"] == {"photo": 66, "sketch": 66}
    assert report["counts"]["test"]["tree"] == {"photos": 4, "sketches": 4, "pairs": 4}
    assert report["sizes"]["sketch"]["median"] == [32, 32] and report["alignment"] is None


def test_the_json_alone_is_printed(clean, check):
    plant_all(clean)
    code, text = check(clean, "--json", "-")
    report = json.loads(text)
    assert code == 1 and report["worst"] == "error" and not report["sketch_only"]
    severities = [KINDS[each["kind"]].severity for each in report["findings"]]
    assert severities == sorted(severities, key=("error", "warning", "note").index)


def test_the_sheet_shows_pairs_of_all_classes_and_what_is_suspicious(clean, check, tmp_path):
    check(clean, "--sheet", tmp_path / "clean.png")
    plain = decode_image(tmp_path / "clean.png")
    plant_all(clean)
    check(clean, "--sheet", tmp_path / "spoiled.png")
    spoiled = decode_image(tmp_path / "spoiled.png")
    assert spoiled.shape[1] == plain.shape[1] and spoiled.shape[0] > 4 * plain.shape[0]
    # Each of three classes has its photos in colour, beside the sketches.
    colourful = (plain.max(axis=-1).astype(int) - plain.min(axis=-1) > 60).any(axis=1)
    assert (colourful[1:] & ~colourful[:-1]).sum() >= 3


@pytest.fixture
def many_classes(tmp_path):
    """A function `(count)` that draws two pairs a class, and gives the folder and the classes' colours."""

    def many_classes(count):
        root = draw_folder(tmp_path / "many", train=1, test=1, classes=[f"{n:03d}" for n in range(count)])
        colours = [(number, 255 - number, 90) for number in range(count)]
        for photo in root.glob("*/photo/*/*"):
            image = decode_image(photo)
            image[8:24, 8:24] = colours[int(photo.parent.name)]
            write_image(photo, image)
        return root, colours

    return many_classes


def colours_in(image):
    return set(map(tuple, np.unique(image.reshape(-1, 3), axis=0).tolist()))


@pytest.mark.parametrize("count", [51, 125])
def test_the_sheet_shows_every_class_of_many(check, tmp_path, many_classes, count):
    root, colours = many_classes(count)
    check(root, "--sheet", tmp_path / "sheet.png")
    sheet = decode_image(tmp_path / "sheet.png")
    assert set(colours) <= colours_in(sheet)
    assert sheet.shape[0] < 6000 and sheet.shape[1] < 1000


def test_the_sheet_says_how_many_classes_it_leaves_out(check, tmp_path, many_classes, monkeypatch):
    root, colours = many_classes(5)
    sheets = []
    for most in (4, 5):
        monkeypatch.setattr("data_tools.check.sheet._MOST_CLASSES", most)
        check(root, "--sheet", tmp_path / f"{most}.png")
        sheets.append(decode_image(tmp_path / f"{most}.png"))
    shown = [set(colours) & colours_in(sheet) for sheet in sheets]
    assert shown == [set(colours[:4]), set(colours)]
    assert sheets[1].shape[0] - sheets[0].shape[0] == CELL  # a line of text stands for it


def test_a_sketch_only_set_is_said_to_be_one(clean, check, tmp_path):
    for split in ("train", "test"):
        shutil.rmtree(clean / split / "photo")
    code, text = check(clean, "--sheet", tmp_path / "sheet.png")
    assert code == 0 and "sketch-only" in text and "train: 3 classes, 54 sketches\n" in text
    assert (tmp_path / "sheet.png").exists()


def test_many_classes_are_summed_up(tmp_path, check):
    root = draw_folder(tmp_path / "pairs", train=1, test=1, classes=[f"class{n:02d}" for n in range(25)])
    _, text = check(root)
    assert "train: 25 classes, 25 photos" in text and "from 1 (class00) to 1 (class00) a class" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--json", "report.txt"], "--json must end in .json"),
        (["--sheet", "sheet.gif"], "--sheet must end in .png"),
        (["--sheet", "no/folder/sheet.png"], "must be in a folder that exists"),
        (["--json", "pairs/report.json"], "must not be in the folder that is checked"),
        (["--json", "folder.json"], "--json must be a file that can be written. Received: folder.json"),
        (["--fix", "pairs"], "--fix must not be in the data"),
        (["--fix", "."], "--fix must not hold the data"),
        (["--fix", "file.txt"], "--fix must be a folder. Received: file.txt"),
        (["--fix", "file.txt/copy"], "cannot read or write file.txt/copy"),
        (["--fix", "mine"], "--fix must be a new or empty folder"),
        (["--fix", "mine", "--force"], "--fix must be a new or empty folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_check(clean, check, monkeypatch, arguments, message):
    monkeypatch.chdir(clean.parent)
    monkeypatch.setattr(command, "inspect", None)
    (clean.parent / "file.txt").write_text("-")
    (clean.parent / "folder.json").mkdir()
    write_image(clean.parent / "mine" / "work.png", draw_pair(0)[0])
    before = sorted(clean.parent.rglob("*"))
    code, text = check("pairs", *arguments)
    assert code == 2 and message in text and sorted(clean.parent.rglob("*")) == before


@pytest.mark.parametrize(("option", "name"), [("--json", "mine.json"), ("--sheet", "mine.png")])
def test_an_earlier_file_is_replaced_with_force_alone(clean, check, monkeypatch, option, name):
    file = clean.parent / name
    file.write_text("mine")
    with monkeypatch.context() as unchecked:
        unchecked.setattr(command, "inspect", None)
        code, text = check(clean, option, file)
    assert code == 2 and f"--force to replace it. Received: {file}" in text and file.read_text() == "mine"
    assert check(clean, option, file, "--force")[0] == 0 and file.read_bytes() != b"mine"
    assert check(clean, "--json", "-")[0] == 0  # printed, of which there is no earlier


def test_a_folder_that_cannot_be_written_holds_no_report(clean, check, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: path != clean.parent)
    code, text = check(clean, "--json", clean.parent / "report.json")
    assert code == 2 and "--json must be in a folder that exists and can be written" in text


@pytest.mark.parametrize("out", ["empty", "new", "new/below"])
def test_a_check_that_fails_leaves_no_folder_for_the_copy(tmp_path, check, out):
    (tmp_path / "empty").mkdir()
    assert check(tmp_path / "nowhere", "--fix", tmp_path / out)[0] == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_a_copy_that_was_stopped_goes_on(clean, check, monkeypatch, tmp_path):
    written = []

    def write(path, image):
        if len(written) == 9:
            raise OSError(errno.ENOSPC, "disk full")
        written.append(path)
        write_image(path, image)

    with monkeypatch.context() as full:
        full.setattr("data_tools.importing.write_image", write)
        code, text = check(clean, "--fix", tmp_path / "out", "--threads", 1)
    assert code == 2 and "the same command goes on" in text
    assert written[0].exists()
    times = [path.stat().st_mtime_ns for path in written]
    assert check(clean, "--fix", tmp_path / "out")[0] == 0
    made = [tmp_path / "out" / path.relative_to(tmp_path / "out" / PART) for path in written]
    assert [path.stat().st_mtime_ns for path in made] == times


def test_reports_are_written_though_nothing_can_be_printed(clean, monkeypatch, tmp_path):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("sys.stdout", Full())
    files = tmp_path / "report.json", tmp_path / "sheet.png"
    assert (
        main(["check", str(clean), "--no-alignment", "--json", str(files[0]), "--sheet", str(files[1])]) == 2
    )
    assert all(file.exists() for file in files)


@pytest.fixture
def checked(clean, tmp_path):
    """A function `(stdout, *arguments)` that checks and fixes in a process of its own."""

    def checked(stdout, *arguments):
        root = Path(command.__file__).parents[2]
        line = [sys.executable, "-m", "data_tools", "check", clean, "--no-alignment", *arguments]
        done = subprocess.run(
            [*line, "--fix", tmp_path / "out"], cwd=root, stdout=stdout, stderr=subprocess.PIPE, text=True
        )
        assert (tmp_path / "out" / "import.json").exists()
        return done.returncode, [text for text in done.stderr.splitlines() if "/" not in text]

    return checked


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize(("fault", "code"), [("alpha", 0), ("tiny", 1)])
def test_who_reads_no_further_has_the_exit_code_of_the_check(clean, checked, fault, code):
    """As `| head -1` does."""
    getattr(planted_faults, fault)(Spoiler(clean))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert checked(writer) == (code, [])
    finally:
        os.close(writer)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
@pytest.mark.parametrize("arguments", [(), ("--json", "-")])
def test_an_output_that_is_full_is_not_the_disk_of_the_copy(checked, arguments):
    with open("/dev/full", "wb") as full:
        code, said = checked(full, *arguments)
    assert code == 2 and said[-1] == (
        "error: standard output cannot be written (No space left on device), but all else is done"
    )


def test_the_report_is_printed_though_a_file_cannot_be_written(clean, check, monkeypatch, tmp_path):
    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(command, "write_json", fail)
    code, text = check(clean, "--json", tmp_path / "report.json")
    assert code == 2 and "nothing is wrong that can be seen" in text


def test_tensorflow_is_started_for_the_alignment_alone(clean, run_child):
    code = """if True:
        import sys
        from data_tools.command import main
        assert main(["check", *sys.argv[1:]]) == 0
        print("tensorflow" in sys.modules)
    """
    assert run_child(code, clean, "--no-alignment").splitlines()[-1] == "False"


@pytest.mark.slow
def test_the_alignment_is_said_in_the_words_of_the_training_script(clean, run_child):
    code = "import sys; from data_tools.command import main; main(['check', *sys.argv[1:]])"
    said = [line for line in run_child(code, clean).splitlines() if line.startswith("alignment")]
    assert len(said) == 1 and "pixels of photo and sketch do not belong together" in said[0]


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--help"])
    assert stopped.value.code == 0 and "python -m data_tools check my_pairs" in capsys.readouterr().out
