"""Each measure by hand, and what generators that have given up get: why no measure stands alone."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_cgan.data import EmbeddedPairs, to_unit
from keras_cgan.metrics import (
    class_accuracy,
    confusion_matrix,
    l1_distance,
    label_swap,
    within_class_diversity,
    within_class_share,
)

SIZE = (16, 16)
LEVELS = np.linspace(-1, 1, 3, dtype="float32")  # grey paper: the class of a flat sketch


class FlatJudge:
    """Takes a sketch for the class whose grey is nearest to its mean."""

    def predict(self, sketches, verbose):
        assert verbose == 0
        means = np.mean(sketches, axis=(1, 2, 3))
        return -np.abs(means[:, None] - LEVELS)


def flat(classes):
    """A flat sketch for each class."""
    return np.broadcast_to(LEVELS[list(classes)][:, None, None, None], (len(classes), *SIZE, 1)).copy()


def one_hot(classes, n_classes=3):
    return np.eye(n_classes, dtype="float32")[list(classes)]


def flat_generator(obeys):
    """Draws the grey of the label, or that of the photo whatever the label says."""
    inputs = {"photo": keras.Input((*SIZE, 3), name="photo"), "label": keras.Input((3,), name="label")}
    asked = layers.Lambda(lambda label: ops.reshape(ops.matmul(label, LEVELS[:, None]), (-1, 1, 1, 1)))
    grey = layers.Lambda(lambda photo: photo[..., :1])(inputs["photo"])
    sketch = grey * 0 + asked(inputs["label"]) if obeys else grey + 0 * asked(inputs["label"])
    return keras.Model(inputs, sketch)


@pytest.fixture(scope="module")
def real():
    """Sketches of the embedded set, three a class, and their labels."""
    pairs = EmbeddedPairs(18, 0.5)
    return to_unit(np.stack([pairs.load(i, SIZE)[1] for i in range(18)])), pairs.one_hot()


def test_class_accuracy_is_the_share_of_right_answers():
    labels = one_hot([0, 1, 2, 2])
    assert class_accuracy(FlatJudge(), flat([0, 1, 2, 0]), labels) == 0.75
    assert class_accuracy(FlatJudge(), flat([1, 2, 0, 0]), labels) == 0
    assert class_accuracy(FlatJudge(), flat([0, 1, 2, 2]), labels) == 1


def test_the_confusion_has_a_row_a_class_and_a_column_for_what_it_was_taken_for():
    found = confusion_matrix(FlatJudge(), flat([0, 1, 1, 0, 2]), one_hot([0, 1, 2, 2, 2]))
    assert found.tolist() == [[1, 0, 0], [0, 1, 0], [1, 1, 1]]


def test_class_accuracy_takes_a_keras_model():
    sketch = keras.Input((*SIZE, 1))
    mean = layers.GlobalAveragePooling2D()(sketch)
    scores = layers.Lambda(lambda x: -ops.abs(x - LEVELS[None]))(mean)
    assert class_accuracy(keras.Model(sketch, scores), flat([0, 1, 2, 0]), one_hot([0, 1, 2, 2])) == 0.75


def test_swap_of_a_generator_that_obeys():
    classes = [0, 1, 2, 2]
    photos = np.repeat(flat(classes), 3, axis=-1)
    swap = label_swap(flat_generator(True), FlatJudge(), photos, one_hot(classes))
    assert swap == {"asked": 1, "photo": 0}


def test_swap_of_a_generator_that_ignores_the_label():
    classes = [0, 1, 2, 2]
    photos = np.repeat(flat(classes), 3, axis=-1)
    swap = label_swap(flat_generator(False), FlatJudge(), photos, one_hot(classes))
    assert swap == {"asked": 0, "photo": 1}


def test_swap_asks_for_each_other_class_of_each_photo_once():
    class Recorder:
        asked = []

        def predict(self, conditions, verbose):
            self.asked.append(np.argmax(conditions["label"], axis=1))
            return flat([0] * len(conditions["photo"]))

    classes = [0, 1, 2, 2]
    photos = np.zeros((4, *SIZE, 3), "float32")
    swap = label_swap(Recorder(), FlatJudge(), photos, one_hot(classes))
    for own, asked in zip(classes, np.transpose(Recorder.asked)):
        assert sorted([own, *asked]) == [0, 1, 2]
    # Always class 0: asked for by 3 photos of 4, once of twice; the photo's own of the first one.
    assert swap == {"asked": 3 / 8, "photo": 1 / 4}


def test_swap_needs_another_class():
    with pytest.raises(ValueError, match="`labels`.*two classes.*Received: 1"):
        label_swap(None, FlatJudge(), np.zeros((2, *SIZE, 3)), np.ones((2, 1), "float32"))


def test_real_sketches_are_as_diverse_as_real_sketches(real):
    sketches, labels = real
    assert within_class_diversity(sketches, sketches, labels) == pytest.approx(1)


def test_one_sketch_a_class_has_no_diversity(real):
    sketches, labels = real
    first = np.argmax(labels, axis=1)  # the first sketches of the set are one of each class
    assert within_class_diversity(sketches[first], sketches, labels) == pytest.approx(0, abs=1e-3)


def test_diversity_by_hand():
    # Flat paper stays flat under the blur, so distances are differences of grey. Class 0 has
    # greys 0, .2, .6 (mean distance .4); class 1 has 0, .6; class 2 is alone and does not count.
    # Each class counts once, however many sketches it has.
    labels = one_hot([0, 0, 0, 1, 1, 2])
    greys = np.array([0, 0.2, 0.6, 0, 0.6, 1], "float32")
    sketches = np.broadcast_to(greys[:, None, None, None], (6, *SIZE, 1))
    real = sketches.copy()
    real[:3] *= 0.5  # mean distance .2: (.4 + .6) / (.2 + .6)
    assert within_class_diversity(sketches, real, labels) == pytest.approx(1.25, rel=1e-4)


def test_diversity_is_of_sketches_of_one_class_only():
    labels = one_hot([0, 1, 0, 1])
    apart = flat([0, 2, 0, 2])
    noise = np.random.default_rng(0).uniform(-1, 1, apart.shape)
    assert within_class_diversity(apart, noise, labels) == pytest.approx(0, abs=1e-3)


def test_near_lines_are_less_diverse_than_far_ones():
    def lines(*columns):
        sketches = np.ones((2, 64, 64, 1), "float32")
        for sketch, column in zip(sketches, columns):
            sketch[:, column] = -1
        return sketches

    labels = one_hot([0, 0])
    near = within_class_diversity(lines(30, 31), lines(10, 50), labels)
    farther = within_class_diversity(lines(30, 33), lines(10, 50), labels)
    assert 0.05 < near < farther < 0.95
    assert within_class_diversity(lines(20, 40), lines(10, 50), labels) == pytest.approx(1, abs=0.01)


def test_colour_sketches_have_a_diversity_too():
    colour = np.random.default_rng(0).uniform(-1, 1, (4, 16, 20, 3))
    assert within_class_diversity(colour / 2, colour, one_hot([0, 0, 1, 1])) == pytest.approx(0.5, rel=1e-4)


def test_no_diversity_without_two_sketches_of_a_class():
    sketches = flat([0, 1, 2])
    assert np.isnan(within_class_diversity(sketches, sketches, one_hot([0, 1, 2])))


@pytest.mark.filterwarnings("error")
def test_no_diversity_beside_real_sketches_that_are_all_alike():
    assert np.isnan(within_class_diversity(flat([0, 1]), flat([2, 2]), one_hot([0, 0])))


def test_diversity_of_other_shapes():
    with pytest.raises(ValueError, match=r"one shape.*Received: \(2, 16, 16, 1\) and \(3, 16, 16, 1\)"):
        within_class_diversity(flat([0, 1]), flat([0, 1, 2]), one_hot([0, 1]))


def test_the_share_within_classes_is_that_of_an_analysis_of_variance():
    """Flat paper stays flat under the blur: one number a sketch, for which SciPy has the F statistic."""
    greys = np.random.default_rng(0).uniform(0, 1, 9)
    classes = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    stats = pytest.importorskip("scipy.stats")
    f = stats.f_oneway(*(greys[classes == c] for c in range(3))).statistic
    between, within = 2, 6  # degrees of freedom
    expected = 8 / (between * f + within)
    sketches = np.broadcast_to(greys[:, None, None, None], (9, *SIZE, 1))
    assert within_class_share(sketches, one_hot(classes)) == pytest.approx(expected, rel=1e-4)


def test_one_pattern_a_class_has_no_share_within_classes_however_faint():
    random = np.random.default_rng(0)
    patterns, photos = random.uniform(-1, 1, (3, *SIZE, 1)), random.uniform(-1, 1, (12, *SIZE, 1))
    classes = np.arange(12) % 3
    labels = one_hot(classes)
    drawn = patterns[classes] + 0.1 * photos
    for faint in (0.9, 0.05):
        assert within_class_share(faint * drawn, labels) < 0.03
        assert within_class_share(faint * photos, labels) == pytest.approx(1, abs=0.2)
    assert within_class_diversity(drawn, photos, labels) > 0.09
    assert np.isnan(within_class_share(np.ones_like(photos), labels))
    assert np.isnan(within_class_share(photos[:3], labels[:3]))  # one of each class


def test_l1_from_black_to_white_is_one():
    white, black = np.ones((2, *SIZE, 1), "float32"), -np.ones((2, *SIZE, 1), "float32")
    assert l1_distance(white, black) == l1_distance(black, white) == 1
    assert l1_distance(white, white) == 0
    half = white.copy()
    half[0] = -1
    assert l1_distance(half, white) == 0.5


def test_l1_of_white_paper_is_the_share_of_ink():
    sketch = np.ones((1, *SIZE, 1), "float32")
    sketch[:, :4] = -1
    assert l1_distance(np.ones_like(sketch), sketch) == 0.25


class OneSketchAClass:
    """A generator that has learnt one sketch of each class by heart."""

    def __init__(self, sketches):
        self.sketches = sketches

    def predict(self, conditions, verbose):
        return self.sketches[np.argmax(conditions["label"], axis=1)]


class Template:
    """A judge that knows sketches by heart: the nearest one names the class."""

    def __init__(self, sketches):
        self.sketches = sketches

    def predict(self, sketches, verbose):
        return -np.abs(sketches[:, None] - self.sketches[None]).mean(axis=(2, 3, 4))


def test_one_sketch_a_class_wins_all_but_diversity(real):
    sketches, labels = real
    by_heart = sketches[:6]
    generator, judge = OneSketchAClass(by_heart), Template(by_heart)
    photos = np.zeros((len(labels), *SIZE, 3), "float32")
    drawn = generator.predict({"label": labels}, verbose=0)
    assert class_accuracy(judge, drawn, labels) == 1
    assert label_swap(generator, judge, photos, labels) == {"asked": 1, "photo": 0}
    assert within_class_diversity(drawn, sketches, labels) == pytest.approx(0, abs=1e-3)


def test_white_paper_wins_by_l1_alone(real):
    sketches, labels = real
    paper = np.ones_like(sketches)
    shifted = np.roll(sketches, 2, axis=2)  # the right drawing, two pixels to the side
    assert l1_distance(paper, sketches) < l1_distance(shifted, sketches)
    assert class_accuracy(Template(sketches[:6]), paper, labels) == pytest.approx(1 / 6)
    assert within_class_diversity(paper, sketches, labels) == 0
    assert within_class_diversity(shifted, sketches, labels) > 0.9


@pytest.mark.parametrize(
    ("measure", "match"),
    [
        (lambda s, y: l1_distance(s[:1], s), "`sketches` and `real_sketches` must have one shape"),
        (lambda s, y: l1_distance(s, np.repeat(s, 3, axis=-1)), "must have one shape"),
        (lambda s, y: l1_distance(np.uint8(s), np.uint8(s)), r"`sketches` must be finite.*Received: uint8"),
        (lambda s, y: class_accuracy(FlatJudge(), s, y[:1]), r"`labels` must be \(3, n_classes\)"),
        (lambda s, y: class_accuracy(FlatJudge(), s, y * 2), "`labels` must be one-hot"),
        (lambda s, y: class_accuracy(FlatJudge(), s[:0], y[:0]), "`sketches` must be .* at least one sketch"),
        (lambda s, y: confusion_matrix(FlatJudge(), s[:2], y[:2, :2]), "`judge` must tell the classes of"),
        (lambda s, y: within_class_diversity(s, s, y[:2]), r"`labels` must be \(3, n_classes\)"),
        (lambda s, y: label_swap(None, None, s, y, most_swaps=0), "`most_swaps` must be .*Received:"),
    ],
)
def test_what_no_measure_can_be_taken_of_is_refused(measure, match):
    with pytest.raises(ValueError, match=match):
        measure(flat([0, 1, 2]), one_hot([0, 1, 2]))
