"""The alarms of a loop: what `CollapseAlarm` and `StopIfNotFinite` say in `fit`, for `train_on_batch`."""

import warnings

import numpy as np
import pytest

from keras_cgan import ConditionalGAN, ReferenceTrainer, strategy_networks
from keras_cgan.callbacks import CollapseWarning, EpochAlarms
from keras_cgan.data import EmbeddedPairs

GOOD = {"d_loss": 0.5, "g_loss": 1.0}


@pytest.fixture(scope="module")
def held_out():
    return EmbeddedPairs(12, seed=1).as_arrays((24, 24))


def networks():
    return strategy_networks("pix2pix", (24, 24, 3), 6, label_input=False, filters=2)


@pytest.fixture
def gan():
    gan = ConditionalGAN(*networks())
    gan.compile()
    return gan


def test_the_mean_of_an_epoch_is_looked_at(gan, held_out):
    alarms = EpochAlarms(gan, *held_out, advice="pray")
    alarms.begin()
    alarms.add(GOOD)
    alarms.add({"d_loss": float("inf"), "g_loss": 1.0})
    with pytest.raises(RuntimeError, match="epoch 3 is not saved; pray. Received: d_loss=inf"):
        alarms.end_epoch(3)


def test_what_is_said_is_returned_once_and_not_warned_of(gan, held_out):
    alarms = EpochAlarms(gan, *held_out)
    alarms.begin()
    with warnings.catch_warnings():
        warnings.simplefilter("error", CollapseWarning)
        for number, said in ((1, 1), (2, 0)):
            alarms.add(GOOD)
            lines = alarms.end_epoch(number)
            assert len(lines) == said
            assert all(line.startswith(f"epoch {number}: ") for line in lines)


def test_weights_that_are_not_finite_end_the_loop(gan, held_out):
    alarms = EpochAlarms(gan, *held_out)
    alarms.begin()
    weight = gan.generator.trainable_weights[0]
    weight.assign(weight * np.nan)
    alarms.add(GOOD)
    with pytest.raises(RuntimeError, match="epoch 1: not finite: .* Nothing of this epoch is saved"):
        alarms.end_epoch(1)


def test_of_the_reference_or_of_one_pair_losses_alone_are_looked_at(gan, held_out):
    one = [part[:1] for part in held_out]
    for alarms in (EpochAlarms(ReferenceTrainer(*networks()), *held_out), EpochAlarms(gan, *one)):
        alarms.begin()
        alarms.add(GOOD)
        assert alarms.end_epoch(1) == []
        alarms.add({"d_loss": float("nan"), "g_loss": 1.0})
        with pytest.raises(RuntimeError, match="Received: d_loss=nan"):
            alarms.end_epoch(2)


def test_weights_restored_before_the_begin_are_no_step(gan, held_out):
    alarms = EpochAlarms(gan, *held_out)
    weight = gan.generator.trainable_weights[0]
    weight.assign(weight + 1.0)
    alarms.begin()
    alarms.add(GOOD)
    (line,) = alarms.end_epoch(4)
    assert line.startswith("epoch 4: the generator had no update")


def test_an_epoch_of_nothing(gan, held_out):
    alarms = EpochAlarms(gan, *held_out)
    alarms.add(GOOD)
    with pytest.raises(ValueError, match="Received: 1 steps, not begun"):
        alarms.end_epoch(1)
    alarms.begin()
    alarms.end_epoch(1)
    with pytest.raises(ValueError, match="Received: 0 steps, begun"):
        alarms.end_epoch(2)
