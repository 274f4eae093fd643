"""Terms of the generator's loss: by hand, what each asks for, and how the engine takes them."""

import cv2
import keras
import numpy as np
import pytest
from keras import ops
from scipy.ndimage import map_coordinates

from keras_cgan import ConditionalGAN, patch_discriminator, resnet_classifier, unet_generator
from keras_cgan.data import EmbeddedPairs
from keras_cgan.diff_augment import DiffAugment
from keras_cgan.terms import BlurredL1, EdgeLikeness, GeneratorTerm, blur, correlation, photo_edges, shrinkage
from keras_cgan.testing import moved_variables

SIZE = (16, 16)


def line(column, side=16):
    """A black line down one column of white paper."""
    paper = np.ones((1, side, side, 1), "float32")
    paper[:, :, column] = -1
    return paper


def value(term, drawn, photo=None, sketch=None):
    return float(term(drawn, None, photo, None, sketch)[0])


def test_blur_is_opencvs():
    image = np.random.default_rng(0).normal(size=(1, 20, 24, 1)).astype("float32")
    expected = cv2.GaussianBlur(image[0], (11, 11), 2.0, borderType=cv2.BORDER_CONSTANT)
    np.testing.assert_allclose(blur(image, 2.0)[0, ..., 0], expected, atol=1e-5)
    assert blur(image, 0) is image


def test_channels_are_blurred_each_by_itself():
    image = np.random.default_rng(0).normal(size=(2, 12, 16, 3)).astype("float32")
    alone = [blur(image[..., n : n + 1], 1.5) for n in range(3)]
    np.testing.assert_allclose(blur(image, 1.5), np.concatenate(alone, axis=-1), atol=1e-5)


def test_sharp_l1_is_least_for_blank_paper_and_blurred_l1_for_a_near_line():
    true, near, far, blank = line(8), line(9), line(2), np.ones_like(line(8))
    sharp, blurred = BlurredL1(1.0, sigmas=(0,)), BlurredL1(1.0, sigmas=(2.0,))
    assert value(sharp, blank, sketch=true) < value(sharp, near, sketch=true)
    found = [value(blurred, drawn, sketch=true) for drawn in (true, near, blank, far)]
    assert found == sorted(found) and found[0] == 0
    assert value(sharp, blank, sketch=true) == pytest.approx(2 / 16)


def test_several_sigmas_are_averaged():
    true, drawn = line(8), line(11)
    alone = [value(BlurredL1(1.0, (sigma,)), drawn, sketch=true) for sigma in (1.0, 3.0)]
    assert value(BlurredL1(1.0, (1.0, 3.0)), drawn, sketch=true) == pytest.approx(np.mean(alone), rel=1e-5)


def test_edges_are_where_slopes_are_steeper_than_on_either_side():
    photo = np.random.default_rng(1).uniform(-1, 1, (2, 16, 18, 3)).astype("float32")
    for found, image in zip(photo_edges(photo)[..., 0], photo):
        image = cv2.GaussianBlur(image, (5, 5), 0.7, borderType=cv2.BORDER_REFLECT_101)
        down, right = (
            cv2.Sobel(image, cv2.CV_32F, *axes, borderType=cv2.BORDER_REFLECT_101)
            for axes in ((0, 1), (1, 0))
        )
        steepest = np.argmax(np.hypot(down, right), axis=-1)[..., None]
        slope = np.stack([np.take_along_axis(x, steepest, -1)[..., 0] for x in (down, right)])
        steep = np.hypot(*slope)
        step = slope / np.maximum(np.abs(slope).max(axis=0), 1e-9)
        places = np.indices(steep.shape)
        sides = [map_coordinates(steep, places + way * step, order=1, mode="constant") for way in (-1, 1)]
        expected = np.where(steep > np.max(sides, axis=0), np.minimum(steep, 1), 0)
        np.testing.assert_allclose(found, expected, atol=1e-3)
        assert 0.1 < np.mean(expected > 0) < 0.4


@pytest.mark.parametrize("angle", range(0, 180, 15))
def test_edges_are_thin_and_have_no_gaps(angle):
    y, x = np.indices((24, 24)) - 11.5
    distance = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    photo = np.repeat(np.clip(distance, -1, 1)[None, ..., None], 3, axis=-1).astype("float32")
    edges = np.asarray(photo_edges(photo))[0, 4:-4, 4:-4, 0] > 0.5
    along = 0 if angle < 45 or angle > 135 else 1
    # A line is crossed in each row (or column), and where it slants perhaps by two pixels.
    assert set(edges.sum(axis=1 - along)) <= ({1} if angle % 90 == 0 else {1, 2})
    assert not np.any(photo_edges(np.full_like(photo, 0.3)))


