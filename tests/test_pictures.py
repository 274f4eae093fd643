"""Grids of pictures, pixel by pixel."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cgan import Latent
from keras_cgan.pictures import SMALL_CELL, class_rows, cycle_grid, image_grid, sample_grid, stack_pictures

GAP, TOP = 4, 18


def plain(grey, height=8, width=8, channels=1):
    return np.full((height, width, channels), grey, "float32")


def crop(picture, row, column, n_columns, cell=16, width=None):
    """The place of one image; the columns end where the picture ends."""
    width = width or cell
    left = picture.shape[1] - n_columns * (width + GAP) + column * (width + GAP)
    top = TOP + row * (cell + GAP)
    return picture[top : top + cell, left : left + width]


def test_a_grid_has_each_image_in_its_place():
    rows = [[plain(-1), plain(0)], [plain(1), plain(0.5)], [plain(-0.5), plain(-1)]]
    picture = image_grid(rows, ["a", "b"], ["x", "y", "z"], cell=16)
    assert picture.dtype == np.uint8
    assert picture.shape[0] == TOP + 3 * 20 and picture.shape[2] == 3
    levels = {-1: 0, 0: 128, 1: 255, 0.5: 191, -0.5: 64}
    for number, row in enumerate(rows):
        for column, image in enumerate(row):
            assert np.all(crop(picture, number, column, 2) == levels[float(image[0, 0, 0])])
    assert np.all(picture[:, -GAP:] == 255) and np.all(picture[TOP + 16 : TOP + 20] == 255)  # gaps


def test_enlarged_pixels_stay_pixels():
    image = np.random.default_rng(0).uniform(-1, 1, (4, 4, 3)).astype("float32")
    place = crop(image_grid([[image]], [""], [""], cell=16), 0, 0, 1)
    blocks = place.reshape(4, 4, 4, 4, 3)
    assert np.all(blocks == blocks[:, :1, :, :1])
    np.testing.assert_allclose(blocks[:, 0, :, 0], (image + 1) * 127.5, atol=0.51)


def test_pixels_stay_pixels_where_they_do_not_fit_evenly():
    image = plain(1, 5, 5)
    image[::2] = -1
    assert set(np.unique(crop(image_grid([[image]], [""], [""], cell=16), 0, 0, 1))) == {0, 255}


def test_shrunk_lines_do_not_vanish():
    image = plain(1, 32, 32)
    image[5] = -1
    place = crop(image_grid([[image]], [""], [""], cell=16), 0, 0, 1)
    assert np.all(place[2] == 128) and np.all(np.delete(place, 2, axis=0) == 255)


def test_colours_are_rgb():
    red = np.array([[[1, -1, -1]]], "float32")
    assert crop(image_grid([[red]], [""], [""], cell=16), 0, 0, 1)[3, 3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("height, width, drawn", [(8, 16, 32), (16, 8, 8), (640, 1, 1)])
def test_images_keep_their_proportions(height, width, drawn):
    rows = [[plain(-1, height, width), plain(-1, height, width)]]
    picture = image_grid(rows, ["", ""], [""], cell=16)
    assert picture.shape == (TOP + 20, 8 + 2 * (drawn + GAP), 3)
    for column in (0, 1):
        assert np.all(crop(picture, 0, column, 2, width=drawn) == 0)
    assert np.all(picture[TOP:, 8 + drawn : 8 + drawn + GAP] == 255)


def test_an_empty_place_is_white():
    picture = image_grid([[None, plain(-1)], [plain(-1), None]], ["", ""], ["", ""], cell=16)
    assert np.all(crop(picture, 0, 0, 2) == 255) and np.all(crop(picture, 0, 1, 2) == 0)
    assert np.all(crop(picture, 1, 1, 2) == 255) and np.all(crop(picture, 1, 0, 2) == 0)


def test_captions_stand_left_of_their_rows_and_headers_above_their_columns():
    white = plain(1)
    empty = image_grid([[white, white]] * 2, ["", ""], ["wide", ""], cell=16)
    captioned = image_grid([[white, white]] * 2, ["", "b"], ["wide", "x"], cell=16)
    rows, columns, _ = np.nonzero(empty != captioned)
    left = captioned.shape[1] - 2 * 20
    header, caption = rows < TOP, rows >= TOP
    assert header.any() and caption.any()
    assert columns[header].min() >= left + 20
    assert rows[caption].min() >= TOP + 20 - GAP and columns[caption].max() < left


def test_the_longest_caption_fits():
    name = "a class with a rather long name"
    picture = image_grid([[plain(-1)]], [""], [name], cell=16)
    ink = np.flatnonzero((picture[TOP:, :-20] < 255).any(axis=(0, 2)))
    assert len(ink) and ink.max() < picture.shape[1] - 20
    assert np.all(crop(picture, 0, 0, 1) == 0)


def test_a_long_header_stays_in_its_column():
    picture = image_grid([[plain(1)] * 2], ["as a very long name", ""], [""], cell=48)
    ink = np.flatnonzero((picture[:TOP] < 255).any(axis=(0, 2)))
    assert 8 <= ink.min() and ink.max() <= 8 + 48


def test_other_letters_become_question_marks():
    def headed(text):
        return image_grid([[plain(1)]], [text], [text])

    np.testing.assert_array_equal(headed("Bäume 木"), headed("B?ume ?"))
    assert headed("B?ume ?").shape[1] > headed("Bume").shape[1]


@pytest.mark.parametrize(
    "rows, headers, captions, message",
    [
        ([[plain(0)], [plain(0)] * 2], ["a"], ["x", "y"], r"rows of \[1, 2\] images, 1 headers, 2 captions"),
        ([[plain(0)]], ["a", "b"], ["x"], r"rows of \[1\] images, 2 headers"),
        ([[plain(0)]], ["a"], [], "0 captions"),
        ([[None]], ["a"], ["x"], "at least one image"),
        ([], [], [], "at least one image"),
        ([[plain(np.nan)]], ["a"], ["x"], "must be finite"),
    ],
)
def test_what_makes_no_grid(rows, headers, captions, message):
    with pytest.raises(ValueError, match=message):
        image_grid(rows, headers, captions)


def test_stacked_pictures_are_padded_with_white():
    black, grey = np.zeros((5, 4, 3), np.uint8), np.full((3, 7, 3), 9, np.uint8)
    stacked = stack_pictures(black, grey)
    assert stacked.shape == (5 + 12 + 3 + 12, 7, 3) and stacked.dtype == np.uint8
    assert np.all(stacked[:5, :4] == 0) and np.all(stacked[:5, 4:] == 255)
    assert np.all(stacked[5:17] == 255) and np.all(stacked[17:20] == 9)


CELL = 96


def generator(n_classes=None):
    """Draws the photo's grey, halved; with a label, the class as a grey from -1 (the first) to 1."""
    photo = keras.Input((8, 8, 3), name="photo")
    grey = layers.Lambda(lambda x: x[..., :1] / 2)
    if n_classes is None:
        return keras.Model(photo, grey(photo))
    label = keras.Input((n_classes,), name="label")
    dense = layers.Dense(1, use_bias=False)
    asked = layers.Reshape((1, 1, 1))(dense(label))
    dense.set_weights([np.linspace(-1, 1, n_classes)[:, None]])
    return keras.Model({"photo": photo, "label": label}, grey(photo) * 0 + asked)


