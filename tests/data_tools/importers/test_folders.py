"""Photos and sketches of equal names in two folders."""

import pytest

from data_tools.groups import DataError
from keras_cgan.data import FolderPairs


def pairs(paint, photos, sketches, names):
    for name in names:
        paint(photos / f"{name}.jpg", 40)
        paint(sketches / f"{name}.png", 200)


@pytest.mark.parametrize(("direction", "photo"), [("AtoB", 40), ("BtoA", 200)])
def test_split_a_and_split_b(run, source, paint, direction, photo):
    for split in ("train", "val"):
        pairs(paint, source / f"{split}A" / "cat", source / f"{split}B" / "cat", ("1", "2"))
    paint(source / "trainA" / "cat" / "3.png")
    paint(source / "trainB" / "dog" / "1.png")
    paint(source / "testA" / "1.png")
    made = run("folders", source, "--direction", direction)
    assert made.counts == {"train": {"cat": (2, 2)}, "test": {"cat": (2, 2)}}
    assert made.grey("train/photo/cat/2.png") == photo and made.grey("train/sketch/cat/2.png") == 240 - photo
    assert made.left_out["folders beside those that are read (not read)"] == ["testA"]
    lonely = {"AtoB": ("photos", "sketches"), "BtoA": ("sketches", "photos")}[direction]
    assert "trainA/cat/3.png" in str([names for kind, names in made.left_out.items() if lonely[0] in kind])
    assert "trainB/dog/1.png" in str([names for kind, names in made.left_out.items() if lonely[1] in kind])
    assert len(FolderPairs(made.out, "test")) == 2


def test_a_and_b_with_splits_and_classes(run, source, paint):
    for inner in ("train/cat", "train/dog", "test/cat"):
        pairs(paint, source / "A" / inner, source / "B" / inner, ("1", "10", "9"))
    paint(source / "B" / "val" / "cat" / "1.png")
    made = run("folders", source)
    assert made.counts == {"train": {"cat": (3, 3), "dog": (3, 3)}, "test": {"cat": (3, 3)}}
    assert made.left_out == {"sketches without a photo (left out)": ["B/val/cat/1.png"]}


def test_a_and_b_without_splits(run, source, paint):
    pairs(paint, source / "A", source / "B", ("1", "2"))
    pairs(paint, source / "A" / "train", source / "B" / "train", ("1",))
    pairs(paint, source / "A" / "bus", source / "B" / "bus", ("1",))
    made = run("folders", source, "--class-name", "thing")
    assert made.counts == {"all": {"thing": (2, 2), "bus": (1, 1), "train": (1, 1)}}
    assert len(FolderPairs(made.out, "train")) == 3  # a photo of "thing" is held out; the others have one


def test_a_second_photo_of_a_name_is_left_out(run, source, paint):
    pairs(paint, source / "A", source / "B", ("1",))
    paint(source / "A" / "1.png", 99)
    made = run("folders", source)
    assert made.grey("photo/all/1.png") == 40
    assert made.left_out == {"photos named as another but for the extension (left out)": ["A/1.png"]}


def test_several_sketches_of_a_photo(run, source, paint):
    """As `FolderPairs` reads them: a photo of the whole name goes before."""
    for photo in ("x", "y-1", "y"):
        paint(source / "A" / "cat" / f"{photo}.jpg", 40)
    for grey, sketch in enumerate(("x-1", "x-2", "x-10", "y-1", "y-2", "z-1", "x-a", "x-1-1"), 200):
        paint(source / "B" / "cat" / f"{sketch}.png", grey)
    made = run("folders", source)
    assert made.counts == {"all": {"cat": (3, 5)}}
    assert [made.grey(f"sketch/cat/x-{number}.png") for number in (1, 2, 3)] == [200, 201, 202]
    assert made.left_out == {
        "sketches whose names fit two photos (taken for the one of the same name)": [
            "B/cat/y-1.png (or one of several of y.jpg)"
        ],
        "sketches without a photo (left out)": [f"B/cat/{name}.png" for name in ("x-1-1", "x-a", "z-1")],
    }


