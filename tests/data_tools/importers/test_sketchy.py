"""Sketchy: pairs by name, the lists of invalid sketches and of the test's photos."""

import pytest

from data_tools.command import main
from data_tools.groups import DataError
from keras_cgan.data import FolderPairs

ONE_SCALE = "tx_000000000000"


@pytest.fixture
def sketchy(source, paint):
    for name, photos in {"cat": ("n1_2", "n1_10", "n1_3"), "hot-air_balloon": ("n2_1",)}.items():
        for number, photo in enumerate(photos):
            paint(source / "256x256" / "photo" / ONE_SCALE / name / f"{photo}.jpg", 40 + number)
            for sketch in (1, 2, 10):
                folder = source / "256x256" / "sketch" / ONE_SCALE / name
                paint(folder / f"{photo}-{sketch}.png", 100 + 10 * number + sketch)
    paint(source / "256x256" / "sketch" / ONE_SCALE / "cat" / "n9_9-1.png")
    paint(source / "256x256" / "photo" / ONE_SCALE / "cat" / "n8_8.jpg")
    paint(source / "256x256" / "photo" / "tx_000100000000" / "cat" / "n1_2.jpg", 7)
    info = source / "info"
    info.mkdir()
    (info / "testset.txt").write_text("cat/n1_10.jpg\nhot-air_balloon/n2_1\n")
    (info / "invalid-error.txt").write_text("cat/n1_2-2\n")
    (info / "invalid-pose.txt").write_text("cat/n1_2-2\ncat/n1_10-1.png\r\n")
    return source


def test_pairs_splits_and_invalid_sketches(run, sketchy):
    made = run("sketchy", sketchy)
    assert made.counts == {"train": {"cat": (2, 5)}, "test": {"cat": (1, 2), "hot-air_balloon": (1, 3)}}
    assert {name for name in made.files if "n1_2" in name} == {
        "train/photo/cat/n1_2.png",
        "train/sketch/cat/n1_2-1.png",
        "train/sketch/cat/n1_2-2.png",
    }
    assert made.grey("train/sketch/cat/n1_2-2.png") == 110  # the tenth, for the second is invalid
    assert made.left_out["sketches that info/invalid-error.txt lists (left out)"] == [
        f"256x256/sketch/{ONE_SCALE}/cat/n1_2-2.png"
    ]
    assert len(made.left_out["sketches that info/invalid-pose.txt lists (left out)"]) == 1
    assert made.left_out["sketches without a photo (left out)"] == [
        f"256x256/sketch/{ONE_SCALE}/cat/n9_9-1.png"
    ]
    assert made.left_out["photos without a sketch (left out)"] == [f"256x256/photo/{ONE_SCALE}/cat/n8_8.jpg"]
    pairs = FolderPairs(made.out, "test")
    assert sorted(pairs.names)[:2] == ["cat/n1_10-1", "cat/n1_10-2"] and len(pairs) == 5


@pytest.mark.parametrize("kept", [["pose,error"], ["pose", "--keep-invalid", "error"]])
def test_invalid_sketches_are_kept_where_asked(run, sketchy, kept):
    made = run("sketchy", sketchy, "--keep-invalid", *kept)
    assert made.counts["train"] == {"cat": (2, 6)} and made.counts["test"]["cat"] == (1, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--keep-invalid", "--size", "0"], "--keep-invalid: expected one argument"),
        (
            ["--keep-invalid", "error,bad"],
            "must be of error, ambiguous, pose, context, between commas. Received: bad",
        ),
    ],
)
def test_kinds_that_are_none(sketchy, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit):
        main(["sketchy", *arguments, str(sketchy), "--out", str(tmp_path / "out")])
    assert message in capsys.readouterr().err


def test_the_source_may_come_after_the_kinds(sketchy, tmp_path):
    assert main(["sketchy", "--keep-invalid", "error", str(sketchy), "--out", str(tmp_path / "out")]) == 0


