"""MS-SSIM of pairs of one class: which pairs, how many scales, and what alike and unlike images get."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cgan.metrics import ms_ssim_within_class
from keras_cgan.metrics.similarity import _n_scales, _pairs


def noise(n, side=32, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, side, side, channels)).astype("float32")


def one_hot(classes, n_classes=2):
    return np.eye(n_classes, dtype="float32")[list(classes)]


@pytest.mark.parametrize(
    ("side", "scales"),
    [(11, 1), (20, 1), (21, 2), (32, 2), (41, 3), (64, 3), (81, 4), (160, 4), (161, 5), (256, 5), (999, 5)],
)
def test_the_scales_that_fit(side, scales):
    assert _n_scales(side) == scales


@pytest.mark.parametrize("side", [11, 21, 41, 81, 161])
def test_tensorflow_takes_these_sizes(side):
    result = ms_ssim_within_class(noise(2, side), one_hot([0, 0], 1))
    assert result["scales"] == _n_scales(side) and 0 <= result["ms_ssim"] < 1


def test_one_scale_is_ssim():
    images = noise(2, 16, channels=3)
    images[1] = 0.5 * images[0] + 0.5 * images[1]
    result = ms_ssim_within_class(images, one_hot([1, 1]))
    expected = float(tf.image.ssim((images[0] + 1) / 2, (images[1] + 1) / 2, 1.0))
    assert result["ms_ssim"] == pytest.approx(expected, abs=1e-5) and result["scales"] == 1


def test_all_scales_are_tensorflows_own():
    images = noise(2, 176)
    images[1] = 0.7 * images[0] + 0.3 * images[1]
    result = ms_ssim_within_class(images, one_hot([0, 0], 1))
    expected = float(tf.image.ssim_multiscale((images[0] + 1) / 2, (images[1] + 1) / 2, 1.0))
    # Wang's five weights add up to 1.
    assert result["ms_ssim"] == pytest.approx(expected, abs=1e-4) and expected > 0.1


def test_alike_and_unlike():
    same = np.repeat(noise(1), 4, axis=0)
    images = np.concatenate([same, noise(4, seed=1)])
    result = ms_ssim_within_class(images, one_hot([0] * 4 + [1] * 4))
    assert result["classes"][0] == pytest.approx(1, abs=1e-5) and result["classes"][1] < 0.2
    assert result["ms_ssim"] == pytest.approx(np.mean(result["classes"]))


def test_only_pairs_of_one_class_count():
    one, other = noise(1), noise(1, seed=1)
    images = np.concatenate([one, other, one, other])
    assert ms_ssim_within_class(images, one_hot([0, 1, 0, 1]))["ms_ssim"] == pytest.approx(1, abs=1e-5)


def test_a_class_without_two_images_does_not_count():
    images = np.repeat(noise(1), 3, axis=0)
    result = ms_ssim_within_class(images, one_hot([0, 0, 1], 3))
    assert result["ms_ssim"] == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(np.isnan(result["classes"]), [False, True, True])
    assert np.isnan(ms_ssim_within_class(images[:1], one_hot([0]))["ms_ssim"])


def test_pairs():
    rng = np.random.default_rng(0)
    first, second = _pairs(4, 100, rng)
    assert sorted(zip(first.tolist(), second.tolist())) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    first, second = _pairs(20, 150, rng)
    assert len(first) == len(second) == 150 and (first != second).all()
    assert set(first) == set(second) == set(range(20))


def test_the_seed_chooses_the_pairs():
    images, labels = noise(40, 16), one_hot([0] * 40, 1)
    one, again, other = (ms_ssim_within_class(images, labels, 5, seed)["ms_ssim"] for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("shape", [(2, 10, 32, 1), (2, 32, 10, 1), (2, 32, 32)])
def test_refused_images(shape):
    with pytest.raises(ValueError, match=r"`images` must be .*11 px.*Received: a shape of \(2, "):
        ms_ssim_within_class(np.zeros(shape), one_hot([0, 0]))


@pytest.mark.parametrize("labels", [np.zeros(2), np.zeros((3, 2))])
def test_refused_labels(labels):
    with pytest.raises(ValueError, match=r"`labels` must be \(2, n_classes\).*Received: a shape of"):
        ms_ssim_within_class(noise(2), labels)


def test_refused_number_of_pairs():
    with pytest.raises(ValueError, match="`n_pairs` must be .*Received: n_pairs=0"):
        ms_ssim_within_class(noise(2), one_hot([0, 0]), n_pairs=0)
