"""`fit`, `evaluate` and `predict` of `ConditionalGAN`, on arrays and on `tf.data`, and Keras' callbacks."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import LOG_KEYS, assert_same_values, networks, sgd_gan, sgd_trainer

from keras_cgan import ConditionalGAN, strategy_networks
from keras_cgan.data import EmbeddedPairs, PairPipeline

# Two full batches of 4 and a short one.
N = 10


def start(strategy="classifier", run_eagerly=True, **options):
    """A compiled GAN whose networks start the same in each test's calls."""
    keras.utils.set_random_seed(7)
    return sgd_gan(networks(strategy), run_eagerly=run_eagerly, **options)


def parts(gan):
    return gan.generator, gan.discriminator, gan.classifier


def fit(gan, data=None, **options):
    """Without shuffling, so that it can be compared."""
    x, sketch = data or tiny.batch(N)
    return gan.fit(x, sketch, **{"batch_size": 4, "shuffle": False, "verbose": 0, **options})


def batches(data):
    """The batches that `fit` makes of arrays."""
    for first in range(0, N, 4):
        yield keras.tree.map_structure(lambda array: array[first : first + 4], data)


def as_dataset():
    return tf.data.Dataset.from_tensor_slices(tiny.batch(N)).batch(4)


def test_an_epoch_is_its_batches_and_logs_their_means_by_size():
    gan, stepwise = start(), start()
    trainer = sgd_trainer(parts(stepwise))
    logs = [trainer.train_on_batch(*data) for data in batches(tiny.batch(N))]
    history = fit(gan).history
    assert set(history) == LOG_KEYS["classifier"]
    for name, values in history.items():
        expected = np.average([log[name] for log in logs], weights=[4, 4, 2])
        assert values == [pytest.approx(expected, rel=1e-5)]
    assert_same_values(parts(gan), parts(stepwise))