@pytest.mark.filterwarnings("ignore:.*classes have no pair")
def test_without_its_list_there_is_no_split(run, sketchy):
    (sketchy / "info" / "testset.txt").unlink()
    made = run("sketchy", sketchy)
    assert made.counts == {"all": {"cat": (3, 7), "hot-air_balloon": (1, 3)}}
    assert made.left_out["lists not found (a fifth of the photos will be held out)"] == ["info/testset.txt"]
    assert len(FolderPairs(made.out, "train")) + len(FolderPairs(made.out, "test")) == 10


def test_lists_that_are_not_there_are_named(run, sketchy):
    made = run("sketchy", sketchy)
    missing = "lists not found (their sketches are kept)"
    assert made.left_out[missing] == ["info/invalid-ambiguous.txt", "info/invalid-context.txt"]
    made = run("sketchy", sketchy, "--keep-invalid", "context", out="kept")
    assert made.left_out[missing] == ["info/invalid-ambiguous.txt"]


def test_lists_beside_the_source_or_anywhere_else(run, sketchy, tmp_path, monkeypatch):
    whole = run("sketchy", sketchy)
    assert run("sketchy", sketchy / "256x256", out="beside").files == whole.files
    monkeypatch.chdir(sketchy / "256x256")
    assert run("sketchy", ".", out="here").files == whole.files
    (sketchy / "info").rename(tmp_path / "info-06-04")
    assert len(run("sketchy", sketchy, out="none").files) > len(whole.files)
    assert run("sketchy", sketchy, "--info", tmp_path / "info-06-04", out="named").files == whole.files
    (tmp_path / "lists").mkdir()
    (tmp_path / "info-06-04").rename(tmp_path / "lists" / "info")
    assert run("sketchy", sketchy, "--info", tmp_path / "lists", out="nested").files == whole.files
    with pytest.raises(
        DataError, match=f"--info must be a folder with testset.txt or .*Received: {tmp_path}"
    ):
        run("sketchy", sketchy, "--info", tmp_path, out="other")


def test_lines_that_name_no_image_are_counted(run, sketchy):
    (sketchy / "info" / "testset.txt").write_text("cat/n1_10\ncat/n7_7.jpg\ndog/n1_10.jpg\n")
    (sketchy / "info" / "invalid-error.txt").write_text("cat/n1_2-2\ncat/n1_2-5.png\n")
    made = run("sketchy", sketchy)
    assert made.counts["test"] == {"cat": (1, 2)}
    kind = "lines of info/{}.txt that name no image of the set"
    assert made.left_out[kind.format("testset")] == ["cat/n7_7", "dog/n1_10"]
    assert made.left_out[kind.format("invalid-error")] == ["cat/n1_2-5"]
    (sketchy / "info" / "testset.txt").write_text("n1_10\n")
    assert list(run("sketchy", sketchy, out="other").counts) == ["all"]


def test_a_transform_that_one_side_has_not_is_said(run, sketchy, paint):
    paint(sketchy / "256x256" / "sketch" / "tx_000000000010" / "cat" / "n1_2-1.png")
    with pytest.raises(DataError, match="--transform must be a folder of photos and of sketches") as error:
        run("sketchy", sketchy, "--transform", "tx_000000000010")
    missing = sketchy / "256x256" / "photo" / "tx_000000000010"
    assert str(error.value).endswith(f"Received: tx_000000000010, and there is no {missing}")
    assert f"of photos there are {ONE_SCALE}, tx_000100000000;" in str(error.value)
    assert f"of sketches {ONE_SCALE}, tx_000000000010." in str(error.value)
    with pytest.raises(DataError, match="there is no .*photo/tx_9 and no .*sketch/tx_9$"):
        run("sketchy", sketchy, "--transform", "tx_9")


def test_a_transform_without_photos_is_said(run, sketchy):
    (sketchy / "256x256" / "photo").rename(sketchy / "photos")
    with pytest.raises(DataError, match=f"of photos there are none; of sketches {ONE_SCALE}. Received"):
        run("sketchy", sketchy)
