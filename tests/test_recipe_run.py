"""What the recipes' example scripts share: options, resume, refusals, what is written and said."""

import csv
import functools
import json

import keras
import numpy as np
import pytest

from keras_cgan import Latent, LatentGAN, maxout_discriminator, mlp_generator
from keras_cgan.pictures import class_rows
from keras_cgan.recipe_run import ROUNDS, RecipeRun, class_summary, pair_summary, run_program

TINY = ["--steps", "40", "--batch-size", "8", "--image-size", "16"]


@pytest.fixture(autouse=True)
def quick_judge(monkeypatch):
    monkeypatch.setattr("keras_cgan.recipe_run.JUDGE_STEPS", 40)


def make_model(image_shape, n_classes):
    model = LatentGAN(
        mlp_generator(image_shape, 4, n_classes, hidden=(8,)),
        maxout_discriminator(
            image_shape, n_classes, hidden=((4, 2),), image_units=(4, 2), label_units=(2, 2)
        ),
        Latent(4, (), 0),
    )
    model.compile()
    return model


def train(*arguments, callback=None):
    """A whole script; returns the folder and the model."""
    run = RecipeRun("tiny", "A tiny one.", [*TINY, *map(str, arguments)], power=(1.5, "of the horse"))
    images, test = run.open_images()
    model = make_model(images.image_shape, images.n_classes)
    draw = functools.partial(class_rows, latent=model.latent, class_names=images.class_names)
    if callback is not None:
        draw = callback(draw)
    generator = run.fit(model, run.batches_of(images), draw)
    results = run.measure_classes(generator, model.latent, images, test)
    run.end(results, class_summary(results))
    return run, model


def rows_of(path):
    return list(csv.DictReader((path / "losses.csv").read_text().splitlines()))


@pytest.mark.slow
def test_a_run_writes_pictures_models_losses_and_measures(npz, tmp_path, capsys):
    run, model = train("--data", npz, "--out", tmp_path / "run", "--power", "2.5")
    path = tmp_path / "run"
    assert run.settings["power"] == 2.5 and json.loads((path / "settings.json").read_text()) == run.settings
    assert len(list((path / "samples").glob("round-*.png"))) == ROUNDS == len(rows_of(path))
    assert (path / "samples.png").stat().st_size
    generator = keras.models.load_model(path / "generator.keras")
    for kept, trained in zip(generator.get_weights(), model.generator.get_weights()):
        np.testing.assert_array_equal(kept, trained)
    whole = keras.models.load_model(path / "model.keras")
    np.testing.assert_array_equal(whole.discriminator.get_weights()[0], model.discriminator.get_weights()[0])
    results = json.loads((path / "results.json").read_text())
    assert results["power"] == 2.5 and results["class_accuracy_real"] > 0.9  # bright and dark: easy
    said = capsys.readouterr().out
    assert "48 training and 12 test images of 2 classes" in said and "step 40/40" in said
    assert said.splitlines()[-1].startswith("class accuracy ")


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_gives_what_an_unbroken_one_gives(npz, tmp_path, capsys):
    whole, model = train("--data", npz, "--out", tmp_path / "whole")
    drawn = []

    def stop(draw):
        def draw_or_stop(generator):
            drawn.append(1)
            if len(drawn) == 7:
                raise KeyboardInterrupt
            return draw(generator)

        return draw_or_stop

    with pytest.raises(SystemExit, match=f"with --out {tmp_path / 'parts'} the same command goes on"):
        train("--data", npz, "--out", tmp_path / "parts", callback=stop)
    assert not (tmp_path / "parts" / "results.json").exists()
    _, resumed = train("--data", npz, "--out", tmp_path / "parts", callback=stop)
    assert len(drawn) == 7 + ROUNDS - 7 + 1  # the rounds that were left, and the last picture
    for one, other in zip(model.get_weights(), resumed.get_weights()):
        np.testing.assert_array_equal(one, other)
    assert rows_of(tmp_path / "whole") == rows_of(tmp_path / "parts")


@pytest.mark.slow
def test_a_finished_run_is_left_as_it_is(npz, tmp_path):
    train("--data", npz, "--out", tmp_path / "run")
    before = (tmp_path / "run" / "results.json").read_bytes()
    with pytest.raises(SystemExit, match="is finished"):
        train("--data", npz, "--out", tmp_path / "run")
    with pytest.raises(ValueError, match="holds a run with seed=0"):
        train("--data", npz, "--out", tmp_path / "run", "--seed", 1)
    assert (tmp_path / "run" / "results.json").read_bytes() == before


