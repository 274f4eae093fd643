"""A saved `ConditionalGAN` is the same model, and trains on with the same steps."""

import keras
import numpy as np
import pytest
import tiny
from tiny import LEARNING_RATES, assert_same_values, networks, sgd_gan

from keras_cgan import STRATEGIES, ConditionalGAN, FusedAdam, strategy_networks

OPTIONS = {
    "strategy": "classifier",
    "l1_weight": 3.0,
    "adversarial_weight": 0.5,
    "class_weight": 2.0,
    "reconstruction": "l2",
    "label_smoothing": 0.1,
    "r1_weight": 0.1,
    "r2_weight": 0.2,
    "r1_every": 2,
    "joined_batch": False,
    "d_steps": 2,
    "image_pool": 6,
    "average_decay": 0.9,
    "name": "mine",
}


def adam(**options):
    rates = LEARNING_RATES.items()
    return {f"{player}_optimizer": FusedAdam(rate / 100, **options) for player, rate in rates}


def parts(gan):
    return gan.generator, gan.discriminator, gan.classifier


def step(gan, seed, size=4):
    return gan.train_on_batch(*tiny.batch(size, seed))


def saved(gan, path):
    gan.save(path)
    return keras.models.load_model(path)


def assert_same_model(again, gan):
    """Networks, slots, losses' weights, and the next two steps."""
    assert_same_values(parts(again), parts(gan), atol=0.0)
    for player, optimizer in gan.optimizers.items():
        twin = again.optimizers[player]
        assert type(twin) is type(optimizer)
        assert {**twin.get_config(), "name": ""} == {**optimizer.get_config(), "name": ""}
        for new, old in zip(twin.variables, optimizer.variables, strict=True):
            np.testing.assert_array_equal(new.numpy(), old.numpy(), err_msg=f"{player} {old.path}")
    for seed in (8, 9):
        assert step(again, seed) == step(gan, seed)
    assert_same_values(parts(again), parts(gan), atol=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_model_that_has_stepped_goes_on_with_the_same_steps(strategy, tmp_path):
    """And the same dropout masks: its seeds are saved too."""
    gan = sgd_gan(networks(strategy, stochastic=True), compiled=adam(beta_1=0.5), strategy=strategy)
    step(gan, 0)
    step(gan, 1, size=3)
    again = saved(gan, tmp_path / "gan.keras")
    assert again.run_eagerly is True and again.optimizer is again.optimizers["g"]
    assert_same_model(again, gan)


def test_all_options_are_saved(tmp_path):
    gan = ConditionalGAN(*networks("classifier"), **OPTIONS)
    compiled = {"l1_weight": 1.5, "adversarial_weight": 0.25, "class_weight": 0.75, "steps_per_execution": 2}
    gan.compile(**adam(clipnorm=1.0), **compiled, run_eagerly=True)
    step(gan, 0)
    again = saved(gan, tmp_path / "gan.keras")
    assert again.name == "mine"
    assert {name: again.get_config()[name] for name in OPTIONS} == OPTIONS
    config = again.get_compile_config()
    assert {name: config[name] for name in compiled} == compiled
    assert (again.update, again.d_steps, again.average_decay) == ("sequential", 2, 0.9)
    assert again.joined_batch is False and again.jit_compile is False
    assert_same_values([again.averaged()], [gan.averaged()], atol=0.0)
    # The pool with its fakes: two steps of D a step have filled it.
    assert int(again._pool._count) == 6
    assert_same_model(again, gan)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_the_order_of_updates_is_saved(update, tmp_path):
    gan = sgd_gan(networks("pix2pix"), update=update)
    step(gan, 0)
    again = saved(gan, tmp_path / "gan.keras")
    assert (again.update, again.joined_batch) == (update, update == "sequential")
    assert_same_model(again, gan)


def test_schedules_and_loss_scales_are_saved(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.5)
    gan = sgd_gan(networks("pix2pix"), compiled={"g_optimizer": FusedAdam(schedule)})
    gan.optimizers["d"].dynamic_scale.assign(2.0**100)
    step(gan, 0)
    keras.config.set_dtype_policy("float32")
    again = saved(gan, tmp_path / "gan.keras")
    assert float(again.optimizers["d"].dynamic_scale) == 2.0**99
    assert [int(again.optimizers[player].iterations) for player in "dg"] == [0, 1]
    assert float(again.optimizer.learning_rate) == pytest.approx(0.005)
    assert_same_model(again, gan)


def test_an_uncompiled_model(tmp_path):
    gan = ConditionalGAN(*networks("two-head", label=False))
    again = saved(gan, tmp_path / "gan.keras")
    assert not again.compiled
    x, _ = tiny.batch()
    np.testing.assert_array_equal(again.predict(x["photo"], verbose=0), gan.predict(x["photo"], verbose=0))


def test_weights_alone_hold_the_slots_too(tmp_path):
    gan = sgd_gan(networks("classifier", stochastic=True), compiled=adam())
    step(gan, 0)
    gan.save_weights(tmp_path / "gan.weights.h5")
    again = sgd_gan(networks("classifier", stochastic=True), compiled=adam())
    again.load_weights(tmp_path / "gan.weights.h5")
    assert_same_model(again, gan)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_saved_generator_is_a_model_of_its_own(compiled, tmp_path):
    gan = sgd_gan(networks("classifier")) if compiled else ConditionalGAN(*networks("classifier"))
    gan.generator.save(tmp_path / "generator.keras")
    again = keras.models.load_model(tmp_path / "generator.keras")
    x, _ = tiny.batch()
    np.testing.assert_array_equal(again(x), gan.generator(x))


CHILD = """
import sys
import keras
import numpy as np
from keras_cgan import ConditionalGAN

gan = keras.models.load_model(sys.argv[1])
batch = np.load(sys.argv[2])
logs = gan.train_on_batch({"photo": batch["photo"], "label": batch["label"]}, batch["sketch"])
print(*(repr(value) for value in logs.values()))
print(float(np.abs(gan.generator.get_weights()[0]).sum()))
"""


@pytest.mark.slow
def test_a_fresh_process_goes_on_in_safe_mode(run_child, tmp_path):
    networks_of = strategy_networks("shared-q", (*tiny.SIZE, 3), tiny.N_CLASSES, filters=2, n_layers=1)
    gan = ConditionalGAN(*networks_of)
    gan.compile(run_eagerly=True)
    step(gan, 0)
    gan.save(tmp_path / "gan.keras")
    x, sketch = tiny.batch(4, 1)
    np.savez(tmp_path / "batch.npz", **x, sketch=sketch)
    output = run_child(CHILD, tmp_path / "gan.keras", tmp_path / "batch.npz")
    losses, weights = output.strip().splitlines()[-2:]
    assert [float(value) for value in losses.split()] == pytest.approx(list(step(gan, 1).values()), rel=1e-5)
    assert float(weights) == pytest.approx(float(np.abs(gan.generator.get_weights()[0]).sum()), rel=1e-5)
