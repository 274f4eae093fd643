"""Images bent at random: resampling by hand, what is bent and when, the same after loading."""

import keras
import numpy as np
import pytest

from keras_cgan import conv_discriminator
from keras_cgan.random_warp import RandomWarp, resample


def images(size=4, height=12, width=16, channels=2):
    return np.random.default_rng(0).uniform(-1, 1, (size, height, width, channels)).astype("float32")


def test_resample_by_hand():
    """Linear between pixels; outside of the image 0, and half of it where it is half outside."""
    x = images()
    places = np.random.default_rng(1).uniform(-3, 18, x.shape[:3]).astype("float32")
    padded, positions = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0))), np.arange(-1, 17)
    expected = np.empty_like(x)
    for i, row, channel in np.ndindex(x.shape[0], x.shape[1], x.shape[3]):
        values = padded[i, row, :, channel]
        expected[i, row, :, channel] = np.interp(places[i, row], positions, values, left=0, right=0)
    np.testing.assert_allclose(resample(x, places), expected, atol=1e-5)


def test_only_in_training():
    x = images()
    warp = RandomWarp()
    np.testing.assert_array_equal(warp(x), x)
    bent = np.asarray(warp(x, training=True))
    assert bent.shape == x.shape and np.abs(bent - x).max() > 0.1


def test_nothing_to_bend():
    x = images()
    np.testing.assert_allclose(RandomWarp(0.0, 0.0)(x, training=True), x, atol=1e-5)


@pytest.mark.parametrize("background", [-1.0, 1.0])
def test_what_comes_in_is_background(background):
    x = np.full((8, 12, 16, 1), background, "float32")
    warp = RandomWarp(1.0, shift=0.4, background=background)
    np.testing.assert_allclose(warp(x, training=True), x, atol=1e-5)
    # Half is the image still, and elsewhere the background has come in.
    bent = np.asarray(warp(np.zeros_like(x), training=True)) * background
    assert bent.min() == pytest.approx(0, abs=1e-5) and bent.max() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shift", [0.0, 0.25])
def test_shifts_are_up_to_their_most(shift):
    """A dot moves by up to a quarter of either side, and by other amounts in each image."""
    x = np.full((400, 16, 16, 1), -1.0, "float32")
    x[:, 7:9, 7:9] = 1.0
    ink = np.asarray(RandomWarp(0.0, shift, seed=3)(x, training=True))[..., 0] + 1
    for axis in (1, 2):
        moved = (ink.sum(3 - axis) @ np.arange(16)) / ink.sum((1, 2)) - 7.5
        assert np.abs(moved).max() <= 16 * shift + 1e-4
        assert moved.min() <= -16 * shift * 0.95 and moved.max() >= 16 * shift * 0.95
        assert abs(moved.mean()) <= 16 * shift * 0.1 + 1e-4


def test_gradients_pass():
    import tensorflow as tf

    x = tf.constant(images())
    warp = RandomWarp()
    with tf.GradientTape() as tape:
        tape.watch(x)
        bent = tf.reduce_sum(warp(x, training=True))
    gradient = tape.gradient(bent, x).numpy()
    # Each pixel in the middle counts about as often as it is drawn: once, as the scale is 1 on average.
    assert 0.5 < gradient[:, 3:-3, 3:-3].mean() < 1.5


def test_in_a_discriminator_it_is_saved(tmp_path):
    warp = RandomWarp(0.5, 0.1, 1.0, seed=5, name="warp")
    network = conv_discriminator((12, 16, 2), layers=((4, 2),), augment=warp)
    network.save(tmp_path / "d.keras")
    loaded = keras.models.load_model(tmp_path / "d.keras")
    assert loaded.get_layer("warp").get_config() == warp.get_config()
    with_bending, without = network(images(), training=True), network(images())
    assert np.abs(np.asarray(with_bending) - np.asarray(without)).max() > 0


@pytest.mark.parametrize("name", ["strength", "shift"])
def test_what_is_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 0. Received: {name}=-0.1"):
        RandomWarp(**{name: -0.1})
