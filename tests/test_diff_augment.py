"""DiffAugment: what it does to an image, alike for all channels, with gradients, in training alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cgan.diff_augment import DiffAugment


def numbered(n=1, side=8, channels=1):
    """Images of different numbers, none of them 0 or 1."""
    pixels = np.arange(2, 2 + side * side, dtype="float32").reshape(1, side, side, 1)
    return np.tile(pixels, (n, 1, 1, channels))


def augmented(images, **options):
    return keras.ops.convert_to_numpy(DiffAugment(seed=1, **options)(images, training=True))


def test_nothing_outside_of_training():
    images = numbered()
    np.testing.assert_array_equal(DiffAugment()(images), images)


def test_shifts_are_of_whole_pixels_and_leave_paper():
    shifts = set()
    for found in augmented(numbered(200), translation=0.25, cutout=0.0)[..., 0]:
        row, column = np.argwhere(found != 1)[0]
        value = found[row, column] - 2
        down, right = row - value // 8, column - value % 8
        expected = np.full((8, 8), 1.0)
        source = numbered()[0, ..., 0]
        for y in range(8):
            for x in range(8):
                if 0 <= y - down < 8 and 0 <= x - right < 8:
                    expected[y, x] = source[int(y - down), int(x - right)]
        np.testing.assert_array_equal(found, expected)
        shifts.add((int(down), int(right)))
    # All of -2 to 2 both ways.
    assert shifts == {(y, x) for y in range(-2, 3) for x in range(-2, 3)}


def test_the_square():
    middles = set()
    for found in augmented(numbered(300), translation=0.0, cutout=0.5)[..., 0]:
        rows, columns = (np.flatnonzero((found == 0).any(axis=axis)) for axis in (1, 0))
        assert (found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0).all()
        assert 2 <= len(rows) <= 4 and 2 <= len(columns) <= 4  # smaller over the border
        np.testing.assert_array_equal(found[found != 0], numbered()[0, ..., 0][found != 0])
        middles.add((rows[0], columns[0]))
    assert len(middles) > 30


def test_photo_and_sketch_of_a_pair_are_treated_alike_and_images_are_not():
    found = augmented(numbered(20, channels=4))
    assert (found == found[..., :1]).all()
    assert len({image.tobytes() for image in found}) > 15


def test_gradients_reach_what_is_left():
    images = tf.constant(numbered(4))
    layer = DiffAugment(translation=0.25, cutout=0.5, seed=2)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(layer(images, training=True))
    gradient = tape.gradient(total, images).numpy()
    assert set(np.unique(gradient)) == {0.0, 1.0} and 0.3 < gradient.mean() < 0.95


def test_half_precision_and_a_compiled_step():
    layer = DiffAugment(dtype="mixed_bfloat16")
    found = tf.function(lambda x: layer(x, training=True), jit_compile=True)(numbered(2, 16))
    assert found.dtype == tf.bfloat16 and found.shape == (2, 16, 16, 1)


def test_saved_and_loaded(tmp_path):
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, DiffAugment(0.2, 0.3, -1.0, seed=4)(inputs))
    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").layers[-1]
    assert (layer.translation, layer.cutout, layer.background, layer.seed) == (0.2, 0.3, -1.0, 4)


@pytest.mark.parametrize("options", [{"translation": 1.0}, {"translation": -0.1}, {"cutout": 1.1}])
def test_refusals(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be in"):
        DiffAugment(**options)
