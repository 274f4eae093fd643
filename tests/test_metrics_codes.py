"""What codes say, by hand and against trying all matchings."""

import itertools

import numpy as np
import pytest

from keras_cgan.latents import Latent
from keras_cgan.metrics import matching_error, mutual_information_bound


def test_the_bound_by_hand():
    entropy = Latent().entropy
    assert mutual_information_bound(entropy, 0.0) == pytest.approx(2.302585)
    assert mutual_information_bound(entropy, [np.log(10)] * 3) == pytest.approx(0, abs=1e-12)
    assert mutual_information_bound(entropy, np.array([0.1, 0.3], "float32")) == pytest.approx(2.102585)


@pytest.mark.parametrize(
    ("codes", "classes", "error"),
    [
        ([3, 3, 0, 0], [7, 7, 8, 7], 0.25),
        ([0, 1, 2], [2, 0, 1], 0),
        ([5], [9], 0),
        # Two codes for one class: one of them is all wrong.
        ([0, 0, 1, 1], [4, 4, 4, 4], 0.5),
        ([0, 0, 0, 0, 0], [0, 0, 0, 1, 2], 0.4),
        # Each code's own favourite would be class 0 for both: the pairs 0 -> 1, 1 -> 0 are better.
        ([0] * 5 + [1] * 4, [0, 0, 0, 1, 1, 0, 0, 0, 0], 3 / 9),
    ],
)
def test_errors_by_hand(codes, classes, error):
    assert matching_error(codes, classes) == pytest.approx(error)


def test_softmax_and_one_hot():
    q = [[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]
    assert matching_error(q, np.eye(3)[[2, 1, 1]]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("n_codes", "n_classes"), [(1, 1), (2, 2), (3, 5), (5, 3), (6, 6), (7, 2), (1, 6), (6, 7)]
)
def test_against_all_matchings(n_codes, n_classes):
    rng = np.random.default_rng(n_codes * 10 + n_classes)
    for n in (1, 8, 40, 300):
        codes, classes = rng.integers(n_codes, size=n), rng.integers(n_classes, size=n)
        few, many = sorted((n_codes, n_classes))
        a, b = (codes, classes) if n_codes <= n_classes else (classes, codes)
        best = max(np.sum(np.array(match)[a] == b) for match in itertools.permutations(range(many), few))
        assert matching_error(codes, classes) == pytest.approx(1 - best / n)


def test_many_codes():
    """A hidden renaming of 50 classes, with one answer in ten at random, is found."""
    rng = np.random.default_rng(0)
    classes = rng.integers(50, size=5000)
    codes = rng.permutation(50)[classes]
    wrong = rng.random(5000) < 0.1
    codes[wrong] = rng.integers(50, size=wrong.sum())
    assert matching_error(codes, classes) == pytest.approx(0.1 * 49 / 50, abs=0.02)


def test_codes_that_say_nothing():
    rng = np.random.default_rng(0)
    error = matching_error(rng.integers(10, size=20_000), rng.integers(10, size=20_000))
    assert 0.88 < error < 0.9


@pytest.mark.parametrize(("codes", "classes"), [([], []), ([1, 2], [1]), (np.zeros((2, 2, 2)), [0, 1])])
def test_refused(codes, classes):
    with pytest.raises(ValueError, match="`codes` and `classes` must be of the same samples.*Received: "):
        matching_error(codes, classes)
