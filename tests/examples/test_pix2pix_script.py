"""pix2pix's script: a short run on a few pairs; each row of the paper's tables is an option."""

import cv2
import keras
import numpy as np
import pytest

from keras_cgan.data import EmbeddedPairs, write_image

TINY = "--steps 20 --batch-size 4 --filters 2".split()


@pytest.mark.slow
def test_the_whole_script(run_recipe, data, tmp_path, capsys):
    results = run_recipe("pix2pix", data, tmp_path / "run", *TINY)
    said = capsys.readouterr().out
    assert "20 training and 12 test pairs of 6 classes" in said
    assert said.splitlines()[-1].endswith(
        f"L1 {results['l1']:.3f} (white paper {results['l1_white_paper']:.3f})"
    )
    assert {"class_accuracy", "within_class_diversity"} <= set(results)
    # Two photos of each class: photo, drawing and sketch, the third place empty.
    height, width = cv2.imread(str(tmp_path / "run" / "samples.png")).shape[:2]
    assert 6 * 96 < height < 7 * 96 and 9 * 96 < width < 10.5 * 96
    generator = keras.models.load_model(tmp_path / "run" / "generator.keras")
    assert generator.predict(np.zeros((1, 32, 32, 3)), verbose=0).shape == (1, 32, 32, 1)


@pytest.mark.slow
def test_rows_of_the_papers_tables(run_recipe, data, tmp_path):
    run_recipe("pix2pix", data, tmp_path / "l1", *TINY, "--adversarial-weight", 0, "--layers", 0)
    alone = keras.models.load_model(tmp_path / "l1" / "model.keras")
    assert (alone.get_config()["l1_weight"], alone.get_config()["adversarial_weight"]) == (100.0, 0.0)
    assert alone.discriminator.output_shape == (None, 32, 32, 1)
    run_recipe("pix2pix", data, tmp_path / "cgan", *TINY, "--l1-weight", 0, "--layers", 2)
    alone = keras.models.load_model(tmp_path / "cgan" / "model.keras")
    assert (alone.get_config()["l1_weight"], alone.get_config()["adversarial_weight"]) == (0.0, 1.0)
    assert alone.discriminator.output_shape == (None, 6, 6, 1)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan"])
def test_pairs_of_a_single_class(run_recipe, tmp_path, capsys, recipe):
    pairs = EmbeddedPairs(12)
    for index in range(len(pairs)):
        for side, image in zip(("photo", "sketch"), pairs.load(index, (32, 32))):
            write_image(tmp_path / "shoes" / side / "shoe" / f"{index}.png", image)
    results = run_recipe(recipe, tmp_path / "shoes", tmp_path / "run", *TINY)
    assert 0 <= results["l1"] < 2 and "class_accuracy" not in results
    assert capsys.readouterr().out.splitlines()[-1].startswith("within-class diversity ")