def test_folders_are_new_by_default(npz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = []
    for _ in range(2):
        run = RecipeRun("tiny", "A tiny one.", [*TINY, "--data", str(npz)])
        paths.append(str(run.path))
        run.path.mkdir(parents=True)
    assert paths == ["runs/tiny-1", "runs/tiny-2"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--steps", "19"], "--steps must be at least 20. Received: 19"),
        (["--batch-size", "0"], "--batch-size must be at least 1. Received: 0"),
        (["--image-size", "8"], "--image-size must be at least 16. Received: 8"),
        (["--power", "-2"], "--power must be at least 0. Received: -2.0"),
        (["--seed", "-1"], "--seed must be at least 0. Received: -1"),
    ],
)
def test_options_out_of_range_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        RecipeRun("tiny", "A tiny one.", arguments, power=(1.5, "of the horse", 0))


def test_steps_are_kept_as_done(tmp_path):
    run = RecipeRun("tiny", "A tiny one.", ["--steps", "59", "--out", str(tmp_path / "run")])
    assert run.settings["steps"] == 40


def test_digits_are_the_set_whatever_folders_there_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert RecipeRun("tiny", "A tiny one.", ["--data", "digits"]).settings["data"] == "digits"
    given = RecipeRun("tiny", "A tiny one.", ["--data", "./digits"]).settings["data"]
    assert given == str(tmp_path / "digits")


@pytest.mark.slow
def test_models_are_there_when_measuring_fails(npz, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise ValueError("no judge")

    monkeypatch.setattr("keras_cgan.recipe_run.RecipeRun._judge", fails)
    with pytest.raises(ValueError, match="no judge"):
        train("--data", npz, "--out", tmp_path / "run")
    assert (tmp_path / "run" / "generator.keras").exists() and (tmp_path / "run" / "model.keras").exists()
    monkeypatch.undo()
    monkeypatch.setattr("keras_cgan.recipe_run.JUDGE_STEPS", 40)
    train("--data", npz, "--out", tmp_path / "run")
    assert (tmp_path / "run" / "results.json").exists()


def test_a_run_that_cannot_start_leaves_no_folder(npz, tmp_path):
    with pytest.raises(ValueError, match="`batch_size` must be at most the number of images, 48"):
        train("--data", npz, "--out", tmp_path / "run", "--batch-size", 100)
    with pytest.raises(FileNotFoundError, match="no-such"):
        train("--data", tmp_path / "no-such.npz", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pairs_are_opened_by_the_same_options():
    run = RecipeRun("tiny", "Of pairs.", [], misalignment=(0.5, "of the embedded set"), steps=20)
    train_pairs, test_pairs = run.open_pairs()
    assert (len(train_pairs), len(test_pairs)) == (420, 120) and run.image_size == (28, 28)


@pytest.mark.slow
def test_pairs_are_measured_by_a_judge_of_the_training_sketches(monkeypatch, capsys):
    monkeypatch.setattr("keras_cgan.recipe_run.MOST_TEST_PHOTOS", 24)
    run = RecipeRun("tiny", "Of pairs.", [], image_size=16, steps=20)
    train_pairs, test_pairs = run.open_pairs()
    _, labels, sketches = run.test_arrays(test_pairs)
    assert sketches.shape == (24, 16, 16, 1)
    same = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Identity()])
    results = run.measure_pairs(same, train_pairs, (sketches, labels, sketches))
    assert results["class_accuracy"] == results["class_accuracy_real"] > 1 / 6
    assert results["within_class_diversity"] == pytest.approx(1) and results["l1"] < 1e-6
    assert "on 420 real images, as a judge" in capsys.readouterr().out


def test_measures_of_pairs_in_a_line():
    names = ("class_accuracy", "class_accuracy_real", "within_class_diversity", "l1", "l1_white_paper")
    assert pair_summary(dict(zip(names, (0.5, 0.994, 1.25, 0.0617, 0.0891)))) == (
        "class accuracy 0.50 (real sketches 0.99); "
        "within-class diversity 1.25 (real sketches 1, all alike 0); L1 0.062 (white paper 0.089)"
    )


@pytest.mark.parametrize(
    "error", [ValueError("`steps` is odd"), OSError("no room"), RuntimeError("not finite")]
)
def test_what_is_wrong_is_said_in_a_line(error):
    def main():
        raise error

    with pytest.raises(SystemExit, match=f"^error: {error}$"):
        run_program(main)
