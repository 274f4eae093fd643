"""ControlGAN's rule against NumPy, in a graph, in a model, on two devices."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cgan.training.equilibrium import EquilibriumWeight


def by_hand(losses, rate, target, most, start):
    gamma, values = start, []
    for fake, real in losses:
        gamma = min(max(gamma + rate * (fake - target * real), 0.0), most)
        values.append(gamma)
    return values


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
@pytest.mark.parametrize(
    "options",
    [
        {"rate": 0.001, "target": 1.0, "most": 2.0, "start": 0.0},
        {"rate": 0.2, "target": 0.05, "most": 0.5, "start": 0.25},
        {"rate": 0.3, "target": 2.0, "most": 20.0, "start": 1.0},
    ],
)
def test_against_numpy(options, wrap):
    weight = EquilibriumWeight(**options)
    assert float(weight.value) == options["start"]
    losses = np.random.default_rng(0).uniform(0, 2, (30, 2)).astype("float32")
    update = wrap(weight.update)
    values = [float(update(tf.constant(fake), tf.constant(real))) for fake, real in losses]
    np.testing.assert_allclose(values, by_hand(losses, **options), rtol=1e-4, atol=1e-6)
    assert float(weight.value) == values[-1] and weight.value.dtype == tf.float32


def test_the_papers_numbers_are_the_defaults():
    weight = EquilibriumWeight()
    assert (weight.rate, weight.target, weight.most, float(weight.value)) == (0.001, 1.0, 2.0, 0.0)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_a_value_stays_what_it_was_when_read(wrap):
    weight = EquilibriumWeight(rate=0.1, start=0.25)

    def step():
        before = weight.value
        weight.update(tf.constant(2.0), tf.constant(1.0))
        return 1.0 * before, weight.value

    before, after = wrap(step)()
    assert (float(before), float(after)) == pytest.approx((0.25, 0.35))


def test_it_stays_within_its_bounds():
    weight = EquilibriumWeight(rate=1.0, most=2.0)
    assert float(weight.update(0.0, 5.0)) == 0
    assert float(weight.update(50.0, 1.0)) == 2
    assert float(weight.update(0.0, 0.5)) == 1.5


def test_one_value_a_sample_counts_as_the_mean():
    weight = EquilibriumWeight(rate=1.0)
    assert float(weight.update(tf.constant([1.0, 2.0]), tf.constant([0.5, 0.5, 0.2, 0.4], "float16"))) == (
        pytest.approx(1.1, rel=1e-3)
    )


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_is_passed_over(loss):
    weight = EquilibriumWeight(start=0.5)
    assert float(weight.update(loss, 1.0)) == float(weight.update(1.0, loss)) == 0.5


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_a_step_that_moved_no_generator_is_passed_over(wrap):
    weight = EquilibriumWeight(rate=1.0, start=0.5)
    update = wrap(weight.update)
    values = [float(update(1.5, 0.75, tf.constant(is_updated))) for is_updated in (False, True, False)]
    assert values == [0.5, 1.25, 1.25]


def test_gamma_is_no_weight_to_be_trained_and_stops_gradients():
    weight = EquilibriumWeight(rate=1.0)
    loss = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        value = weight.update(loss * 2.0, 1.0)
    assert tape.gradient(value, loss) is None
    assert weight.trainable_weights == [] and len(weight.non_trainable_weights) == 1
    keras.config.set_dtype_policy("mixed_float16")
    assert EquilibriumWeight().value.dtype == tf.float32


class Holder(keras.Model):
    def __init__(self):
        super().__init__()
        self.gamma = EquilibriumWeight(rate=1.0)
        self.built = True


def test_it_is_saved_with_a_model(tmp_path):
    model, other = Holder(), Holder()
    model.gamma.update(1.5, 0.25)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert float(other.gamma.value) == 1.25
    tf.train.Checkpoint(model=model).write(str(tmp_path / "checkpoint"))
    third = Holder()
    tf.train.Checkpoint(model=third).read(str(tmp_path / "checkpoint")).expect_partial()
    assert float(third.gamma.value) == 1.25


def test_config_round_trip():
    weight = EquilibriumWeight(rate=0.01, target=0.05, most=20.0, start=3.0, name="gamma")
    again = EquilibriumWeight.from_config(weight.get_config())
    assert (again.rate, again.target, again.most, again.name) == (0.01, 0.05, 20.0, "gamma")
    assert float(again.value) == 3.0


@pytest.mark.parametrize("argument", ["rate", "target", "most"])
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1", None, True])
def test_refused_numbers(argument, value):
    with pytest.raises(ValueError, match=rf"`{argument}` must be a number above 0.*Received: {argument}="):
        EquilibriumWeight(**{argument: value})


@pytest.mark.parametrize("start", [-0.1, 2.1, float("nan"), "0"])
def test_refused_start(start):
    with pytest.raises(ValueError, match=r"`start` must be in \[0, 2.0\].*Received: start="):
        EquilibriumWeight(start=start)


TWO_DEVICES = """
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from keras_cgan.training.equilibrium import EquilibriumWeight

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    weight = EquilibriumWeight(rate=1.0)

@tf.function
def step():
    def replica():
        number = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32)
        return weight.update(1.0 + number, 0.5)
    return strategy.experimental_local_results(strategy.run(replica))

step()
parts = strategy.experimental_local_results(weight._gamma.value)
assert len(parts) == 2
print([float(part) for part in parts])
"""


@pytest.mark.slow
def test_devices_agree_on_the_mean(run_child):
    """Losses of 1 and 2 on fakes, .5 on real samples: .5 and 1.5, so 1."""
    assert "[1.0, 1.0]" in run_child(TWO_DEVICES)
