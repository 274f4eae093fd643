"""Learning rates and momenta against NumPy; saved and loaded; eager, in a graph and in `fit`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_cgan.schedules import GeometricDecay, LinearDecay, RampedSGD

SCHEDULES = [LinearDecay(2e-4, 10, 20), GeometricDecay(0.1, 1.5, 0.01), GeometricDecay()]


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_linear_decay_by_hand():
    schedule = LinearDecay(0.2, 10, 20)
    expected = [0.2, 0.2, 0.2, 0.19, 0.1, 0.01, 0.0, 0.0]
    np.testing.assert_allclose(
        rates(schedule, [0, 5, 10, 11, 20, 29, 30, 1000]), expected, rtol=1e-5, atol=1e-9
    )
    assert float(LinearDecay(0.2, 0, 4)(1)) == pytest.approx(0.15)


def test_geometric_decay_by_hand():
    schedule = GeometricDecay(0.1, factor=2.0, least=0.01)
    np.testing.assert_allclose(rates(schedule, [0, 1, 2, 3, 4, 50]), [0.1, 0.05, 0.025, 0.0125, 0.01, 0.01])


@pytest.mark.parametrize("factor", [1.000004, 1.00004])
@pytest.mark.parametrize("step", [1, 500, 100_000, 1_000_000, 2_800_000, 20_000_000])
def test_a_factor_near_one_is_not_rounded(factor, step):
    expected = max(0.1 * (1 / np.float64(factor)) ** step, 1e-6)
    assert float(GeometricDecay(0.1, factor, 1e-6)(step)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_config_round_trip(schedule):
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(schedule))
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_in_an_optimizer_and_in_a_graph(schedule):
    import tensorflow as tf

    graph = tf.function(schedule)
    optimizer = keras.optimizers.SGD(schedule)
    weight = keras.Variable(0.0)
    optimizer.build([weight])
    total = 0.0
    for step in range(15):
        expected = float(schedule(step))
        assert float(optimizer.learning_rate) == pytest.approx(expected, rel=1e-6)
        assert float(graph(tf.constant(step, "int64"))) == pytest.approx(expected, rel=1e-6)
        optimizer.apply([ops.ones(())], [weight])
        total -= expected
    assert float(weight) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: LinearDecay(0.0, 1, 1),
            "`learning_rate` must be a number above 0. Received: learning_rate=0.0",
        ),
        (lambda: LinearDecay(0.1, -1, 1), "`constant_steps` must be .*Received: constant_steps=-1"),
        (lambda: LinearDecay(0.1, 1, 0), "`decay_steps` must be .*Received: decay_steps=0"),
        (lambda: GeometricDecay("0.1"), "`learning_rate` must be .*Received: learning_rate='0.1'"),
        (lambda: GeometricDecay(factor=1.0), "`factor` must be a number above 1. Received: factor=1.0"),
        (
            lambda: GeometricDecay(least=0.2),
            "`least` must be from 0 to `learning_rate`, 0.1. Received: least=0.2",
        ),
        (lambda: RampedSGD(momentum=-0.1), r"`momentum` must be in \[0, 1\]. Received: momentum=-0.1"),
        (lambda: RampedSGD(final_momentum=1.1), "`final_momentum` must be .*Received: final_momentum=1.1"),
        (lambda: RampedSGD(ramp_steps=0), "`ramp_steps` must be .*Received: ramp_steps=0"),
        (lambda: RampedSGD(nesterov=True), "`nesterov` must be False. Received: nesterov=True"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def by_hand(gradients, rate, momentum, final, ramp):
    """The weight after each update, from 1."""
    weight, velocity, weights = 1.0, 0.0, []
    for step, gradient in enumerate(gradients):
        now = momentum + (final - momentum) * min(step / ramp, 1)
        velocity = now * velocity - rate(step) * gradient
        weight += velocity
        weights.append(weight)
    return weights


def trained(optimizer, gradients, wrap):
    weight = keras.Variable(1.0)
    optimizer.build([weight])

    def step(gradient):
        optimizer.apply([gradient], [weight])

    step, weights = wrap(step), []
    for gradient in gradients:
        step(ops.convert_to_tensor(gradient, "float32"))
        weights.append(float(weight))
    return weights


def wrappers():
    import tensorflow as tf

    return {"eager": lambda step: step, "graph": tf.function}


GRADIENTS = np.random.default_rng(0).normal(size=12)


@pytest.mark.parametrize("how", ["eager", "graph"])
@pytest.mark.parametrize(("momentum", "final", "ramp"), [(0.5, 0.7, 8), (0.0, 0.9, 4), (0.9, 0.0, 1)])
def test_ramped_sgd_against_numpy(momentum, final, ramp, how):
    """In a graph too, where a number of Python's would stay what it was when it was traced."""
    weights = trained(RampedSGD(0.1, momentum, final, ramp), GRADIENTS, wrappers()[how])
    expected = by_hand(GRADIENTS, lambda step: 0.1, momentum, final, ramp)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_with_a_schedule():
    weights = trained(RampedSGD(GeometricDecay(0.1, 1.2, 0.02), 0.5, 0.7, 6), GRADIENTS, wrappers()["graph"])
    expected = by_hand(GRADIENTS, lambda step: max(0.1 / 1.2**step, 0.02), 0.5, 0.7, 6)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_without_a_ramp_it_is_kerass_sgd():
    weights = trained(RampedSGD(0.1, 0.6, 0.6), GRADIENTS, wrappers()["eager"])
    expected = trained(keras.optimizers.SGD(0.1, momentum=0.6), GRADIENTS, wrappers()["eager"])
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_with_accumulation_the_ramp_counts_updates():
    optimizer = RampedSGD(0.1, 0.5, 0.7, 4, gradient_accumulation_steps=2)
    weights = trained(optimizer, GRADIENTS, wrappers()["graph"])
    means = GRADIENTS.reshape(-1, 2).mean(axis=1)
    np.testing.assert_allclose(weights[1::2], by_hand(means, lambda step: 0.1, 0.5, 0.7, 4), rtol=1e-5)


def test_the_current_momentum():
    optimizer = RampedSGD(0.1, 0.5, 0.7, 4)
    weight = keras.Variable(0.0)
    optimizer.build([weight])
    seen = []
    for _ in range(6):
        seen.append(float(optimizer.current_momentum()))
        optimizer.apply([ops.ones(())], [weight])
    np.testing.assert_allclose(seen, [0.5, 0.55, 0.6, 0.65, 0.7, 0.7], rtol=1e-6)


def test_a_saved_model_goes_on_with_the_same_steps(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(RampedSGD(LinearDecay(0.1, 2, 8), 0.0, 0.9, 5), loss="mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for _ in range(4):
        assert loaded.train_on_batch(x, y) == pytest.approx(model.train_on_batch(x, y), rel=1e-6)
    for one, other in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_in_half_precision_with_a_loss_scale():
    keras.config.set_dtype_policy("mixed_float16")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(RampedSGD(0.01, 0.5, 0.7, 5), loss="mse")
    losses = [model.train_on_batch(np.ones((8, 3)), np.zeros((8, 2))) for _ in range(6)]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
