"""A batch of NaN in a real training: all goes back to the last good epoch, and training goes on."""

import math
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_cgan import ConditionalGAN, FusedAdam
from keras_cgan.callbacks import CollapseAlarm, CollapseWarning, RestoreIfNotFinite, RestoreSteps
from keras_cgan.training.checkpoint import TrainerCheckpoint

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
import tiny  # noqa: E402
from tiny import networks  # noqa: E402

STEPS = 3  # an epoch


def new_gan(strategy="pix2pix", rate=0.01, run_eagerly=True, **options):
    """With dropout and spectral norm; eager, where few steps are taken: a trace takes seconds."""
    gan = ConditionalGAN(*networks(strategy, stochastic=True), **options)
    gan.compile(*[FusedAdam(rate) for _ in gan.players()], run_eagerly=run_eagerly)
    return gan


def dataset(*bad_steps):
    """Endless batches, of which some have a pixel that is not a number."""

    def batches():
        for step in range(10_000):
            x, sketch = tiny.batch(seed=step)
            if step in bad_steps:
                sketch[0, 3, 3, 0] = np.nan
            yield x, sketch

    return tf.data.Dataset.from_generator(
        batches, output_signature=tf.nest.map_structure(tf.TensorSpec.from_tensor, as_tensors(tiny.batch()))
    )


def as_tensors(structure):
    return tf.nest.map_structure(tf.convert_to_tensor, structure)


def state(gan):
    """All there is, but the learning rates."""
    kept = [
        v
        for optimizer in gan.optimizers.values()
        for v in optimizer.variables
        if "learning_rate" not in v.path
    ]
    return [v.numpy() for v in [*gan.variables, *kept]]


def rates(gan):
    return [float(optimizer.learning_rate) for optimizer in gan.optimizers.values()]


class Record(keras.callbacks.Callback):
    """The state after each step and each epoch; comes after the callback that restores."""

    def on_train_begin(self, logs=None):
        self.steps, self.epochs, self.logs, self.rates = [], [state(self.model)], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(state(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(state(self.model))
        self.logs.append(dict(logs))
        self.rates.append(rates(self.model))


def fit(gan, restore, *bad_steps, epochs=4):
    """Returns what was recorded, and the warnings."""
    record = Record()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CollapseWarning)
        gan.fit(
            dataset(*bad_steps),
            epochs=epochs,
            steps_per_epoch=STEPS,
            verbose=0,
            callbacks=[callback for callback in (restore, record) if callback],
        )
    return record, [str(warning.message) for warning in caught if warning.category is CollapseWarning]


def assert_same(one, other):
    for value, twin in zip(one, other, strict=True):
        np.testing.assert_array_equal(value, twin)


def is_finite(values):
    return all(np.isfinite(value).all() for value in values)


def test_without_it_nan_stays():
    record, _ = fit(new_gan(), None, 2, epochs=2)
    assert is_finite(record.steps[1]) and not is_finite(record.epochs[1])
    assert not is_finite(record.epochs[2]) and math.isnan(record.logs[1]["g_loss"])


@pytest.mark.parametrize(
    "policy",
    ["float32", *(pytest.param(f"mixed_{kind}16", marks=pytest.mark.slow) for kind in ("bfloat", "float"))],
)
def test_back_to_the_last_good_epoch(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    gan = new_gan("classifier", run_eagerly=False, average_decay=0.9, image_pool=3)
    restore = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path))
    record, messages = fit(gan, restore, 4)  # the second step of the second epoch
    assert_same(record.steps[4], record.epochs[1])
    assert all(is_finite(values) for values in record.epochs)
    # It has moved on since; the average too, and each optimizer.
    assert any(np.any(one != other) for one, other in zip(record.epochs[1], record.epochs[4]))
    assert (
        restore.restored[0][0] == 2 and "d_loss=nan" in restore.restored[0][1] and len(restore.restored) == 1
    )
    assert len(messages) == 1
    assert messages[0].startswith("at step 2 of epoch 2 not finite: ")
    assert "as it was after epoch 1; learning rates: d 0.005, c 0.005, g 0.005" in messages[0]
    np.testing.assert_allclose(record.rates, [[0.01] * 3] + [[0.005] * 3] * 3, rtol=1e-6)
    assert all(math.isfinite(value) for logs in record.logs for value in logs.values())
    assert is_finite(weight.numpy() for weight in gan.averaged().weights)


