"""Quick, Draw!: strokes and bitmaps."""

import json

import numpy as np
import pytest

from data_tools.groups import DataError
from data_tools.importers import quickdraw
from keras_cgan.data import open_images
from keras_cgan.data.images import ImageError, fit_image

LINE = [[0, 255], [100, 100]]


@pytest.fixture
def ndjson(source):
    """A function that writes drawings, or lines as they are, to a file."""

    def ndjson(name, *drawings):
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [d if isinstance(d, bytes) else json.dumps({"drawing": d}).encode() for d in drawings]
        file.write_bytes(b"\n".join(lines) + b"\n")
        return file

    return ndjson


@pytest.fixture
def npy(source):
    """A function that writes bitmaps: the first is black but for its first row."""

    def npy(name, count=3):
        bitmaps = np.arange(count, dtype=np.uint8)[:, None] * np.ones(784, np.uint8)
        bitmaps[0, :28] = 255
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(source / name, bitmaps)
        return source / name

    return npy


def box(image):
    """Top, bottom, left and right of what is drawn."""
    rows, columns = np.nonzero(image < 128)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_strokes_are_drawn_in_the_middle_as_large_as_they_fit():
    image = quickdraw.draw([np.array([[0, 0], [100, 0], [100, 50], [0, 50], [0, 0]])])
    assert image.shape == (256, 256) and image.dtype == np.uint8
    top, bottom, left, right = box(image)
    assert (left, right) == pytest.approx((12, 244), abs=3)
    assert (top, bottom) == pytest.approx((128 - 58, 128 + 58), abs=3)
    assert image[128, 128] == 255 and image[70, 128] == 0
    assert len(np.unique(quickdraw.draw([np.array([[0, 0], [100, 50]])]))) > 10  # smooth edges
    assert 3 <= (image[:, 128] < 128).sum() / 2 <= 5


@pytest.mark.parametrize("scale", [1e-5, 1, 1000])
def test_scale_and_place_of_strokes_do_not_matter(scale):
    strokes = [np.array([[0, 0], [10, 20], [30, 5]]), np.array([[7, 7]])]
    plain = quickdraw.draw(strokes)
    assert (
        np.abs(quickdraw.draw([stroke * scale - 3 * scale for stroke in strokes]).astype(int) - plain).max()
        < 9
    )
    assert (plain < 128).sum() > 500


def test_a_point_is_a_dot_and_thin_lines_survive_shrinking():
    dot = quickdraw.draw([np.array([[5.0, 5.0]])])
    assert dot[128, 128] == 0 and 5 < (dot < 128).sum() < 40
    small = fit_image(quickdraw.draw([np.array(LINE).T])[..., None], (32, 32))
    assert (small.min(axis=0) < 160).sum() > 25


def test_drawings_of_a_folder(run, source, ndjson):
    ndjson("full/simplified/bear.ndjson", [LINE], [LINE, [[0], [0]]], [LINE])
    ndjson("full/simplified/full_simplified_hot dog.ndjson", *[[LINE]] * 4)
    (source / "full" / "simplified" / "readme.md").write_text("")
    made = run("quickdraw", source, "--per-class", 2)
    assert made.counts == {"all": {"bear": (0, 2), "hot dog": (0, 2)}}
    assert made.files == {f"sketch/{name}/{number}.png" for name in ("bear", "hot dog") for number in (1, 2)}
    image = made.image("sketch/bear/1.png")
    assert image.shape[:2] == (256, 256) and image[128, 128].max() == 0 and image[0, 0].min() == 255
    assert made.left_out == {
        "files that are neither .ndjson nor .npy (not read)": ["full/simplified/readme.md"]
    }
    assert open_images(made.out)[0].class_names == ("bear", "hot dog")


def test_raw_drawings_look_as_simplified_ones(run, source, ndjson):
    ndjson("raw/cat.ndjson", [[[10.5, 1030.5], [400.0, 400.0], [0, 17]]])
    ndjson("simplified/cat.ndjson", [LINE])
    with pytest.raises(DataError, match="--kind must say which of simplified, raw in .*Received: no --kind"):
        run("quickdraw", source)
    made = [run("quickdraw", source, "--kind", kind, out=kind) for kind in ("raw", "simplified")]
    raw, simplified = (each.image("sketch/cat/1.png") for each in made)
    assert np.array_equal(raw, simplified)
    with pytest.raises(DataError, match="there are no images"):
        run("quickdraw", source, "--kind", "bitmap")


def test_kinds_in_one_folder_are_told_by_what_is_in_them(run, source, ndjson, npy):
    ndjson("a.ndjson", b"nothing", [[[1, 2], [1, 2], [0, 1]]])
    ndjson("b.ndjson", [LINE])
    npy("c.npy")
    with pytest.raises(DataError, match="which of simplified, raw, bitmap"):
        run("quickdraw", source)
    for kind, name in (("raw", "a"), ("simplified", "b"), ("bitmap", "c")):
        assert list(run("quickdraw", source, "--kind", kind, out=kind).counts["all"]) == [name]


