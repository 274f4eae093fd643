"""AC-GAN's script: a short run on a few images writes its files and prints its measures."""

import json

import keras
import numpy as np
import pytest

from keras_cgan import pictures, recipe_run

OPTIONS = "--image-size 16 --batch-size 8 --steps 20 --width 0.03 --d-width 0.1".split()


@pytest.mark.slow
def test_the_whole_script(load_example, npz, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recipe_run, "JUDGE_STEPS", 4)
    example, latents, class_rows = load_example("acgan"), [], pictures.class_rows

    def recorded(*arguments, latent, **options):
        latents.append(latent)
        return class_rows(*arguments, latent=latent, **options)

    monkeypatch.setattr(pictures, "class_rows", recorded)
    example.main(["--data", str(npz), "--out", str(tmp_path / "run"), *OPTIONS])
    path = tmp_path / "run"
    assert len(list((path / "samples").glob("*.png"))) == recipe_run.ROUNDS
    assert (path / "samples.png").is_file() and (path / "interpolation.png").is_file()
    kinds = [isinstance(latent, example.Between) for latent in latents]
    assert kinds[-1] and not any(kinds[:-1])  # the last picture alone goes from noise to noise
    generator = keras.models.load_model(path / "generator.keras")
    assert generator.input["label"].shape == (None, 2) and generator.output_shape == (None, 16, 16, 1)
    results = json.loads((path / "results.json").read_text())
    assert 0 <= results["class_accuracy"] <= 1 and results["within_class_diversity"] > 0
    assert "MS-SSIM within classes" in capsys.readouterr().out.splitlines()[-1]


def test_interpolation_goes_in_equal_steps(load_example):
    from keras_cgan import Latent

    latent = Latent(4, (), 0)
    path = load_example("acgan").Between(latent).sample(5, seed=3)
    ends = np.asarray(latent.sample(2, seed=3))
    np.testing.assert_allclose(path[[0, -1]], ends, rtol=1e-5)
    np.testing.assert_allclose(path[2], ends.mean(axis=0), rtol=1e-5, atol=1e-6)
