"""The towers: their loss by hand, what they learn, and that they learn from whole batches alone."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cgan.contrastive import (
    contrastive_loss,
    image_tower,
    photo_towers,
    small_changes,
    train_towers,
)
from keras_cgan.data import EmbeddedPairs
from keras_cgan.metrics import photo_rank


def test_the_loss_by_hand():
    photos = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    sketches = np.array([[0.6, 0.8], [0.0, 1.0]], "float32")
    # Likeness by photo and sketch: .6, 0; .8, 1. Each over its row, then each over its column.
    rows = np.log1p(np.exp((0 - 0.6) / 0.5)) + np.log1p(np.exp((0.8 - 1) / 0.5))
    columns = np.log1p(np.exp((0.8 - 0.6) / 0.5)) + np.log1p(np.exp((0 - 1) / 0.5))
    assert float(contrastive_loss(photos, sketches, 0.5)) == pytest.approx((rows + columns) / 4, rel=1e-5)


def test_nothing_told_apart_is_the_logarithm_of_the_batch():
    same = np.tile([[1.0, 0.0]], (5, 1)).astype("float32")
    assert float(contrastive_loss(same, same)) == pytest.approx(np.log(5), rel=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_tower_gives_directions(policy):
    keras.config.set_dtype_policy(policy)
    try:
        tower = image_tower((16, 24, 3), size=5, filters=2, n_blocks=3)
    finally:
        keras.config.set_dtype_policy("float32")
    found = tower.predict(np.random.default_rng(0).normal(size=(4, 16, 24, 3)), verbose=0)
    assert found.shape == (4, 5) and found.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_noise_is_there_in_training_alone():
    tower = image_tower((16, 16, 1), filters=2, input_noise=0.5, dropout=0.0)
    x = np.zeros((2, 16, 16, 1), "float32")
    # With batch norm, two images alike are told apart by nothing but the noise.
    trained = keras.ops.convert_to_numpy(tower(x, training=True))
    assert np.abs(trained[0] - trained[1]).max() > 1e-3
    still = keras.ops.convert_to_numpy(tower(x, training=False))
    np.testing.assert_array_equal(still[0], still[1])


@pytest.mark.parametrize(("side", "shrunk"), [(16, 16), (100, 100), (128, 64), (256, 64)])
def test_towers_of_a_strategy_look_at_about_64_pixels(side, shrunk):
    photo, sketch = photo_towers((side, side + 8, 3), sketch_channels=2)
    assert photo.input_shape == (None, side, side + 8, 3) and sketch.input_shape == (None, side, side + 8, 2)
    assert photo.output_shape == sketch.output_shape == (None, 64)
    for tower in (photo, sketch):
        assert tower.get_layer("block1_conv").input.shape[1] == shrunk
    noise = [type(layer).__name__ == "GaussianNoise" for layer in sketch.layers]
    assert sum(noise) == 1 and not any(type(layer).__name__ == "GaussianNoise" for layer in photo.layers)


def test_small_changes_are_made_in_training_alone_and_leave_paper():
    keras.utils.set_random_seed(0)
    image = np.ones((8, 32, 32, 2), "float32")
    image[:, 8:12, 8:24] = -1
    still, changed = small_changes()(image, training=False), small_changes()(image, training=True)
    np.testing.assert_array_equal(still, image)
    changed = keras.ops.convert_to_numpy(changed)
    assert (np.abs(changed - image).mean(axis=(1, 2, 3)) > 0.01).all()
    np.testing.assert_array_equal(changed[..., 0], changed[..., 1])  # all channels alike
    np.testing.assert_array_equal(changed[:, [0, -1], :][:, :, [0, -1]], 1)
    again = [small_changes(seed=3)(image, training=True) for _ in range(2)]
    np.testing.assert_array_equal(*again)
    names = [type(layer).__name__ for layer in small_changes(mirror=False).layers]
    assert len(names) == 3 and "RandomFlip" not in names


def pairs(count, seed):
    return EmbeddedPairs(count, 0.0, seed=seed).as_arrays((16, 16))


@pytest.mark.slow
def test_towers_find_the_photo_of_sketches_that_they_have_not_seen():
    keras.utils.set_random_seed(0)
    photos, _, sketches = pairs(120, seed=0)
    towers = image_tower((16, 16, 3), filters=8, n_blocks=3), image_tower((16, 16, 1), filters=8, n_blocks=3)
    train_towers(*towers, photos, sketches, steps=150, batch_size=40)
    photos, labels, sketches = pairs(60, seed=1)
    found = [tower.predict(images, verbose=0) for tower, images in zip(towers, (photos, sketches))]
    assert photo_rank(1 - found[1] @ found[0].T, labels) > 0.7


@pytest.mark.slow
def test_photo_and_sketch_are_augmented_alike_and_batches_are_whole():
    seen = []

    class Spy(layers.Layer):
        def call(self, both, training=None):
            seen.append(both.shape)
            return both

    photos, _, sketches = pairs(10, seed=0)
    towers = image_tower((16, 16, 3), filters=2), image_tower((16, 16, 1), filters=2)
    train_towers(*towers, photos, sketches, steps=2, batch_size=4, augment=Spy())
    assert {tuple(shape) for shape in seen} == {(4, 16, 16, 4)}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_towers():
    photos, _, sketches = pairs(12, seed=0)

    def weights():
        keras.utils.set_random_seed(3)
        towers = image_tower((16, 16, 3), filters=2), image_tower((16, 16, 1), filters=2)
        train_towers(*towers, photos, sketches, steps=4, batch_size=4)
        return np.concatenate([w.ravel() for w in towers[1].get_weights()])

    np.testing.assert_array_equal(weights(), weights())


@pytest.mark.parametrize(
    "options, message",
    [
        ({"steps": 0}, "`steps` must be"),
        ({"batch_size": 1}, "`batch_size` must be"),
        ({"temperature": 0}, "`temperature` must be"),
        ({"sketches": np.zeros((3, 16, 16, 1))}, "10 photos and 3 sketches"),
    ],
)
def test_refusals(options, message):
    photos, _, sketches = pairs(10, seed=0)
    towers = image_tower((16, 16, 3), filters=2), image_tower((16, 16, 1), filters=2)
    with pytest.raises(ValueError, match=message):
        train_towers(*towers, photos, **{"sketches": sketches, **options})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_blocks": 5}, "32"),
        ({"size": 0}, "`size` must be"),
        ({"input_noise": -0.1}, "`input_noise` must be"),
        ({"dropout": 1.0}, "`dropout` must be"),
    ],
)
def test_refusals_of_a_tower(options, message):
    with pytest.raises(ValueError, match=message):
        image_tower((16, 16, 1), **options)