def test_unrecognized_drawings(run, ndjson):
    lines = [json.dumps({"recognized": known, "drawing": [LINE]}).encode() for known in (True, False, True)]
    file = ndjson("cat.ndjson", *lines)
    made = run("quickdraw", file)
    assert made.files == {"sketch/cat/1.png", "sketch/cat/3.png"}
    assert made.left_out == {quickdraw.UNRECOGNIZED: ["cat.ndjson, line 2"]}
    assert len(run("quickdraw", file, "--unrecognized", out="all").files) == 3


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"nothing", quickdraw.NO_DRAWING),
        (b'{"drawing": [[[0, 1], [0', quickdraw.NO_DRAWING),
        (b"\xff\xfe\xfa", quickdraw.NO_DRAWING),
        (b"[" * 100_000, quickdraw.NO_DRAWING),
        (b'{"drawing": [[[' + b"9" * 5000 + b"], [1]]]}", quickdraw.NO_DRAWING),
        (b"[1, 2]", quickdraw.NO_DRAWING),
        (b"{}", quickdraw.NO_DRAWING),
        (b'{"drawing": "cat"}', quickdraw.NO_DRAWING),
        (b'{"drawing": [5]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [null]}', quickdraw.NO_DRAWING),
        (b'{"drawing": ["ab"]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [{"x": [1], "y": [2]}]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [[[1, 2], [1]]]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [[[1, 2]]]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [[[[1]], [[2]]]]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [[["a"], ["b"]]]}', quickdraw.NO_DRAWING),
        (b'{"drawing": [[[1' + b"0" * 400 + b"], [1]]]}", quickdraw.NO_DRAWING),
        (b'{"drawing": [[[NaN, 1], [1, 2]]]}', quickdraw.BEYOND),
        (b'{"drawing": [[[Infinity, 1], [1, 2]]]}', quickdraw.BEYOND),
        (b'{"drawing": [[[1e300, -1e300], [1, 2]]]}', quickdraw.BEYOND),
        (b'{"drawing": [[[null], [1]]]}', quickdraw.BEYOND),
        (b'{"drawing": []}', quickdraw.EMPTY),
        (b'{"drawing": [[[], []]]}', quickdraw.EMPTY),
    ],
)
def test_lines_that_are_no_drawings_are_counted(run, ndjson, line, kind):
    made = run("quickdraw", ndjson("cat.ndjson", line, b"", [LINE], line))
    assert made.files == {"sketch/cat/3.png"}
    assert made.left_out == {kind: ["cat.ndjson, line 1", "cat.ndjson, line 4"]}


def test_a_line_without_end_is_not_read_at_once(run, ndjson, monkeypatch):
    monkeypatch.setattr(quickdraw, "MOST_LINE", 100)
    file = ndjson("cat.ndjson", [LINE], b'{"drawing": [' + b" " * 1000 + b"]}", [LINE], b"x" * 250)
    made = run("quickdraw", file)
    assert made.files == {"sketch/cat/1.png", "sketch/cat/3.png"}
    assert made.left_out == {quickdraw.NO_DRAWING: ["cat.ndjson, line 2", "cat.ndjson, line 4"]}


def test_bitmaps_become_black_on_white(run, source, npy):
    npy("full/numpy_bitmap/cat.npy")
    npy("full/numpy_bitmap/full_numpy_bitmap_dog.npy", 5)
    (source / "full" / "numpy_bitmap" / "bad.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr': '|u1'")
    made = run("quickdraw", source, "--per-class", 2)
    assert made.counts == {"all": {"cat": (0, 2), "dog": (0, 2)}}
    image = made.image("sketch/cat/1.png")
    assert image.shape[:2] == (28, 28) and image[0].max() == 0 and image[1:].min() == 255
    assert made.grey("sketch/cat/2.png") == 254
    (kind,) = made.left_out
    assert kind.startswith("files that are no bitmaps") and "bad.npy" in made.left_out[kind][0]


def test_files_that_are_no_bitmaps(run, source, npy):
    npy("cat.npy")
    np.save(source / "floats.npy", np.zeros((2, 784)))
    np.save(source / "shape.npy", np.zeros((2, 100), np.uint8))
    np.save(source / "none.npy", np.uint8(3))
    np.save(source / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    np.savez(source / "zip.npz", np.zeros((2, 784), np.uint8))
    (source / "zip.npz").rename(source / "zip.npy")
    (source / "cut.npy").write_bytes((source / "cat.npy").read_bytes()[:-100])
    (source / "empty.npy").write_bytes(b"")
    (source / "text.npy").write_text("hello")
    made = run("quickdraw", source)
    assert list(made.counts["all"]) == ["cat"]
    assert len(made.left_out["files that are no bitmaps, N x 784 of uint8 (left out)"]) == 8


def test_a_file_that_changes_after_it_was_found(ndjson, npy):
    file = ndjson("cat.ndjson", [LINE])
    strokes = quickdraw.Strokes(file, 1, 0)
    assert strokes.load().shape == (256, 256) and str(strokes) == f"{file}, line 1"
    file.write_text("other")
    with pytest.raises(ImageError):
        strokes.load()
    file.unlink()
    with pytest.raises(ImageError, match="line 1"):
        strokes.load()
    bitmap = quickdraw.Bitmap(npy("cat.npy"), 2)
    npy("cat.npy", 1)
    with pytest.raises(ImageError, match="bitmap 2"):
        bitmap.load()
