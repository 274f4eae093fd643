"""The GAN's script: a short run on a few images writes its files and prints the likelihoods."""

import json
import re

import numpy as np
import pytest

OPTIONS = "--image-size 16 --batch-size 8 --steps 20 --units 8".split()


@pytest.mark.slow
def test_the_whole_script(load_example, npz, tmp_path, capsys, monkeypatch):
    example = load_example("gan")
    monkeypatch.setattr(example, "DRAWN", 60)
    example.main(["--data", str(npz), "--out", str(tmp_path / "run"), *OPTIONS])
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"samples.png", "generator.keras", "model.keras", "losses.csv", "results.json"} <= names
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    values = [results[name]["log_likelihood"] for name in ("drawn", "untrained", "normal", "train")]
    assert np.isfinite(values).all()
    # Bright and dark images, of which a generator that draws the mean image knows nothing.
    assert results["train"]["log_likelihood"] > results["untrained"]["log_likelihood"]
    said = capsys.readouterr().out.splitlines()[-1]
    numbers = [float(number) for number in re.findall(r"(-?[\d.]+) \+- [\d.]+", said)]
    assert numbers == pytest.approx(values, abs=0.06)


def test_the_baseline_has_the_mean_and_the_covariance_of_the_images(load_example):
    rng = np.random.default_rng(1)
    images = rng.normal(0, 0.1, (500, 2, 2, 1)) + rng.normal(0, 0.1, (500, 1, 1, 1)) + 0.2
    drawn = load_example("gan").normal_draws(images, 20_000)
    assert drawn.shape == (20_000, 2, 2, 1)
    np.testing.assert_allclose(drawn.mean(axis=0), images.mean(axis=0), atol=0.01)
    covariances = [np.cov(some.reshape(-1, 4).T) for some in (drawn, images)]
    np.testing.assert_allclose(*covariances, atol=1e-3)
    assert np.abs(load_example("gan").normal_draws(20 * images, 100)).max() == 1
