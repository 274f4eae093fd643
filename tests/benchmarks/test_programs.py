"""The programs of benchmarks/ that stand alone: they run, and name what is wrong with their options."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras_cgan

ROOT = Path(keras_cgan.__file__).parents[1]


def run(name, *arguments):
    """Runs a benchmark as a program; returns its exit code, stdout and stderr."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / f"{name}.py", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_three_updates_agree_and_are_timed():
    code, stdout, stderr = run("fused_adam", "--sizes", "16x2,32x2", "--rounds", "1")
    assert code == 0, stderr
    lines = stdout.splitlines()
    assert len(lines) == 8 and lines[0].startswith("16 px, 2 filters, ") and lines[4].startswith("32 px")
    for line, name in zip(lines[1:4], ("Keras' Adam ", "FusedAdam ", "Keras' Adam, XLA "), strict=True):
        assert line.strip().startswith(name) and line.endswith(" times FusedAdam's")


@pytest.mark.parametrize("sizes", ["64", "64x", "x32", "64x32,big", "0x4", "64x32x8"])
def test_wrong_sizes_are_named(sizes):
    code, stdout, stderr = run("fused_adam", "--sizes", sizes)
    assert (code, stdout) == (2, "")
    wrong = sizes.split(",")[-1]
    assert f"argument --sizes: sizes must be <image size>x<filters>, as in 64x32. Received: {wrong}" in stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "the following arguments are required: name, workload, threads"),
        (["keras", "64x8x32", "2"], "argument name: invalid choice: 'keras'"),
        (["cgan", "64", "2"], "argument workload: a workload must be"),
    ],
)
def test_peak_memory_says_how_it_is_used(arguments, message):
    code, stdout, stderr = run("peak_memory", *arguments)
    assert (code, stdout) == (2, "") and stderr.startswith("usage: ") and message in stderr