def test_names_that_fit_two_photos_in_another_unicode_form(run, source, paint):
    for name in ("caf\u00e9", "cafe\u0301-1"):
        paint(source / "A" / f"{name}.jpg")
    for number in (1, 2):
        paint(source / "B" / f"caf\u00e9-{number}.png")
    assert run("folders", source).left_out == {
        "sketches whose names fit two photos (taken for the one of the same name)": [
            "B/caf\u00e9-1.png (or one of several of caf\u00e9.jpg)"
        ]
    }


def test_free_names(run, source, paint):
    pairs(paint, source / "my" / "pictures" / "cat", source / "my" / "drawn by hand" / "cat", ("1", "2"))
    made = run("folders", source, "--photos", "pictures", "--sketches", "drawn by hand")
    assert made.counts == {"all": {"cat": (2, 2)}} and made.grey("photo/cat/1.png") == 40


SIDES = {"photos": ["--photos", "photos", "--sketches", "my/drawings"], "A": []}


@pytest.mark.parametrize("photos", SIDES)
def test_split_folders_above_the_two(run, source, paint, photos):
    sketches = SIDES[photos][-1] if SIDES[photos] else "B"
    for split in ("Train", "valid"):
        for name in ("cat", "dog"):
            folders = (source / "set" / split / side / name for side in (photos, sketches))
            pairs(paint, *folders, ("1", "2"))
    paint(source / "set" / "Train" / photos / "cat" / "3.png")
    paint(source / "set" / "notes" / "1.png")
    made = run("folders", source, *SIDES[photos])
    assert made.counts == {split: {"cat": (2, 2), "dog": (2, 2)} for split in ("train", "test")}
    assert made.grey("test/photo/dog/1.png") == 40 and made.grey("test/sketch/dog/1.png") == 200
    assert made.left_out == {
        "folders beside those that are read (not read)": ["set/notes"],
        "photos without a sketch (left out)": [f"set/Train/{photos}/cat/3.png"],
    }


@pytest.mark.parametrize("photos", SIDES)
def test_a_split_folder_alone_above_the_two(run, source, paint, photos):
    sketches = SIDES[photos][-1] if SIDES[photos] else "B"
    pairs(paint, source / "test" / photos / "cat", source / "test" / sketches / "cat", ("1", "2"))
    assert run("folders", source, *SIDES[photos]).counts == {"test": {"cat": (2, 2)}}
    whole = source / "dev"
    (source / "test").rename(whole)  # a set of that name, which has splits of its own
    for side in (photos, sketches):
        (whole / side / "train").mkdir()
        (whole / side / "cat").rename(whole / side / "train" / "cat")
    assert run("folders", source, *SIDES[photos], out="other").counts == {"train": {"cat": (2, 2)}}


def test_a_split_above_that_one_side_lacks(run, source, paint):
    """It is no test, and so validation is not taken for one where that is all that there is."""
    for split in ("train", "val"):
        pairs(paint, source / split / "A" / "cat", source / split / "B" / "cat", ("1",))
    paint(source / "test" / "A" / "cat" / "1.png")
    (source / "testing" / "notes").mkdir(parents=True)
    made = run("folders", source)
    assert set(made.counts) == {"train", "val"}
    assert made.left_out["photos without a sketch (left out)"] == ["test/A/cat/1.png"]


def test_splits_beside_the_two_folders_are_said(run, source, paint):
    for base in (source, source / "train", source / "test"):
        pairs(paint, base / "A" / "cat", base / "B" / "cat", ("1",))
    made = run("folders", source)
    assert made.counts == {"all": {"cat": (1, 1)}}
    assert made.left_out == {"folders beside those that are read (not read)": ["test", "train"]}


def test_a_folder_that_no_split_has(run, source, paint):
    pairs(paint, source / "train" / "photos", source / "train" / "sketches", ("1",))
    with pytest.raises(DataError, match="Received: --sketches drawings$"):
        run("folders", source, "--photos", "photos", "--sketches", "drawings")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--photos", "A"], "--sketches must be a folder in the source"),
        (["--photos", "../A", "--sketches", "B"], "--photos must be a folder in the source.*Received: ../A"),
        (
            ["--photos", "A", "--sketches", "/tmp"],
            "--sketches must be a folder in the source.*Received: /tmp",
        ),
        (["--photos", "A", "--sketches", "./A"], "must differ"),
        (
            ["--photos", "A", "--sketches", "B", "--direction", "BtoA"],
            "--direction must be left out where --photos and --sketches .*Received: BtoA",
        ),
        (["--photos", "A", "--sketches", "C"], "Received: --sketches C"),
    ],
)
def test_names_that_are_no_folders_of_the_source(run, source, paint, arguments, message):
    pairs(paint, source / "A", source / "B", ("1",))
    with pytest.raises(DataError, match=message):
        run("folders", source, *arguments)


