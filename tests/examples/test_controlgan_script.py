"""ControlGAN's example: the ratio and the margins by hand, and a whole run on a tiny set."""

import csv

import cv2
import numpy as np
import pytest

from keras_cgan import Latent, resblock_generator


@pytest.fixture(scope="module")
def example(load_example):
    return load_example("controlgan")


def test_the_margin_by_hand(example):
    logits = np.array([[1.0, 4.0, -2.0], [0.5, 0.0, 3.0]], "float32")
    labels = np.eye(3, dtype="float32")[[1, 0]]  # 3 above the next, and 2.5 below
    assert example.margin(logits, labels) == pytest.approx(0.25)


def test_the_ratio_of_the_last_quarter(example, tmp_path):
    rows = [{"c_loss": 9.0, "g_class": 1.0}] * 15 + [{"c_loss": c, "g_class": 3.0} for c in (1, 2, 3, 2, 2)]
    with open(tmp_path / "losses.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["c_loss", "g_class"])
        writer.writeheader()
        writer.writerows(rows)
    assert example.loss_ratio(tmp_path) == pytest.approx(1.5)


def test_labels_times_each_factor_with_one_noise(example):
    generator, latent = resblock_generator((16, 16, 1), 5, 3, 2), Latent(5, (), 0)
    labels = np.eye(3, dtype="float32")[[2, 0]]
    drawn = example.drawn_for(generator, latent, labels)
    noise = np.asarray(latent.sample(2, seed=0))
    for factor, images in zip((-1, 0, 1, 2, 3), drawn, strict=True):
        alone = generator({"latent": noise, "label": factor * labels})
        np.testing.assert_allclose(images, alone, atol=1e-5)


@pytest.mark.slow
def test_a_run(run_recipe, npz, tmp_path, capsys):
    tiny = ("--steps", 20, "--batch-size", 8, "--target", 0.5)
    results = run_recipe("controlgan", npz, tmp_path / "run", *tiny)
    assert results["target"] == 0.5 and results["loss_ratio"] > 0 and len(results["margins"]) == 5
    assert {"class_accuracy", "within_class_diversity"} <= set(results)
    # Two classes below each other, three images for each of five factors.
    height, width = cv2.imread(str(tmp_path / "run" / "samples.png")).shape[:2]
    assert 2 * 48 < height < 3 * 48 + 40 and 15 * 48 < width < 17 * 52
    said = capsys.readouterr().out
    assert f"over that on real images {results['loss_ratio']:.2f}, asked 0.5" in said
    assert f"{results['margins'][3]:+.1f} (label x 2)" in said
