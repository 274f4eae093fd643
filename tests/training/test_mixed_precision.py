"""`ConditionalGAN` in mixed precision: float16 with loss scaling, bfloat16."""

import keras
import numpy as np
import pytest
import tiny
from tiny import LEARNING_RATES, networks, sgd_gan

from keras_cgan import ConditionalGAN, strategy_networks
from keras_cgan.testing import moved_variables

LossScaleOptimizer = keras.optimizers.LossScaleOptimizer


def half_networks(policy, strategy="classifier", **options):
    """Tiny networks whose outputs too come out in half precision."""
    keras.config.set_dtype_policy(policy)
    return networks(strategy, **options)


def scales(gan):
    return {player: float(optimizer.dynamic_scale) for player, optimizer in gan.optimizers.items()}


def test_float16_scales_the_loss_of_each():
    gan = sgd_gan(half_networks("mixed_float16"))
    assert all(isinstance(optimizer, LossScaleOptimizer) for optimizer in gan.optimizers.values())
    assert gan.optimizer is gan.optimizers["g"]
    given = LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8.0)
    gan.compile(d_optimizer=given, run_eagerly=True)
    assert gan.optimizers["d"] is given


def test_no_scaling_where_no_layer_computes_in_float16():
    for policy in ("float32", "mixed_bfloat16"):
        gan = sgd_gan(half_networks(policy))
        assert not any(isinstance(optimizer, LossScaleOptimizer) for optimizer in gan.optimizers.values())


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"update": "simultaneous"}], ids=str)
@pytest.mark.parametrize("policy, rel", [("mixed_float16", 0.02), ("mixed_bfloat16", 0.1)])
def test_losses_and_steps_are_near_those_of_float32(policy, rel, options):
    """By SGD: gradients that were not unscaled would be thousands of times too large."""
    parts = networks("classifier")
    weights = [network.get_weights() for network in parts]
    half = half_networks(policy)
    gan = sgd_gan(parts, **options)
    twin = sgd_gan(half, **options)
    for network, values in zip(half, weights):
        network.set_weights(values)
    for _ in range(2):
        expected = gan.train_on_batch(*tiny.batch())
        assert twin.train_on_batch(*tiny.batch()) == pytest.approx(expected, rel=rel)
    for network, other, old in zip(parts, half, weights):
        pairs = zip(network.trainable_weights, other.trainable_weights, strict=True)
        changes = [(full - start, low - start) for (full, low), start in zip(pairs, trainable(network, old))]
        full, low = (np.concatenate([np.ravel(change) for change in side]) for side in zip(*changes))
        # The whole update of a network: each of its thousands of numbers is noisier.
        assert np.linalg.norm(low - full) < 3 * rel * np.linalg.norm(full)
        assert all(variable.dtype == "float32" for variable in other.weights)


def trainable(network, values):
    return [value for variable, value in zip(network.weights, values) if variable.trainable]


@pytest.mark.parametrize("player", "gdc")
def test_an_overflow_skips_the_step_of_that_player_and_halves_its_scale(player):
    parts = half_networks("mixed_float16")
    gan = sgd_gan(parts)
    gan.optimizers[player].dynamic_scale.assign(2.0**100)
    moved = moved_variables(lambda: gan.train_on_batch(*tiny.batch()), *parts)
    for letter, network in zip("gdc", parts):
        trained = {variable.path for variable in network.trainable_variables}
        assert bool(trained & set(moved[network.name])) is (letter != player)
        # Skipped steps do not count, and moving averages stay finite.
        assert int(gan.optimizers[letter].iterations) == (letter != player)
        assert all(np.isfinite(value).all() for value in tiny.values(network))
    assert scales(gan) == {**dict.fromkeys("dcg", 2.0**15), player: 2.0**99}


def test_the_scale_grows_after_steps_without_overflow():
    parts = half_networks("mixed_float16", "pix2pix")
    optimizers = {
        f"{player}_optimizer": LossScaleOptimizer(
            keras.optimizers.SGD(LEARNING_RATES[player]), initial_scale=4.0, dynamic_growth_steps=2
        )
        for player in "gd"
    }
    gan = sgd_gan(parts, compiled=optimizers)
    for expected in (4.0, 8.0, 8.0, 16.0):
        gan.train_on_batch(*tiny.batch())
        assert scales(gan) == {"d": expected, "g": expected}


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_all_options_in_half_precision(policy):
    """A pool of fakes, an average of the weights, sample weights; outputs in half precision."""
    parts = half_networks(policy, "two-head")
    gan = sgd_gan(parts, image_pool=3, average_decay=0.5, d_steps=2)
    weight = np.ones(4, "float32")
    for _ in range(2):
        assert np.isfinite(list(gan.train_on_batch(*tiny.batch(), weight).values())).all()
    assert all(variable.dtype == "float32" for variable in gan.averaged().weights)
    assert np.isfinite(list(gan.evaluate(*tiny.batch(), verbose=0, return_dict=True).values())).all()


@pytest.mark.slow
def test_built_networks_in_a_compiled_step():
    keras.config.set_dtype_policy("mixed_float16")
    parts = strategy_networks("shared-q", (*tiny.SIZE, 3), tiny.N_CLASSES, filters=2, n_layers=1)
    gan = ConditionalGAN(*parts)
    gan.compile()
    # The policy counts when networks are built, not when they are trained.
    keras.config.set_dtype_policy("float32")
    for _ in range(2):
        assert np.isfinite(list(gan.train_on_batch(*tiny.batch()).values())).all()
    assert isinstance(gan.optimizer, LossScaleOptimizer)