def test_logs_are_means_of_the_batches_since_the_restore(tmp_path):
    gan = new_gan()
    restore = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path), factor=1)
    fit(gan, restore, epochs=1)
    twin = new_gan()
    assert TrainerCheckpoint(twin, tmp_path).restore() == 1
    expected = twin.train_on_batch(*tiny.batch(seed=2))
    with pytest.warns(CollapseWarning, match="at step 2 of epoch 2"):
        history = gan.fit(
            dataset(1), epochs=2, initial_epoch=1, steps_per_epoch=STEPS, verbose=0, callbacks=[restore]
        ).history
    assert {name: values[0] for name, values in history.items()} == pytest.approx(expected, rel=1e-5)


def test_a_bad_batch_at_the_start_goes_back_to_the_start(tmp_path):
    gan = new_gan()
    record, messages = fit(gan, RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)), 0, epochs=2)
    assert_same(record.steps[0], record.epochs[0])
    assert "as it was before the first epoch" in messages[0] and is_finite(record.epochs[2])


def test_a_bad_batch_at_the_end_of_an_epoch(tmp_path):
    gan = new_gan()
    restore = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path))
    record, messages = fit(gan, restore, 5, epochs=3)
    assert_same(record.epochs[2], record.epochs[1])
    # No batch is left to take a mean of; it is no epoch that was saved.
    assert all(math.isnan(value) for value in record.logs[1].values()) and len(messages) == 1
    assert all(math.isfinite(value) for value in record.logs[2].values())
    assert sorted(file.name for file in tmp_path.glob("*.index")) == ["ckpt-1.index", "ckpt-3.index"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:epoch 2. not finite")  # the alarm's own
@pytest.mark.parametrize("where", ["generator", "average", "moments", "val_g_l1"])
def test_what_is_bad_at_the_end_of_an_epoch_alone(where, tmp_path):
    """Weights that no loss has shown yet, moments, the average, and losses of the validation."""
    gan = new_gan(average_decay=0.9)

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1 and where == "val_g_l1":
                logs[where] = math.inf
            elif epoch == 1:
                variable = {
                    "generator": gan.generator.weights[0],
                    "average": gan._average.weights[0],
                    "moments": gan.optimizers["g"].variables[2],
                }[where]
                variable.assign(np.full(variable.shape, np.nan, "float32"))

    restore, record = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)), Record()
    x = tiny.batch(9)[0]
    alarm = CollapseAlarm(x["photo"], x["label"], warm_up=0)
    callbacks = [Spoil(), restore, record, alarm]
    with pytest.warns(CollapseWarning, match="at the end of epoch 2 not finite"):
        gan.fit(dataset(), epochs=3, steps_per_epoch=STEPS, verbose=0, callbacks=callbacks)
    assert_same(record.epochs[2], record.epochs[1])
    assert is_finite(record.epochs[3]) and len(restore.restored) == 1
    assert math.isnan(record.logs[1]["g_loss"]) and math.isfinite(record.logs[2]["g_loss"])
    # That the weights are again those of the epoch before is no standstill.
    ((epoch, kind, said),) = alarm.raised
    # The weights are well again: no advice to go back.
    assert (epoch, kind) == (2, "not finite") and "and the weights are" in said and "go back" not in said


def test_rates_fall_with_each_restore_from_one_save(tmp_path):
    gan = new_gan(rate=0.8)
    restore = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path), factor=0.25)
    record, _ = fit(gan, restore, 3, 4, epochs=3)
    np.testing.assert_allclose(record.rates, [[0.8] * 2, [0.05] * 2, [0.05] * 2], rtol=1e-6)
    assert [epoch for epoch, _ in restore.restored] == [2, 2]


