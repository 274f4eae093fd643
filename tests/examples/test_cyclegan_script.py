"""CycleGAN's script: a short run on a few pairs, of which it sees photos and sketches that are none."""

import shutil

import cv2
import keras
import numpy as np
import pytest

TINY = "--steps 20 --batch-size 2 --filters 2".split()


@pytest.mark.slow
def test_the_whole_script(run_recipe, data, tmp_path, capsys):
    results = run_recipe("cyclegan", data, tmp_path / "run", *TINY)
    said = capsys.readouterr().out.splitlines()
    back = f"{results['photo_back']:.3f}, of a sketch {results['sketch_back']:.3f}"
    assert said[-2] == f"L1 of a photo and what comes back {back}"
    assert said[-1].startswith(f"class accuracy {results['class_accuracy']:.2f} (real sketches ")
    # Two photos of each class, each there and back, and two sketches.
    height, width = cv2.imread(str(tmp_path / "run" / "samples.png")).shape[:2]
    assert 6 * 96 < height < 7 * 96 and 12 * 96 < width < 14 * 96
    assert len(list((tmp_path / "run" / "samples").glob("*.png"))) == 20
    model = keras.models.load_model(tmp_path / "run" / "model.keras")
    generator = keras.models.load_model(tmp_path / "run" / "generator.keras")
    photos = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 1))
    drawn = generator.predict(photos, verbose=0)
    np.testing.assert_allclose(drawn, model.to_sketch.predict(photos, verbose=0), atol=1e-5)
    assert (model.cycle_weight, model.identity_weight) == (3.0, 0.5)


def test_it_sees_no_pair(run_recipe, data, tmp_path, monkeypatch):
    seen = []

    class Seen(Exception):
        pass

    def fit(self, model, batches, draw):
        seen.append(batches)
        raise Seen

    monkeypatch.setattr("keras_cgan.recipe_run.RecipeRun.fit", fit)
    with pytest.raises(Seen):
        run_recipe("cyclegan", data, tmp_path / "run", *TINY, "--ground", "light")
    photos, sketches = (side.pairs.names for side in (seen[0]._photos, seen[0]._sketches))
    assert len(photos) + len(sketches) == 20 and not set(photos) & set(sketches)
    assert seen[0]._photos.pairs._pairs.ground == "light"


def test_sketches_of_a_set_without_photos(run_recipe, data, tmp_path, monkeypatch):
    seen = []

    def stop(run, model, batches, draw):
        assert run.settings["sketches"] == str(tmp_path / "alone")  # wherever it is gone on with from
        seen.append(batches)
        raise ZeroDivisionError

    monkeypatch.setattr("keras_cgan.recipe_run.RecipeRun.fit", stop)
    monkeypatch.chdir(tmp_path)
    alone = shutil.copytree(data / "test" / "sketch", tmp_path / "alone" / "train" / "sketch")
    shutil.copytree(alone, tmp_path / "alone" / "test" / "sketch")
    with pytest.raises(ZeroDivisionError):
        run_recipe("cyclegan", data, tmp_path / "run", *TINY, "--sketches", "alone")
    photos, sketches = (side.pairs.names for side in (seen[0]._photos, seen[0]._sketches))
    assert len(photos) == 20 and sorted(sketches) == sorted(
        f"{path.parent.name}/{path.stem}" for path in alone.glob("*/*.png")
    )


def test_a_ground_that_there_is_not(run_recipe, data, tmp_path):
    with pytest.raises(ValueError, match="`ground` must be one of"):
        run_recipe("cyclegan", data, tmp_path / "run", *TINY, "--ground", "black")
    assert not (tmp_path / "run").exists()
