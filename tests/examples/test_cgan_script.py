"""The conditional GAN's script: a short run on a few images writes its files and prints its measures."""

import json

import keras
import numpy as np
import pytest

from keras_cgan import recipe_run

OPTIONS = "--image-size 16 --batch-size 8 --steps 20 --units 12".split()


@pytest.fixture
def npz(tmp_path):
    """60 images of two classes, bright and dark."""
    levels = np.arange(60) % 2
    images = np.clip(np.random.default_rng(0).normal(60 + 130 * levels, 20, (16, 16, 60)), 0, 255)
    np.savez(tmp_path / "set.npz", images=images.transpose(2, 0, 1).astype("uint8"), labels=levels)
    return tmp_path / "set.npz"


def test_the_whole_script(load_example, npz, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recipe_run, "JUDGE_STEPS", 4)
    load_example("cgan").main(["--data", str(npz), "--out", str(tmp_path / "run"), *OPTIONS])
    path = tmp_path / "run"
    assert len(list((path / "samples").glob("*.png"))) == recipe_run.ROUNDS
    assert (path / "samples.png").stat().st_size
    generator = keras.models.load_model(path / "generator.keras")
    assert generator.input["label"].shape == (None, 2) and generator.output_shape == (None, 16, 16, 1)
    results = json.loads((path / "results.json").read_text())
    assert 0 <= results["class_accuracy"] <= 1 and results["within_class_diversity"] > 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"class accuracy {results['class_accuracy']:.2f} (real images ")