def test_correlation_is_numpys():
    rng = np.random.default_rng(2)
    images, others = (rng.normal(size=(3, 8, 8, 1)).astype("float32") for _ in range(2))
    expected = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(images, others)]
    np.testing.assert_allclose(correlation(images, others), expected, atol=1e-4)
    assert abs(float(correlation(images, np.ones_like(images))[0])) < 1e-3


def test_likeness_to_edges_asks_for_the_photos_outline_whatever_the_ink():
    photo = np.ones((1, 32, 32, 3), "float32")
    photo[:, 8:24, 8:24] = (-1, 0, 1)
    outline = np.full((32, 32), 255, np.uint8)
    cv2.rectangle(outline, (8, 8), (23, 23), 0, 1)
    outline = (outline / 127.5 - 1).astype("float32")[None, ..., None]
    shifted = np.roll(outline, 6, axis=1)
    faint = 1 - 0.3 * (1 - outline)
    term = EdgeLikeness(1.0, sigma=1.0)
    assert value(term, outline, photo) < 0.3 < value(term, shifted, photo)
    assert value(term, np.ones_like(outline), photo) == pytest.approx(1, abs=1e-3)
    assert value(term, faint, photo) == pytest.approx(value(term, outline, photo), abs=1e-2)


def test_what_is_asked_for_edges_is_the_same_at_every_size():
    photos, _, sketches = EmbeddedPairs(6, 0.3).as_arrays((32, 48))
    larger = [np.repeat(np.repeat(images, 3, axis=1), 3, axis=2) for images in (sketches, photos)]
    asked = EdgeLikeness(1.0, looked_at=32)
    unshrunk = EdgeLikeness(1.0, looked_at=96)
    apart = []
    for n in range(6):
        wanted = value(asked, sketches[n : n + 1], photos[n : n + 1])
        assert value(asked, *(images[n : n + 1] for images in larger)) == pytest.approx(wanted, abs=1e-4)
        apart.append(abs(value(unshrunk, *(images[n : n + 1] for images in larger)) - wanted))
    assert max(apart) > 0.02
    assert [shrinkage(*size) for size in ((32, 32), (64, 80), (127, 127), (128, 300))] == [1, 1, 1, 2]


class Asked(GeneratorTerm):
    """One where the class asked for is not the first."""

    def loss(self, drawn, asked, photo, label, sketch):
        return label[:, 0] - asked[:, 0]


def networks():
    generator = unet_generator((*SIZE, 3), n_classes=2, filters=2)
    discriminator = patch_discriminator((*SIZE, 1), filters=2, n_layers=1, norm=None, augment=DiffAugment())
    return generator, discriminator, resnet_classifier((*SIZE, 1), 2, filters=2, stages=2)


def batch(n=6, label=0):
    pairs = EmbeddedPairs(n, 0.3)
    photos, _, sketches = pairs.as_arrays(SIZE)
    return {"photo": photos, "label": np.eye(2, dtype="float32")[[label] * n]}, sketches


def gan(**options):
    keras.utils.set_random_seed(0)
    made = ConditionalGAN(*networks(), **options)
    made.compile()
    return made


def test_terms_are_logged_and_added_by_their_weights():
    x, y = batch()
    plain = gan().test_on_batch(x, y, return_dict=True)
    terms = [BlurredL1(3.0), EdgeLikeness(0.5)]
    both = gan(terms=terms).test_on_batch(x, y, return_dict=True)
    assert set(both) == set(plain) | {"g_blurred_l1", "g_edges"}
    expected = plain["g_loss"] + 3.0 * both["g_blurred_l1"] + 0.5 * both["g_edges"]
    assert both["g_loss"] == pytest.approx(expected, rel=1e-4)
    drawn = gan().predict(x, verbose=0)
    by_hand = np.mean(terms[0](drawn, x["label"], x["photo"], x["label"], y))
    assert both["g_blurred_l1"] == pytest.approx(by_hand, rel=1e-3)


