"""Ranks and distances against SciPy, by hand, and for generators that draw something else."""

import cv2
import numpy as np
import pytest

from keras_cgan.data import EmbeddedPairs, to_unit
from keras_cgan.metrics import rank
from keras_cgan.metrics.rank import feature_distances, nearest_training_distance, photo_rank
from keras_cgan.metrics.strokes import chamfer_distances

SIZE = (32, 32)


@pytest.fixture(scope="module")
def pairs():
    """Sketches of the embedded set, six a class, and their labels: the next one of a class is 6 on."""
    pairs = EmbeddedPairs(36, 0.5)
    return to_unit(np.stack([pairs.load(i, SIZE)[1] for i in range(36)])), pairs.one_hot()


def one_hot(classes, n_classes=3):
    return np.eye(n_classes, dtype="float32")[list(classes)]


def chamfer_rank(drawn, real, labels):
    return photo_rank(chamfer_distances(drawn, real), labels)


def noise(n, seed=0, channels=1):
    return np.random.default_rng(seed).uniform(-1, 1, (n, *SIZE, channels)).astype("float32")


def test_photo_rank_by_hand():
    # Photo 0: of 1, 2 and 3 one is farther and one as far (1.5 of 3). Photo 1: all (3 of 3). 2: none.
    # 3: all tied (1.5 of 3). 4 and 5: one of one, none of one. 6 is alone in its class.
    distances = np.array(
        [
            [2, 2, 5, 1, 0, 9, 0],
            [9, 1, 8, 7, 0, 0, 0],
            [1, 2, 3, 1, 9, 9, 9],
            [4, 4, 4, 4, 0, 9, 9],
            [0, 0, 0, 0, 1, 2, 0],
            [9, 9, 9, 9, 5, 6, 9],
            [0, 0, 0, 0, 0, 0, 9],
        ]
    )
    labels = one_hot([0, 0, 0, 0, 1, 1, 2])
    assert photo_rank(distances, labels) == pytest.approx((0.5 + 1 + 0 + 0.5 + 1 + 0) / 6)


def test_photo_rank_against_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    distances = rng.integers(0, 6, (30, 30))  # many ties
    classes = rng.integers(0, 3, 30)
    expected = []
    for i in range(30):
        members = np.flatnonzero(classes == classes[i])
        place = stats.rankdata(distances[i, members])[members == i]  # 1 is the nearest, ties average
        expected.append((len(members) - place) / (len(members) - 1))
    assert photo_rank(distances, one_hot(classes)) == pytest.approx(np.mean(expected))


def test_the_order_of_the_photos_does_not_matter():
    rng = np.random.default_rng(0)
    distances, labels = rng.random((12, 12)), one_hot(rng.integers(0, 3, 12))
    order = rng.permutation(12)
    shuffled = photo_rank(distances[order][:, order], labels[order])
    assert shuffled == pytest.approx(photo_rank(distances, labels))


def test_rounding_breaks_no_tie():
    distances = np.full((3, 3), 0.3) + np.eye(3) * 1e-8
    assert photo_rank(distances, one_hot([0, 0, 0])) == 0.5
    assert photo_rank(distances * 1e-9, one_hot([0, 0, 0])) == 0.5  # whatever the unit
    assert photo_rank(np.full((3, 3), 0.3) + np.eye(3) * 1e-5, one_hot([0, 0, 0])) == 0
    # A photo that is far from all makes no ties for the others.
    assert photo_rank([[1, 2, 3], [2, 1, 3], [1e9, 1e9, 0]], one_hot([0, 0, 0])) == 1


@pytest.mark.filterwarnings("error")
def test_no_rank_without_another_sketch_of_the_class():
    assert np.isnan(photo_rank(np.eye(3), one_hot([0, 1, 2])))
    assert np.isnan(photo_rank([[0.0]], [[1]]))


def test_chance_is_a_half():
    rng = np.random.default_rng(0)
    assert photo_rank(rng.random((300, 300)), one_hot(rng.integers(0, 3, 300))) == pytest.approx(
        0.5, abs=0.05
    )


@pytest.mark.parametrize(
    ("distances", "labels", "message"),
    [
        (np.zeros((2, 3)), one_hot([0, 0]), r"`distances` must be square.*Received: .*\(2, 3\)"),
        (np.zeros(4), one_hot([0, 0]), r"`distances` must be a matrix.*Received: .*\(4,\)"),
        ([[0, np.nan], [0, np.inf]], one_hot([0, 0]), "`distances` must be finite. Received: 2 values"),
        (np.eye(2), one_hot([0, 0, 1]), r"`labels` must be \(2, n_classes\).*Received: .*\(3, 3\)"),
        (np.eye(2), np.array([0, 1]), r"`labels` must be \(2, n_classes\).*Received: .*\(2,\)"),
        (np.eye(2), np.array([[1, 0], [1, 1]]), r"`labels` must be one-hot.*Received: a row of \[1 1\]"),
        (np.eye(2), np.array([[0, 0], [0, 1]]), r"`labels` must be one-hot.*Received: a row of \[0 0\]"),
        (
            np.eye(2),
            np.array([[0.5, 0.5], [0, 1]]),
            r"`labels` must be one-hot.*Received: a row of \[0.5 0.5\]",
        ),
    ],
)
def test_photo_rank_refuses(distances, labels, message):
    with pytest.raises(ValueError, match=message):
        photo_rank(distances, labels)


