"""Ink against SciPy, structural similarity against scikit-image, both by hand and on bad drawings."""

import numpy as np
import pytest

from keras_cgan.data import EmbeddedPairs, to_unit
from keras_cgan.metrics import strokes
from keras_cgan.metrics.strokes import chamfer_distances, stroke_f1, structural_similarity

SIZE = (24, 32)


@pytest.fixture(scope="module")
def real():
    """Sketches of the embedded set, three a class: the next one of the class is 6 on."""
    pairs = EmbeddedPairs(18, 0.5)
    return to_unit(np.stack([pairs.load(i, SIZE)[1] for i in range(18)]))


def blots(n, share=0.05, seed=0, size=SIZE, channels=1):
    """Sketches of random ink in all greys, so that mid-grey matters."""
    rng = np.random.default_rng(seed)
    sketches = rng.uniform(0.01, 1, (n, *size, channels))
    return np.where(rng.random((n, *size, 1)) < share, -sketches, sketches).astype("float32")


def column(*columns, size=(16, 16)):
    """One sketch with ink in whole columns."""
    sketch = np.ones((1, *size, 1), "float32")
    sketch[:, :, list(columns)] = -1
    return sketch


def nearest(inked, other):
    """The distance of each ink pixel to the other's nearest, by SciPy's tree of points."""
    spatial = pytest.importorskip("scipy.spatial")
    points, others = (np.argwhere(s.mean(axis=-1) < 0) for s in (inked, other))
    return spatial.cKDTree(others).query(points)[0]


def test_ink_is_below_mid_grey_on_average():
    sketch = np.array([[[[-1, 1, -0.1], [-1, 1, 0.1], [-1, 1, 0.0], [0.9, -0.5, -0.5]]]])
    assert strokes._ink(sketch).tolist() == [[[True, False, False, True]]]


@pytest.mark.parametrize("tolerance", [0, 1, 1.5, np.sqrt(5), 3])
def test_stroke_f1_against_scipy(tolerance):
    drawn, true = blots(6), blots(6, 0.03, seed=1)
    expected = []
    for one, other in zip(drawn, true):
        precision = np.mean(nearest(one, other) <= tolerance)
        recall = np.mean(nearest(other, one) <= tolerance)
        expected.append(2 * precision * recall / max(precision + recall, 1e-9))
    assert stroke_f1(drawn, true, tolerance) == pytest.approx(np.mean(expected), abs=1e-9)


def test_stroke_f1_by_hand():
    # One of two drawn columns is right, the only true one is found: 2 * .5 * 1 / 1.5.
    assert stroke_f1(column(4, 12), column(4)) == pytest.approx(2 / 3)
    assert stroke_f1(column(4), column(4, 12)) == pytest.approx(2 / 3)
    # Each sketch counts once: an F1 of 1, 2/3 and 0.
    drawn = np.concatenate([column(4), column(4, 12), column(1)])
    true = np.concatenate([column(4), column(4), column(9)])
    assert stroke_f1(drawn, true) == pytest.approx(5 / 9)


def test_a_stroke_counts_up_to_the_tolerance():
    assert stroke_f1(column(4), column(5)) == 1
    assert stroke_f1(column(4), column(6)) == 0
    assert stroke_f1(column(4), column(6), tolerance=2) == 1
    assert stroke_f1(column(4), column(5), tolerance=0) == 0
    one, other = np.ones((2, 1, 16, 16, 1))
    one[0, 3, 3], other[0, 4, 5] = -1, -1  # at the root of 5, which float32 rounds up
    assert stroke_f1(one, other, tolerance=np.sqrt(5)) == 1
    assert stroke_f1(one, other, tolerance=2.23) == 0


@pytest.mark.filterwarnings("error")
def test_stroke_f1_without_ink():
    paper = np.ones((1, 16, 16, 1))
    assert stroke_f1(paper, column(4), tolerance=100) == 0
    assert stroke_f1(column(4), paper, tolerance=100) == 0
    assert stroke_f1(paper, paper) == 1


def test_chamfer_distances_against_scipy():
    drawn, true = blots(4, channels=3), blots(7, 0.02, seed=1, channels=3)
    expected = [[(nearest(a, b).mean() + nearest(b, a).mean()) / 2 for b in true] for a in drawn]
    distances = chamfer_distances(drawn, true)
    assert distances.shape == (4, 7) and distances.dtype == "float64"
    np.testing.assert_allclose(distances, expected, rtol=1e-5)


def test_distance_maps_against_scipy():
    ndimage = pytest.importorskip("scipy.ndimage")
    for ink in strokes._ink(blots(5, 0.005, size=(60, 90))):
        expected = ndimage.distance_transform_edt(~ink)
        np.testing.assert_allclose(strokes._distance_map(ink), expected, rtol=1e-5)


def test_chamfer_distances_by_hand():
    # Column 4 is at 0 from 4 and 12; of these, one is at 0 and one at 8 from column 4: (0 + 4) / 2.
    distances = chamfer_distances(column(4), np.concatenate([column(4), column(7), column(4, 12)]))
    np.testing.assert_allclose(distances, [[0, 3, 2]], rtol=1e-6)


def test_chamfer_distances_in_blocks(monkeypatch):
    drawn, true = blots(5), blots(7, seed=1)
    drawn[2], true[6] = 1, 1
    whole = chamfer_distances(drawn, true)
    monkeypatch.setattr(strokes, "_BLOCK", 2 * SIZE[0] * SIZE[1])  # two sketches at a time
    np.testing.assert_allclose(chamfer_distances(drawn, true), whole, rtol=1e-5)
    monkeypatch.setattr(strokes, "_BLOCK", 1)
    np.testing.assert_allclose(chamfer_distances(drawn, true), whole, rtol=1e-5)


