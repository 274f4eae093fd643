"""Several devices, and several processes, train as one device does on the whole batch."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

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
