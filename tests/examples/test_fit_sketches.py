"""The fit example: it trains, goes on where it was, keeps its results; on several devices, too."""

import csv
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

import keras_cgan
from keras_cgan.data import EmbeddedPairs, read_image
from keras_cgan.precision import fastest_precision

ROOT = Path(keras_cgan.__file__).parents[1]
SCRIPT = ROOT / "examples" / "fit_sketches.py"
TINY = ["--image-size", "24", "--filters", "4", "--batch-size", "8", "--strategy", "two-head"]
# The script with towers that learn by few steps.
SHORTLY = """
import runpy, sys
from keras_cgan import strategies

strategies.TOWER_STEPS = 3
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
ON_TWO_DEVICES = (
    """
from keras_cgan import startup

def two_devices(tf, workers):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

startup._strategy = two_devices
"""
    + SHORTLY
)


@pytest.fixture(scope="module")
def example(load_example):
    return load_example("fit_sketches")


def start(*arguments, program=(), **environment):
    """Starts the example as a program."""
    clean = {name: value for name, value in os.environ.items() if name != "TF_CONFIG"}
    path = os.pathsep.join(filter(None, [str(ROOT), clean.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, *program, SCRIPT, *map(str, arguments)],
        env={**clean, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, code=0):
    stdout, stderr = process.communicate(timeout=280)
    assert process.returncode == code, stdout + stderr[-3000:]
    return stdout, stderr


def start_workers(*arguments, program=()):
    """Starts two workers that find each other by TF_CONFIG."""
    sockets = [socket.socket() for _ in range(2)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    cluster = {"worker": [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]}
    for one in sockets:
        one.close()
    configs = [{"cluster": cluster, "task": {"type": "worker", "index": n}} for n in range(2)]
    return [start(*arguments, program=program, TF_CONFIG=json.dumps(config)) for config in configs]


def rows_of(out):
    return list(csv.DictReader((out / "losses.csv").read_text().splitlines()))


def assert_complete(out, epochs):
    """A row and a picture for each epoch, all finite, and the generator."""
    rows = rows_of(out)
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(epochs)]
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())
    assert {"g_loss", "g_class", "val_g_l1"} <= set(rows[0])
    pictures = sorted((out / "samples").iterdir())
    assert [picture.name for picture in pictures] == [f"epoch-{n:03d}.png" for n in range(1, epochs + 1)]
    assert read_image(pictures[-1], channels=3).std() > 20
    generator = keras.saving.load_model(out / "generator.keras")
    assert generator.output_shape == (None, 24, 24, 1)


@pytest.mark.slow
def test_the_same_command_again_goes_on_and_another_is_refused(example, data, tmp_path, capsys):
    out = tmp_path / "fit"
    command = ["--data", str(data), *TINY, "--out", str(out)]
    example.main([*command, "--epochs", "1"])
    chosen, reason = fastest_precision()
    assert f"precision: {chosen} ({reason})\n" in capsys.readouterr().out
    assert json.loads((out / "settings.json").read_text())["precision"] == chosen
    example.main([*command, "--epochs", "3"])
    printed = capsys.readouterr().out
    assert "precision: " not in printed  # settled when the run began
    assert "Epoch 1/3" not in printed and "Epoch 2/3" in printed and "Epoch 3/3" in printed
    assert_complete(out, epochs=3)
    kept = (out / "generator.keras").read_bytes()
    with pytest.raises(ValueError, match="holds a run with seed=0.*Received: seed=1"):
        example.main([*command, "--seed", "1"])
    assert (out / "generator.keras").read_bytes() == kept


def parsed(example, *arguments):
    """Options with all that a model and its batches are made by."""
    options = example.parse_arguments(arguments)
    example.settle(vars(options), EmbeddedPairs(24))
    return options


def test_what_a_run_has_settled_is_kept(example, tmp_path):
    def settled(*arguments):
        found = example.settled(example.parse_arguments(["--out", str(tmp_path), *arguments]))
        return found.precision, found.aligned

    assert settled() == ("auto", None)
    (tmp_path / "settings.json").write_text('{"precision": "float32", "aligned": true}')
    assert settled() == ("float32", True)
    assert settled("--precision", "mixed_bfloat16", "--no-aligned") == ("mixed_bfloat16", False)


def test_a_folder_of_pairs_is_known_from_anywhere(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = example.settled(example.parse_arguments(["--data", "pairs", "--out", "fit"]))
    assert options.data == str(tmp_path / "pairs")


def test_alignment_is_measured_unless_it_is_said(example, data, tmp_path, capsys, monkeypatch):
    made = []

    def stop(options, *_):
        made.append(options.aligned)
        raise InterruptedError

    monkeypatch.setattr(example, "make_model", stop)
    command = ["--data", str(data), *TINY, "--out", str(tmp_path / "fit")]
    for asked in ([], ["--aligned"], ["--no-aligned"]):
        with pytest.raises(InterruptedError):
            example.main([*command, *asked])
    assert made == [False, True, False]
    assert capsys.readouterr().out.count("alignment of photo and sketch: 0.") == 1


def test_pairs_are_bent_for_a_strategy_that_wants_it(example):
    pairs = EmbeddedPairs(24)
    batches = []
    for strategy in ("classifier", "class-and-photo"):
        options = parsed(example, "--strategy", strategy, "--no-aligned", "--image-size", "24")
        training, held_out = example.make_pipelines(pairs, pairs, options)
        batches.append((training.arrays(0)[0], held_out.arrays(0)[0]))
    (plain, shown), (bent, also_shown) = batches
    assert np.abs(plain - bent).mean() > 0.05
    np.testing.assert_array_equal(shown, also_shown)


def test_test_pairs_may_be_fewer_than_a_batch(example):
    options = parsed(example, "--no-aligned", "--image-size", "24", "--batch-size", "8")
    training, held_out = example.make_pipelines(EmbeddedPairs(24), EmbeddedPairs(5), options)
    assert [len(part.arrays(0)[1]) for part in (training, held_out)] == [8, 5]


def test_weights_and_bending_are_the_strategy_s_unless_they_are_given(example):
    """And nought is given, too."""

    def chosen(*arguments):
        options = parsed(example, "--no-aligned", *arguments)
        return {"l1_weight": options.l1_weight, "class_weight": options.class_weight}, options.warp

    usual = {"l1_weight": 100.0, "class_weight": 25.0}
    assert chosen() == (usual, 0.0)
    assert chosen("--l1-weight", "0", "--warp", ".7") == (usual | {"l1_weight": 0.0}, 0.7)
    assert chosen("--strategy", "class-and-photo", "--warp", "0", "--class-weight", "1") == (
        {"l1_weight": 0.0, "class_weight": 1.0},
        0.0,
    )


def test_weights_that_are_given_reach_the_model(example, data, tmp_path, monkeypatch):
    made = []

    def stop(*arguments, **given):
        made.append(given)
        raise InterruptedError

    monkeypatch.setattr(keras_cgan, "strategy_model", stop)
    monkeypatch.setattr(example, "make_towers", lambda options: ())
    photo = ["--strategy", "class-and-photo", "--no-aligned", "--photo-weights", "edges=7"]
    for options in (["--l1-weight", "3"], photo):
        with pytest.raises(InterruptedError):
            example.main(["--data", str(data), *TINY, "--out", str(tmp_path / "fit"), *options])
    usual, of_photo = made
    assert usual == {"l1_weight": 3.0, "class_weight": 25.0, "average_decay": 0.999, "weights": {}}
    assert of_photo["weights"] == keras_cgan.strategies.PHOTO_WEIGHTS | {"edges": 7.0}


def test_a_folder_of_something_else_is_left_alone(example, data, tmp_path):
    (tmp_path / "thesis.txt").write_text("results")
    with pytest.raises(FileExistsError, match="must be new or empty"):
        example.main(["--data", str(data), *TINY, "--out", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "nowhere"], "--data must be a folder of pairs. Received: nowhere"),
        (["--image-size", "30"], "--image-size must be a multiple of 4. Received: 30"),
        (["--image-size", "20"], "--image-size must be at least 24. Received: 20"),
        (["--batch-size", "1000"], "`batch_size` must be at most .* Received: batch_size=1000"),
        (["--batch-size", "0"], "--batch-size must be at least 1. Received: 0"),
        (["--filters", "0"], "--filters must be at least 1. Received: 0"),
        (["--epochs", "0"], "--epochs must be at least 1. Received: 0"),
        (["--l1-weight", "-1"], "--l1-weight must be at least 0. Received: -1"),
        (["--warp", "nan"], "--warp must be at least 0. Received: nan"),
        (["--seed", "-1"], "--seed must be at least 0. Received: -1"),
        (["--seed", str(2**32)], "[Ss]eed must be between 0 and"),
    ],
)
def test_a_run_that_cannot_start_leaves_no_folder(arguments, message, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        example.main([*TINY, *arguments])
    assert not list(tmp_path.iterdir())


def test_no_pair_is_left_out(example, data):
    """Of the test pairs, and of an epoch's: the last batch may be short, even on several devices."""
    train, test = keras_cgan.data.open_pairs(data)
    options = parsed(example, *TINY, "--batch-size", "5")
    pipeline, held_out = example.make_pipelines(train, test, options)
    assert pipeline.steps_per_epoch == -(-len(train) // 5)
    assert sum(len(sketch) for _, sketch in held_out.epoch(0)) == len(test)


@pytest.mark.parametrize("strategy", keras_cgan.STRATEGIES)
def test_the_generator_is_told_the_label_but_for_pix2pix(strategy, example):
    options = parsed(example, *TINY, "--strategy", strategy)
    takes_label = isinstance(example.make_model(options, n_classes=6, towers=()).generator.input, dict)
    assert takes_label == (strategy != "pix2pix")


def test_what_has_gone_wrong_is_not_saved(example, data, tmp_path, monkeypatch):
    make_model = example.make_model

    def make_broken(*arguments):
        gan = make_model(*arguments)
        bias = gan.discriminator.trainable_weights[-1]
        bias.assign(bias * np.nan)
        return gan

    monkeypatch.setattr(example, "make_model", make_broken)
    out = tmp_path / "fit"
    with pytest.raises(RuntimeError, match="must begin with finite weights.*patch_logits"):
        example.main(["--data", str(data), *TINY, "--epochs", "2", "--out", str(out)])
    assert not list((out / "checkpoint").glob("*")) and not (out / "generator.keras").exists()


def test_a_mistake_is_one_line(tmp_path):
    stdout, stderr = finish(start("--epochs", "0", "--out", tmp_path / "fit"), code=1)
    assert (stdout, stderr) == ("", "error: --epochs must be at least 1. Received: 0\n")


def test_help_has_every_default():
    stdout, _ = finish(start("--help"))
    options = " ".join(stdout.split("options:")[1].split("strategies:")[0].split())
    assert options.count("(default: ") == options.count(" --") - 2 == 16  # --help and --no-aligned have none
    assert "None" not in options


WITH_TOWERS = ("--strategy", "class-and-photo")  # on pairs that do not align
TAUGHT = "training two networks to tell which sketch is of which photo ...\n"


@pytest.mark.slow
@pytest.mark.parametrize("strategy", [(), WITH_TOWERS], ids=["classifier", "class-and-photo"])
def test_two_devices(strategy, data, tmp_path):
    """`fit` under a MirroredStrategy, from the command line."""
    out = tmp_path / "fit"
    for epochs in (1, 2):
        command = ["--data", data, *TINY, *strategy, "--epochs", epochs, "--out", out]
        stdout, _ = finish(start(*command, program=("-c", ON_TWO_DEVICES)))
        assert_complete(out, epochs)
        assert (TAUGHT in stdout) == (bool(strategy) and epochs == 1)


@pytest.mark.slow
def test_two_workers(data, tmp_path):
    """Two processes share a folder; the same commands go on."""
    for epochs in (1, 2):
        command = ["--data", data, *TINY, *WITH_TOWERS, "--precision", "float32", "--out", tmp_path / "fit"]
        workers = start_workers(*command, "--epochs", epochs, program=("-c", SHORTLY))
        (chief, _), (other, _) = [finish(worker) for worker in workers]
        waits = "waiting for the other workers of TF_CONFIG (2 in all) ...\n"
        assert ("alignment of photo and sketch: " in chief) == (TAUGHT in chief) == (epochs == 1)
        assert chief.startswith(waits) and "generator: " in chief and other == waits
        assert_complete(tmp_path / "fit", epochs)


@pytest.mark.slow
def test_a_killed_worker_stops_the_run_and_the_same_command_goes_on(data, tmp_path):
    out = tmp_path / "fit"
    command = ["--data", data, *TINY, "--precision", "float32", "--out", out]
    chief, victim = start_workers(*command, "--epochs", 1000)
    deadline = time.monotonic() + 240
    while not (out / "losses.csv").is_file() or len(rows_of(out)) < 2:
        assert chief.poll() is None and time.monotonic() < deadline, finish(chief)
        time.sleep(0.1)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    _, stderr = finish(chief, code=1)
    last = stderr.splitlines()[-1]
    assert last.startswith("error: a worker of this job is gone") and "Start all workers again" in last
    done = len(rows_of(out))
    for worker in start_workers(*command, "--epochs", done + 1):
        finish(worker)
    # No epoch twice, and none left out.
    assert_complete(out, epochs=done + 1)