@pytest.mark.filterwarnings("error")
def test_chamfer_distances_without_ink():
    paper = np.ones((1, *SIZE, 1))
    sketch = column(4, size=SIZE)
    both = np.concatenate([paper, sketch])
    np.testing.assert_allclose(chamfer_distances(both, both), [[0, 40], [40, 0]])  # 24, 32, 40
    assert chamfer_distances(paper, paper).tolist() == [[0]]
    assert chamfer_distances(paper, sketch).tolist() == chamfer_distances(sketch, paper).tolist() == [[40]]


@pytest.mark.parametrize("channels", [1, 3])
def test_structural_similarity_against_scikit_image(real, channels):
    metrics = pytest.importorskip("skimage.metrics")
    true = np.repeat(real, channels, axis=-1)
    drawn = np.clip(true + np.random.default_rng(0).normal(0, 0.4, true.shape), -1, 1)
    expected = []
    for one, other in zip((drawn + 1) / 2, (true + 1) / 2):
        _, image = metrics.structural_similarity(
            one,
            other,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            channel_axis=-1,
            full=True,
        )
        expected.append(image[5:-5, 5:-5].mean())  # where the window of 11 px lies within
    assert structural_similarity(drawn, true) == pytest.approx(np.mean(expected), abs=1e-5)


def test_structural_similarity_of_flat_paper_by_hand():
    # No variance: (2 x y + .01^2) / (x^2 + y^2 + .01^2), of x = 1 and y = .5. TensorFlow computes in
    # float32, which leaves a trace of variance.
    white = np.ones((60, 11, 11, 1))  # more than a batch
    assert structural_similarity(white, 0 * white) == pytest.approx(1.0001 / 1.2501, abs=1e-3)
    assert structural_similarity(white, white) == pytest.approx(1)
    half = np.where(np.arange(60)[:, None, None, None] < 45, white, 0)  # each counts once
    assert structural_similarity(white, half) == pytest.approx(0.75 + 0.25 * 1.0001 / 1.2501, abs=1e-3)


def test_the_true_sketch_is_best_by_all(real):
    assert stroke_f1(real, real, tolerance=0) == 1
    assert np.all(chamfer_distances(real, real).diagonal() == 0)
    assert structural_similarity(real, real) == pytest.approx(1, abs=1e-6)


def test_blank_paper_flatters_structural_similarity_alone():
    pairs = EmbeddedPairs(12, 0.5)
    true = to_unit(np.stack([pairs.load(i, (48, 48))[1] for i in range(12)]))
    paper, another = np.ones_like(true), np.roll(true, -6, axis=0)  # another one of the class
    assert structural_similarity(paper, true) > 1.2 * structural_similarity(another, true)
    assert stroke_f1(paper, true, tolerance=2) == 0 and stroke_f1(another, true, tolerance=2) > 0.3
    assert np.allclose(chamfer_distances(paper, true), np.hypot(48, 48))
    assert chamfer_distances(another, true).diagonal().max() < 10


@pytest.mark.parametrize("drawing", ["one a class", "class mean", "another photo's"])
def test_other_sketches_of_the_class_have_their_strokes_elsewhere(real, drawing):
    classes = np.arange(18) % 6
    drawn = {
        "one a class": real[classes],
        "class mean": real.reshape(3, 6, *real.shape[1:]).mean(axis=0)[classes],
        "another photo's": np.roll(real, -6, axis=0),
    }[drawing]
    others = slice(6, None)  # "one a class" is the true sketch of the first six
    assert stroke_f1(drawn[others], real[others]) < 0.8
    assert chamfer_distances(drawn, real).diagonal()[others].min() > 0.1


@pytest.mark.parametrize("measure", [stroke_f1, chamfer_distances, structural_similarity])
def test_what_is_no_batch_of_sketches(measure, real):
    with pytest.raises(ValueError, match=r"`sketches`.*\(n, height, .*Received: a shape of \(24, 32, 1\)"):
        measure(real[0], real)
    with pytest.raises(
        ValueError, match=r"`real_sketches`.*one sketch.*Received: a shape of \(0, 24, 32, 1\)"
    ):
        measure(real, real[:0])
    with pytest.raises(ValueError, match="`sketches` must be finite.*Received: float32 from nan"):
        measure(np.full_like(real, np.nan), real)
    with pytest.raises(ValueError, match="`real_sketches`.*Received: uint8 from 0 to 0"):
        measure(real, np.zeros(real.shape, "uint8"))
    with pytest.raises(
        ValueError, match=r"must have one .*Received: \(18, 24, 32, 1\) and \(18, 24, 31, 1\)"
    ):
        measure(real, real[:, :, 1:])


@pytest.mark.parametrize("measure", [stroke_f1, structural_similarity])
def test_pairs_must_be_as_many(measure, real):
    with pytest.raises(ValueError, match=r"one shape.*Received: \(1, 24, 32, 1\) and \(18, 24, 32, 1\)"):
        measure(real[:1], real)


def test_the_tolerance_may_not_be_negative(real):
    with pytest.raises(ValueError, match="`tolerance`.*Received: tolerance=-1"):
        stroke_f1(real, real, tolerance=-1)


def test_structural_similarity_of_small_images():
    small = np.ones((2, 16, 10, 1))
    with pytest.raises(ValueError, match=r"`sketches`.*at least 11 px.*Received: .*\(2, 16, 10, 1\)"):
        structural_similarity(small, small)
