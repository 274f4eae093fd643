"""Photos blurred: how strongly, and what stays."""

import cv2
import numpy as np
import pytest

from keras_cgan.data.blur import blurred


def noise(channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (2, 16, 24, channels)).astype("float32")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_the_blur_is_a_share_of_an_eighth_of_the_height(channels, strength):
    photos = noise(channels)
    smooth = blurred(photos, strength)
    assert smooth.shape == photos.shape and smooth.dtype == np.float32
    for photo, result in zip(photos, smooth):
        expected = cv2.GaussianBlur(photo, (0, 0), 2 * strength, borderType=cv2.BORDER_REPLICATE)
        np.testing.assert_array_equal(result, expected.reshape(photo.shape))


def test_the_whole_strength_is_the_default_and_next_to_none_leaves_a_photo():
    photos = noise()
    np.testing.assert_array_equal(blurred(photos), blurred(photos, 1.0))
    np.testing.assert_array_equal(blurred(photos, 1e-16), photos)
