"""The main example from the command line to its results, on a small folder of pairs."""

import contextlib
import csv
import io
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_cgan
from keras_cgan.callbacks import EpochAlarms
from keras_cgan.data import EmbeddedPairs, read_image
from keras_cgan import sketch_settings, strategies
from keras_cgan.strategies import STRATEGIES, default_warp, photo_weights

ROOT = Path(keras_cgan.__file__).parents[1]
SCRIPT = ROOT / "examples" / "train_sketches.py"
TINY = ["--image-size", "24", "--filters", "4", "--batch-size", "8", "--judge-epochs", "3"]
SIGNALS = (signal.SIGINT, signal.SIGTERM)
HANDLERS = [signal.getsignal(number) for number in SIGNALS]  # a shell may have set its own
STEPS = 3  # an epoch: 20 pairs in batches of 8


@pytest.fixture(scope="module")
def example(load_example):
    return load_example("train_sketches")


@pytest.fixture(scope="module")
def finished(example, data, tmp_path_factory):
    """The folder of a run of two epochs, and what it printed."""
    out = tmp_path_factory.mktemp("runs") / "through"
    return out, run(example, "--data", data, *TINY, "--epochs", 2, "--out", out)


def run(example, *arguments):
    """Calls the example in this process; returns the lines that it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # NumPy's, of what cannot be computed
        example.main([str(argument) for argument in arguments])
    return printed.getvalue().splitlines()


def start(*arguments, **options):
    """Starts the example as a program, with no TensorFlow log level in its environment."""
    clean = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    path = os.pathsep.join(filter(None, [str(ROOT), clean.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, arguments)],
        env={**clean, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def losses(folder):
    with (folder / "losses.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    return {
        file.stem: keras.saving.load_model(file, compile=False).get_weights()
        for file in sorted(folder.glob("*.keras"))
    }


def assert_same_run(folder, other):
    assert (folder / "losses.csv").read_bytes() == (other / "losses.csv").read_bytes()
    assert (folder / "results.json").read_text() == (other / "results.json").read_text()
    assert (folder / "samples.png").read_bytes() == (other / "samples.png").read_bytes()
    one, two = weights(folder), weights(other)
    assert set(one) == set(two) == {"generator", "discriminator", "classifier"}
    for name in one:
        for value, expected in zip(one[name], two[name], strict=True):
            np.testing.assert_array_equal(value, expected)


def test_a_run_leaves_all_that_it_promises(finished, data):
    out, _ = finished
    settings = json.loads((out / "settings.json").read_text())
    assert settings["data"] == str(data) and settings["label_input"] is True
    assert (settings["strategy"], settings["image_size"], settings["epochs"]) == ("classifier", 24, 2)
    rows = losses(out)
    assert [row["step"] for row in rows] == [str(n) for n in range(1, 2 * STEPS + 1)]
    assert list(rows[0]) == ["step", "d_loss", "c_loss", "g_loss", "g_l1", "g_adv", "g_class"]
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())
    results = json.loads((out / "results.json").read_text())
    assert {"epochs", "class_accuracy", "swap_asked", "photo_rank_features", "l1", "fid_phi"} <= set(results)
    assert 0 < results["l1_white_paper"] < 0.5 and results["epochs"] == 2
    picture = read_image(out / "samples.png", channels=3)
    assert picture.std() > 20 and picture.shape[0] > 2 * 6 * 96  # six classes, twice


@pytest.mark.slow
def test_a_collapse_is_said_and_nan_ends_the_run(example, data, tmp_path):
    def weights_of(losses):
        return [part for name in ("l1", "adversarial", "class") for part in (f"--{name}-weight", losses)]

    small = ["--data", data, *TINY, "--epochs", 1]
    lines = run(example, *small, *weights_of(0), "--out", tmp_path / "frozen")
    (warning,) = [line for line in lines if line.startswith("warning: ")]
    assert warning.startswith("warning: epoch 1: 3 updates have left the generator's weights as they were")
    with pytest.raises(RuntimeError, match=f"at step 4 not finite: .*as after step 0, .*; {example.ADVICE}"):
        run(example, *small[:-1], 2, *weights_of(3e38), "--out", tmp_path / "inf")
    assert len(losses(tmp_path / "inf")) == 4 and not list((tmp_path / "inf").glob("*.keras"))


@pytest.fixture
def breaking(example, monkeypatch):
    """A function `(number, seen)`: in that step the weights break, and a loss too where it is seen."""

    def break_in(number, seen):
        make_trainer, count = example.make_trainer, itertools.count(1)

        def make_breaking(*arguments):
            trainer = make_trainer(*arguments)
            step = trainer.train_on_batch

            def step_that_breaks(x, y):
                found = step(x, y)
                if next(count) != number:
                    return found
                for weight in trainer.generator.weights:
                    weight.assign(weight * np.nan)
                return {**found, "g_loss": math.nan} if seen else found

            trainer.train_on_batch = step_that_breaks
            return trainer

        monkeypatch.setattr(example, "make_trainer", make_breaking)

    return break_in


@pytest.mark.slow
@pytest.mark.parametrize(
    ("every", "number", "seen", "back"),
    [
        (1, STEPS + 2, True, STEPS),
        (1, STEPS + 2, False, STEPS),  # a picture would be drawn of what is not finite
        (100, STEPS, False, 0),  # it would be saved
    ],
)
def test_after_nan_it_goes_on_from_the_last_epoch(
    every, number, seen, back, example, breaking, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(example, "SAMPLE_EVERY", every)
    breaking(number, seen)
    lines = run(example, "--data", data, *TINY, "--epochs", 2, "--out", tmp_path / "run")
    (warning,) = [line for line in lines if line.startswith("warning: at step")]
    bad = "g_loss=nan" if seen else "generator/"
    assert f"at step {number} not finite: {bad}" in warning
    assert f". The networks are again as after step {back}, and go on with" in warning
    assert warning.endswith("learning rates d 0.0001, c 0.0005, g 0.0001")
    rows = losses(tmp_path / "run")
    assert [int(row["step"]) for row in rows] == list(range(1, 2 * STEPS + 1))
    assert [row["g_loss"] == "nan" for row in rows] == [seen and int(row["step"]) == number for row in rows]
    generator = keras.models.load_model(tmp_path / "run" / "generator.keras")
    assert all(np.isfinite(weight).all() for weight in generator.get_weights())


@pytest.mark.slow
def test_a_run_that_crashed_after_nan_has_each_step_once(example, breaking, data, tmp_path, monkeypatch):
    out = tmp_path / "run"
    breaking(2, seen=True)
    show = example.Progress.show

    def crash(self, step, losses):
        if step == STEPS + 2:
            raise MemoryError
        show(self, step, losses)

    monkeypatch.setattr(example.Progress, "show", crash)
    with pytest.raises(MemoryError):
        run(example, "--data", data, *TINY, "--epochs", 2, "--out", out)
    monkeypatch.undo()
    run(example, "--resume", out)
    assert [int(row["step"]) for row in losses(out)] == list(range(1, 2 * STEPS + 1))


@pytest.mark.slow
def test_weights_that_break_in_the_last_step_are_not_saved(example, data, tmp_path, monkeypatch):
    end_epoch = EpochAlarms.end_epoch

    def end_broken(alarms, number):
        weight = alarms._collapse.model.generator.trainable_weights[0]
        weight.assign(weight * np.nan)
        return end_epoch(alarms, number)

    monkeypatch.setattr(EpochAlarms, "end_epoch", end_broken)
    with pytest.raises(RuntimeError, match="not finite: .* Nothing of this epoch is saved"):
        run(example, "--data", data, *TINY, "--epochs", 1, "--out", tmp_path / "run")
    saves = {path.stem for path in (tmp_path / "run" / "checkpoint").glob("ckpt*.index")}
    assert saves == {"ckpt-0"} and not list((tmp_path / "run").glob("*.keras"))  # the state before the first


def test_the_saved_generator_draws(finished):
    generator = keras.saving.load_model(finished[0] / "generator.keras")
    drawn = generator.predict_on_batch({"photo": np.zeros((2, 24, 24, 3)), "label": np.eye(6)[:2]})
    assert drawn.shape == (2, 24, 24, 1)


def test_the_last_line_has_the_measures(finished):
    out, lines = finished
    results = json.loads((out / "results.json").read_text())
    assert lines[0].startswith("precision: ")
    assert lines[1] == "20 training and 12 test pairs of 6 classes: chair, cup, fish, house, orange, tree"
    assert lines[2].startswith("alignment of photo and sketch: ")
    for part in (
        f"class accuracy {results['class_accuracy']:.2f} (real",
        f" (real sketches {results['class_accuracy_real']:.2f})",
        f"asked for another class: drawn {results['swap_asked']:.2f} (chance 0.17)",
        f"{results['photo_rank_features']:.2f} and {results['photo_rank_chamfer']:.2f} (chance .50)",
        f"within-class diversity {results['within_class_diversity']:.2f} (",
        f"L1 {results['l1']:.3f} (white paper {results['l1_white_paper']:.3f})",
    ):
        assert part in lines[-1]


def test_the_summary_of_what_cannot_be_measured(example):
    results = {"class_accuracy": 0.5, "class_accuracy_real": 1.0, "l1": 0.25, "l1_white_paper": 0.125}
    results |= {"photo_rank_features": float("nan"), "photo_rank_chamfer": 0.75}
    line = example.summary({**results, "within_class_diversity": float("nan")}, 6)
    assert "within-class diversity n/a (" in line and "asked" not in line and "nan" not in line


def settings_of(example, *options):
    """Those of a run on the embedded pairs, traced with `--misalignment 0`."""
    settings = example.choose_settings(example.parse_arguments(list(options)))
    example.settle(settings, EmbeddedPairs(36, settings["misalignment"]))
    return settings


def test_weights_are_those_of_the_strategy_unless_asked_for(example):
    found = settings_of(example, "--strategy", "class-and-photo")
    assert (found["l1_weight"], found["class_weight"]) == (0.0, 0.25)
    assert settings_of(example)["l1_weight"] == 100.0
    found = settings_of(example, "--strategy", "class-and-photo", "--l1-weight", "100", "--class-weight", "0")
    assert (found["l1_weight"], found["class_weight"]) == (100.0, 0.0)


def test_l1_is_for_pairs_that_align(example, capsys):
    options = "--strategy class-and-photo --image-size 32 --filters 2 --misalignment".split()
    traced, free = (settings_of(example, *options, misalignment) for misalignment in ("0", "1"))
    assert (traced["l1_weight"], free["l1_weight"]) == (100.0, 0.0)
    assert (traced["class_weight"], free["class_weight"]) == (0.5, 0.25)
    assert (traced["warp"], free["warp"]) == (0, default_warp("class-and-photo"))
    made = [example.make_trainer(found, 3, example.make_towers(found)) for found in (traced, free)]
    swap_rate = photo_weights("class-and-photo")["swap_rate"]
    assert [(len(gan.terms), gan.swap_rate) for gan in made] == [(0, 0), (2, swap_rate)] and swap_rate > 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(": L1 can help") and said[1].endswith("do not belong together")
    asked = settings_of(example, *options, "0", "--no-aligned")
    assert asked["l1_weight"] == 0.0 and not capsys.readouterr().out


@pytest.mark.parametrize("strategy", ["sigmoid", "fake-class"])
def test_the_options_have_no_l1_to_a_sketch_that_lies_elsewhere(example, strategy):
    traced = settings_of(example, "--strategy", strategy, "--misalignment", "0")
    free = settings_of(example, "--strategy", strategy, "--misalignment", "1")
    assert (traced["l1_weight"], free["l1_weight"]) == (100.0, 0.0)
    assert settings_of(example, "--strategy", strategy, "--l1-weight", "10")["l1_weight"] == 10.0


def test_help_says_the_weights_by_default():
    assert sketch_settings._usual_weights("l1_weight") == (
        "100; for sigmoid, fake-class, class-and-photo 0 where pairs do not align"
    )
    assert (
        sketch_settings._usual_weights("class_weight")
        == "25; for class-and-photo 0.5, 0.25 where pairs do not align"
    )


def test_pairs_are_bent_as_the_settings_say(example):
    pairs = EmbeddedPairs(24)

    def photos(*options):
        settings = settings_of(example, "--image-size", "24", *options)
        return settings["warp"], example.make_pipeline(pairs, settings).arrays(0)[0]

    (no, plain), (much, bent), (asked, as_asked) = photos(), photos("--warp", "1"), photos("--warp", "1")
    assert (no, much, asked) == (0, 1, 1)
    assert np.abs(plain - bent).mean() > 0.05
    np.testing.assert_array_equal(bent, as_asked)


def test_the_generator_is_averaged_as_the_settings_say(example, tmp_path):
    def decay(*options):
        settings = settings_of(example, "--image-size", "24", "--filters", "2", *options)
        return settings["average_decay"], example.make_trainer(settings, 3, ()).average_decay

    assert decay("--strategy", "fake-class") == (0.0, None)
    assert decay("--strategy", "fake-class", "--average-decay", ".9") == (0.9, 0.9)
    assert decay("--strategy", "class-and-photo") == (0.999, 0.999)
    assert decay("--strategy", "class-and-photo", "--average-decay", "0") == (0.0, None)
    # A run of a version that had no such option.
    settings = settings_of(example, "--strategy", "class-and-photo")
    before = {name: value for name, value in settings.items() if name != "average_decay"}
    (tmp_path / "settings.json").write_text(json.dumps(before))
    assert settings_of(example, "--resume", str(tmp_path)) == settings


def test_photos_are_blurred_as_the_settings_say(example):
    pairs = EmbeddedPairs(24)

    def arrays(*options):
        settings = settings_of(example, "--image-size", "24", *options)
        return example.make_pipeline(pairs, settings).arrays(0)

    plain, some = arrays(), arrays("--blur-photos", "0.5")
    assert 0 < (some[0] != plain[0]).any(axis=(1, 2, 3)).sum() < len(plain[0])
    np.testing.assert_array_equal(some[2], plain[2])


def test_towers_are_for_what_asks_that_the_photo_be_told(example):
    options = "--image-size 32 --misalignment".split()
    assert example.make_towers(settings_of(example, *options, "1")) is None
    options = ["--strategy", "class-and-photo", *options]
    assert example.make_towers(settings_of(example, *options, "0")) is None
    assert len(example.make_towers(settings_of(example, *options, "1"))) == 2


@pytest.mark.slow
def test_towers_are_trained_once(example, data, tmp_path, capsys):
    """Before the generator; a run that is gone on with has them from its save."""
    taught, teach = [], example.teach

    def spied(towers, *arguments):
        before = [network.get_weights() for network in towers]
        teach(towers, *arguments)
        after = [network.get_weights() for network in towers]
        taught.append(after)
        for old, new in zip(before, after, strict=True):
            assert not any(np.array_equal(a, b) for a, b in zip(old, new, strict=True))

    options = ["--data", data, *TINY, "--strategy", "class-and-photo", "--no-aligned", "--epochs"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "teach", spied)
        patch.setattr(example, "TOWER_STEPS", 5)
        lines = run(example, *options, 1, "--out", tmp_path / "run")
        assert "training two networks to tell which of 20 sketches is of which photo ..." in lines
        made = example.make_towers
        patch.setattr(example, "make_towers", lambda settings: kept.extend(made(settings)) or kept)
        kept = []
        lines = run(example, "--resume", tmp_path / "run", "--epochs", 2)
    assert len(taught) == 1 and not [line for line in lines if "two networks" in line]
    for weights, network in zip(taught[0], kept, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(weights, network.get_weights(), strict=True))
    assert np.isfinite([float(row["g_photo_information"]) for row in losses(tmp_path / "run")]).all()


@pytest.mark.slow
def test_stopped_while_towers_learn(example, data, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(example, "teach", stop)
    options = [*TINY, "--strategy", "class-and-photo", "--no-aligned", "--epochs", 1]
    lines = run(example, "--data", data, *options, "--out", tmp_path / "run")
    assert lines[-2].startswith("stopped and saved after step 0 of")
    assert lines[-1].endswith(f"--resume {tmp_path / 'run'}")
    monkeypatch.undo()
    monkeypatch.setattr(example, "TOWER_STEPS", 1)
    lines = run(example, "--resume", tmp_path / "run")
    assert any("training two networks" in line for line in lines) and (tmp_path / "run/samples.png").exists()


@pytest.mark.slow
def test_class_and_photo_is_made_with_its_terms_and_swaps(example):
    options = "--strategy class-and-photo --image-size 24 --filters 2".split()
    settings = settings_of(example, *options)
    gan = example.make_trainer(settings, 3, example.make_towers(settings))
    assert {term.name for term in gan.terms} == {"edges", "photo_information"}
    assert gan.swap_rate > 0
    photos, labels, sketches = EmbeddedPairs(6).as_arrays((24, 24))
    for _ in range(2):
        gan.train_on_batch({"photo": photos, "label": labels[:, :3]}, sketches)
    kept, average, last = (
        network.get_weights() for network in (gan.kept_generator(), gan.averaged(), gan.generator)
    )
    assert all(np.array_equal(a, b) for a, b in zip(kept, average))
    assert not all(np.array_equal(a, b) for a, b in zip(kept, last))
    with pytest.raises(ValueError, match="must be told them. Received: --no-label-input"):
        settings_of(example, *options, "--no-label-input")
    with pytest.raises(ValueError, match="--engine must be fused for --strategy class-and-photo"):
        settings_of(example, *options, "--engine", "reference")


def test_signals_are_left_as_they_were(finished):
    assert [signal.getsignal(number) for number in SIGNALS] == HANDLERS


def test_a_finished_run_is_left_alone(example, finished):
    out, _ = finished
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    (line,) = run(example, "--resume", out)
    assert "finished: 2 epochs" in line and "--epochs" in line
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}


@pytest.mark.slow
def test_more_epochs_after_a_run_are_as_if_asked_for_at_once(example, data, finished, tmp_path):
    out = tmp_path / "run"
    run(example, "--data", data, *TINY, "--epochs", 1, "--out", out)
    assert len(losses(out)) == STEPS
    run(example, "--resume", out, "--epochs", 2)
    assert json.loads((out / "settings.json").read_text())["epochs"] == 2
    assert_same_run(out, finished[0])


@pytest.mark.slow
def test_the_reference_engine_takes_the_same_steps(example, data, tmp_path, monkeypatch):
    """In single precision, but for rounding: dropout draws the same masks, too."""
    monkeypatch.setattr(example, "measure", lambda *_: {})  # takes longer than the training
    monkeypatch.setattr(example, "summary", lambda *_: "")
    rows = {}
    for engine in ("fused", "reference"):
        options = ["--engine", engine, "--precision", "float32", "--epochs", 1, "--out", tmp_path / engine]
        run(example, "--data", data, *TINY, *options)
        rows[engine] = [
            {name: float(value) for name, value in row.items()} for row in losses(tmp_path / engine)
        ]
    assert len(rows["fused"]) == STEPS and "c_loss" in rows["fused"][0]
    for one, other in zip(rows["fused"], rows["reference"], strict=True):
        assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.slow
def test_a_run_interrupted_at_any_step_is_the_same_run(example, data, finished, tmp_path, monkeypatch):
    out = tmp_path / "run"
    show = example.Progress.show

    def interrupt(self, step, losses):
        if step == STEPS + 1:
            os.kill(os.getpid(), signal.SIGINT)
        show(self, step, losses)

    monkeypatch.setattr(example.Progress, "show", interrupt)
    lines = run(example, "--data", data, *TINY, "--epochs", 2, "--out", out)
    assert lines[-2] == f"stopped and saved after step {STEPS + 1} of {2 * STEPS}. To go on:"
    assert lines[-1].endswith(f" --resume {out}")
    assert len(losses(out)) == STEPS + 1 and not (out / "results.json").exists()
    monkeypatch.undo()
    run(example, "--resume", out)
    assert_same_run(out, finished[0])


@pytest.mark.slow
def test_a_run_whose_pairs_have_moved_goes_on_with_the_same_classes(example, data, finished, tmp_path):
    run_path, old, new = tmp_path / "run", tmp_path / "old", tmp_path / "new"
    shutil.copytree(finished[0], run_path)
    shutil.copytree(data, new)
    settings = json.loads((run_path / "settings.json").read_text())
    (run_path / "settings.json").write_text(json.dumps({**settings, "data": str(old)}))
    resume = ["--resume", run_path, "--epochs", 3]
    with pytest.raises(ValueError, match="--data of .*run is .*old, where there is none any more: say where"):
        run(example, *resume)
    renamed = tmp_path / "renamed"
    shutil.copytree(data, renamed)
    for folder in renamed.glob("*/*"):
        (folder / "chair").rename(folder / "zebra")
    with pytest.raises(ValueError, match="of the classes of the run, chair, .* Received: .*zebra"):
        run(example, *resume, "--data", renamed)
    with pytest.raises(ValueError, match="--seed is 0"):
        run(example, *resume, "--data", new, "--seed", 1)
    run(example, *resume, "--data", new)
    settings = json.loads((run_path / "settings.json").read_text())
    assert (settings["data"], settings["epochs"]) == (str(new), 3)


@pytest.mark.slow
def test_a_run_that_crashed_goes_on_from_its_last_save(example, data, finished, tmp_path, monkeypatch):
    out = tmp_path / "run"

    def crash(self, step, losses):
        if step == STEPS + 2:
            raise MemoryError

    monkeypatch.setattr(example.Progress, "show", crash)
    with pytest.raises(MemoryError):
        run(example, "--data", data, *TINY, "--epochs", 2, "--out", out)
    assert len(losses(out)) == STEPS + 2
    monkeypatch.undo()
    run(example, "--resume", out)
    assert_same_run(out, finished[0])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--filters", "8"], "--filters is 4 in .*resumed as it was started"),
        (["--strategy", "shared-q"], "--strategy is classifier in"),
        (["--no-label-input"], "--label-input is True in"),
        (["--data", "elsewhere"], "--data is .* in"),
        (["--epochs", "1"], "--epochs is 2 in .*more, not fewer"),
        (["--blur-photos", "0.5"], "--blur-photos is 0.0 in"),
        (["--out", "elsewhere"], "leave out --out"),
    ],
)
def test_a_run_is_not_resumed_as_another(arguments, message, example, finished):
    before = (finished[0] / "settings.json").read_text()
    with pytest.raises(ValueError, match=message):
        run(example, "--resume", finished[0], *arguments)
    assert (finished[0] / "settings.json").read_text() == before


def test_what_is_no_run_is_not_resumed(example, tmp_path):
    with pytest.raises(FileNotFoundError, match="settings.json"):
        run(example, "--resume", tmp_path)


def test_results_are_not_overwritten(example, data, finished):
    before = (finished[0] / "settings.json").read_text()
    with pytest.raises(FileExistsError, match="new or empty.*through"):
        run(example, "--data", data, *TINY, "--out", finished[0])
    assert (finished[0] / "settings.json").read_text() == before


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--data", "nowhere"], "--data must be a folder of pairs. Received: .*nowhere"),
        (["--image-size", "30"], "--image-size must be a multiple of 4. Received: 30"),
        (["--image-size", "20"], "--image-size must be at least 24. Received: 20"),
        (["--batch-size", "0"], "--batch-size must be at least 1. Received: 0"),
        (["--batch-size", "421"], "`batch_size` must be at most .* 420. Received: batch_size=421"),
        (["--epochs", "0"], "--epochs must be at least 1. Received: 0"),
        (["--epochs", "-3"], "--epochs must be at least 1. Received: -3"),
        (["--filters", "0"], "--filters must be at least 1"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--seed", str(2**32)], "[Ss]eed must be between 0 and"),
        (["--misalignment", "-0.5"], "--misalignment must be at least 0"),
        (["--misalignment", "inf"], "--misalignment must be"),
        (["--l1-weight", "nan"], "--l1-weight must be at least 0. Received: nan"),
        (["--warp", "-1"], "--warp must be at least 0. Received: -1"),
        (["--average-decay", "1"], r"--average-decay must be in \[0, 1\). Received: 1"),
        (["--average-decay", "-.1"], r"--average-decay must be in \[0, 1\). Received: -0.1"),
        (
            ["--average-decay", ".9", "--engine", "reference"],
            "--average-decay must be 0 for --engine reference",
        ),
        (["--blur-photos", "1.5"], "--blur-photos must be from 0 to 1. Received: 1.5"),
        (["--blur-photos", "nan"], "--blur-photos must be from 0 to 1. Received: nan"),
        (["--class-weight", "-1"], "--class-weight must be at least 0"),
    ],
)
def test_a_run_that_cannot_start_leaves_no_folder(arguments, message, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = ["--image-size", "24", "--filters", "2"]
    with pytest.raises(ValueError, match=message) as caught:
        run(example, *tiny, *arguments)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--epochs", "many"], "error: argument --epochs: invalid int"),
        (["--strategy", "gan"], "error: argument --strategy: invalid choice"),
        (["--size", "64"], "error: unrecognized arguments: --size 64"),
    ],
)
def test_what_is_no_argument(arguments, message, example, capsys):
    with pytest.raises(SystemExit) as caught:
        example.main(arguments)
    assert caught.value.code == 2 and message in capsys.readouterr().err


def test_one_class_is_not_enough(example, data, tmp_path):
    shutil.copytree(data, tmp_path / "one")
    for folder in (tmp_path / "one").glob("*/*/*"):
        if folder.name != "cup":
            shutil.rmtree(folder)
    with pytest.raises(ValueError, match="must hold at least two classes; .*Received: cup"):
        run(example, "--data", tmp_path / "one", *TINY, "--batch-size", 2, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_runs_get_names_of_their_own(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        options = example.parse_arguments(["--strategy", "pix2pix"])
        made = example.open_run(options, example.choose_settings(options))
        assert made.path == Path("runs") / f"pix2pix-{number}"
        assert (
            made.settings["label_input"] is False
            and made.settings["epochs"] == sketch_settings.DEFAULTS["epochs"]
        )


@pytest.mark.slow
def test_a_test_set_of_one_photo_a_class(example, data, tmp_path):
    shutil.copytree(data, tmp_path / "pairs")
    for file in (tmp_path / "pairs" / "test").rglob("0001.png"):
        file.unlink()
    lines = run(
        example, "--data", tmp_path / "pairs", *TINY, "--epochs", 1, "--strategy", "pix2pix",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert "within-class diversity n/a" in lines[-1]
    assert json.loads((tmp_path / "run" / "results.json").read_text())["within_class_diversity"] is None


def test_help_is_there_at_once(example):
    code = "import runpy, sys; sys.argv[1:] = ['--help']\n"
    code += f"try: runpy.run_path({str(SCRIPT)!r}, run_name='__main__')\n"
    code += "finally: assert not {'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stderr == ""
    epochs = f"(default: {sketch_settings.DEFAULTS['epochs']})"
    assert all(name in done.stdout for name in [*STRATEGIES, "--resume", "--data", epochs])
    assert "(default: the embedded set)" in " ".join(done.stdout.split()) and "None" not in done.stdout


def test_a_mistake_is_one_line(tmp_path):
    program = start("--epochs", "0", cwd=tmp_path)
    stdout, stderr = program.communicate(timeout=60)
    assert (program.returncode, stdout) == (1, "")
    assert stderr == "error: --epochs must be at least 1. Received: 0\n"


@pytest.mark.slow
def test_every_strategy_runs(example, data, tmp_path):
    for name in STRATEGIES:
        lines = run(
            example, "--data", data, "--image-size", 24, "--filters", 2, "--batch-size", 20, "--epochs", 1,
            "--strategy", name, "--out", tmp_path / name,
        )  # fmt: skip
        assert len(losses(tmp_path / name)) == 1
        assert ("asked for another class" in lines[-1]) == (name != "pix2pix")
        assert (tmp_path / name / "classifier.keras").exists() == STRATEGIES[name].classifier


@pytest.mark.slow
def test_as_a_program_on_the_embedded_set_with_ctrl_c(tmp_path):
    """Nothing but results is printed; Ctrl-C saves; the resumed run equals one without a stop."""
    arguments = [*TINY, "--batch-size", "60", "--epochs", "4"]

    def finish(program):
        stdout, stderr = program.communicate(timeout=600)
        assert (program.returncode, stderr) == (0, "")
        return stdout.splitlines()

    lines = finish(start(*arguments, "--out", "through", cwd=tmp_path))
    assert "within-class diversity" in lines[-1] and len(losses(tmp_path / "through")) == 28

    stopped = start(*arguments, "--out", "stopped", cwd=tmp_path)
    while not (tmp_path / "stopped" / "losses.csv").exists() and stopped.poll() is None:
        time.sleep(0.02)
    stopped.send_signal(signal.SIGINT)
    lines = finish(stopped)
    assert lines[-1].endswith("train_sketches.py --resume stopped")
    assert 1 <= len(losses(tmp_path / "stopped")) < 28
    finish(start("--resume", "stopped", cwd=tmp_path))
    assert_same_run(tmp_path / "stopped", tmp_path / "through")


def test_a_run_is_gone_on_with_at_its_own_photo_weights(example, tmp_path):
    chosen = "feature_matching=20,swap_weight=5"
    settings = settings_of(example, "--strategy", "class-and-photo", "--photo-weights", chosen)
    own = strategies.PHOTO_WEIGHTS
    assert settings["photo_weights"] == own | {"feature_matching": 20.0, "swap_weight": 5.0}
    earlier = {**own, "edges": 1.0}
    del earlier["feature_matching"]  # which it could not be asked for
    for stored in (settings["photo_weights"], {**own, "edges": 1.0}, earlier):
        (tmp_path / "settings.json").write_text(json.dumps({**settings, "photo_weights": stored}))
        again = settings_of(example, "--resume", str(tmp_path))
        assert again == settings | {
            "photo_weights": {**stored, "feature_matching": stored.get("feature_matching", 0)}
        }
    with pytest.raises(ValueError, match="--photo-weights is .*: a run is resumed as it was started"):
        settings_of(example, "--resume", str(tmp_path), "--photo-weights", "edges=2")
    settings_of(example, "--resume", str(tmp_path), "--photo-weights", "edges=1")
    (tmp_path / "settings.json").write_text(json.dumps({**settings, "photo_weights": {}}))
    with pytest.raises(ValueError, match="--resume must be a run of class-and-photo that says.*Received: "):
        settings_of(example, "--resume", str(tmp_path))


def test_photo_weights_are_of_class_and_photo(example):
    with pytest.raises(ValueError, match="--photo-weights are of --strategy class-and-photo. Received: --st"):
        settings_of(example, "--photo-weights", "edges=2")
    aligned = ["--strategy", "class-and-photo", "--aligned", "--photo-weights", "edges=2"]
    with pytest.raises(ValueError, match="photo weights are of .*leave them out. Received: {'edges'"):
        settings_of(example, *aligned)


def test_no_towers_are_taught_for_nothing(example):
    settings = settings_of(example, "--strategy", "class-and-photo", "--photo-weights", "photo_information=0")
    assert example.make_towers(settings) is None


def test_the_generator_can_be_wider_than_the_discriminator(example):
    made = [
        example.make_trainer(settings_of(example, "--filters", "2", *wider), 3)
        for wider in ([], ["--g-filters", "4"])
    ]
    maps = [trainer.generator.get_layer("down1_conv").filters for trainer in made]
    assert maps == [2, 4]
    assert len({trainer.discriminator.count_params() for trainer in made}) == 1
