"""Sample weights: a loss is sum(weight * loss) / n, as Keras has it, for all networks."""

import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import LEARNING_RATES, assert_same_values, networks, sgd_gan

from keras_cgan import STRATEGIES

every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


def scaled(factor):
    return {player: rate * factor for player, rate in LEARNING_RATES.items()}


def first(data, n):
    x, sketch = data
    return {name: array[:n] for name, array in x.items()}, sketch[:n]


def assert_losses(logs, expected, factor):
    assert logs == pytest.approx({name: factor * value for name, value in expected.items()}, rel=2e-5)


@pytest.mark.parametrize(
    "strategy, options",
    [
        *((strategy, {}) for strategy in sorted(STRATEGIES)),
        ("shared-q", {"joined_batch": False}),
        ("classifier", {"update": "simultaneous"}),
    ],
    ids=str,
)
def test_weight_zero_leaves_a_sample_out(strategy, options):
    """3 of 4 samples, divided by 4: by SGD a step of 3/4 the rate."""
    parts = networks(strategy, batch_norm=False)
    twins = tiny.copies(parts)
    gan, without = sgd_gan(parts, **options), sgd_gan(twins, scaled(3 / 4), **options)
    data = tiny.batch(4)
    logs = gan.train_on_batch(*data, sample_weight=np.array([1, 1, 1, 0], "float32"))
    # One step of all three: what they lose in it is 3/4 of the others' loss.
    assert_losses(logs, without.train_on_batch(*first(data, 3)), 3 / 4)
    assert_same_values(parts, twins)


@every_strategy
def test_weights_weigh(strategy):
    """Weights of 2 are twice the loss; and what counts is each sample's own."""
    parts = networks(strategy, batch_norm=False)
    twins = tiny.copies(parts)
    x, sketch = tiny.batch(4)
    gan, plain = sgd_gan(parts, scaled(1 / 2)), sgd_gan(twins)
    expected = plain.train_on_batch(x, sketch)
    # Integers, and one column: as they may come.
    assert_losses(gan.train_on_batch(x, sketch, np.full((4, 1), 2)), expected, 2)
    assert_same_values(parts, twins)

    weights = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    still = sgd_gan(parts, dict.fromkeys(LEARNING_RATES, 0.0))
    each = [still.train_on_batch(*last_of(x, sketch, n)) for n in range(4)]
    together = still.train_on_batch(x, sketch, weights)
    for name, value in together.items():
        assert value == pytest.approx(np.mean(weights * [logs[name] for logs in each]), rel=2e-5)


def last_of(x, sketch, n):
    return {name: array[n : n + 1] for name, array in x.items()}, sketch[n : n + 1]


@pytest.mark.parametrize("as_data", [False, True])
def test_weights_in_fit_and_evaluate(as_data):
    parts = networks("shared-q", batch_norm=False)
    twins = tiny.copies(parts)
    gan, without = sgd_gan(parts, run_eagerly=not as_data), sgd_gan(twins, scaled(3 / 4))
    x, sketch = data = tiny.batch(4)
    weight = np.array([1, 1, 1, 0], "float32")
    dataset = tf.data.Dataset.from_tensors((x, sketch, weight))
    history = gan.fit(dataset, verbose=0) if as_data else gan.fit(x, sketch, sample_weight=weight, verbose=0)
    expected = without.fit(*first(data, 3), verbose=0)
    assert_losses(
        {name: values[0] for name, values in history.history.items()},
        {name: values[0] for name, values in expected.history.items()},
        3 / 4,
    )
    assert_same_values(parts, twins)

    given = {"x": dataset} if as_data else {"x": x, "y": sketch, "sample_weight": weight}
    logs = gan.evaluate(**given, verbose=0, return_dict=True)
    assert_losses(logs, without.evaluate(*first(data, 3), verbose=0, return_dict=True), 3 / 4)


def test_no_sample_with_weight_moves_no_weight():
    parts = networks("shared-q")
    before = [network.get_weights() for network in tiny.present(parts)]
    logs = sgd_gan(parts).train_on_batch(*tiny.batch(), sample_weight=np.zeros(4))
    assert set(logs.values()) == {0.0}
    for network, weights in zip(tiny.present(parts), before):
        for variable, old in zip(network.weights, weights):
            if variable.trainable:
                np.testing.assert_array_equal(variable.numpy(), old)