@pytest.mark.slow
@pytest.mark.parametrize("run_eagerly", [True, False])
def test_a_dataset_gives_the_same_as_arrays(run_eagerly):
    gan, twin = start(run_eagerly=run_eagerly), start()
    history = gan.fit(as_dataset(), epochs=2, verbose=0).history
    expected = fit(twin, epochs=2).history
    assert {name: pytest.approx(values, rel=1e-4) for name, values in expected.items()} == history
    assert_same_values(parts(gan), parts(twin), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("strategy, label", [("pix2pix", False), ("two-head", True)])
def test_a_pipelines_batches(strategy, label):
    pairs = EmbeddedPairs(N)
    pipeline = PairPipeline(pairs, tiny.SIZE, batch_size=4)
    built = strategy_networks(
        strategy, (*tiny.SIZE, 3), pairs.n_classes, label_input=label, filters=2, n_layers=1
    )
    gan = ConditionalGAN(*built, strategy)
    gan.compile(run_eagerly=True)
    steps = pipeline.steps_per_epoch
    history = gan.fit(pipeline.batches(), epochs=2, steps_per_epoch=steps, verbose=0).history
    assert set(history) == LOG_KEYS[strategy]
    assert all(np.isfinite(values).all() and len(values) == 2 for values in history.values())
    assert int(gan.optimizer.iterations) == 6


@pytest.mark.slow
@pytest.mark.parametrize("as_data", [False, True])
def test_validation_logs_are_those_of_evaluate(as_data):
    gan = start()
    validation = tf.data.Dataset.from_tensors(tiny.batch(6, seed=5)) if as_data else tiny.batch(6, seed=5)
    history = fit(gan, validation_data=validation, epochs=2).history
    names = LOG_KEYS["classifier"]
    assert set(history) == names | {f"val_{name}" for name in names}
    after = gan.evaluate(*tiny.batch(6, seed=5), verbose=0, return_dict=True)
    assert {name: history[f"val_{name}"][-1] for name in names} == pytest.approx(after, rel=1e-5)
    as_list = gan.evaluate(*tiny.batch(6, seed=5), verbose=0)
    assert as_list == pytest.approx([after[name] for name in gan.loss_names], rel=1e-5)


def test_validation_does_not_disturb_the_training():
    gan, twin = start(), start()
    history = fit(gan, validation_data=tiny.batch(6, seed=5), epochs=2).history
    expected = fit(twin, epochs=2).history
    assert {name: history[name] for name in expected} == expected
    assert_same_values(parts(gan), parts(twin), atol=0.0)


def test_a_validation_split():
    gan = start()
    assert set(fit(gan, validation_split=0.4).history) >= {"g_loss", "val_g_loss"}
    assert int(gan.optimizer.iterations) == 2


@pytest.mark.filterwarnings("error:The structure of `inputs`")
@pytest.mark.parametrize("label", [True, False], ids=["label", "no label"])
def test_predict_draws_in_inference_mode(label):
    keras.utils.set_random_seed(7)
    gan = sgd_gan(networks("classifier", label, stochastic=True), run_eagerly=False)
    x, _ = tiny.batch(6)
    expected = gan.generator(x if label else x["photo"], training=False)
    # As `fit` takes it: with a label that this generator may not need.
    for given in (x, tf.data.Dataset.from_tensor_slices(tiny.batch(6)).batch(4)):
        drawn = gan.predict(given, verbose=0, batch_size=None if given is not x else 4)
        np.testing.assert_allclose(drawn, expected, atol=1e-6)
    np.testing.assert_allclose(gan.predict_on_batch(x), expected, atol=1e-6)
    if not label:
        np.testing.assert_allclose(gan.predict(x["photo"], verbose=0), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [True, False])
def test_model_checkpoints(whole, tmp_path):
    path = tmp_path / ("{epoch}.keras" if whole else "{epoch}.weights.h5")
    gan = start()
    keeps = keras.callbacks.ModelCheckpoint(path, save_weights_only=not whole)
    fit(gan, epochs=2, callbacks=[keeps])
    # The second epoch's.
    path = str(path).format(epoch=2)
    if whole:
        again = keras.models.load_model(path)
    else:
        again = start()
        again.load_weights(path)
    assert_same_values(parts(again), parts(gan), atol=0.0)
    assert [int(optimizer.iterations) for optimizer in again.optimizers.values()] == [6, 6, 6]


def test_the_best_by_validation_is_kept_and_restored():
    """A generator that does not get better: training ends, and the first epoch's weights are back."""
    gan = start(learning_rates={"g": 0.0, "d": 0.1, "c": 0.2})
    weights = []
    # Keras wants to be told by `mode` which way a loss with a name of its own gets better.
    stop = keras.callbacks.EarlyStopping(
        "val_g_l1", mode="min", patience=2, min_delta=10.0, restore_best_weights=True
    )
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: weights.append(gan.discriminator.get_weights())
    )
    history = fit(gan, epochs=9, validation_data=tiny.batch(6), callbacks=[note, stop]).history
    assert len(history["g_l1"]) == len(weights) == 3
    for restored, first, last in zip(gan.discriminator.get_weights(), weights[0], weights[-1]):
        np.testing.assert_array_equal(restored, first)
        assert not np.array_equal(restored, last)


def test_a_schedule_by_callback_is_the_generators():
    gan = start(run_eagerly=False)
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, _: 0.05 if epoch == 0 else 0.0)
    kernel, seen = gan.generator.trainable_weights[0], []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(kernel.numpy()))
    before = kernel.numpy()
    history = fit(gan, epochs=2, callbacks=[schedule, note]).history
    assert history["learning_rate"] == pytest.approx([0.05, 0.0])
    assert not np.array_equal(before, seen[0]) and np.array_equal(seen[0], seen[1])
    rates = {player: float(optimizer.learning_rate) for player, optimizer in gan.optimizers.items()}
    assert rates == pytest.approx({"g": 0.0, "d": 0.1, "c": 0.2})


def test_a_csv_log(tmp_path):
    gan = start()
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    history = fit(gan, epochs=2, validation_data=tiny.batch(4), callbacks=[log]).history
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [float(row["val_g_l1"]) for row in rows] == pytest.approx(history["val_g_l1"])
    assert set(rows[0]) == {"epoch", *history}


@pytest.mark.slow
def test_backup_and_restore_goes_on_where_it_was_cut_off(tmp_path):
    def cut(epoch, _):
        if epoch == 1:
            raise KeyboardInterrupt

    through, first, second = start(), start(), start()
    fit(through, epochs=3)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(KeyboardInterrupt):
        fit(first, epochs=3, callbacks=[backup, keras.callbacks.LambdaCallback(on_epoch_begin=cut)])
    history = fit(second, epochs=3, callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "backup")])
    assert history.epoch == [1, 2]
    assert_same_values(parts(second), parts(through), atol=0.0)
