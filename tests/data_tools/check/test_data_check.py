"""Every fault that is planted in a folder of pairs is found, and nothing in one without."""

import os
import re
import shutil
from pathlib import Path

import pytest
from planted_faults import FAULTS, Spoiler, draw_folder, draw_pair, plant_all

from data_tools.check.inspection import inspect
from data_tools.check.kinds import KINDS, SEVERITIES
from data_tools.groups import DataError
from keras_cgan.data.images import decode_image, write_image

PAIRS = os.environ.get("KERAS_CGAN_PAIRS")


@pytest.mark.parametrize("splits", [True, False])
def test_nothing_is_found_where_nothing_is_wrong(tmp_path, found, splits):
    assert found(draw_folder(tmp_path / "pairs", splits=splits)) == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found_and_nothing_else(tmp_path, found, named, fault):
    root = draw_folder(tmp_path / "pairs", train=7, test=2)
    planted = named(root, fault(Spoiler(root)))
    assert found(root) == planted


def test_all_faults_are_found_side_by_side(clean, found, named):
    planted = named(clean, plant_all(clean))
    assert found(clean) == planted


def test_every_kind_is_planted_by_some_test(clean):
    elsewhere = {"layout", "one_class"}
    assert set(plant_all(clean)) | elsewhere == set(KINDS)
    assert {kind.severity for kind in KINDS.values()} == set(SEVERITIES)


@pytest.mark.skipif(not PAIRS, reason="KERAS_CGAN_PAIRS names no folder of real pairs")
def test_all_faults_are_found_among_real_pairs(tmp_path, found, named):
    root = Path(shutil.copytree(PAIRS, tmp_path / "pairs"))
    before = found(root)
    planted = named(root, plant_all(root))
    after = found(root)
    # A copy of what has copies already is one of a larger set, and a set may have lost some by another fault.
    for kind, files in planted.items():
        assert all(any(set(each) <= set(more) for more in after.get(kind, [])) for each in files), kind
    paths = {name for files in planted.values() for each in files for name in each}
    for kind, files in after.items():
        for each in files:
            known = any(set(each) <= set(more) for more in before.get(kind, []))
            parts = {part for name in each for part in (name, *name.split("/"))}
            assert known or paths & parts, (kind, each)


def test_counts_sizes_and_several_sketches(clean):
    photo, sketch = Spoiler(clean).take()
    for number in (1, 2, 3):
        write_image(sketch.with_name(f"{sketch.stem}-{number}.png"), draw_pair(900 + number)[1])
    inspection = inspect(clean, alignment=False)
    name = photo.parent.name
    assert inspection.counts["train"][name] == {"photos": 18, "sketches": 21, "pairs": 21}
    assert inspection.counts["test"][name] == {"photos": 4, "sketches": 4, "pairs": 4}
    assert inspection.sketches_per_photo == {"least": 1, "mean": round(69 / 66, 2), "most": 4}
    assert inspection.balance["train"]["largest"] == {"class": name, "pairs": 21}
    assert inspection.findings.worst() is None


def test_pairs_that_cannot_be_used_are_not_counted(clean):
    spoiler = Spoiler(clean)
    (photo, _), (_, sketch) = spoiler.take(class_name="cat"), spoiler.take(class_name="cat")
    photo.write_bytes(b"no image")
    write_image(sketch, draw_pair(0)[1] * 0 + 255)
    inspection = inspect(clean, alignment=False)
    assert inspection.counts["train"]["cat"] == {"photos": 18, "sketches": 18, "pairs": 16}


def test_few_pairs_of_a_class(tmp_path, found):
    root = draw_folder(tmp_path / "pairs")
    photo, sketch = draw_pair(901)
    write_image(root / "train" / "photo" / "rare" / "1.png", photo)
    write_image(root / "train" / "sketch" / "rare" / "1.png", sketch)
    assert found(root) == {"unbalanced": [("rare",)], "class_missing": [("rare",)]}


def test_a_single_class(tmp_path, found):
    assert found(draw_folder(tmp_path / "pairs", classes=("cat",))) == {"one_class": [("cat",)]}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda root: (root / "test").rename(root / "val"), "no split 'test'"),
        (lambda root: shutil.move(root / "train" / "photo", root / "photo"), "in \\['test', 'train'\\]"),
        (lambda root: shutil.rmtree(root / "test" / "sketch"), "has no sketch folder"),
    ],
)
def test_layouts_that_the_reader_refuses(clean, spoil, reason):
    spoil(clean)
    inspection = inspect(clean, alignment=False)
    refusals = [each.detail for each in inspection.findings["layout"]]
    assert refusals and all(re.search(reason, text) for text in refusals)
    assert inspection.findings.worst() == "error"


def test_a_sketch_only_set(clean, found):
    for split in ("train", "test"):
        shutil.rmtree(clean / split / "photo")
    assert found(clean) == {}
    sketches = sorted((clean / "train" / "sketch" / "cat").iterdir())
    shutil.copy(sketches[0], sketches[1])
    sketches[2].write_bytes(b"")
    inspection = inspect(clean)
    assert inspection.layout.sketch_only and inspection.alignment is None and not inspection.pairs
    assert {kind for kind, _ in inspection.findings.items()} == {"duplicate_sketch", "unreadable"}
    assert inspection.counts["train"]["cat"]["sketches"] == 18


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "must exist"),
        (lambda root: (root / "cat").mkdir(parents=True), "no photo or sketch folder"),
        (lambda root: (root / "photo" / "cat").mkdir(parents=True), "no images in class folders"),
    ],
)
def test_what_cannot_be_checked(tmp_path, make, message):
    make(tmp_path / "pairs")
    with pytest.raises(DataError, match=message):
        inspect(tmp_path / "pairs")


def test_an_inverted_copy_is_a_copy(clean, found):
    (_, first), (_, second) = Spoiler(clean).two()
    write_image(second, 255 - decode_image(first))
    name = second.relative_to(clean).as_posix()
    assert found(clean) == {
        "inverted_sketch": [(name,)],
        "duplicate_sketch": [tuple(sorted((first.relative_to(clean).as_posix(), name)))],
    }


def test_alignment_is_what_the_training_script_says(tmp_path):
    from keras_cgan.data import EmbeddedPairs, FolderPairs
    from keras_cgan.metrics import is_aligned

    embedded = EmbeddedPairs(36, misalignment=0.0)
    for index, name in enumerate(embedded.names):
        photo, sketch = embedded.load(index, (64, 64))
        split = "test" if index < 12 else "train"
        class_name = embedded.class_names[embedded.labels[index]]
        write_image(tmp_path / split / "photo" / class_name / f"{index}.png", photo)
        write_image(tmp_path / split / "sketch" / class_name / f"{index}.png", sketch)
    aligned, figure = is_aligned(FolderPairs(tmp_path, "train"), (64, 64))
    assert aligned and inspect(tmp_path).alignment == pytest.approx(figure, abs=1e-6)
