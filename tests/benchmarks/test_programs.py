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


@pytest.mark.slow
def test_layers_and_drawing_are_timed_both_ways():
    code, stdout, stderr = run("faster_networks", "--workloads", "32x2x4", "--rounds", "1")
    assert code == 0, stderr
    lines = stdout.splitlines()
    rows = [line.split() for line in lines if "_conv" in line]
    taken = {" ".join(row[: row.index("->") - 1]): row[-1] for row in rows}
    downs = [f"down{step}_conv" for step in range(1, 6)]
    ups = [f"up{step}_conv, {way}" for way in ("transposed", "resize") for step in range(1, 6)]
    assert list(taken) == downs + ups
    assert rows[0][1:7] == ["32x32", "->", "16x16", "3", "->", "4"]
    assert set(taken.values()) == {"taken", "left"}
    assert (taken["down1_conv"], taken["down5_conv"]) == ("left", "taken")
    assert (taken["up1_conv, transposed"], taken["up5_conv, resize"]) == ("taken", "taken")
    assert [line.split(":")[0].strip() for line in lines[-2:]] == ["batch  1", "batch 16"]
    assert all(line.endswith(" times as fast") for line in lines[-2:])


@pytest.mark.slow
def test_one_part_of_faster_networks_can_be_left_out():
    code, stdout, stderr = run(
        "faster_networks", "--workloads", "32x2x4,32x4x4", "--rounds", "1", "--only", "drawing"
    )
    assert code == 0, stderr
    # Once, for the two workloads differ in their batches only.
    assert stdout.count("drawing at 32 px, 4 filters") == 1 and "_conv" not in stdout


@pytest.mark.slow
def test_options_of_fit_are_timed_against_its_base():
    code, stdout, stderr = run("fit_options", "--workloads", "32x2x4", "--rounds", "1", "--steps", "2")
    assert code == 0, stderr
    title, *rows, note = stdout.splitlines()
    assert title == "ConditionalGAN.fit, 32 px, batch 2, 4 filters"
    names = ("a batch kept in memory", "2 steps an execution", "PNG files, decoded each time", "upsampling=")
    for row, name in zip(rows, names, strict=True):
        assert row.strip().startswith(name) and row.endswith(" times the base")
    assert " 1.000 times the base" in rows[0] and "not checked to agree" in note


@pytest.mark.parametrize("name", ["faster_networks", "fit_options"])
@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["--workloads", "64x8"],
            "argument --workloads: a workload must be <image size>x<batch size>x<filters>",
        ),
        (
            ["--workloads", "64x8x32,30x1x4"],
            "argument --workloads: a workload's image size must be a multiple",
        ),
        (["--rounds", "0"], "argument --rounds: must be a positive integer. Received: '0'"),
        (["--threads", "two"], "argument --threads: must be a positive integer. Received: 'two'"),
    ],
)
def test_wrong_options_are_named(name, arguments, message):
    code, stdout, stderr = run(name, *arguments)
    assert (code, stdout) == (2, "") and message in stderr and "Received: " in stderr


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("faster_networks", ["--only", "training"], "argument --only: invalid choice: 'training'"),
        ("fit_options", ["--steps", "0"], "argument --steps: must be a positive integer. Received: '0'"),
        ("fit_options", ["--steps", "12"], "argument --steps: must be at most 8, "),
    ],
)
def test_options_of_one_program_are_named_too(name, arguments, message):
    code, stdout, stderr = run(name, *arguments)
    assert (code, stdout) == (2, "") and message in stderr


@pytest.mark.slow
def test_imports_are_held_against_a_plain_loop():
    code, stdout, stderr = run("imports", "--count", "12", "--size", "32", "--seconds", "0.05")
    assert code == 0, stderr
    lines = stdout.splitlines()
    assert lines[0].startswith("12 pairs of 512 px, ") and lines[0].endswith(" to 32 px")
    rows = [line.split(" | ")[0].strip("| ") for line in lines if line.startswith("| ")]
    assert [name for name in rows if name and name != "---"] == [
        "plain loop",
        "import, 1 thread",
        "import",
        "pairs a second of the pipeline",
        "files",
        "shards",
        "kept in memory",
        "what training takes",
    ]


@pytest.mark.slow
def test_towers_learn_from_pairs_as_they_are_and_bent():
    code, stdout, stderr = run("towers", "--image-size", "32", "--steps", "2")
    assert code == 0, stderr
    head, _, *rows = stdout.splitlines()
    assert head == "| learnt from | known pairs | known pairs, bent | test pairs |"
    assert [row.split(" | ")[0].strip("| ") for row in rows] == ["pairs as they are", "pairs bent"]
    assert all(0 <= float(found) <= 1 for row in rows for found in row.strip("| ").split(" | ")[1:])


@pytest.mark.slow
def test_alarms_say_what_does_not_learn(tmp_path):
    tiny = "--steps 2 --image-size 24 --filters 2".split()
    cells = "pix2pix,G does not learn,classifier that sees no noise,G learns until it is infinite"
    options = (*tiny, "--cells", cells, "--out", str(tmp_path / "run"))
    code, stdout, stderr = run("alarms", *options)
    assert code == 0, stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in stdout.splitlines() if "|" in line]
    found = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}
    said = {name: {kind for kind, epoch in row.items() if epoch} for name, row in found.items()}
    assert said == {
        "pix2pix": set(),
        "G does not learn": {"frozen"},
        "classifier that sees no noise": set(),
        "G learns until it is infinite": {"not finite"},
    }
    assert "G does not learn, frozen: epoch 1: " in stderr
    assert len(list((tmp_path / "run" / "samples").glob("*.png"))) == 4
    assert run("alarms", *options)[1] == stdout
