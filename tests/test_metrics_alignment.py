"""Alignment of pairs: by NumPy and OpenCV, and as it falls when sketches leave their photos' lines."""

import cv2
import numpy as np
import pytest

from keras_cgan.data import EmbeddedPairs
from keras_cgan.metrics import describe_alignment, is_aligned, pair_alignment
from keras_cgan.terms import photo_edges

SIZE = (32, 32)


def pairs(misalignment, n=48):
    return EmbeddedPairs(n, misalignment, seed=3).as_arrays(SIZE)


def test_it_is_numpys_correlation():
    photos, labels, sketches = pairs(0.3, n=12)
    edges, ink = (
        [cv2.GaussianBlur(image, (3, 3), 32 / 90, borderType=cv2.BORDER_CONSTANT).ravel() for image in images]
        for images in (np.asarray(photo_edges(photos)), np.mean(1 - sketches, axis=-1, keepdims=True))
    )
    alike = np.corrcoef(ink, edges)[:12, 12:]
    classes = labels.argmax(axis=1)
    others = [alike[i, j] for i in range(12) for j in range(12) if i != j and classes[i] == classes[j]]
    found = pair_alignment(photos, labels, sketches)
    assert found["own"] == pytest.approx(np.mean(np.diag(alike)), abs=1e-4)
    assert found["others"] == pytest.approx(np.mean(others), abs=1e-4)
    assert found["alignment"] == found["own"] - found["others"]


def test_it_falls_from_traced_to_drawn_from_memory():
    found = [pair_alignment(*pairs(misalignment))["alignment"] for misalignment in (0, 0.2, 0.5, 1)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.4 and abs(found[-1]) < 0.1


def test_the_size_of_the_images_does_not_matter_much():
    small, large = (
        pair_alignment(*EmbeddedPairs(48, 0.0, seed=3).as_arrays((side, side)))["alignment"]
        for side in (48, 96)
    )
    assert small == pytest.approx(large, abs=0.12)


def test_sketches_of_other_photos_and_blank_paper_do_not_align():
    photos, labels, sketches = pairs(0.0)
    classes = labels.argmax(axis=1)
    others = np.empty_like(sketches)
    for c in np.unique(classes):
        members = np.flatnonzero(classes == c)
        others[members] = sketches[np.roll(members, 1)]
    assert abs(pair_alignment(photos, labels, others)["alignment"]) < 0.1
    blank = pair_alignment(photos, labels, np.ones_like(sketches))
    assert blank["own"] == blank["others"] == 0


def test_one_pair_a_class_has_no_others():
    photos, _, sketches = pairs(0.0, n=3)
    found = pair_alignment(photos, np.eye(3), sketches)
    assert found["own"] > 0.4 and np.isnan(found["others"]) and np.isnan(found["alignment"])


def test_a_set_is_aligned_or_not():
    aligned, alignment = is_aligned(EmbeddedPairs(260, 0.0, seed=3), SIZE)
    chosen = EmbeddedPairs(260, 0.0, seed=3).as_arrays(SIZE, 200)
    assert aligned and alignment == pair_alignment(*chosen)["alignment"]
    assert not is_aligned(EmbeddedPairs(48, 0.8, seed=3), SIZE)[0]


@pytest.mark.slow
def test_of_many_classes_several_of_each_are_looked_at():
    """A photo a class, spread over the set, would leave nothing to compare with."""

    class ManyClasses(EmbeddedPairs):
        n_classes = 201

        def one_hot(self, indices):
            return np.eye(self.n_classes)[np.asarray(indices) // 2]

    pairs = ManyClasses(402, 0.0, seed=3)
    labels = pairs.as_arrays((16, 16), 200)[1]
    assert labels.sum(axis=0).max() == 1  # so that 200 of them would not do
    assert is_aligned(pairs, (16, 16))[1] > 0.2


def test_the_line_says_what_the_figure_means():
    assert describe_alignment(0.25).endswith("0.25, of 0 to about .5: L1 can help")
    assert describe_alignment(0.24).endswith("pixels of photo and sketch do not belong together")
    assert "not measured" in describe_alignment(float("nan"))


def test_refusals():
    photos, labels, sketches = pairs(0.0, n=4)
    with pytest.raises(ValueError, match="`labels` must be one-hot"):
        pair_alignment(photos, labels * 0.5, sketches)
    with pytest.raises(ValueError, match=r"`sketches` must be \(4, 32, 32, channels\), as the photos are"):
        pair_alignment(photos, labels, sketches[:3])
