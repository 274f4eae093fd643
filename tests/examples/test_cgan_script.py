"""The conditional GAN's script: a short run on a few images writes its files and prints its measures."""

import keras
import pytest

from keras_cgan import recipe_run

OPTIONS = "--image-size 16 --batch-size 8 --steps 20 --units 12".split()


@pytest.mark.slow
def test_the_whole_script(run_recipe, npz, tmp_path, capsys):
    path = tmp_path / "run"
    results = run_recipe("cgan", npz, path, *OPTIONS)
    assert len(list((path / "samples").glob("*.png"))) == recipe_run.ROUNDS
    assert (path / "samples.png").stat().st_size
    generator = keras.models.load_model(path / "generator.keras")
    assert generator.input["label"].shape == (None, 2) and generator.output_shape == (None, 16, 16, 1)
    assert 0 <= results["class_accuracy"] <= 1 and results["within_class_diversity"] > 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"class accuracy {results['class_accuracy']:.2f} (real images ")
