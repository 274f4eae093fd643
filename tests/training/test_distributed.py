"""Several devices, and several processes, train as one device does on the whole batch."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny import batch, discriminator, generator

from keras_cgan import ConditionalGAN
from keras_cgan.training.distributed import WorkerLostError, fit_workers, is_chief, is_multi_worker

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EPOCHS = 2


def start(how, folder, epochs=EPOCHS, **environment):
    """Starts replicas.py as a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), str(HERE), os.environ.get("PYTHONPATH")]))
    clean = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    return subprocess.Popen(
        [sys.executable, HERE / "replicas.py", how, folder, str(epochs)],
        env={**clean, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_workers(folder, epochs=EPOCHS):
    """Starts two workers that find each other by TF_CONFIG."""
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": n}} for n in range(2)]
    return [start("worker", folder, epochs, TF_CONFIG=json.dumps(task)) for task in tasks]


def finish(process, code=0):
    stdout, stderr = process.communicate(timeout=240)
    assert process.returncode == code, stdout + stderr[-3000:]
    return stdout


def results(folder, name):
    weights = np.load(folder / f"{name}.npz")
    return weights, json.loads((folder / f"{name}.json").read_text())


def assert_same(folder, name, other):
    (weights, losses), (expected, expected_losses) = results(folder, name), results(folder, other)
    assert set(losses) == set(expected_losses) and "val_g_l1" in losses
    for key, values in expected_losses.items():
        np.testing.assert_allclose(losses[key], values, rtol=1e-5, err_msg=key)
    assert set(weights.files) == set(expected.files)
    for key in expected.files:
        np.testing.assert_allclose(weights[key], expected[key], atol=2e-6, err_msg=key)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A folder with what one device makes of the whole batch."""
    folder = tmp_path_factory.mktemp("replicas")
    finish(start("one", folder))
    return folder


# ---- fit_workers in one process


def trained(fit, dataset, **options):
    """The losses and weights that `fit(gan, dataset)` leaves of the same tiny model."""
    keras.utils.set_random_seed(0)
    gan = ConditionalGAN(generator(), discriminator())
    gan.compile()
    history = fit(gan, dataset, verbose=0, **options)
    return history.history, gan.get_weights()


def assert_close(losses, expected):
    assert set(losses) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(losses[name], values, rtol=1e-5, err_msg=name)


def batches(count):
    return tf.data.Dataset.from_tensor_slices(batch(2 * count)).batch(2)


def of_unknown_length(count):
    return batches(count).filter(lambda x, y: True)


@pytest.mark.slow
@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("make", [batches, of_unknown_length])
def test_epochs_of_given_steps_go_on_in_the_data_as_in_keras(make, repeats):
    dataset = make(6).repeat() if repeats else make(6)
    options = {"epochs": 4, "steps_per_epoch": 2}
    losses, weights = trained(fit_workers, dataset, shuffle=True, **options)
    # The third epoch has the last two of six batches, the fourth the first two.
    expected, expected_weights = trained(ConditionalGAN.fit, batches(6).repeat(), **options)
    assert_close(losses, expected)
    for value, other in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(value, other, atol=1e-6)
    assert losses["d_loss"][0] != pytest.approx(losses["d_loss"][1], rel=1e-3)


@pytest.mark.slow
def test_a_dataset_that_ends_within_an_epoch_ends_it():
    with pytest.warns(UserWarning, match="ended after 1 of 2 steps of an epoch"):
        losses, _ = trained(fit_workers, batches(3), epochs=3, steps_per_epoch=2)
    assert len(losses["d_loss"]) == 3 and np.all(np.isfinite(losses["d_loss"]))


@pytest.mark.slow
def test_without_steps_every_epoch_has_all_batches():
    options = {"epochs": 2, "validation_data": batches(2)}
    losses, expected = (trained(fit, batches(3), **options)[0] for fit in (fit_workers, ConditionalGAN.fit))
    assert "val_g_l1" in losses
    assert_close(losses, expected)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch_size": 8}, "`fit` on several workers takes.*`epochs`.*Received: batch_size=8$"),
        ({"validation_split": 0.5, "validation_steps": None}, "Received: validation_split=0.5$"),
        ({"validation_data": (1, 2)}, "`validation_data` must be a `tf.data.Dataset`.*Received: .*tuple"),
    ],
)
def test_what_several_workers_do_not_take(options, message):
    with pytest.raises(ValueError, match=message):
        trained(fit_workers, batches(2), **options)


def test_a_dataset_without_an_end_needs_steps():
    with pytest.raises(ValueError, match="`steps_per_epoch` must be given.*Received: steps_per_epoch=None"):
        trained(fit_workers, batches(2).repeat())


@pytest.mark.slow
@pytest.mark.parametrize(
    "text, line",
    [
        (
            "Graph execution error:\n\nDetected at node Reduce defined at (most recent call last):\n"
            '  File "worker.py", line 3, in task\n\n'
            "Collective ops is aborted by: heartbeat timeout of worker 1\n"
            "Additional GRPC error information",
            "Collective ops is aborted by: heartbeat timeout of worker 1",
        ),
        ("Graph execution error:\n\n  cancelled\n", "cancelled"),
        ("Graph execution error:", "no reason"),
        ("", "no reason"),
    ],
)
def test_a_lost_worker_is_reported_by_what_tells_most(text, line):
    def lose(epoch, logs):
        raise tf.errors.UnavailableError(None, None, text)

    with pytest.raises(WorkerLostError) as caught:
        trained(fit_workers, batches(2), callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lose)])
    assert str(caught.value).endswith(f"TensorFlow says: {line}")


# ---- who is who


class Workers(tf.distribute.MultiWorkerMirroredStrategy):
    """Of a cluster that is described and not there."""

    def __init__(self, cluster, task_type, task_id):
        self._described = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(cluster), task_type=task_type, task_id=task_id
        )

    cluster_resolver = property(lambda self: self._described)


@pytest.mark.parametrize(
    "jobs, task, chief",
    [
        (["worker"], ("worker", 0), True),
        (["worker"], ("worker", 1), False),
        (["chief", "worker"], ("chief", 0), True),
        (["chief", "worker"], ("worker", 0), False),
        (["chief", "worker"], ("worker", 1), False),
    ],
)
def test_the_chief_is_the_cluster_s_or_worker_0(jobs, task, chief, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)  # the strategy's own cluster counts
    strategy = Workers({job: [f"{job}0:1", f"{job}1:1"] for job in jobs}, *task)
    assert is_multi_worker(strategy) and is_chief(strategy) == chief


def test_alone_every_process_is_its_own_chief(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}')
    for strategy in (None, tf.distribute.get_strategy(), Workers({}, None, None)):
        assert is_chief(strategy) and not is_multi_worker(strategy)


# ---- several devices, several processes


SHARING = """
import tensorflow as tf
from replicas import strategy_for
from keras_cgan.training.replica_batch import part_of_batch

strategy = strategy_for("mirrored")

def parts(count):
    labels = strategy.experimental_distribute_values_from_function(
        lambda context: tf.range(count)[context.replica_id_in_sync_group :: 2]
    )

    @tf.function
    def run(label):
        batch = {"image": tf.cast(label, tf.float16)[:, None] + 5, "label": label, "weight": None}
        batch, size, share = part_of_batch(batch)
        assert batch["weight"] is None
        return batch["image"], batch["label"], size, share

    for value in strategy.run(run, args=(labels,)):
        each = strategy.experimental_local_results(value)
        yield [one.numpy().tolist() for one in each], each[0].dtype.name

for count, expected in {
    3: [[[[5], [7]], [[6]]], [[0, 2], [1]], [2, 1], [2 / 3, 1 / 3]],
    1: [[[[5]], [[5]]], [[0], [0]], [1, 0], [1, 0]],
}.items():
    found, dtypes = zip(*parts(count))
    assert dtypes == ("float16", "int32", "int32", "float32"), dtypes
    tf.debugging.assert_near(found[3], expected[3])
    assert list(found[:3]) == expected[:3], found
print("all is well")
"""


@pytest.mark.slow
def test_a_device_without_a_pair_runs_on_the_first_pair_for_nothing(run_child):
    assert "all is well" in run_child(SHARING, PYTHONPATH=os.pathsep.join([str(ROOT), str(HERE)]))


@pytest.mark.slow
def test_two_devices_train_as_one(one):
    finish(start("mirrored", one))
    assert_same(one, "mirrored-0", "one-0")


@pytest.mark.slow
def test_two_workers_train_as_one(one):
    for process in start_workers(one):
        finish(process)
    for task in (0, 1):
        assert_same(one, f"worker-{task}", "one-0")


@pytest.mark.slow
def test_a_killed_worker_stops_the_job_and_a_restart_goes_on(tmp_path):
    survivor, victim = start_workers(tmp_path, epochs=1000)
    assert victim.stdout.readline() == "epoch 0\n" and victim.stdout.readline() == "epoch 1\n"
    victim.send_signal(signal.SIGKILL)
    said = finish(survivor, code=3)
    assert "lost: a worker of this job is gone" in said and "Start all workers again" in said
    done = said.count("epoch")
    begun = time.monotonic()
    for process in start_workers(tmp_path, epochs=done + 2):
        printed = finish(process).splitlines()
        assert printed == [f"epoch {done + number}" for number in range(2)]
    assert time.monotonic() - begun < 200
    assert_same(tmp_path, "worker-0", "worker-1")
