"""`ConditionalGAN(equilibrium=)`: the class loss weighs by gamma, which moves once an update of G."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import assert_same_values, networks, sgd_gan

from keras_cgan import ConditionalGAN, EquilibriumWeight

STILL = {"g": 0.0, "d": 0.0, "c": 0.0}
RULE = {"rate": 0.5, "target": 0.8, "most": 1.5, "start": 1.0}
WEIGHT = np.array([2, 0, 1, 0.5], "float32")


def balanced(strategy="classifier", rates=tiny.LEARNING_RATES, rule=RULE, **options):
    """A model with the rule; deterministic, but for what the options ask for."""
    return sgd_gan(networks(strategy), rates, equilibrium=EquilibriumWeight(**rule), **options)


def gamma_of(gan):
    return float(gan.equilibrium.value)


def moved(gamma, logs):
    return min(max(gamma + 0.5 * (logs["g_class"] - 0.8 * logs["c_loss"]), 0.0), 1.5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"run_eagerly": False},
        {"update": "simultaneous", "run_eagerly": False},
        {"joined_batch": False, "d_steps": 2},
        {"swap_rate": 0.5, "swap_weight": 50.0, "run_eagerly": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighed"])
def test_gamma_moves_by_the_rule_from_the_logged_losses(options, weight):
    """With swapped labels too: what the rule compares is without their weight, as the logs are."""
    gan = balanced("class-and-photo" if "swap_rate" in options else "classifier", **options)
    gamma, seen = 1.0, []
    for seed in range(5):
        logs = gan.train_on_batch(*tiny.batch(seed=seed), sample_weight=weight)
        assert logs["gamma"] == pytest.approx(gamma, rel=1e-5)
        gamma = moved(gamma, logs)
        assert gamma_of(gan) == pytest.approx(gamma, rel=1e-4)
        seen.append(gamma)
    assert len(set(seen)) > 2


def test_both_losses_of_the_rule_by_hand():
    """C's on the fakes, for what was asked for, and on the real sketches, for what they are."""
    parts = networks("class-and-photo", batch_norm=False)
    gan = sgd_gan(parts, STILL, equilibrium=EquilibriumWeight(**RULE), swap_rate=0.5, swap_weight=50.0)
    x, sketch = tiny.batch()
    asked = np.roll(x["label"], 1, axis=1)
    object.__setattr__(gan, "_asked", lambda batch, run: (tf.constant(asked), tf.zeros(4)))
    gan.train_on_batch(x, sketch)
    said = parts[2](parts[0]({**x, "label": asked})).numpy(), parts[2](sketch).numpy()
    fake, real = (-np.log((label * of).sum(axis=1)).mean() for label, of in zip((asked, x["label"]), said))
    assert abs(fake - 0.8 * real) > 0.01
    assert gamma_of(gan) == pytest.approx(1 + 0.5 * (fake - 0.8 * real), rel=1e-5)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_the_class_loss_counts_times_gamma(update):
    """Loss and step are those of a model whose class weight is so many times as large."""
    parts = networks("classifier")
    twins = tiny.copies(parts)
    rule = EquilibriumWeight(**{**RULE, "start": 0.75})
    gan = sgd_gan(parts, update=update, class_weight=4.0, equilibrium=rule)
    plain = sgd_gan(twins, update=update, class_weight=3.0)
    expected = plain.train_on_batch(*tiny.batch())
    assert gan.train_on_batch(*tiny.batch()) == pytest.approx({**expected, "gamma": 0.75}, rel=1e-5)
    assert_same_values(parts, twins)


def test_what_d_says_of_the_class_counts_as_before():
    """It is C's loss alone that the rule is about, where D has a head for the class too."""
    parts = tiny.generator(), tiny.discriminator(("real_fake", "classes")), tiny.classifier()
    gan = sgd_gan(parts, STILL, equilibrium=EquilibriumWeight(rate=0.5, target=0.1))
    logs = gan.train_on_batch(*tiny.batch())
    without_c = sgd_gan((*parts[:2], None), STILL).train_on_batch(*tiny.batch())
    assert logs["g_loss"] == pytest.approx(without_c["g_loss"], rel=1e-5)
    assert logs["g_class"] > without_c["g_class"] + 0.1
    of_c = logs["g_class"] - without_c["g_class"]
    assert gamma_of(gan) == pytest.approx(0.5 * (of_c - 0.1 * logs["c_loss"]), rel=1e-4)


