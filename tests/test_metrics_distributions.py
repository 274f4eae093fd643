"""Distances of feature rows against SciPy, scikit-learn and numbers by hand."""

import numpy as np
import pytest

from keras_cgan.metrics.distributions import density_and_coverage, frechet_distance, kernel_distance

MEASURES = [frechet_distance, kernel_distance, density_and_coverage]


def features(n, d, seed=0, shift=0.0):
    """Correlated rows, each feature of another scale."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * np.linspace(0.2, 2, d) + shift


@pytest.mark.parametrize(("n", "n_real", "d"), [(40, 60, 6), (40, 25, 1), (9, 7, 20), (30, 8, 20)])
def test_frechet_distance_against_scipy(n, n_real, d):
    linalg = pytest.importorskip("scipy.linalg")
    drawn, real = features(n, d), features(n_real, d, seed=1, shift=0.3)
    covariances = [np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (drawn, real)]
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    difference = drawn.mean(axis=0) - real.mean(axis=0)
    expected = np.sum(difference**2) + np.trace(covariances[0] + covariances[1] - 2 * np.real(root))
    # sqrtm of a product without full rank is no better.
    assert frechet_distance(drawn, real) == pytest.approx(expected, rel=1e-4 if min(n, n_real) <= d else 1e-9)


def test_frechet_distance_without_full_rank_by_singular_values():
    # S1 = A'A and S2 = B'B: the trace of the root of S1 S2 is the sum of the singular values of AB'.
    drawn, real = features(6, 50), features(9, 50, seed=1)
    a, b = ((rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1) for rows in (drawn, real))
    difference = drawn.mean(axis=0) - real.mean(axis=0)
    overlap = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    expected = np.sum(difference**2) + np.sum(a**2) + np.sum(b**2) - 2 * overlap
    assert frechet_distance(drawn, real) == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_in_one_dimension_by_hand():
    # Means 1 and 6, deviations sqrt(2) and 3 sqrt(2): 25 + (2 sqrt(2))^2.
    assert frechet_distance([[0.0], [2.0]], [[3.0], [9.0]]) == pytest.approx(33.0)


@pytest.mark.parametrize("n", [5, 40])
def test_frechet_distance_of_equal_and_of_moved_sets(n):
    real = features(n, 12)
    assert 0 <= frechet_distance(real, real[::-1]) < 1e-5
    assert frechet_distance(real + 2, real) == pytest.approx(4 * 12, rel=1e-6)


def test_frechet_distance_is_symmetric():
    drawn, real = features(30, 5), features(20, 5, seed=1)
    assert frechet_distance(drawn, real) == pytest.approx(frechet_distance(real, drawn), rel=1e-9)


@pytest.mark.parametrize(("n", "n_real", "d"), [(12, 30, 4), (2, 2, 7), (20, 9, 1)])
def test_kernel_distance_against_scikit_learn(n, n_real, d):
    kernel = pytest.importorskip("sklearn.metrics.pairwise").polynomial_kernel
    drawn, real = features(n, d), features(n_real, d, seed=1, shift=0.5)
    options = {"degree": 3, "gamma": 1 / d, "coef0": 1}
    within = [
        kernel(rows, **options)[~np.eye(len(rows), dtype=bool)].mean()  # all pairs of different rows
        for rows in (drawn, real)
    ]
    expected = sum(within) - 2 * kernel(drawn, real, **options).mean()
    assert kernel_distance(drawn, real) == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_by_hand():
    # Kernels (1 * 2 + 1)^3 and (0 * 3 + 1)^3; between, 1, 1, 4^3 and 7^3.
    expected = 27 + 1 - 2 * (1 + 64 + 1 + 343) / 4
    assert kernel_distance([[1.0], [2.0]], [[0.0], [3.0]]) == pytest.approx(expected)


def test_kernel_distance_is_unbiased():
    """Over many small sets of one distribution its mean is 0: with the diagonal it would be above."""
    rng = np.random.default_rng(0)
    values = [kernel_distance(rng.normal(size=(5, 3)), rng.normal(size=(8, 3))) for _ in range(2000)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error < 0.5 and min(values) < 0


def test_density_and_coverage_by_hand():
    # Distances to the second neighbour: 2, 1, 2, 8.
    real = [[0.0], [1.0], [2.0], [10.0]]
    # .5 lies in the balls of 0, 1 and 2; 3 in that of 10 (to 2) and of 2 (to 0); 50 in none.
    drawn = [[0.5], [3.0], [50.0]]
    result = density_and_coverage(drawn, real, k=2)
    assert result == {"density": pytest.approx(5 / (2 * 3)), "coverage": 1.0}
    # 20 is not within 8 of 10, and 4 lies on the edge of 2's ball: outside; within 10's.
    assert density_and_coverage([[20.0], [4.0]], real, k=2) == {
        "density": pytest.approx(1 / (2 * 2)),
        "coverage": 1 / 4,
    }


@pytest.mark.parametrize(("k", "covers_all"), [(1, False), (5, False), (11, True)])
def test_density_and_coverage_against_scikit_learn(k, covers_all):
    neighbors = pytest.importorskip("sklearn.neighbors").NearestNeighbors
    drawn, real = features(25, 3, shift=2.0), features(40, 3, seed=1)
    radii = neighbors(n_neighbors=k).fit(real).kneighbors()[0][:, -1]  # without the row itself
    index = neighbors().fit(drawn)
    counts = np.array(
        [len(index.radius_neighbors(row[None], radius)[1][0]) for row, radius in zip(real, radii)]
    )
    result = density_and_coverage(drawn, real, k)
    assert result["density"] == pytest.approx(counts.sum() / (k * len(drawn)))
    assert result["coverage"] == pytest.approx(np.mean(counts > 0))
    assert 0 < result["coverage"] and (result["coverage"] == 1) is covers_all


def test_real_rows_themselves_are_dense_and_cover():
    real = features(30, 4)
    assert density_and_coverage(real, real, 3) == {"density": pytest.approx(1.0), "coverage": 1.0}


def test_one_drawing_for_all_covers_little():
    # One image, again and again, in the middle of the real ones: dense, but not varied.
    real = features(200, 4)
    result = density_and_coverage(np.repeat(real.mean(axis=0)[None], 50, axis=0), real)
    assert result["density"] > 0.9 and result["coverage"] < 0.2


@pytest.mark.parametrize("k", [4, 9])
def test_as_many_neighbours_as_real_rows_are_refused(k):
    with pytest.raises(ValueError, match=f"`k` must be below the number of real rows, 4.*Received: k={k}"):
        density_and_coverage(features(9, 2), features(4, 2), k)


@pytest.mark.parametrize("k", [0, 1.5])
def test_refused_neighbours(k):
    with pytest.raises(ValueError, match=f"`k` must be an integer of at least 1. Received: k={k}"):
        density_and_coverage(features(9, 2), features(9, 2), k)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("shape", [(1, 3), (0, 3), (8,), (8, 3, 1), (8, 0)])
def test_refused_shapes(measure, shape):
    with pytest.raises(ValueError, match="`features` must be .*at least 2 rows.*Received: a shape of"):
        measure(np.zeros(shape), features(8, 3))
    with pytest.raises(ValueError, match="`real_features` must be .*at least 2 rows.*Received: a shape of"):
        measure(features(8, 3), np.zeros(shape))


@pytest.mark.parametrize("measure", MEASURES)
def test_refused_rows(measure):
    with pytest.raises(ValueError, match="must have rows of one length. Received: 3 and 4"):
        measure(features(8, 3), features(8, 4))
    for bad in (np.nan, np.inf):
        rows = features(8, 3)
        rows[2, 1] = bad
        with pytest.raises(ValueError, match="`features` must be finite. Received: 1 values that are not"):
            measure(rows, features(8, 3))
        with pytest.raises(ValueError, match="`real_features` must be finite. Received: 1 values"):
            measure(features(8, 3), rows)


def test_single_precision_features_are_measured_in_double():
    drawn, real = features(30, 5).astype("float32"), features(20, 5, seed=1).astype("float32")
    for measure in MEASURES:
        assert measure(drawn, real) == measure(drawn.astype("float64"), real.astype("float64"))
