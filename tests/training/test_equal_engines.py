"""`ConditionalGAN` takes the steps of `ReferenceTrainer`, or those of TensorFlow's tutorial."""

import keras
import numpy as np
import pytest
import tiny
from by_hand import HandStep
from tiny import LEARNING_RATES, LOG_KEYS, assert_same_values, networks, sgd_gan, sgd_trainer

from keras_cgan import (
    STRATEGIES,
    ConditionalGAN,
    FusedAdam,
    ReferenceTrainer,
    faster_network,
    strategy_networks,
)

# Three steps and a short batch.
SIZES = (4, 4, 4, 3)
every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


def assert_same_losses(logs, expected):
    assert logs == pytest.approx({name: float(value) for name, value in expected.items()}, rel=2e-5, abs=1e-6)


def assert_same_steps(trainer, gan, parts, twins, sizes=SIZES, atol=2e-6):
    for number, size in enumerate(sizes):
        x, sketch = tiny.batch(size, seed=number)
        expected = trainer.train_on_batch(x, sketch)
        assert_same_losses(gan.train_on_batch(x, sketch), expected)
    assert_same_values(twins, parts, atol)


def assert_equal_engines(parts, run_eagerly=True, joined_batch=True, sizes=SIZES, **options):
    """All of the state: weights, moving averages, dropout seeds, power-iteration vectors."""
    twins = tiny.copies(parts)
    trainer = sgd_trainer(parts, run_eagerly=run_eagerly, joined_batch=joined_batch, **options)
    gan = sgd_gan(twins, run_eagerly=run_eagerly, joined_batch=joined_batch, **options)
    assert_same_steps(trainer, gan, parts, twins, sizes)


def test_these_networks_are_run_by_the_faster_way():
    names = [type(layer).__name__ for layer in faster_network(tiny.generator()).layers]
    assert names.count("_Faster") == 3


@pytest.mark.parametrize(
    "label", [pytest.param(True, id="label"), pytest.param(False, id="no label", marks=pytest.mark.slow)]
)
@every_strategy
def test_sequential_steps_are_the_reference_trainers(strategy, label):
    sizes = SIZES if label else SIZES[2:]
    assert_equal_engines(networks(strategy, label, stochastic=True), strategy=strategy, sizes=sizes)


@pytest.mark.slow
@every_strategy
def test_simultaneous_steps_on_a_joined_batch_are_the_reference_trainers(strategy):
    """D's and C's dropout and power iterations in G's pass: as they were before their own."""
    options = {"update": "simultaneous", "sizes": SIZES[1:]}
    assert_equal_engines(networks(strategy, stochastic=True), strategy=strategy, **options)


@pytest.mark.slow
def test_compiled_steps_are_the_reference_trainers():
    assert_equal_engines(networks("classifier", stochastic=True), run_eagerly=False, sizes=(4, 4, 3))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{"reconstruction": "l2"}, {"label_smoothing": 0.1}, {"class_weight": 0.0}], ids=str
)
def test_options_mean_the_same_to_both(options):
    assert_equal_engines(networks("two-head"), **options)


@pytest.mark.parametrize("strategy", ["sigmoid", "two-head"])
def test_activations_inside_the_last_layer(strategy):
    assert_equal_engines(networks(strategy, inside=True), strategy=strategy)


@pytest.mark.slow
@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_regularizers_count_as_in_keras(update):
    """Each in its own network's step, and not again in the generator's."""
    parts = networks("classifier")
    twins = tiny.copies(parts)
    for network in (*parts, *twins):
        for variable in network.trainable_variables:
            variable.regularizer = keras.regularizers.L2(0.05)
    trainer = sgd_trainer(parts, update=update)
    gan = sgd_gan(twins, update=update, joined_batch=True)
    assert_same_steps(trainer, gan, parts, twins)


def test_activity_regularizers_count_as_in_keras():
    parts = networks("classifier")
    photo = keras.Input((*tiny.SIZE, 3), name="photo")
    drawn = keras.layers.Conv2D(1, 3, padding="same", activity_regularizer=keras.regularizers.L2(0.01))(photo)
    parts = (keras.Model(photo, drawn, name="generator"), *parts[1:])
    assert_equal_engines(parts)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["two-head", "pix2pix"])