def test_after_so_many_restores_it_ends(tmp_path):
    gan = new_gan()
    restore, record = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path), most=2), Record()
    message = "after 2 restores at step 2 of epoch 3 .* as it was after epoch 2.*Received: .*g_loss=nan"
    with warnings.catch_warnings(), pytest.raises(RuntimeError, match=message):
        warnings.simplefilter("ignore", CollapseWarning)
        gan.fit(dataset(2, 4, 7), epochs=9, steps_per_epoch=STEPS, verbose=0, callbacks=[restore, record])
    assert len(restore.restored) == 2
    assert_same(state(gan), record.epochs[2])


def test_a_rate_that_follows_a_schedule_stays_and_is_said(tmp_path):
    gan = ConditionalGAN(*networks("pix2pix"))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 1.0)
    gan.compile(FusedAdam(schedule), FusedAdam(0.01))
    record, messages = fit(gan, RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)), 1, epochs=2)
    assert "learning rates: d 0.005, g as its schedule has it" in messages[0]
    np.testing.assert_allclose(record.rates[-1], [0.005, 0.1], rtol=1e-6)
    assert is_finite(record.epochs[2])


@pytest.mark.slow
def test_several_steps_a_call(tmp_path):
    gan = ConditionalGAN(*networks("pix2pix"), average_decay=0.9)
    gan.compile(FusedAdam(0.01), FusedAdam(0.01), steps_per_execution=3)
    record, messages = fit(gan, RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)), 4, epochs=3)
    assert "at step 3 of epoch 2" in messages[0]
    assert_same(record.epochs[2], record.epochs[1])
    assert is_finite(record.epochs[3])


def test_a_run_without_nan_is_the_same_run(tmp_path):
    losses = []
    for use in (False, True):
        keras.utils.set_random_seed(1)
        gan = new_gan()
        restore = RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)) if use else None
        record, messages = fit(gan, restore, epochs=2)
        losses.append((record.logs, record.epochs[2]))
        assert not messages
    assert losses[0][0] == losses[1][0]
    assert_same(losses[0][1], losses[1][1])


def test_a_run_that_is_resumed(tmp_path):
    gan = new_gan()
    fit(gan, RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)), epochs=2)
    twin = new_gan()
    checkpoint = TrainerCheckpoint(twin, tmp_path)
    assert checkpoint.restore() == 2
    assert_same(state(twin), state(gan))
    restore, record = RestoreIfNotFinite(checkpoint), Record()
    with pytest.warns(CollapseWarning, match="as it was after epoch 2"):
        twin.fit(
            dataset(0),
            epochs=3,
            initial_epoch=2,
            steps_per_epoch=STEPS,
            verbose=0,
            callbacks=[restore, record],
        )
    assert_same(record.steps[0], record.epochs[0])
    assert TrainerCheckpoint(twin, tmp_path).restore() == 3


