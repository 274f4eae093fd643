"""Replays training steps that were recorded from the original; see README.md beside this file."""

import keras
import numpy as np
import pytest
from networks import LEARNING_RATE, RECORDINGS, Recording, compared, recorded

from keras_cgan import (
    ClassLoss,
    ReferenceTrainer,
    combined_model,
    discriminator_loss,
    discriminator_on_generator_loss,
    fakeness_targets,
    generator_l1_loss,
    real_fake_targets,
)
from keras_cgan.testing import moved_variables

LOSS_TOLERANCE = 1e-5
WEIGHT_TOLERANCE = 5e-6
# Gradients are read off weights of size 1: their rounding is divided by the learning rate.
GRADIENT_TOLERANCE = 1e-4

CLASS_LOSS = ClassLoss()
OPTIONS = {"opt1": "sigmoid", "opt2": "softmax"}
with_trainer = pytest.mark.parametrize(
    "recording", [name for name in RECORDINGS if "twohead" not in name], indirect=True
)
every = pytest.mark.parametrize("recording", RECORDINGS, indirect=True)


@pytest.fixture
def recording(request):
    return Recording(request.param)


def sgd():
    return keras.optimizers.SGD(LEARNING_RATE)


def assert_close(actual, expected, tolerance):
    np.testing.assert_allclose(np.asarray(actual), expected, rtol=0, atol=tolerance)


def assert_weights(recording, prefix, networks):
    for letter, network in zip("GDC", networks):
        if network is not None:
            expected, actual = recording.listed(f"{prefix}.{letter}"), recorded(network.weights)
            assert len(expected) == len(actual)
            for k in compared(network, recording.with_norm):
                assert_close(actual[k].numpy(), expected[k], WEIGHT_TOLERANCE)


def assert_outputs(recording, key, outputs):
    """Compares with `key.0`, `key.1`...; these are in the order G, real/fake, class."""
    for output, expected in zip(outputs, recording.listed(key), strict=True):
        assert_close(output, expected, LOSS_TOLERANCE)


class HandLoop:
    """The answer's loop by hand: three compiled models, one phase at a time."""

    def __init__(self, recording):
        self.recording = recording
        self.networks = self.G, self.D, self.C = recording.networks()
        self.heads, losses = _heads(recording.variant)
        self.D.compile(sgd(), loss=losses if isinstance(self.D.output, dict) else losses[self.heads[0]])
        if self.C is not None:
            self.C.compile(sgd(), loss=CLASS_LOSS)
            losses = {**losses, "label": CLASS_LOSS}
        if recording.paired:
            losses = {"sketch": generator_l1_loss, **losses}
        if "real_fake" in losses:
            losses["real_fake"] = discriminator_on_generator_loss
        self.combined = combined_model(self.G, self.D, self.C, paired=recording.paired)
        self.outputs = list(losses)
        # Options 1 and 2 have no L1: the sketch is an output without a loss.
        self.combined.compile(sgd(), loss={"sketch": None, **losses})

    def joined(self):
        """Real, then fake, in one batch; the fakes are drawn before any update."""
        recording = self.recording
        fakes = np.asarray(self.G(recording.photo, training=True))
        halves = [recording.sketch, fakes]
        if recording.paired:
            halves = [np.concatenate([recording.photo, half], axis=-1) for half in halves]
        return np.concatenate(halves)

    def phase_d(self):
        targets = [_targets(self.recording, fake) for fake in (False, True)]
        targets = {name: np.concatenate([half[name] for half in targets]) for name in self.heads}
        if not isinstance(self.D.output, dict):
            return [self.D.train_on_batch(self.joined(), targets[self.heads[0]])]
        logs = self.D.train_on_batch(self.joined(), targets, return_dict=True)
        return [logs["loss"], *(logs[f"{name}_loss"] for name in self.heads)]

    def phase_c(self):
        return [self.C.train_on_batch(self.recording.sketch, self.recording.label)]

    def phase_g(self):
        targets = {**_targets(self.recording, fake=False), "sketch": self.recording.sketch}
        if self.C is not None:
            targets["label"] = self.recording.label
        logs = self.combined.train_on_batch(self.recording.photo, targets, return_dict=True)
        parts = [logs[f"{name}_loss"] for name in self.outputs] if len(self.outputs) > 1 else []
        return [logs["loss"], *parts]

    def phases(self):
        yield "w1", "D", self.phase_d
        if self.C is not None:
            yield "w2", "C", self.phase_c
        yield "w3", "G", self.phase_g