def test_feature_distances_against_scipy():
    spatial = pytest.importorskip("scipy.spatial")
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(5, 9)) * 100, rng.normal(size=(7, 9))
    distances = feature_distances(one, other)
    np.testing.assert_allclose(distances, spatial.distance.cdist(one, other, "cosine"), atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_feature_distances_by_hand():
    real = [[2, 0], [0, 3], [-1, 0], [0, 0]]
    assert feature_distances([[5, 0], [0, 0]], real).tolist() == [[0, 1, 2, 1], [1, 1, 1, 1]]
    rows = np.random.default_rng(0).normal(size=(50, 7))
    assert feature_distances(rows, rows).min() >= 0  # whatever rounding makes of it
    assert feature_distances(rows, -rows).max() <= 2


def test_feature_distances_refuse():
    rows = np.ones((2, 3))
    with pytest.raises(ValueError, match="one length. Received: 3 and 2"):
        feature_distances(rows, rows[:, :2])
    with pytest.raises(ValueError, match=r"`features` must be a matrix.*Received: .*\(3,\)"):
        feature_distances(rows[0], rows)
    with pytest.raises(ValueError, match="`real_features` must be finite. Received: 6 values"):
        feature_distances(rows, rows * np.nan)


@pytest.mark.parametrize("channels", [1, 3])
def test_nearest_training_distance_against_scipy(channels):
    spatial = pytest.importorskip("scipy.spatial")
    drawn, test, train = (noise(n, seed=n, channels=channels) for n in (3, 5, 8))

    def mean_to_nearest(sketches):
        one, other = (
            # A blur of 32 / 32 = 1 px; the distances are those of `within_class_diversity`.
            [cv2.GaussianBlur(s, (0, 0), 1, borderType=cv2.BORDER_REPLICATE).ravel() for s in of]
            for of in (sketches, train)
        )
        return spatial.distance.cdist(one, other).min(axis=1).mean()

    found = nearest_training_distance(drawn, test, train)
    assert found["drawn"] == pytest.approx(mean_to_nearest(drawn), rel=1e-5)
    assert found["real"] == pytest.approx(mean_to_nearest(test), rel=1e-5)
    assert found["ratio"] == pytest.approx(found["drawn"] / found["real"])


def test_nearest_training_distance_by_hand():
    # Flat paper stays flat under the blur: the distance is 32 times the difference of grey.
    drawn, test, train = (
        np.broadcast_to(np.float32(greys)[:, None, None, None], (len(greys), *SIZE, 1))
        for greys in ([0.25, -0.5], [0.0], [-1.0, 0.5, 1.0])
    )
    found = nearest_training_distance(drawn, test, train)
    assert found == pytest.approx({"drawn": 32 * 0.375, "real": 32 * 0.5, "ratio": 0.75}, rel=1e-5)


def test_nearest_training_distance_in_blocks(monkeypatch):
    drawn, test, train = noise(5), noise(4, seed=1), noise(7, seed=2)
    whole = nearest_training_distance(drawn, test, train)
    for block in (1, 3 * SIZE[0] * SIZE[1]):
        monkeypatch.setattr(rank, "_BLOCK", block)
        assert nearest_training_distance(drawn, test, train) == pytest.approx(whole)


@pytest.mark.filterwarnings("error")
def test_copies_are_at_no_distance(pairs):
    sketches, _ = pairs
    test, train = sketches[:12], sketches[12:]
    copied = nearest_training_distance(train[::2], test, train)
    assert copied["drawn"] == copied["ratio"] == 0 and copied["real"] > 1
    assert nearest_training_distance(test, test, train)["ratio"] == 1
    assert 0 < nearest_training_distance(0.9 * train + 0.1, test, train)["ratio"] < 0.5
    assert nearest_training_distance(noise(12), test, train)["ratio"] > 1.5
    leaked = nearest_training_distance(test, train[:3], train)
    assert leaked["real"] == 0 and np.isnan(leaked["ratio"])


def test_nearest_training_distance_refuses(pairs):
    sketches, _ = pairs
    with pytest.raises(ValueError, match=r"`train_sketches` must have one height.*and \(36, 32, 31, 1\)"):
        nearest_training_distance(sketches, sketches, sketches[:, :, 1:])
    with pytest.raises(ValueError, match=r"`train_sketches`.*one sketch.*Received: .*\(0, 32, 32, 1\)"):
        nearest_training_distance(sketches, sketches, sketches[:0])
    with pytest.raises(ValueError, match="`sketches` must be finite"):
        nearest_training_distance(sketches * np.inf, sketches, sketches)


def test_the_true_sketch_is_always_first(pairs):
    sketches, labels = pairs
    assert chamfer_rank(sketches, sketches, labels) == 1
    assert chamfer_rank(np.roll(sketches, 1, axis=2), sketches, labels) > 0.9


def test_what_ignores_the_photo_is_at_chance(pairs):
    sketches, labels = pairs
    classes = np.argmax(labels, axis=1)
    means = sketches.reshape(6, 6, *SIZE, 1).mean(axis=0)  # of each class
    for drawn in (np.ones_like(sketches), sketches[classes], means[classes]):
        assert chamfer_rank(drawn, sketches, labels) == pytest.approx(0.5, abs=1e-9)


def test_the_true_sketch_of_another_photo_is_below_chance(pairs):
    sketches, labels = pairs
    # Another one of the class is always first, so that the own one is never.
    assert chamfer_rank(np.roll(sketches, -6, axis=0), sketches, labels) < 0.5
    # Of another class it is at chance, but for what a few photos make of it.
    assert chamfer_rank(np.roll(sketches, -1, axis=0), sketches, labels) == pytest.approx(0.5, abs=0.2)