def test_splits_on_one_side_alone(run, source, paint):
    pairs(paint, source / "A" / "train", source / "B", ("1",))
    with pytest.raises(DataError, match="must both have split folders.*Received: train, and none"):
        run("folders", source)


@pytest.mark.parametrize("held_out", ["valid", "Validation", "dev", "Test", "testing"])
def test_splits_of_other_names(run, source, paint, held_out):
    """They are not left out, which would hold out a part of the training set instead."""
    for split in ("train", held_out):
        pairs(paint, source / "1" / f"{split}A" / "cat", source / "1" / f"{split}B" / "cat", ("1",))
        pairs(paint, source / "2" / "A" / split / "cat", source / "2" / "B" / split / "cat", ("1",))
    for number in ("1", "2"):
        made = run("folders", source / number, out=number)
        assert made.counts == {split: {"cat": (1, 1)} for split in ("train", "test")}
        assert made.left_out == {}


def test_validation_is_not_the_test_where_one_side_alone_has_a_test(run, source, paint):
    for split in ("train", "val"):
        pairs(paint, source / "A" / split / "cat", source / "B" / split / "cat", ("1",))
    (source / "B" / "test" / "cat").mkdir(parents=True)
    paint(source / "B" / "test" / "cat" / "1.png")
    made = run("folders", source)
    assert made.counts == {split: {"cat": (1, 1)} for split in ("train", "val")}
    assert made.left_out == {"sketches without a photo (left out)": ["B/test/cat/1.png"]}


def test_names_in_another_unicode_form(run, source, paint):
    """A letter with its accent is one character or two, by the system that wrote it."""
    composed, parted = "caf\u00e9", "cafe\u0301"
    for name in ("1", composed):
        paint(source / "A" / composed / f"{name}.jpg", 40)
        paint(source / "B" / parted / f"{name.replace(composed, parted)}.png", 200)
    paint(source / "A" / "tea" / f"{parted}.jpg")
    for number in (1, 2):
        paint(source / "B" / "tea" / f"{composed}-{number}.png")
    made = run("folders", source)
    assert made.counts == {"all": {composed: (2, 2), "tea": (1, 2)}} and made.left_out == {}


def test_unicode_forms_are_told_apart_where_both_are_there(run, source, paint):
    for grey, name in enumerate(("caf\u00e9", "cafe\u0301")):
        paint(source / "A" / "a" / f"{name}.jpg", grey)
        paint(source / "B" / "a" / f"{name}.png", 100 + grey)
    if len(list((source / "A" / "a").iterdir())) < 2:
        pytest.skip("this file system takes the forms as one")
    made = run("folders", source)
    for path in sorted(name for name in made.files if name.startswith("photo")):
        assert made.grey(path.replace("photo", "sketch")) == 100 + made.grey(path)


def test_names_in_another_case_are_said(run, source, paint):
    pairs(paint, source / "A" / "cat", source / "B" / "cat", ("1",))
    paint(source / "A" / "cat" / "Tom.jpg")
    paint(source / "B" / "cat" / "tom.png")
    paint(source / "A" / "Dog" / "1.png")
    paint(source / "B" / "dog" / "1.png")
    if not (source / "A" / "dog").exists():
        assert run("folders", source).left_out == {
            "class folders that differ in case alone (not matched)": ["Dog and dog"],
            "photos without a sketch (left out)": [
                "A/Dog/1.png",
                "A/cat/Tom.jpg (in other case or Unicode form: tom.png)",
            ],
            "sketches without a photo (left out)": [
                "B/cat/tom.png (in other case or Unicode form: Tom.jpg)",
                "B/dog/1.png",
            ],
        }
