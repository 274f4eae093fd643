"""However a step is run - eagerly, by XLA, several a call, gradients accumulated - it is the same step."""

import keras
import numpy as np
import pytest
import tiny
from tiny import LEARNING_RATES, assert_same_values, networks, sgd_gan

# Three full batches of 4 and a short one.
N = 14


def fit(gan, **options):
    x, sketch = tiny.batch(N)
    return gan.fit(x, sketch, batch_size=4, shuffle=False, verbose=0, **options).history


@pytest.mark.slow
def test_several_steps_a_call():
    """4 batches, the last one short, 3 a call; in two epochs."""
    parts = networks("classifier", stochastic=True)
    twins = tiny.copies(parts)
    gan = sgd_gan(parts, run_eagerly=False, compiled={"steps_per_execution": 3})
    history = fit(gan, epochs=2)
    expected = fit(sgd_gan(twins), epochs=2)
    assert int(gan.optimizer.iterations) == 8
    assert history == {name: pytest.approx(values, rel=1e-4) for name, values in expected.items()}
    assert_same_values(parts, twins, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"update": "simultaneous"}, {"d_steps": 2}], ids=str)
def test_eager_steps(options):
    parts = networks("classifier", stochastic=True)
    twins = tiny.copies(parts)
    gan, twin = sgd_gan(parts, run_eagerly=False, **options), sgd_gan(twins, **options)
    for seed in range(2):
        logs = gan.train_on_batch(*tiny.batch(seed=seed))
        assert twin.train_on_batch(*tiny.batch(seed=seed)) == pytest.approx(logs, rel=1e-4)
    assert_same_values(parts, twins, atol=5e-6)


@pytest.mark.slow
def test_steps_compiled_by_xla():
    """Without dropout: XLA draws its masks otherwise."""
    parts = networks("classifier")
    twins = tiny.copies(parts)
    options = {"image_pool": 2, "average_decay": 0.9}
    gan = sgd_gan(parts, run_eagerly=False, compiled={"jit_compile": True}, **options)
    assert gan.jit_compile is True
    twin = sgd_gan(twins, **options)
    # The pool, of 2, fills: only then do its random exchanges begin.
    logs = gan.train_on_batch(*tiny.batch(2))
    assert twin.train_on_batch(*tiny.batch(2)) == pytest.approx(logs, rel=1e-4)
    assert_same_values(parts, twins, atol=1e-5)
    assert_same_values([gan.averaged()], [twin.averaged()], atol=1e-5)
    assert np.isfinite(list(gan.train_on_batch(*tiny.batch(2)).values())).all()


def accumulating(rates=LEARNING_RATES, steps=2):
    return {
        f"{player}_optimizer": keras.optimizers.SGD(rate, gradient_accumulation_steps=steps)
        for player, rate in rates.items()
    }


def both(*batches):
    return keras.tree.map_structure(lambda *arrays: np.concatenate(arrays), *batches)


@pytest.mark.parametrize(
    "update, still",
    [
        ("simultaneous", ""),
        # In sequence G learns the first half of its batch from D and C before their update: those
        # must not move if it is to equal a double batch.
        ("sequential", "dc"),
        ("sequential", "g"),
    ],
)
def test_two_accumulated_batches_are_one_of_twice_the_size(update, still):
    rates = {player: 0.0 if player in still else rate for player, rate in LEARNING_RATES.items()}
    parts = networks("classifier", batch_norm=False)
    twins = tiny.copies(parts)
    start = [network.get_weights() for network in parts]
    gan = sgd_gan(parts, update=update, compiled=accumulating(rates))
    one, two = tiny.batch(4, seed=1), tiny.batch(4, seed=2)
    gan.train_on_batch(*one)
    for network, weights in zip(parts, start):
        keras.tree.map_structure(np.testing.assert_array_equal, network.get_weights(), weights)
    gan.train_on_batch(*two)
    sgd_gan(twins, rates, update=update).train_on_batch(*both(one, two))
    assert_same_values(parts, twins)
    assert [int(optimizer.iterations) for optimizer in gan.optimizers.values()] == [1, 1, 1]
    moved = [not np.array_equal(network.get_weights()[0], old[0]) for network, old in zip(parts, start)]
    assert moved == [player not in still for player in "gdc"]


@pytest.mark.slow
def test_accumulation_in_a_compiled_step():
    parts = networks("classifier")
    twins = tiny.copies(parts)
    gan = sgd_gan(parts, run_eagerly=False, compiled=accumulating(steps=2))
    twin = sgd_gan(twins, compiled=accumulating(steps=2))
    assert fit(gan) == {name: pytest.approx(values, rel=1e-4) for name, values in fit(twin).items()}
    assert_same_values(parts, twins, atol=5e-6)
    assert [int(optimizer.iterations) for optimizer in gan.optimizers.values()] == [2, 2, 2]