def test_evaluation_leaves_gamma_alone():
    gan = balanced(run_eagerly=False)
    gan.train_on_batch(*tiny.batch())
    gamma = gamma_of(gan)
    assert gamma != 1.0
    logs = gan.evaluate(*tiny.batch(seed=1), verbose=0, return_dict=True)
    assert gamma_of(gan) == gamma == pytest.approx(logs["gamma"])
    weights = {"g_l1": 10, "g_adv": 0.7, "g_class": 0.3 * gamma}
    assert logs["g_loss"] == pytest.approx(sum(weights[name] * logs[name] for name in weights), rel=1e-5)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_a_step_that_mixed_precision_skips_leaves_gamma_alone(run_eagerly):
    """Its losses are finite: it is the gradients that overflow."""
    keras.config.set_dtype_policy("mixed_float16")
    gan = balanced(run_eagerly=run_eagerly)
    gan.optimizers["g"].dynamic_scale.assign(2.0**100)
    assert np.isfinite(list(gan.train_on_batch(*tiny.batch()).values())).all()
    assert gamma_of(gan) == 1.0
    gan.optimizers["g"].dynamic_scale.assign(2.0)
    logs = gan.train_on_batch(*tiny.batch())
    assert gamma_of(gan) == pytest.approx(moved(1.0, logs), rel=1e-4) != 1.0


def test_gradients_that_are_gathered_move_gamma_once():
    optimizer = keras.optimizers.SGD(0.05, gradient_accumulation_steps=2)
    gan = balanced(compiled={"g_optimizer": optimizer})
    gan.train_on_batch(*tiny.batch())
    assert gamma_of(gan) == 1.0
    logs = gan.train_on_batch(*tiny.batch(seed=1))
    assert gamma_of(gan) == pytest.approx(moved(1.0, logs), rel=1e-5) != 1.0


def test_several_steps_a_call():
    data = tf.data.Dataset.from_tensors(tiny.batch()).repeat(4)
    parts = networks("classifier")
    gan, twin = (
        sgd_gan(each, equilibrium=EquilibriumWeight(**RULE), run_eagerly=False, compiled=compiled)
        for each, compiled in ((parts, {"steps_per_execution": 2}), (tiny.copies(parts), {}))
    )
    histories = [model.fit(data, verbose=0).history for model in (gan, twin)]
    assert gamma_of(gan) == pytest.approx(gamma_of(twin), rel=1e-5) != 1.0
    assert histories[0]["gamma"] == pytest.approx(histories[1]["gamma"], rel=1e-5)


def test_it_is_saved_with_gamma(tmp_path):
    gan = balanced()
    gan.train_on_batch(*tiny.batch())
    gamma = gamma_of(gan)
    assert gamma != 1.0
    gan.save(tmp_path / "gan.keras")
    tf.train.Checkpoint(model=gan).write(str(tmp_path / "checkpoint"))
    again = keras.models.load_model(tmp_path / "gan.keras")
    restored = balanced()
    tf.train.Checkpoint(model=restored).read(str(tmp_path / "checkpoint")).expect_partial()
    for model in (again, restored):
        rule = model.equilibrium
        assert {name: getattr(rule, name) for name in RULE} == RULE and gamma_of(model) == gamma
    assert again.train_on_batch(*tiny.batch(seed=1)) == gan.train_on_batch(*tiny.batch(seed=1))
    assert gamma_of(again) == gamma_of(gan) != gamma


TWO_DEVICES = """
import sys
sys.path.insert(0, sys.argv[1])
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import tiny
from keras_cgan import EquilibriumWeight
from tiny import networks, sgd_gan

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    parts = networks("classifier", batch_norm=False)
    both = sgd_gan(parts, equilibrium=EquilibriumWeight(rate=0.5, start=1.0), run_eagerly=False)
one = sgd_gan(tiny.copies(parts), equilibrium=EquilibriumWeight(rate=0.5, start=1.0), run_eagerly=False)
for seed in range(2):
    for gan in (one, both):
        gan.train_on_batch(*tiny.batch(seed=seed))
parts = strategy.experimental_local_results(both.equilibrium._gamma.value)
print(*(float(part) for part in parts), float(one.equilibrium.value))
"""


@pytest.mark.slow
def test_two_devices_have_the_gamma_of_one(run_child):
    first, second, alone = map(float, run_child(TWO_DEVICES, Path(__file__).parent).split()[-3:])
    assert first == second == pytest.approx(alone, rel=1e-4) != 1.0


def test_no_gamma_without_it():
    gan = sgd_gan(networks("classifier"), STILL)
    assert "gamma" not in gan.train_on_batch(*tiny.batch())


@pytest.mark.parametrize("given", [0.5, True, EquilibriumWeight], ids=["number", "bool", "class"])
def test_another_kind(given):
    message = "`equilibrium` must be an `EquilibriumWeight` or None. Received: equilibrium="
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(*networks("classifier"), equilibrium=given)


@pytest.mark.parametrize("strategy", ["pix2pix", "two-head", "shared-q"])
def test_a_model_without_a_classifier(strategy):
    message = "`equilibrium` is for a model with a classifier. Received: equilibrium=<Equil.*no classifier"
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(*networks(strategy), equilibrium=EquilibriumWeight())
