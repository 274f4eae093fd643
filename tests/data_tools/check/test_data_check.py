"""Every fault that is planted in a folder of pairs is found, and nothing in one without."""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from planted_faults import FAULTS, Spoiler, draw_folder, draw_pair, mirror, plant_all

from data_tools.check import features
from data_tools.check.fixing import fix
from data_tools.check.inspection import inspect
from data_tools.check.kinds import KINDS, SEVERITIES
from data_tools.check.report import as_json, lines
from data_tools.groups import DataError
from keras_cgan.data import DataWarning, FolderPairs
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
    elsewhere = {"layout", "one_class", "misaligned_class"}
    assert set(plant_all(clean)) | elsewhere == set(KINDS)
    assert {kind.severity for kind in KINDS.values()} == set(SEVERITIES)


@pytest.mark.skipif(not PAIRS, reason="KERAS_CGAN_PAIRS names no folder of real pairs")
def test_all_faults_are_found_among_real_pairs(tmp_path, found, named):
    root = Path(shutil.copytree(PAIRS, tmp_path / "pairs"))
    before, files_before = found(root), set(names_below(root))
    planted = named(root, plant_all(root))
    after = found(root)
    # A copy of what has copies already is one of a larger set, and a set may have lost some by another fault.
    for kind, files in planted.items():
        assert all(any(set(each) <= set(more) for more in after.get(kind, [])) for each in files), kind
    paths = {name for files in planted.values() for each in files for name in each}
    paths |= set(names_below(root)) - files_before  # such as one of several copies that has another name now
    for kind, files in after.items():
        for each in files:
            known = any(set(each) <= set(more) for more in before.get(kind, []))
            parts = {part for name in each for part in (name, *name.split("/"))}
            assert known or paths & parts, (kind, each)


def names_below(root):
    """The files below a folder, as a check names them."""
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names on this system")
def test_a_pipe_a_device_and_what_is_too_large_are_unreadable(clean, run_child):
    """Each would hang the check, or take all memory."""
    spoiler = Spoiler(clean)
    pipe, device, sparse, large = (spoiler.take()[0] for _ in range(4))
    for path in (pipe, device, sparse):
        path.unlink()
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    with open(sparse, "wb") as file:
        file.truncate(2**33)
    write_image(large, np.zeros((40, 40, 3), np.uint8))
    code = """if True:
        import sys
        from data_tools.check.inspection import inspect
        for finding in inspect(sys.argv[1], alignment=False).findings["unreadable"]:
            print(finding)
    """
    no_file = "a folder, a pipe or a device"
    wanted = [
        (pipe, no_file),
        (device, no_file),
        (sparse, f"{2**33} bytes, more than {2**30}"),
        (large, "40 x 40 px, more than 1500 pixels; OPENCV_IO_MAX_IMAGE_PIXELS may set another limit"),
    ]
    assert sorted(run_child(code, clean, OPENCV_IO_MAX_IMAGE_PIXELS="1500").splitlines()) == sorted(
        f"{path.relative_to(clean).as_posix()} ({why})" for path, why in wanted
    )


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


def test_the_search_for_copies_shows_how_far_it_is(clean, capsys):
    inspect(clean, alignment=False)
    said = capsys.readouterr().err
    for side in ("photo", "sketch"):  # the training is searched for mirror images of the test as well
        assert f"{66 + 54}/{66 + 54} searches for {side} copies" in said


def test_names_that_are_spelt_in_another_way_are_named(clean):
    """By case, as Windows and macOS do not see, or by Unicode form, as nobody does."""
    spoiler = Spoiler(clean)
    wanted = {"unpaired_photo": [], "unpaired_sketch": []}
    for names in (
        ("DUMPLING", "dumpling"),
        ("crème", "cre\u0300me"),
        ("Bear", "bear-2"),
        ("unlike", "others"),
    ):
        paths = [path.rename(path.with_stem(name)) for path, name in zip(spoiler.take(), names)]
        for kind, path, other in zip(wanted, paths, paths[::-1]):
            detail = f"{other.name} differs by upper and lower case or Unicode form alone"
            name = path.relative_to(clean).as_posix()
            wanted[kind].append(((name,), detail if names[0] != "unlike" else None))
    findings = inspect(clean, alignment=False).findings
    assert {kind: sorted(found) for kind, found in findings.items()} == {
        kind: sorted(found) for kind, found in wanted.items()
    }


def test_few_pairs_of_a_class(tmp_path, found):
    root = draw_folder(tmp_path / "pairs")
    photo, sketch = draw_pair(901)
    write_image(root / "train" / "photo" / "rare" / "1.png", photo)
    write_image(root / "train" / "sketch" / "rare" / "1.png", sketch)
    assert found(root) == {"unbalanced": [("rare",)], "class_missing": [("rare",)]}


def test_a_single_class_is_enough_for_some_trainings(tmp_path):
    findings = inspect(draw_folder(tmp_path / "pairs", classes=("cat",)), alignment=False).findings
    assert {kind: [each.files for each in found] for kind, found in findings.items()} == {
        "one_class": [("cat",)]
    }
    assert findings.worst() == "warning"


def test_classes_are_those_that_the_reader_counts(tmp_path):
    root = draw_folder(tmp_path / "pairs", classes=("cat",))
    (root / "test" / "photo" / "ghost").mkdir()
    inspection = inspect(root, alignment=False)
    nothing = {"photos": 0, "sketches": 0, "pairs": 0}
    with pytest.warns(DataWarning, match="classes have no pair in split 'train': ghost"):
        pairs = FolderPairs(root, "train")
    assert tuple(inspection.counts["train"]) == pairs.class_names == ("cat", "ghost")
    assert [inspection.counts[split]["ghost"] for split in ("train", "test")] == [nothing] * 2
    assert [kind for kind, _ in inspection.findings.items()] == ["class_missing"]


