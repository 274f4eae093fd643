"""Generators that have given up, each by another trick: for each there is a measure that unmasks it."""

import cv2
import keras
import numpy as np
import pytest

from keras_cgan.data import EmbeddedPairs
from keras_cgan.evaluate import evaluate
from keras_cgan.judges import train_judge, train_pair_judge

pytestmark = pytest.mark.slow

SIZE = (32, 32)
MISALIGNED = 0.6


class Trick:
    """A "generator" that draws by a function of photos and the numbers of the classes asked for."""

    input = {"photo": None, "label": None}

    def __init__(self, draw):
        self._draw = draw

    def predict(self, conditions, verbose):
        return self._draw(conditions["photo"], np.argmax(conditions["label"], axis=1)).astype("float32")


@pytest.fixture(scope="module")
def train():
    return EmbeddedPairs(240, MISALIGNED, seed=0).as_arrays(SIZE)


@pytest.fixture(scope="module")
def test():
    return EmbeddedPairs(72, MISALIGNED, seed=1).as_arrays(SIZE)


@pytest.fixture(scope="module")
def results(train, test):
    train_photos, train_labels, train_sketches = train
    photos, labels, sketches = test
    judge = train_judge(train_sketches, train_labels, epochs=30)
    pair_judge = train_pair_judge(train_photos, train_sketches, steps=120)
    classes, train_classes = labels.argmax(1), train_labels.argmax(1)

    def nearest(queries, known):
        """The number of the known photo that looks most like each query."""
        rows = known.reshape(len(known), -1)
        return np.array([np.argmin(np.sum((rows - query.ravel()) ** 2, axis=1)) for query in queries])

    def of_another_photo(queries, asked):
        """The true sketch of the next photo of the class."""
        own = nearest(queries, photos)
        drawn = []
        for i, c in zip(own, asked):
            members = np.flatnonzero(classes == c)
            drawn.append(sketches[members[(np.searchsorted(members, i) + 1) % len(members)]])
        return np.stack(drawn)

    means = np.stack([train_sketches[train_classes == c].mean(axis=0) for c in range(6)])
    ones = np.stack([train_sketches[train_classes == c][0] for c in range(6)])

    def edges_and_glyph(queries, asked):
        """The photo's edges, and in a corner a small sketch of the class."""
        drawn = np.stack(
            [1 - cv2.Canny(np.uint8(p * 127 + 127), 60, 120)[..., None] / 127.5 for p in queries]
        )
        glyphs = [cv2.resize(ones[c], (12, 12), interpolation=cv2.INTER_AREA)[..., None] for c in asked]
        drawn[:, :12, :12] = np.stack(glyphs)
        return drawn

    tricks = {
        "blank paper": lambda queries, asked: np.ones((len(queries), *SIZE, 1)),
        "class mean": lambda queries, asked: means[asked],
        "one a class": lambda queries, asked: ones[asked],
        "another photo's": of_another_photo,
        "copy": lambda queries, asked: train_sketches[nearest(queries, train_photos)],
        "edges and glyph": edges_and_glyph,
        "true": lambda queries, asked: sketches[nearest(queries, photos)],
    }
    keras.utils.set_random_seed(0)
    return {
        name: evaluate(Trick(draw), judge, *test, pair_judge, train_sketches) for name, draw in tricks.items()
    }


def test_the_true_sketch_is_the_ceiling(results):
    true = results["true"]
    assert true["class_accuracy"] == true["class_accuracy_real"] > 0.7
    for name in (
        "photo_rank_features",
        "photo_rank_chamfer",
        "within_class_diversity",
        "stroke_f1_1px",
        "ssim",
    ):
        assert true[name] == pytest.approx(1, abs=1e-5), name
    assert true["pair_rank"] == true["pair_rank_real"] > 0.6
    assert true["fid_phi"] == pytest.approx(0, abs=1e-3) and true["kid_phi"] < 0.01
    assert true["coverage"] == 1 and true["copying_ratio"] == 1 and true["l1"] == 0


def test_blank_paper_flatters_l1_and_ssim_alone(results):
    blank = results["blank paper"]
    assert blank["l1"] == blank["l1_white_paper"] and blank["ssim"] == blank["ssim_white_paper"] > 0.1
    assert blank["stroke_f1_2px"] == 0 and blank["within_class_diversity"] == 0 and blank["coverage"] < 0.3
    for name in ("photo_rank_features", "photo_rank_chamfer", "pair_rank"):
        assert blank[name] == pytest.approx(0.5, abs=0.01), name


@pytest.mark.parametrize("trick", ["class mean", "one a class"])
def test_one_sketch_a_class_has_the_class_but_no_photo_and_no_variety(results, trick):
    drawn = results[trick]
    if trick == "one a class":
        assert drawn["class_accuracy"] == 1 and drawn["swap_asked"] == 1 and drawn["swap_photo"] == 0
    assert drawn["within_class_diversity"] == pytest.approx(0, abs=1e-3)
    for name in ("photo_rank_features", "photo_rank_chamfer", "pair_rank"):
        assert drawn[name] == pytest.approx(0.5, abs=0.01), name
    # Real sketches of other photos are the scale.
    assert drawn["fid_phi"] > 3 * drawn["fid_phi_train"] and drawn["coverage"] < 0.8


def test_a_true_sketch_of_another_photo_is_unmasked_by_ranks_alone(results):
    other = results["another photo's"]
    assert other["class_accuracy"] == other["class_accuracy_real"] and other["fid_phi"] < 1e-3
    assert other["within_class_diversity"] == pytest.approx(1)
    for name in ("photo_rank_features", "photo_rank_chamfer"):
        assert other[name] < 0.6, name
    assert other["stroke_f1_1px"] < 0.9 * results["true"]["stroke_f1_1px"]


def test_a_copy_of_a_training_sketch_is_unmasked_by_its_distance_to_the_training_set(results):
    copy = results["copy"]
    assert copy["copying_ratio"] < 0.01 and copy["within_class_diversity"] > 0.7
    blank = results["blank paper"]["copying_ratio"]
    assert blank == pytest.approx(copy["copying_ratio_white_paper"]) and 0.1 < blank < 1  # and is no copy
    assert results["true"]["copying_ratio"] == 1 and results["edges and glyph"]["copying_ratio"] > 1


def test_edges_with_a_glyph_are_no_sketches(results):
    pasted = results["edges and glyph"]
    assert pasted["photo_rank_chamfer"] > 0.6  # the photo is traced
    assert pasted["class_accuracy"] < 0.6 * pasted["class_accuracy_real"]
    assert pasted["coverage"] < 0.5 and pasted["fid_phi"] > 3 * pasted["fid_phi_train"]
