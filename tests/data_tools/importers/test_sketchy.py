"""Sketchy: pairs by name, the lists of invalid sketches and of the test's photos."""

import pytest

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


def test_invalid_sketches_are_kept_where_asked(run, sketchy):
    made = run("sketchy", sketchy, "--keep-invalid", "pose", "error")
    assert made.counts["train"] == {"cat": (2, 6)} and made.counts["test"]["cat"] == (1, 3)


@pytest.mark.filterwarnings("ignore:.*classes have no pair")
def test_without_its_list_there_is_no_split(run, sketchy):
    (sketchy / "info" / "testset.txt").unlink()
    made = run("sketchy", sketchy / "256x256")
    assert made.counts == {"all": {"cat": (3, 9), "hot-air_balloon": (1, 3)}}
    assert any("testset.txt" in kind for kind in made.left_out)
    assert len(FolderPairs(made.out, "train")) + len(FolderPairs(made.out, "test")) == 12