@pytest.mark.parametrize(("threads", "workers"), [(None, 3), (2, 2)])
def test_as_many_threads_decode_as_there_are_cores(clean, monkeypatch, threads, workers):
    asked = []

    def executor(threads):
        asked.append(threads)
        return ThreadPoolExecutor(threads)

    monkeypatch.setattr(features, "cores", lambda: 3)
    monkeypatch.setattr(features, "ThreadPoolExecutor", executor)
    inspect(clean, alignment=False, threads=threads)
    assert asked == [workers]


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


def test_mirror_images_within_a_split_are_right(clean, found):
    """Such as a left and a right hand."""
    for side in range(2):
        mirror(*(pair[side] for pair in Spoiler(clean).two()))
    assert found(clean) == {}


def draw_house(side, level, thickness=1, paper=255):
    """A sketch of few lines, of one level."""
    sketch = np.full((side, side), paper, np.uint8)
    corners = np.array([[2, 5], [5, 2], [8, 5], [8, 8], [2, 8], [2, 5], [8, 5]]) * side // 10
    return cv2.polylines(sketch, [corners.reshape(-1, 1, 2).astype(np.int32)], False, level, thickness)


@pytest.mark.parametrize(
    "drawn",
    [(1500, 0), (512, 190), (64, 225, 2), (64, 245), (1500, 255, 1, 0)],
    ids=["thin", "pencil", "pale", "very pale", "inverted"],
)
def test_a_thin_or_pale_sketch_is_not_blank(clean, drawn):
    """It is warned of, and left to the user."""
    (_, sketch), (_, blank) = Spoiler(clean).two()
    write_image(sketch, draw_house(*drawn))
    write_image(blank, np.full((64, 64), 255, np.uint8))
    inspection = inspect(clean, alignment=False)
    found = {kind: [each.files for each in of_kind] for kind, of_kind in inspection.findings.items()}
    name, blank = (path.relative_to(clean).as_posix() for path in (sketch, blank))
    assert found["faint_sketch"] == [(name,)] and found["blank_sketch"] == [(blank,)]
    assert ("inverted_sketch" in found) == (drawn[3:] == (0,)) and KINDS["faint_sketch"].severity == "warning"
    assert sum(each["pairs"] for each in inspection.counts["train"].values()) == 53
    fix(inspection, clean.parent / "fixed")
    assert not (clean.parent / "fixed" / blank).exists()
    written = decode_image(clean.parent / "fixed" / name)
    assert written.min() < written.max() == 255


@pytest.mark.parametrize("quality", [30, 60, 90])
def test_empty_paper_is_blank_with_what_a_scanner_and_jpeg_make_of_it(clean, found, quality):
    _, sketch = Spoiler(clean).take()
    scanned = np.random.default_rng(0).normal(248, 1, (600, 400)).astype(np.uint8)
    sketch.unlink()
    scan = sketch.with_suffix(".jpg")
    scan.write_bytes(cv2.imencode(".jpg", scanned, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
    assert [(scan.relative_to(clean).as_posix(),)] == found(clean)["blank_sketch"]


def write_aligned(root, count, of_test=0):
    """Writes pairs whose sketches lie on their photos, the first of them as test, and gives their classes."""
    from keras_cgan.data import EmbeddedPairs

    embedded = EmbeddedPairs(count, misalignment=0.0)
    for index in range(count):
        photo, sketch = embedded.load(index, (64, 64))
        split = "test" if index < of_test else "train"
        class_name = embedded.class_names[embedded.labels[index]]
        write_image(root / split / "photo" / class_name / f"{index:03d}.png", photo)
        write_image(root / split / "sketch" / class_name / f"{index:03d}.png", sketch)
    return embedded.class_names


def test_alignment_is_what_the_training_script_says(tmp_path):
    from keras_cgan.metrics import is_aligned

    write_aligned(tmp_path, 36, of_test=12)
    aligned, figure = is_aligned(FolderPairs(tmp_path, "train"), (64, 64))
    assert aligned and inspect(tmp_path).alignment == pytest.approx(figure, abs=1e-6)


def test_a_class_whose_pairs_are_mixed_up_does_not_align(tmp_path):
    """Its sketches are each one file on, of which the figure of the whole set says little."""
    class_names = write_aligned(tmp_path, 54)
    assert not inspect(tmp_path).findings["misaligned_class"]
    sketches = sorted((tmp_path / "train" / "sketch" / class_names[2]).iterdir())
    drawn = [decode_image(path) for path in sketches]
    for path, image in zip(sketches, drawn[1:] + drawn[:1]):
        write_image(path, image)
    inspection = inspect(tmp_path)
    assert [each.files for each in inspection.findings["misaligned_class"]] == [(class_names[2],)]
    assert sorted(inspection.class_alignment) == sorted(class_names) and inspection.alignment > 0.25
    report = as_json(inspection)["alignment"]
    assert report["classes"] == pytest.approx(inspection.class_alignment, abs=1e-4)
    (line,) = (line for line in lines(inspection) if "by class" in line)
    assert re.fullmatch(f"    by class: {class_names[2]} -?0.0[0-9](, [a-z]+ 0.[2-9][0-9]){{5}}", line)
    for path in sketches[:2]:  # seven pairs that are left may be so by chance
        path.unlink()
    assert class_names[2] not in inspect(tmp_path).class_alignment
