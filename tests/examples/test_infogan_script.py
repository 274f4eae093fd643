"""InfoGAN's script: a short run on a few images writes its pictures and prints its measures."""

import json

import keras
import numpy as np
import pytest

from keras_cgan import Latent, recipe_run

OPTIONS = "--batch-size 8 --steps 20 --width 0.05 --noise 3 --codes 4".split()


@pytest.fixture
def npz(tmp_path):
    """60 images of two classes, bright and dark, on a dark border."""
    levels = np.arange(60) % 2
    images = np.full((60, 16, 16), 10, "uint8")
    images[:, 4:12, 4:12] = (60 + 130 * levels)[:, None, None]
    np.savez(tmp_path / "set.npz", images=images, labels=levels)
    return tmp_path / "set.npz"


@pytest.mark.slow
def test_the_whole_script(load_example, npz, tmp_path, capsys):
    load_example("infogan").main(["--data", str(npz), "--out", str(tmp_path / "run"), *OPTIONS])
    path = tmp_path / "run"
    assert len(list((path / "samples").glob("*.png"))) == recipe_run.ROUNDS
    for name in ("c1", "c2", "c3"):
        assert (path / f"{name}.png").stat().st_size
    model = keras.models.load_model(path / "model.keras")
    assert model.latent.size == 3 + 4 + 2
    warp = model.discriminator.get_layer("warp")
    assert warp.background == pytest.approx(10 / 127.5 - 1, abs=0.01)
    results = json.loads((path / "results.json").read_text())
    assert results["mutual_information"] <= results["entropy"] == pytest.approx(np.log(4))
    assert 0 <= results["matching_error"] <= 1
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"mutual information at least {results['mutual_information']:.2f} of 1.39 nats;")
    assert f"matching error {results['matching_error']:.1%} of test images" in said


@pytest.mark.slow
def test_the_papers_networks_without_a_warp(load_example, npz, tmp_path):
    arguments = ["--data", str(npz), "--out", str(tmp_path / "run"), "--warp", "0", *OPTIONS]
    load_example("infogan").main(arguments)
    model = keras.models.load_model(tmp_path / "run" / "model.keras")
    assert "warp" not in {layer.name for layer in model.discriminator.layers}


@pytest.mark.parametrize(("code", "columns"), [(0, 4), (1, 10)])
def test_one_code_runs_in_a_row(load_example, code, columns):
    """The latents that are drawn: `columns` a row, and only the code that runs is another in a row."""
    seen = []

    class Draws:
        def predict_on_batch(self, latents):
            seen.append(np.asarray(latents))
            return np.zeros((len(latents), 16, 16, 1), "float32")

    latent = Latent(3, (4,), 2)
    load_example("infogan").code_rows(Draws(), latent, code)
    rows = seen[0].reshape(10, columns, latent.size)
    spread = rows.std(axis=1).max(axis=0) > 1e-6
    assert list(np.flatnonzero(spread)) == ([3, 4, 5, 6] if code == 0 else [7])


def test_the_measures_by_hand(load_example):
    """A Q that reads the brightness: the bound, and the errors of train and test apart."""
    from types import SimpleNamespace

    latent = Latent(0, (2,), 0)

    class Q:
        def predict(self, images, **options):
            bright = images.mean(axis=(1, 2, 3)) > 0
            return {"label": np.where(bright[:, None], [0.1, 0.9], [0.8, 0.2])}

    class G:
        def predict(self, latents, **options):
            value = np.asarray(latents)[:, 1] * 2 - 1
            return np.broadcast_to(value[:, None, None, None], (len(value), 2, 2, 1))

    def images(levels, labels):
        pixels = np.broadcast_to(np.array(levels, "float32")[:, None, None, None], (len(levels), 2, 2, 1))
        return SimpleNamespace(images=pixels, labels=np.eye(2)[labels])

    model = SimpleNamespace(latent=latent, discriminator=Q())
    train, test = images([1, 1, -1, -1], [0, 0, 1, 1]), images([1, 1, -1, -1], [0, 0, 1, 0])
    results = load_example("infogan").measured(model, G(), train, test)
    ones = np.asarray(latent.sample(2000, 1))[:, 1].mean()
    expected = np.log(2) + ones * np.log(0.9) + (1 - ones) * np.log(0.8)
    assert results["mutual_information"] == pytest.approx(expected, abs=1e-5)
    assert (results["matching_error"], results["matching_error_train"]) == (0.25, 0.0)