def test_built_networks_with_adam(strategy):
    """By Keras there; here by TensorFlow's kernel, and with small maps as matrix products."""
    parts = strategy_networks(strategy, (*tiny.SIZE, 3), tiny.N_CLASSES, filters=2, n_layers=1)
    twins = tiny.copies(parts)

    def optimizers(adam):
        # A large epsilon: the least, and merely rounded, gradients would else count as much as the others.
        return {f"{letter}_optimizer": adam(1e-3, beta_1=0.5, epsilon=1e-2) for letter in "gd"}

    gan = ConditionalGAN(*twins)
    gan.compile(**optimizers(FusedAdam), run_eagerly=True)
    trainer = ReferenceTrainer(*parts, **optimizers(keras.optimizers.Adam), run_eagerly=True)
    assert_same_steps(trainer, gan, parts, twins)


@pytest.mark.slow
@every_strategy
def test_simultaneous_steps_are_the_tutorials(strategy):
    parts = networks(strategy, stochastic=True)
    hand = HandStep(parts, strategy)
    gan = sgd_gan(parts, strategy=strategy, update="simultaneous")
    for size in (4, 3):
        x, sketch = tiny.batch(size, seed=size)
        expected = hand.tutorial(x, sketch)
        assert set(expected) == LOG_KEYS[strategy]
        assert_same_losses(gan.train_on_batch(x, sketch), expected)
        assert_same_values(parts, hand.parts)


def test_separate_batches_differ_from_a_joined_one_by_batch_norm_alone():
    for batch_norm in (True, False):
        parts = networks("shared-q", batch_norm=batch_norm)
        twins = tiny.copies(parts)
        x, sketch = tiny.batch()
        joined = sgd_gan(parts).train_on_batch(x, sketch)
        separate = sgd_gan(twins, joined_batch=False).train_on_batch(x, sketch)
        assert (separate["d_loss"] == pytest.approx(joined["d_loss"], rel=1e-5)) is not batch_norm
        if not batch_norm:
            assert_same_values(parts, twins)


def test_three_steps_of_the_discriminator_and_one_of_the_others():
    parts = networks("classifier")
    hand = HandStep(parts, "classifier")
    gan = sgd_gan(parts, d_steps=3)
    x, sketch = tiny.batch()
    fakes = tiny.copy(parts[0])(x, training=True)
    losses = [hand.d_step(x["photo"], x["label"], sketch, fakes, joined=True) for _ in range(3)]
    hand.c_step(sketch, x["label"])
    hand.g_step(x, x["photo"], x["label"], sketch)
    assert gan.train_on_batch(x, sketch)["d_loss"] == pytest.approx(losses[-1], rel=1e-5)
    # G's moving averages too: it draws three times, and they move once.
    assert_same_values(parts, hand.parts)
    iterations = {player: int(optimizer.iterations) for player, optimizer in gan.optimizers.items()}
    assert iterations == {"d": 3, "c": 1, "g": 1}


def test_the_seeds_of_the_generators_dropout_move_once_with_many_steps_of_the_discriminator():
    seeds = []
    for d_steps in (1, 3):
        parts = networks("pix2pix", stochastic=True)
        sgd_gan(parts, d_steps=d_steps).train_on_batch(*tiny.batch())
        seeds.append([variable.numpy()[1] for variable in parts[0].variables if "seed" in variable.path])
    assert seeds[0] == seeds[1] and len(seeds[0]) == 1


def test_learning_rates_are_read_in_every_step():
    """Those of a compiled step too, as schedules and callbacks set them."""
    parts = networks("classifier")
    gan = sgd_gan(parts, run_eagerly=False)
    gan.train_on_batch(*tiny.batch())
    for player, optimizer in gan.optimizers.items():
        assert float(optimizer.learning_rate) == pytest.approx(LEARNING_RATES[player])
        optimizer.learning_rate = 0.0
    before = [network.get_weights() for network in parts]
    gan.train_on_batch(*tiny.batch())
    for network, weights in zip(parts, before):
        for variable, old in zip(network.weights, weights):
            assert np.array_equal(variable.numpy(), old) is variable.trainable


@pytest.mark.parametrize("engine", [sgd_gan, sgd_trainer])
def test_fakes_are_drawn_in_training_mode(engine):
    """By the batch's statistics: moving averages far off must not matter to D."""
    parts = networks("pix2pix")
    twins = tiny.copies(parts)
    for variable in twins[0].non_trainable_variables:
        if "moving_variance" in variable.path:
            variable.assign(variable + 100.0)
    x, sketch = tiny.batch()
    logs = [engine(nets).train_on_batch(x, sketch) for nets in (parts, twins)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)
    assert_same_values(parts[1:], twins[1:])