def examples(classes, n_classes):
    """A photo and a sketch of a grey of their own for each."""
    greys = np.linspace(-0.9, 0.9, len(classes), dtype="float32")[:, None, None, None]
    photos, sketches = np.ones((8, 8, 3), "float32") * greys, np.ones((8, 8, 1), "float32") * -greys
    return photos, np.eye(n_classes, dtype="float32")[classes], sketches


def greys(picture, row, n_columns, top=0, left=None):
    """The grey in the middle of each place of a row, in [-1, 1]; white for an empty one."""
    left = picture.shape[1] - n_columns * (CELL + GAP) if left is None else left
    y = top + TOP + row * (CELL + GAP) + CELL // 2
    return [picture[y, left + c * (CELL + GAP) + CELL // 2, 0] / 127.5 - 1 for c in range(n_columns)]


def test_samples_without_a_label_are_photo_generated_true():
    photos, labels, sketches = examples([1, 0, 1, 1, 1], 2)
    picture = sample_grid(generator(), photos, labels, sketches, ["a", "b"], per_class=3)
    assert picture.shape[0] == TOP + 2 * (CELL + GAP)
    g = photos[:, 0, 0, 0]
    assert greys(picture, 0, 9) == pytest.approx([g[1], g[1] / 2, -g[1], *[1] * 6], abs=0.01)
    wanted = [x for i in (0, 2, 3) for x in (g[i], g[i] / 2, -g[i])]
    assert greys(picture, 1, 9) == pytest.approx(wanted, abs=0.01)


def test_samples_with_a_label_are_asked_for_as_every_class_too():
    photos, labels, sketches = examples([1, 0, 2], 3)
    picture = sample_grid(generator(3), photos, labels, sketches, ["a", "b", "c"], per_class=1)
    part = TOP + 3 * (CELL + GAP)
    assert picture.shape[0] == 2 * (part + 12)
    g = photos[:, 0, 0, 0]
    for row, (first, own) in enumerate([(1, -1), (0, 0), (2, 1)]):
        left = picture.shape[1] - 4 * (CELL + GAP)
        assert greys(picture, row, 3, left=left) == pytest.approx([g[first], own, -g[first]], abs=0.01)
        assert greys(picture, row, 4, top=part + 12) == pytest.approx([g[first], -1, 0, 1], abs=0.01)


def test_of_many_classes_the_first_are_shown():
    photos, labels, sketches = examples(range(5), 5)
    picture = sample_grid(generator(5), photos, labels, sketches, list("abcde"), per_class=1, most_classes=3)
    assert picture.shape[0] == 2 * (TOP + 3 * (CELL + GAP) + 12)
    swapped = greys(picture, 2, 4, top=TOP + 3 * (CELL + GAP) + 12)
    assert swapped == pytest.approx([photos[2, 0, 0, 0], -1, -0.5, 0], abs=0.01)


def test_a_class_without_a_photo_is_left_out():
    photos, labels, sketches = examples([2, 0], 3)
    picture = sample_grid(generator(3), photos, labels, sketches, ["a", "b", "c"], per_class=1)
    part = TOP + 2 * (CELL + GAP)
    assert picture.shape[0] == 2 * (part + 12)
    for row, photo in enumerate((photos[1], photos[0])):
        assert greys(picture, row, 3, top=part + 12) == pytest.approx([photo[0, 0, 0], -1, 1], abs=0.01)


def test_class_rows_have_a_class_a_row_and_a_noise_a_column():
    """A generator whose grey is a third label, a third noise."""
    latent, label = keras.Input((1,), name="latent"), keras.Input((3,), name="label")
    weights = [np.array([[-0.9], [0.0], [0.6]], "float32")]
    level = layers.Dense(1, use_bias=False, name="level")
    grey = layers.Add()([level(label), layers.Rescaling(0.1)(latent)])
    generator = keras.Model(
        {"latent": latent, "label": label}, layers.UpSampling2D(8)(layers.Reshape((1, 1, 1))(grey))
    )
    level.set_weights(weights)
    numbers = Latent(1, (), 0, noise_distribution="unit")
    picture = class_rows(generator, numbers, ["a", "b", "c"], columns=4, most_classes=2, seed=3)
    assert picture.shape[0] == TOP + 2 * (SMALL_CELL + GAP)
    noise = np.asarray(numbers.sample(4, 3))[:, 0]
    for row, level in enumerate((-0.9, 0.0)):
        for column in range(4):
            place = crop(picture, row, column, 4, SMALL_CELL).astype(int)
            wanted = (level + 0.1 * noise[column] + 1) * 127.5
            assert np.all(np.abs(place - wanted) <= 0.51)


def test_a_cycle_grid_goes_there_and_back_both_ways():
    """Halved there, moved by .2 back: each place is told from each other."""
    photo, sketch = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    to_sketch = keras.Model(photo, layers.Rescaling(0.5)(photo))
    to_photo = keras.Model(sketch, layers.Rescaling(1.0, 0.2)(sketch))
    photos = np.stack([plain(level) for level in (-0.8, 0.6, 0.2)])
    sketches = np.stack([plain(level) for level in (0.4, -0.6, -1.0)])
    labels = np.eye(2, dtype="float32")[[1, 1, 0]]
    picture = cycle_grid(to_sketch, to_photo, photos, labels, sketches, ["a", "b"])
    expected = [
        [0.2, 0.1, 0.3, -1, -0.8, -0.4],
        [-0.8, -0.4, -0.2, 0.4, 0.6, 0.3, 0.6, 0.3, 0.5, -0.6, -0.4, -0.2],
    ]
    for row, levels in enumerate(expected):
        for column, level in enumerate(levels):
            place = crop(picture, row, column, 12, CELL).astype(int)
            assert np.all(np.abs(place - (level + 1) * 127.5) <= 0.51)
    assert np.all(crop(picture, 0, 6, 12, CELL) == 255)
