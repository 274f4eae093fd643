"""Parzen windows against the formula as it stands."""

import numpy as np
import pytest

from keras_cgan.metrics import parzen_log_likelihood


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def naive(samples, data, sigma):
    """The log of a mean of densities, one value a row."""
    size = samples.shape[1]
    squares = ((data[:, None] - samples[None]) ** 2).sum(axis=2)
    densities = np.exp(-squares / (2 * sigma**2)) / (2 * np.pi * sigma**2) ** (size / 2)
    return np.log(densities.mean(axis=1))


def test_against_the_formula():
    samples, validation, test = normal(30, 3), normal(250, 3, seed=1), normal(240, 3, seed=2)
    sigmas = [0.3, 0.6, 1.2]
    result = parzen_log_likelihood(samples, validation, test, sigmas)
    chosen = [naive(samples, validation, sigma).mean() for sigma in sigmas]
    np.testing.assert_allclose(result["validation"], chosen, rtol=1e-9)
    assert result["sigma"] == sigmas[int(np.argmax(chosen))]
    values = naive(samples, test, result["sigma"])
    assert result["log_likelihood"] == pytest.approx(values.mean(), rel=1e-9)
    assert result["standard_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(240), rel=1e-9)


def test_one_sample_by_hand():
    """The standard normal density at 0 and at 2: -.5 log 2 pi, and 2 less."""
    result = parzen_log_likelihood([[0.0]], [[0.0]], [[0.0], [2.0]], [1.0])
    assert result["log_likelihood"] == pytest.approx(-0.9189385 - 1)
    assert result["standard_error"] == pytest.approx(1.0)  # deviation sqrt(2), over sqrt(2)


def test_the_width_of_the_validation_data_is_chosen():
    # Samples all at the middle: the best width is the deviation of the data.
    data = 0.5 * normal(4000, 2, seed=3)
    result = parzen_log_likelihood(np.zeros((1, 2)), data[:2000], data[2000:])
    assert result["sigma"] == pytest.approx(np.logspace(-1, 0, 10)[6])  # .464; its neighbours .359 and .599
    assert len(result["validation"]) == 10


def test_far_from_all_samples_it_stays_finite():
    # Each density is 0 in float64: exp(-784 * 25 / .02).
    result = parzen_log_likelihood(np.zeros((5, 784)), np.zeros((2, 784)), np.full((3, 784), 5.0), [0.1])
    expected = -784 * 25 / 0.02 - 784 * np.log(0.1 * np.sqrt(2 * np.pi))
    assert result["log_likelihood"] == pytest.approx(expected, rel=1e-9)
    assert result["standard_error"] == pytest.approx(0, abs=1e-6)


def test_images_are_vectors():
    images = [normal(6, 4, 3, 1, seed=seed).astype("float32") for seed in range(3)]
    rows = [part.reshape(6, -1) for part in images]
    assert parzen_log_likelihood(*images) == parzen_log_likelihood(*rows)


def test_data_like_the_samples_is_likelier():
    samples = normal(200, 5)
    near = parzen_log_likelihood(samples, normal(100, 5, seed=1), normal(100, 5, seed=2))
    far = parzen_log_likelihood(samples + 2, normal(100, 5, seed=1), normal(100, 5, seed=2))
    assert near["log_likelihood"] > far["log_likelihood"] + 5 * near["standard_error"]


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((0, 2), (3, 2), (3, 2)), "`samples` must have at least 1 rows. Received: 0 rows"),
        (((3, 2), (0, 2), (3, 2)), "`validation` must have at least 1 rows. Received: 0 rows"),
        (((3, 2), (3, 2), (1, 2)), "`test` must have at least 2 rows. Received: 1 rows"),
        (((3, 2), (3, 4), (3, 2)), "`validation` must have as many numbers a row.*2. Received: 4"),
        (((3, 2), (3, 2), (3, 1)), "`test` must have as many numbers a row.*2. Received: 1"),
    ],
)
def test_refused_data(shapes, message):
    with pytest.raises(ValueError, match=message):
        parzen_log_likelihood(*(np.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("sigmas", [[], [0.0], [0.1, -1.0], [float("nan")], 0.5])
def test_refused_widths(sigmas):
    with pytest.raises(ValueError, match="`sigmas` must be a list of numbers above 0. Received: sigmas="):
        parzen_log_likelihood(normal(3, 2), normal(3, 2), normal(3, 2), sigmas)
