"""What all tests share: quiet TensorFlow, one seed a test, float32, child processes."""

import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Before TensorFlow is imported.

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

import keras_cgan  # noqa: E402


@pytest.fixture(autouse=True)
def same_start():
    """Every test draws the same numbers, alone or among others, and leaves no policy behind."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def npz(tmp_path):
    """60 images of two classes, bright and dark."""
    levels = np.arange(60) % 2
    images = np.clip(np.random.default_rng(0).normal(60 + 130 * levels, 20, (16, 16, 60)), 0, 255)
    file = tmp_path / "set.npz"
    np.savez(file, images=images.transpose(2, 0, 1).astype("uint8"), labels=levels)
    return file


@pytest.fixture(scope="session")
def run_child():
    """A function `(code, *arguments, **environment) -> output` that runs Python in a fresh process."""
    root = str(Path(keras_cgan.__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.path.dirname(__file__), os.environ.get("PYTHONPATH")]))

    def run(code, *arguments, **environment):
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