def test_weights_that_are_bad_from_the_start_are_refused(tmp_path):
    gan = new_gan()
    gan.generator.set_weights([weight * np.nan for weight in gan.generator.get_weights()])
    with pytest.raises(RuntimeError, match="`fit` must begin with finite weights.*Received: .* more"):
        fit(gan, RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)))
    assert not list(tmp_path.glob("*.index"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 0}, r"`factor` must be in \(0, 1\]. Received: factor=0"),
        ({"factor": 1.5}, r"`factor` must be in \(0, 1\]. Received: factor=1.5"),
        ({"most": 0}, "`most` must be an integer of at least 1. Received: most=0"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        RestoreIfNotFinite(None, **options)


def test_several_machines_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_cgan.callbacks.restore.is_multi_worker", lambda strategy: True)
    gan = new_gan()
    with pytest.raises(ValueError, match="is for one machine.*Received: a model of several workers"):
        fit(gan, RestoreIfNotFinite(TrainerCheckpoint(gan, tmp_path)))


ON_TWO_DEVICES = """
import sys
import keras, numpy as np, tensorflow as tf
from keras_cgan import ConditionalGAN
from keras_cgan.callbacks import CollapseAlarm, RestoreIfNotFinite
from keras_cgan.training.checkpoint import TrainerCheckpoint
sys.path.insert(0, sys.argv[1])
import tiny
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    gan = ConditionalGAN(*tiny.networks("pix2pix"), average_decay=0.9)
    gan.compile()
x, sketch = tiny.batch(24)
data = tf.data.Dataset.from_tensor_slices((x, sketch)).batch(4)
sketch[17] = np.nan
bad = tf.data.Dataset.from_tensor_slices((x, sketch)).batch(4)
restore = RestoreIfNotFinite(TrainerCheckpoint(gan, sys.argv[2]))
alarm = CollapseAlarm(x["photo"], x["label"], warm_up=0)
losses = gan.fit(data.concatenate(bad), epochs=2, steps_per_epoch=6, verbose=0, callbacks=[restore, alarm])
rates = [float(tf.convert_to_tensor(o.learning_rate)) for o in gan.optimizers.values()]
finite = all(np.isfinite(v.numpy()).all() for v in gan.variables)
print(len(restore.restored), len(alarm.raised), finite, rates, np.isfinite(losses.history["d_loss"]).all())
"""


@pytest.mark.slow
def test_two_devices(tmp_path, run_child):
    output = run_child(ON_TWO_DEVICES, Path(tiny.__file__).parent, tmp_path)
    assert output.split("\n")[-2] == "1 0 True [9.999999747378752e-05, 9.999999747378752e-05] True"


def reference(strategy="pix2pix"):
    return tiny.sgd_trainer(networks(strategy, stochastic=True), strategy=strategy)


@pytest.mark.parametrize("make", [new_gan, reference])
def test_a_loop_of_steps_goes_back_too(make, tmp_path):
    trainer = make()
    parts = trainer.generator, trainer.discriminator
    restore = RestoreSteps(TrainerCheckpoint(trainer, tmp_path), trainer, factor=0.1, most=2)
    assert restore.begin() == 0

    def take(step, bad=False):
        x, sketch = tiny.batch(seed=step)
        if bad:
            sketch[0, 3, 3, 0] = np.nan
        return restore.look(step, trainer.train_on_batch(x, sketch))

    def weights():
        return [value for part in parts for value in part.get_weights()]

    first, rate = weights(), rates(trainer)[0]
    message = take(1, bad=True)
    assert message.startswith("at step 1 not finite: d_loss=nan") and "as after step 0, and" in message
    assert_same(weights(), first)
    assert rates(trainer)[0] == pytest.approx(rate / 10)
    assert take(2) is None
    restore.save(2)
    second = weights()
    assert "again as after step 2, and go on" in take(3, bad=True)
    assert_same(weights(), second)
    assert rates(trainer)[0] == pytest.approx(rate / 100)  # of the save's, which were lower already
    with pytest.raises(RuntimeError, match="as after step 2, for the last time after 2 restores; another"):
        take(4, bad=True)
    assert_same(weights(), second)


@pytest.mark.parametrize("make", [new_gan, reference])
@pytest.mark.parametrize("where", ["weight", "moment"])
def test_a_loop_looks_at_weights_before_they_are_saved(where, make, tmp_path):
    trainer = make()
    restore = RestoreSteps(TrainerCheckpoint(trainer, tmp_path), trainer)
    restore.begin()
    first = trainer.generator.get_weights()
    losses = trainer.train_on_batch(*tiny.batch())
    assert restore.look(1, losses, weights=True) is None
    optimizer = list(trainer.optimizers.values())[-1]
    broken = trainer.generator.trainable_weights if where == "weight" else optimizer.variables[-1:]
    broken[0].assign(ops.cast(broken[0], "float32") * np.inf)
    assert restore.look(1, losses) is None
    message = restore.look(1, losses, weights=True)
    assert message.startswith("at step 1 not finite: ") and broken[0].path in message
    assert_same(trainer.generator.get_weights(), first)


def test_a_loop_that_is_resumed_begins_where_it_was_saved(tmp_path):
    trainer = new_gan()
    trainer.train_on_batch(*tiny.batch())
    TrainerCheckpoint(trainer, tmp_path).save(7)
    saved = trainer.generator.get_weights()
    trainer.train_on_batch(*tiny.batch())
    assert RestoreSteps(TrainerCheckpoint(trainer, tmp_path), trainer).begin() == 7
    assert_same(trainer.generator.get_weights(), saved)