@pytest.mark.slow
def test_weights_of_samples_weigh_terms():
    x, y = batch()
    model = gan(terms=[BlurredL1(1.0)])
    alone = [
        model.test_on_batch({k: v[i : i + 1] for k, v in x.items()}, y[i : i + 1], return_dict=True)
        for i in range(2)
    ]
    weighted = model.test_on_batch(
        {k: v[:2] for k, v in x.items()},
        y[:2],
        sample_weight=np.array([1.0, 3.0], "float32"),
        return_dict=True,
    )
    expected = (alone[0]["g_blurred_l1"] + 3 * alone[1]["g_blurred_l1"]) / 2
    assert weighted["g_blurred_l1"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
def test_terms_train_the_generator_alone():
    x, y = batch()
    model = gan(terms=[EdgeLikeness(1.0)], swap_rate=0.5)
    told = model.objectives
    moved = moved_variables(
        lambda: model.train_on_batch(x, y), model.generator, model.discriminator, model.classifier
    )
    assert all(moved.values()) and told.d_model.trainable
    # With all else weighted 0, the generator follows the term.
    model = gan(terms=[EdgeLikeness(100.0)], l1_weight=0, adversarial_weight=0, class_weight=0)
    losses = [model.train_on_batch(x, y, return_dict=True)["g_edges"] for _ in range(80)]
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.slow
def test_a_share_of_the_labels_is_swapped_and_those_do_not_count_for_the_true_sketch():
    x, y = batch(n=60)
    model = gan(terms=[Asked(1.0, name="asked")], swap_rate=0.6)
    logs = [model.train_on_batch(x, y, return_dict=True) for _ in range(10)]
    # Half of the random classes are the photo's own.
    assert np.mean([log["g_asked"] for log in logs]) == pytest.approx(0.3, abs=0.06)
    whole = gan().train_on_batch(x, y, return_dict=True)["g_l1"]
    assert logs[0]["g_l1"] == pytest.approx(whole, rel=0.1)  # of own ones alone, in the mean .7 of all
    assert model.test_on_batch(x, y, return_dict=True)["g_asked"] == 0


@pytest.mark.slow
def test_a_swapped_class_counts_as_often_as_it_is_weighted():
    x, y = batch(n=60)
    once, thrice = (gan(swap_rate=0.6, swap_weight=weight) for weight in (1.0, 3.0))
    own = gan(swap_rate=0.6, swap_weight=0.0)
    # The same seeds: the same labels are swapped.
    logs = [model.train_on_batch(x, y, return_dict=True) for model in (own, once, thrice)]
    parts = [log["g_loss"] for log in logs]
    assert parts[0] < parts[1] and parts[2] - parts[0] == pytest.approx(3 * (parts[1] - parts[0]), rel=1e-3)
    assert logs[0]["g_class"] == logs[1]["g_class"] == logs[2]["g_class"]  # without the weight


@pytest.mark.slow
def test_where_another_class_is_asked_for_edges_may_be_left_out():
    x, y = batch(n=60)
    asked = Asked(0.0, name="asked")
    terms = [EdgeLikeness(1.0), EdgeLikeness(1.0, own_class_only=True, name="own"), asked]
    logs = gan(terms=terms, swap_rate=0.6).train_on_batch(x, y, return_dict=True)
    assert 0.1 < logs["g_asked"] and logs["g_own"] == pytest.approx(logs["g_edges"], rel=0.1)


@pytest.mark.slow
def test_terms_are_saved_with_the_model(tmp_path):
    model = gan(terms=[BlurredL1(2.0, (1.0,)), EdgeLikeness(3.0, sigma=2.0, looked_at=32)], swap_rate=0.25)
    model.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert [term.get_config() for term in loaded.terms] == [term.get_config() for term in model.terms]
    assert loaded.swap_rate == 0.25
    x, y = batch()
    # The seeds of what is swapped are saved too.
    assert loaded.train_on_batch(x, y, return_dict=True) == pytest.approx(
        model.train_on_batch(x, y, return_dict=True), rel=1e-5
    )


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: BlurredL1(-1.0), "`weight` must be"),
        (lambda: BlurredL1(1.0, sigmas=()), "`sigmas` must be a tuple"),
        (lambda: BlurredL1(1.0, sigmas=(-2.0,)), r"`sigmas\[0\]` must be"),
        (lambda: EdgeLikeness(1.0, sigma=0.0), "`sigma` must be"),
        (lambda: EdgeLikeness(1.0, looked_at=0), "`looked_at` must be"),
        (lambda: gan(terms=["edges"]), "`terms` must be a list of `GeneratorTerm`s"),
        (lambda: gan(terms=[BlurredL1(), BlurredL1()]), "another one named 'blurred_l1'"),
        (lambda: gan(terms=[BlurredL1(name="l1")]), "another one named 'l1'"),
        (lambda: gan(swap_rate=1.0), "`swap_rate` must be"),
        (lambda: gan(swap_rate=0.5, swap_weight=-1.0), "`swap_weight` must be"),
        (
            lambda: ConditionalGAN(unet_generator((*SIZE, 3), filters=2), networks()[1], swap_rate=0.5),
            "generator that takes the label",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_term_without_a_loss():
    with pytest.raises(NotImplementedError, match="must have a method `loss`"):
        GeneratorTerm(1.0, "none")(ops.ones((1, 4, 4, 1)), None, None, None, None)