def _heads(variant):
    """D's outputs in recorded order, and the loss of each."""
    if variant in OPTIONS:
        return ["classes"], {"classes": discriminator_loss if variant == "opt1" else CLASS_LOSS}
    if variant == "twohead":
        return ["real_fake", "label"], {"real_fake": discriminator_loss, "label": CLASS_LOSS}
    return ["real_fake"], {"real_fake": discriminator_loss}


def _targets(recording, fake):
    """Targets of D's outputs. In the two-head recording its first unit is fakeness: 1 is fake."""
    if recording.variant in OPTIONS:
        return {"classes": fakeness_targets(recording.label, fake, OPTIONS[recording.variant])}
    if recording.variant == "twohead":
        fakeness = recording["in.valid_fake" if fake else "in.valid_real"]
        return {"real_fake": fakeness, "label": recording.label}
    output = recording["fwd.D_fake"]
    return {"real_fake": real_fake_targets(len(output), output.shape, fake)}


def _mean(loss):
    return float(np.mean(loss))


def test_all_recordings_are_here():
    variants = {f"nobn_{variant}" for variant in ("patch", "unit", "opt1", "opt2", "twohead")}
    assert set(RECORDINGS) == variants | {"bn2_patch", "bn2_opt1", "bn2_twohead"}


@every
def test_weights_are_listed_in_the_recorded_order(recording):
    terms = {"_W": "/kernel", "_b": "/bias", "_gamma": "/gamma", "_beta": "/beta"}
    terms |= {"_running_mean": "/moving_mean", "_running_std": "/moving_variance"}
    for letter, network in zip("GDC", recording.networks()):
        if network is None:
            continue
        names = [name.removesuffix(":0") for name in recording.meta[f"names.{letter}"]]
        for name, weight in zip(names, recorded(network.weights), strict=True):
            old = next(old for old in terms if name.endswith(old))
            layer = name.removesuffix(old)
            assert weight.path.endswith(terms[old])
            assert layer.startswith("batchnormalization") or weight.path == layer + terms[old]


@pytest.mark.parametrize("recording", ["nobn_opt1", "nobn_opt2", "bn2_opt1"], indirect=True)
def test_targets(recording):
    option = OPTIONS[recording.variant]
    for fake, key in ((False, "in.trueEndTargets"), (True, "in.fakeEndTargets")):
        np.testing.assert_array_equal(fakeness_targets(recording.label, fake, option), recording[key])


@every
def test_forward_outputs_before_the_first_step(recording):
    loop = HandLoop(recording)
    assert_close(loop.G(recording.photo, training=True), recording["fwd.G"], LOSS_TOLERANCE)
    verdict = loop.D(loop.joined(), training=True)
    verdict = [verdict[name] for name in loop.heads] if isinstance(verdict, dict) else [verdict]
    assert_outputs(recording, "fwd0.D_all", verdict)
    outputs = loop.combined(recording.photo, training=True)
    assert_outputs(recording, "fwd0.combined", [outputs[name] for name in loop.outputs])
    if loop.C is not None:
        assert_close(loop.C(recording.sketch), recording["fwd.C_sketch"], LOSS_TOLERANCE)


