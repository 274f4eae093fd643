"""A program starts TensorFlow without a word, unless something goes wrong or is asked for."""

import os
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cgan import startup
from keras_cgan.precision import fastest_precision
from keras_cgan.startup import _stderr_held, start_tensorflow

START = "from keras_cgan.startup import start_tensorflow; start_tensorflow({})\n"


@pytest.fixture
def start_child():
    """A function `(code, **environment) -> (stdout, stderr)`: Python with no log level in its environment."""

    def run(code, **environment):
        clean = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        root = os.path.dirname(os.path.dirname(startup.__file__))
        path = os.pathsep.join(filter(None, [root, clean.get("PYTHONPATH")]))
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**clean, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr

    return run


def test_nothing_is_said(start_child):
    code = "import sys; import keras_cgan.strategies; assert 'tensorflow' not in sys.modules\n"
    code += START.format("seed=3, precision='mixed_bfloat16'")
    code += "assert 'tensorflow' in sys.modules\n"
    code += "import tensorflow as tf\n"
    code += "step = tf.function(lambda x: x + 1)\n"
    code += "for n in range(1, 9): step(tf.zeros(n))\n"  # retraced: TensorFlow would warn
    code += "import keras; print(keras.config.dtype_policy().name); print('then', file=sys.stderr)"
    assert start_child(code) == ("mixed_bfloat16\n", "then\n")


@pytest.mark.slow
def test_messages_come_when_asked_for(start_child):
    stdout, stderr = start_child(START.format(""), TF_CPP_MIN_LOG_LEVEL="0")
    assert stdout == "" and "tensorflow" in stderr.lower()


@pytest.mark.slow
def test_the_level_of_no_messages_is_quiet_too(start_child):
    code = START.format("") + "import tensorflow as tf\nstep = tf.function(lambda x: x + 1)\n"
    code += "for n in range(1, 9): step(tf.zeros(n))"
    assert start_child(code, TF_CPP_MIN_LOG_LEVEL="3") == ("", "")


def test_the_seed_is_that_of_python_numpy_and_keras():
    def draw(seed):
        start_tensorflow(seed)
        tensors = keras.random.uniform(()), tf.random.uniform(())
        return random.random(), np.random.rand(), *map(float, tensors)

    first, other = draw(3), draw(4)
    assert draw(3) == first
    assert all(a != b for a, b in zip(first, other))


@pytest.mark.parametrize("precision", [name for name in startup.PRECISIONS if name != "auto"])
def test_precision_is_the_dtype_policy(precision):
    start_tensorflow(precision=precision)
    assert keras.config.dtype_policy().name == precision


def test_automatic_precision():
    start_tensorflow(precision="auto")
    assert keras.config.dtype_policy().name == fastest_precision()[0]


def test_a_strategy_for_all_devices(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert start_tensorflow() is start_tensorflow(distribute=True) is tf.distribute.get_strategy()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0", "GPU:1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *args: None)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda: "mirrored")
    assert start_tensorflow(distribute=True) == "mirrored"
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: "workers")
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 0}}')
    assert start_tensorflow(distribute=True) == "workers"


@pytest.mark.parametrize(
    "cluster, count",
    [
        ('{"worker": ["a:1", "b:1"]}', 2),
        ('{"chief": ["a:1"], "worker": ["b:1", "c:1"], "evaluator": ["d:1"]}', 3),
        ('{"chief": ["a:1"], "worker": ["b:1"]}', 2),
    ],
)
def test_the_chief_is_a_worker_too(cluster, count, monkeypatch, capsys):
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: "workers")
    monkeypatch.setenv("TF_CONFIG", f'{{"cluster": {cluster}}}')
    assert start_tensorflow(distribute=True) == "workers"
    assert capsys.readouterr().out == f"waiting for the other workers of TF_CONFIG ({count} in all) ...\n"


@pytest.mark.parametrize("config", ["", "{}", '{"cluster": {}}', '{"cluster": {"worker": ["a:1"]}}'])
def test_a_config_of_no_others(config, monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", config)
    assert start_tensorflow(distribute=True) is tf.distribute.get_strategy()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("config", ["worker 0", "[1]", '{"cluster": []}', '{"cluster": {"worker": 2}}'])
def test_a_config_that_cannot_be_read(config, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(ValueError, match="TF_CONFIG must be JSON such as") as caught:
        start_tensorflow(distribute=True)
    assert str(caught.value).endswith(f"Received: {config}")
    start_tensorflow()  # does not look at it


@pytest.mark.parametrize("precision", ["float64", "", None])
def test_another_precision(precision):
    with pytest.raises(ValueError, match="`precision` must be one of.*mixed_bfloat16.*Received: precision="):
        start_tensorflow(precision=precision)
    assert keras.config.dtype_policy().name == "float32"


def test_gpus_get_memory_as_it_is_needed(monkeypatch):
    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [f"{kind}:0", f"{kind}:1"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *args: grown.append(args))
    start_tensorflow()
    assert grown == [("GPU:0", True), ("GPU:1", True)]


def test_what_is_held_is_not_shown(capfd):
    with _stderr_held():
        os.write(2, b"a message of C++\n")
    print("afterwards", file=sys.stderr)
    assert capfd.readouterr() == ("", "afterwards\n")


def test_stdout_is_not_held(capfd):
    with _stderr_held():
        os.write(1, b"a result\n")
    assert capfd.readouterr().out == "a result\n"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_was_held_is_shown_when_something_is_raised(error, capfd):
    with pytest.raises(error):
        with _stderr_held():
            os.write(2, b"why: no such device\n")
            raise error
    assert capfd.readouterr().err == "why: no such device\n"
    print("afterwards", file=sys.stderr)
    assert capfd.readouterr().err == "afterwards\n"


def test_holding_leaves_no_file_descriptor_open():
    def lowest_free():
        number = os.dup(0)
        os.close(number)
        return number

    before = lowest_free()
    with _stderr_held():
        assert lowest_free() > before
    assert lowest_free() == before
