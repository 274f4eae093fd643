"""What a generator draws from: sizes, distributions, parts and grids."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_cgan.latents import NOISE_DISTRIBUTIONS, Latent


def drawn(latent, size=2000, seed=0):
    batch = ops.convert_to_numpy(latent.sample(size, keras.random.SeedGenerator(seed)))
    assert batch.shape == (size, latent.size) and batch.dtype == "float32"
    return batch


def test_infogans_own_is_the_default():
    latent = Latent()
    assert (latent.size, latent.noise, latent.categories, latent.continuous) == (74, 62, (10,), 2)
    assert latent.entropy == pytest.approx(2.302585)
    parts = latent.split(drawn(latent))
    assert [part.shape for part in (parts["noise"], *parts["categories"], parts["continuous"])] == [
        (2000, 62),
        (2000, 10),
        (2000, 2),
    ]


@pytest.mark.parametrize(
    ("distribution", "low", "high", "mean", "deviation"),
    [
        ("normal", -9, 9, 0, 1),
        ("uniform", -1, 1, 0, 1 / math.sqrt(3)),
        ("unit", 0, 1, 0.5, 1 / math.sqrt(12)),
    ],
)
def test_noise(distribution, low, high, mean, deviation):
    noise = drawn(Latent(20, (), 0, distribution))
    assert low <= noise.min() and noise.max() <= high
    # Within four standard errors of 40,000 numbers.
    assert noise.mean() == pytest.approx(mean, abs=4 * deviation / 200)
    assert noise.std() == pytest.approx(deviation, rel=0.02)
    assert abs(np.corrcoef(noise, rowvar=False) - np.eye(20)).max() < 0.1


def test_codes():
    latent = Latent(3, (4, 2), 2)
    parts = latent.split(drawn(latent))
    for code, n_values in zip(parts["categories"], (4, 2), strict=True):
        np.testing.assert_array_equal(np.sort(code, axis=1)[:, -1], 1)
        np.testing.assert_array_equal(code.sum(axis=1), 1)
        np.testing.assert_allclose(code.mean(axis=0), 1 / n_values, atol=0.05)
    continuous = parts["continuous"]
    assert -1 <= continuous.min() < -0.95 and 0.95 < continuous.max() <= 1
    assert continuous.std() == pytest.approx(1 / math.sqrt(3), rel=0.05)
    assert latent.entropy == pytest.approx(math.log(4) + math.log(2))


@pytest.mark.parametrize(
    "seed", [keras.random.SeedGenerator(1), 1, None], ids=["generator", "integer", "none"]
)
def test_the_parts_do_not_depend_on_one_another(seed):
    # One integer for all would make a uniform noise and a uniform code the same numbers.
    latent = Latent(1, (2, 2), 1, "uniform")
    batch = ops.convert_to_numpy(latent.sample(2000, seed))
    columns = batch[:, [0, 1, 3, 5]]
    assert abs(np.corrcoef(columns, rowvar=False) - np.eye(4)).max() < 0.1


def test_seeds():
    latent = Latent(4)
    seeds = keras.random.SeedGenerator(7)
    first, second = (ops.convert_to_numpy(latent.sample(5, seeds)) for _ in range(2))
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(latent.sample(5, keras.random.SeedGenerator(7)), first)
    np.testing.assert_array_equal(latent.sample(5, 7), latent.sample(5, 7))


def test_split_gives_back_the_parts_in_order():
    latent = Latent(2, (3, 2), 1)
    parts = latent.split(np.arange(16.0).reshape(2, 8))
    np.testing.assert_array_equal(parts["noise"], [[0, 1], [8, 9]])
    np.testing.assert_array_equal(parts["categories"][0], [[2, 3, 4], [10, 11, 12]])
    np.testing.assert_array_equal(parts["categories"][1], [[5, 6], [13, 14]])
    np.testing.assert_array_equal(parts["continuous"], [[7], [15]])


def test_split_of_noise_alone():
    parts = Latent(3, (), 0).split(np.ones((2, 3)))
    assert (
        parts["categories"] == [] and parts["continuous"].shape == (2, 0) and parts["noise"].shape == (2, 3)
    )
    assert Latent(3, (), 0).entropy == 0


@pytest.mark.parametrize("shape", [(2, 7), (8,), (2, 8, 1)])
def test_split_of_another_size(shape):
    with pytest.raises(ValueError, match=r"`latent` must be of shape \(batch, 8\).*Received: a shape of"):
        Latent(2, (3, 2), 1).split(np.zeros(shape))


def grid(latent, *arguments, **options):
    values = ops.convert_to_numpy(latent.grid(*arguments, **options))
    assert values.dtype == "float32"
    return values


def others(rows, start, width):
    return np.delete(rows, np.s_[start : start + width], axis=-1)


def test_a_grid_of_a_categorical_code():
    latent = Latent(3, (4, 2), 2)
    rows = grid(latent, 1, rows=5, seed=0).reshape(5, 2, latent.size)
    np.testing.assert_array_equal(rows[:, :, 7:9], np.broadcast_to(np.eye(2), (5, 2, 2)))
    rest = others(rows, 7, 2)
    np.testing.assert_array_equal(rest, np.broadcast_to(rest[:, :1], rest.shape))
    assert len(np.unique(rest[:, 0, :3], axis=0)) == 5
    first = grid(latent, 0, rows=2, columns=9, seed=0).reshape(2, 4, latent.size)
    np.testing.assert_array_equal(first[1, :, 3:7], np.eye(4))


def test_a_grid_of_a_continuous_code():
    latent = Latent(3, (4, 2), 2)
    rows = grid(latent, 3, rows=6, columns=5, seed=0).reshape(6, 5, latent.size)
    np.testing.assert_allclose(rows[:, :, 10], np.broadcast_to([-2, -1, 0, 1, 2], (6, 5)))
    rest = others(rows, 10, 1)
    np.testing.assert_array_equal(rest, np.broadcast_to(rest[:, :1], rest.shape))
    # Row after row another class.
    np.testing.assert_array_equal(np.argmax(rows[:, 0, 3:7], axis=1), [0, 1, 2, 3, 0, 1])
    np.testing.assert_array_equal(np.sum(rows[:, 0, 3:7], axis=1), 1)
    np.testing.assert_allclose(grid(latent, 2, rows=1, columns=3, most=0.5)[:, 9], [-0.5, 0, 0.5])


def test_a_grid_without_categories():
    rows = grid(Latent(3, (), 1), 0, rows=2, columns=3, seed=1)
    np.testing.assert_allclose(rows[:, 3], [-2, 0, 2] * 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"code": 3}, "`code` must be below 3, the number of codes. Received: code=3"),
        ({"code": -1}, "`code` must be an integer of at least 0. Received: code=-1"),
        ({"code": 0, "rows": 0}, "`rows` must be an integer of at least 1. Received: rows=0"),
        ({"code": 0, "columns": 2.5}, "`columns` must be .*Received: columns=2.5"),
    ],
)
def test_refused_grids(options, message):
    with pytest.raises(ValueError, match=message):
        Latent().grid(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": -1}, "`noise` must be an integer of at least 0. Received: noise=-1"),
        ({"continuous": 0.5}, "`continuous` must be .*Received: continuous=0.5"),
        ({"categories": 10}, "`categories` must be a tuple.*Received: categories=10"),
        ({"categories": (10, 1)}, "`categories` must be an integer of at least 2. Received: categories=1"),
        (
            {"noise_distribution": "gauss"},
            r"`noise_distribution` must be one of \('normal', 'uniform', 'unit'\). Received: .*'gauss'",
        ),
        ({"noise": 0, "categories": (), "continuous": 0}, "`noise` must be at least 1.*Received: noise=0"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Latent(**options)


@pytest.mark.parametrize("distribution", NOISE_DISTRIBUTIONS)
def test_in_a_graph_for_any_batch_size_it_draws_the_same(distribution):
    import tensorflow as tf

    latent = Latent(3, (4,), 2, distribution)
    seeds = keras.random.SeedGenerator(3)

    @tf.function(input_signature=[tf.TensorSpec((None, 1))])
    def sample(images):
        return latent.sample(tf.shape(images)[0], seeds)

    twins = keras.random.SeedGenerator(3)
    for size in (2, 5, 1):
        batch = sample(tf.zeros((size, 1)))
        assert batch.shape == (size, latent.size)
        np.testing.assert_allclose(batch, latent.sample(size, twins), rtol=1e-6)


def test_half_precision_policies_do_not_narrow_it():
    keras.config.set_dtype_policy("mixed_float16")
    assert keras.backend.standardize_dtype(Latent().sample(2).dtype) == "float32"
