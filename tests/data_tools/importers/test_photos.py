"""Photos alone, with sketches that OpenCV traces from them."""

import cv2
import numpy as np
import pytest

from data_tools.drawn_sketches import SKETCHES, draw_sketch, edges, xdog
from keras_cgan.data import EmbeddedPairs, FolderPairs, write_image


def picture(size=64, contrast=160):
    """A disc on a paler ground, in colour."""
    image = np.full((size, size, 3), 60 + contrast, np.uint8)
    cv2.circle(image, (size // 2, size // 2), size // 4, (60, 80, 60), -1, cv2.LINE_AA)
    return image


def rim(size=64, width=3):
    """Where the disc's rim is."""
    y, x = np.mgrid[:size, :size] - size // 2
    return abs(np.hypot(x, y) - size / 4) <= width


@pytest.mark.parametrize("how", SKETCHES)
@pytest.mark.parametrize("channels", [1, 3])
def test_sketches_are_dark_on_white_and_on_the_rim(how, channels):
    photo = picture() if channels == 3 else picture()[..., 1]
    sketch = draw_sketch(photo, how)
    assert sketch.shape == (64, 64) and sketch.dtype == np.uint8
    ink = 255 - sketch.astype(float)
    inside = np.hypot(*(np.mgrid[:64, :64] - 32)) < 16 - 6
    assert ink[rim()].max() > 100
    outside = ~rim(width=8) & ~inside
    assert ink[outside].mean() < 10 and ink[rim(width=2)].mean() > 4 * ink[outside].mean() + 5


@pytest.mark.parametrize("how", SKETCHES)
def test_an_even_photo_is_white_paper(how):
    sketch = draw_sketch(np.full((40, 40, 3), 90, np.uint8), how)
    assert sketch.min() > 245


@pytest.mark.parametrize("contrast", [40, 160])
def test_edges_go_by_the_photos_own_gradients(contrast):
    sketch = edges(picture(128, contrast))
    assert set(np.unique(sketch)) == {0, 255}
    on_rim = (sketch == 0) & rim(128)
    angles = np.degrees(np.arctan2(*(np.argwhere(on_rim) - 64).T)).astype(int) // 10
    assert len(set(angles)) >= 35 and not ((sketch == 0) & ~rim(128)).any()


def test_dark_photos_are_not_all_ink():
    dark = (picture() * 0.25).astype(np.uint8)
    assert (xdog(dark) < 128).mean() < 0.5


def test_large_photos_are_drawn_at_a_smaller_side_and_keep_their_size():
    photo = picture(600)
    fine, coarse = (draw_sketch(photo, "edges", side) for side in (600, 60))
    assert fine.shape == coarse.shape == (600, 600)
    assert (coarse < 128).mean() > 3 * (fine < 128).mean() > 0


def test_other_sketches_are_an_error():
    with pytest.raises(ValueError, match="`how` must be one of .*Received: how='ink'"):
        draw_sketch(picture(), "ink")


@pytest.fixture
def shop(source):
    """A function of folders that writes photos into them."""

    def shop(*folders, each=3):
        for number, folder in enumerate(folders):
            for photo in range(each):
                write_image(
                    source / folder / f"p {photo}.png", np.roll(picture(), 3 * photo + number, axis=1)
                )
        return source

    return shop


@pytest.mark.parametrize("how", SKETCHES)
def test_classes_without_splits(run, shop, how):
    source = shop("cat", "dog", each=5)
    (source / "cat" / "notes.txt").write_text("-")
    write_image(source / "loose.png", picture())
    made = run("photos", source, "--sketch", how)
    assert made.counts == {"all": {"cat": (5, 5), "dog": (5, 5)}}
    drawn = made.image("sketch/cat/p 1.png")
    assert np.array_equal(drawn, draw_sketch(made.image("photo/cat/p 1.png"), how))
    assert made.left_out == {
        "images outside of a class folder (left out)": ["loose.png"],
        "files that are no images by their extension (not read)": ["cat/notes.txt"],
    }
    assert len(FolderPairs(made.out, "train")) == 8


def test_splits(run, shop):
    made = run("photos", shop("set/train/cat", "set/train/dog", "set/val/cat", "set/other/cat"))
    assert made.counts == {"train": {"cat": (3, 3), "dog": (3, 3)}, "test": {"cat": (3, 3)}}
    assert made.left_out == {"images and folders beside those of the splits (not read)": ["set/other"]}


def test_a_single_class(run, shop):
    assert run("photos", shop("cat")).counts == {"all": {"cat": (3, 3)}}


def test_photos_that_cannot_be_read(run, shop):
    source = shop("cat")
    (source / "cat" / "p 1.png").write_bytes(b"no image")
    made = run("photos", source)
    assert made.counts == {"all": {"cat": (2, 2)}} and len(made.left_out) == 1


@pytest.mark.parametrize("folders", [("",), ("train", "test")])
def test_photos_without_a_class(run, shop, folders):
    splits = [folder or "all" for folder in folders]
    assert run("photos", shop(*folders)).counts == {split: {"all": (3, 3)} for split in splits}
    made = run("photos", shop(*folders), "--class-name", "cat", out="cats")
    assert made.counts == {split: {"cat": (3, 3)} for split in splits} and made.left_out == {}


def test_pairs_are_of_equal_size_whatever_the_size_asked_for(run, shop):
    made = run("photos", shop("cat"), "--sketch-side", 16, size=24)
    assert made.image("photo/cat/p 0.png").shape[:2] == made.image("sketch/cat/p 0.png").shape[:2] == (24, 24)


@pytest.mark.parametrize("how", SKETCHES)
def test_the_sketches_align(run, source, how):
    from keras_cgan.metrics import is_aligned

    drawn = EmbeddedPairs(48)
    for index, label in enumerate(drawn.labels):
        photo, _ = drawn.load(index, (64, 64))
        write_image(source / drawn.class_names[label] / f"{index}.png", photo)
    made = run("photos", source, "--sketch", how)
    assert is_aligned(FolderPairs(made.out, "train"), (64, 64))[0]