@pytest.mark.parametrize("recording", ["nobn_patch", "nobn_unit", "bn2_patch"], indirect=True)
def test_losses_of_patch_and_unit_on_recorded_outputs(recording):
    real, fake = (_targets(recording, fake)["real_fake"] for fake in (False, True))
    l1 = _mean(generator_l1_loss(recording.sketch, recording["fwd.G"]))
    on_all = _mean(discriminator_loss(np.concatenate([real, fake]), recording["fwd.D_all"]))
    on_fakes = _mean(discriminator_on_generator_loss(real, recording["fwd.D_fake"]))
    of_class = float(CLASS_LOSS(recording.label, recording["fwd.C_fake"]))
    assert_close(l1, recording["loss.l1"], LOSS_TOLERANCE)
    assert_close(on_all, recording["loss.discriminator_loss"], LOSS_TOLERANCE)
    assert_close(on_fakes, recording["loss.discriminator_on_generator_loss"], LOSS_TOLERANCE)
    assert_close(of_class, recording["loss.cce_C_fake"], LOSS_TOLERANCE)
    on_sketches = float(CLASS_LOSS(recording.label, recording["fwd.C_sketch"]))
    assert_close(on_sketches, recording["loss.cce_C_sketch"], LOSS_TOLERANCE)
    # The sum is that of G's parts, before any update.
    assert_close(l1 + on_fakes + of_class, recording["loss.sum_G"], LOSS_TOLERANCE)


@pytest.mark.parametrize("recording", ["nobn_opt1", "nobn_opt2", "bn2_opt1"], indirect=True)
def test_losses_of_options_1_and_2_on_recorded_outputs(recording):
    loss = discriminator_loss if recording.variant == "opt1" else CLASS_LOSS.call
    on_generator = discriminator_on_generator_loss if recording.variant == "opt1" else CLASS_LOSS.call
    real, fake = (fakeness_targets(recording.label, fake, OPTIONS[recording.variant]) for fake in (0, 1))
    on_all = _mean(loss(np.concatenate([real, fake]), recording["fwd.D_all"]))
    assert_close(on_all, recording["loss.D_all"], LOSS_TOLERANCE)
    on_fakes = _mean(on_generator(real, recording["fwd.D_fake"]))
    assert_close(on_fakes, recording["loss.D_fake_as_true"], LOSS_TOLERANCE)
    l1 = _mean(generator_l1_loss(recording.sketch, recording["fwd.G"]))
    assert_close(l1, recording["loss.l1"], LOSS_TOLERANCE)


@pytest.mark.parametrize("recording", ["nobn_twohead", "bn2_twohead"], indirect=True)
def test_losses_of_two_heads_on_recorded_outputs(recording):
    real, fake = recording["in.valid_real"], recording["in.valid_fake"]
    labels = np.concatenate([recording.label] * 2)
    valid = discriminator_loss(np.concatenate([real, fake]), recording["fwd.D_all.valid"])
    on_fakes = discriminator_on_generator_loss(real, recording["fwd.D_fake.valid"])
    assert_close(_mean(valid), recording["loss.bce_valid_all"], LOSS_TOLERANCE)
    assert_close(_mean(on_fakes), recording["loss.bce_valid_fake_as_real"], LOSS_TOLERANCE)
    for y_true, key, name in ((labels, "all", "all"), (recording.label, "fake", "fake")):
        loss = float(CLASS_LOSS(y_true, recording[f"fwd.D_{key}.class"]))
        assert_close(loss, recording[f"loss.cce_class_{name}"], LOSS_TOLERANCE)


