"""Judges: what they look at, what they are asked, and that they are of another make than what is trained."""

import keras
import numpy as np
import pytest

from keras_cgan.contrastive import image_tower
from keras_cgan.data import EmbeddedPairs
from keras_cgan.judges import _network, judge_features, pair_distances, train_judge, train_pair_judge
from keras_cgan.metrics import photo_rank


@pytest.fixture(scope="module")
def pairs():
    return EmbeddedPairs(40, 0.0, seed=0).as_arrays((24, 24))


@pytest.fixture(scope="module")
def judge(pairs):
    return train_judge(pairs[2], pairs[1], epochs=1)


@pytest.fixture(scope="module")
def pair_judge(pairs):
    return train_pair_judge(pairs[0], pairs[2], steps=40)


@pytest.mark.slow
def test_features_are_those_that_the_logits_are_made_of(judge, pairs):
    phi = judge_features(judge, pairs[2])
    kernel, bias = judge.get_layer("logits").get_weights()
    logits = phi @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(judge.predict(pairs[2], verbose=0), expected, rtol=1e-3, atol=1e-5)


def test_features_of_a_network_without_that_layer():
    inputs = keras.Input((4, 4, 1))
    with pytest.raises(ValueError, match="layer 'features'"):
        judge_features(keras.Model(inputs, keras.layers.Flatten()(inputs)), np.zeros((1, 4, 4, 1)))


@pytest.mark.parametrize("side, seen", [(24, 24), (64, 32), (100, 33)])
def test_a_judge_looks_at_about_32_pixels(side, seen):
    judge = _network((side, side, 1), n_classes=2)
    assert judge.get_layer("block1_conv1").input.shape[1] == seen


@pytest.mark.slow
def test_the_pair_judge_finds_photos(pair_judge, pairs):
    photos, labels, sketches = pairs
    distances = pair_distances(pair_judge, photos, sketches)
    assert distances.shape == (40, 40) and -1e-5 < distances.min() and distances.max() < 2.00001
    # Rows are sketches, columns photos.
    np.testing.assert_allclose(distances[:3], pair_distances(pair_judge, photos, sketches[:3]), atol=1e-4)
    assert photo_rank(distances, labels) > 0.7


@pytest.mark.slow
def test_the_pair_judge_follows_from_its_seed(pairs):
    def weights(start, **options):
        keras.utils.set_random_seed(start)
        judged = train_pair_judge(pairs[0][:8], pairs[2][:8], steps=2, **options)
        return np.concatenate([w.ravel() for w in judged.sketch.get_weights()])

    first = weights(1)
    np.testing.assert_array_equal(first, weights(2))
    assert np.any(first != weights(1, seed=5))


@pytest.mark.slow
def test_the_pair_judge_is_another_network_than_the_towers(pair_judge):
    def kernels(network):
        return [weight.shape for weight in network.trainable_weights if weight.name == "kernel"]

    assert kernels(pair_judge.sketch) != kernels(image_tower((24, 24, 1)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sketches": np.zeros((3, 16, 16, 1))}, r"`labels` must be \(3, n_classes\).*Received: "),
        ({"sketches": np.zeros((0, 16, 16, 1))}, "`sketches` must be .*at least one.*Received: "),
        ({"labels": np.zeros(6)}, "`labels` must be .*Received: a shape of"),
        ({"labels": np.ones((6, 2))}, "`labels` must be one-hot. Received: "),
        ({"epochs": 0}, "`epochs` must be an integer of at least 1. Received: epochs=0"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1. Received: batch_size=0"),
    ],
)
def test_what_no_judge_can_learn_from_is_refused(given, message):
    six = {"sketches": np.zeros((6, 16, 16, 1)), "labels": np.eye(2)[[0, 1] * 3]}
    with pytest.raises(ValueError, match=message):
        train_judge(**{**six, **given})