@every
def test_the_position_in_the_batch_says_nothing(recording):
    """The original takes the first half as real; here a shuffled batch has the same loss."""
    key = "fwd.D_all.valid" if recording.variant == "twohead" else "fwd.D_all"
    name = _heads(recording.variant)[0][0]
    targets = np.concatenate([_targets(recording, fake)[name] for fake in (False, True)])
    order = np.random.default_rng(1).permutation(len(targets))
    loss = CLASS_LOSS.call if recording.variant == "opt2" else discriminator_loss
    plain, shuffled = loss(targets, recording[key]), loss(targets[order], recording[key][order])
    assert_close(np.asarray(plain)[order], np.asarray(shuffled), 0)
    swapped = loss(targets[::-1], recording[key])
    assert abs(_mean(swapped) - _mean(plain)) > 1e-4


@every
def test_each_phase_of_the_first_step(recording):
    """Weights after the D, C and G phase, what each returned, and its gradients."""
    loop = HandLoop(recording)
    networks = dict(zip("GDC", loop.networks))
    for prefix, letter, phase in loop.phases():
        weights = recorded(networks[letter].trainable_weights)
        before = [weight.numpy() for weight in weights]
        assert_close(phase(), recording[f"s1.ret.{letter}"], LOSS_TOLERANCE)
        assert_weights(recording, prefix, loop.networks)
        gradients = recording.listed(f"g{letter}")
        for old, new, gradient in zip(before, weights, gradients, strict=True):
            assert_close((old - new.numpy()) / LEARNING_RATE, gradient, GRADIENT_TOLERANCE)


@every
def test_three_steps_by_hand(recording):
    loop = HandLoop(recording)
    for step in (1, 2, 3):
        if step > 1:
            fakes = loop.G(recording.photo, training=True)
            assert_close(fakes, recording[f"s{step}.generated"], LOSS_TOLERANCE)
        for _, letter, phase in loop.phases():
            assert_close(phase(), recording[f"s{step}.ret.{letter}"], LOSS_TOLERANCE)
        assert_weights(recording, f"s{step}.w", loop.networks)


@with_trainer
def test_three_steps_of_the_reference_trainer(recording):
    networks = recording.networks()
    optimizers = {f"{letter}_optimizer": sgd() for letter in "gdc"}
    l1_weight = 1.0 if recording.paired else 0.0
    trainer = ReferenceTrainer(*networks, l1_weight=l1_weight, **optimizers)
    for step in (1, 2, 3):
        logs = trainer.train_on_batch({"photo": recording.photo, "label": recording.label}, recording.sketch)
        returned = {"D": ["d_loss"], "C": ["c_loss"], "G": ["g_loss", "g_l1", "g_adv", "g_class"]}
        for letter, keys in returned.items():
            expected = recording.arrays.get(f"s{step}.ret.{letter}")
            if expected is not None:
                assert_close([logs[key] for key in keys[: len(expected)]], expected, LOSS_TOLERANCE)
        assert_weights(recording, f"s{step}.w", networks)


@pytest.mark.parametrize("recording", ["bn2_patch", "bn2_opt1", "bn2_twohead"], indirect=True)
def test_moving_averages_move_here_and_never_did_there(recording):
    for letter, network in zip("GDC", recording.networks()):
        if network is None:
            continue
        averages = [k for k, weight in enumerate(recorded(network.weights)) if "moving" in weight.path]
        before, after = recording.listed(f"w0.{letter}"), recording.listed(f"s3.w.{letter}")
        assert all(np.array_equal(before[k], after[k]) for k in averages)
    loop = HandLoop(recording)
    moved = moved_variables(loop.phase_d, loop.D)["D"]
    assert {weight.path for weight in loop.D.weights if "moving" in weight.path} <= set(moved)


@pytest.mark.parametrize("recording", ["bn2_patch"], indirect=True)
def test_a_discriminator_frozen_by_its_flag_misses_the_recording(recording):
    """Frozen, its norms judge by moving averages: which is why no flag is used."""
    loop = HandLoop(recording)
    loop.D.trainable = False
    verdict = loop.combined(recording.photo, training=True)["real_fake"]
    assert np.abs(np.asarray(verdict) - recording["fwd0.combined.1"]).max() > 1e-2
