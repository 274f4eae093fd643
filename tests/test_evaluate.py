"""The judge learns and is independent; all measures come from one call."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cgan import metrics, strategy_networks, unet_generator
from keras_cgan.data import EmbeddedPairs, embedded_images, to_unit
from keras_cgan.evaluate import blurred, evaluate, evaluate_drawn, evaluate_images, gan_train, mean_by_judges
from keras_cgan.contrastive import small_changes
from keras_cgan.judges import judge_features, pair_distances, train_judge, train_pair_judge
from keras_cgan.latents import Latent

SIZE = (24, 24)
MEASURES = {
    *("class_accuracy", "class_accuracy_real", "class_accuracy_blurred"),
    *("photo_rank_features", "photo_rank_chamfer", "within_class_diversity"),
    *("fid_phi", "kid_phi", "density", "coverage"),
    *("stroke_f1_1px", "stroke_f1_2px", "ssim", "ssim_white_paper", "l1", "l1_white_paper"),
}


def arrays(count, seed):
    pairs = EmbeddedPairs(count, 0.3, seed=seed)
    photos, sketches = zip(*(pairs.load(i, SIZE) for i in range(count)))
    return to_unit(np.stack(photos)), pairs.one_hot(), to_unit(np.stack(sketches))


@pytest.fixture(scope="module")
def photographed():
    return arrays(24, seed=1)


@pytest.fixture(scope="module")
def judge():
    _, labels, sketches = arrays(120, seed=0)
    return train_judge(sketches, labels, epochs=30, batch_size=16)


@pytest.mark.parametrize("label_input", [True, False])
def test_measures_by_name(label_input, judge, photographed):
    generator = unet_generator((*SIZE, 3), n_classes=6 if label_input else None, filters=2)
    results = evaluate(generator, judge, *photographed)
    assert set(results) == MEASURES | ({"swap_asked", "swap_photo"} if label_input else set())
    assert all(isinstance(value, float) and np.isfinite(value) for value in results.values())


def test_measures_are_those_of_the_functions(judge, photographed):
    photos, labels, sketches = photographed
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    drawn = generator.predict({"photo": photos, "label": labels}, verbose=0)
    results = evaluate(generator, judge, *photographed)
    swap = metrics.label_swap(generator, judge, photos, labels)
    unclear = generator.predict({"photo": blurred(photos), "label": labels}, verbose=0)
    phi, phi_real = judge_features(judge, drawn), judge_features(judge, sketches)
    assert results == pytest.approx(
        {
            "class_accuracy": metrics.class_accuracy(judge, drawn, labels),
            "class_accuracy_real": metrics.class_accuracy(judge, sketches, labels),
            "class_accuracy_blurred": metrics.class_accuracy(judge, unclear, labels),
            "swap_asked": swap["asked"],
            "swap_photo": swap["photo"],
            "photo_rank_features": metrics.photo_rank(metrics.feature_distances(phi, phi_real), labels),
            "photo_rank_chamfer": metrics.photo_rank(metrics.chamfer_distances(drawn, sketches), labels),
            "within_class_diversity": metrics.within_class_diversity(drawn, sketches, labels),
            "fid_phi": metrics.frechet_distance(phi, phi_real),
            "kid_phi": metrics.kernel_distance(phi, phi_real),
            **metrics.density_and_coverage(phi, phi_real, k=5),
            "stroke_f1_1px": metrics.stroke_f1(drawn, sketches, 1),
            "stroke_f1_2px": metrics.stroke_f1(drawn, sketches, 2),
            "ssim": metrics.structural_similarity(drawn, sketches),
            "ssim_white_paper": metrics.structural_similarity(np.ones_like(sketches), sketches),
            "l1": np.mean(np.abs(drawn - sketches)) / 2,
            "l1_white_paper": np.mean(1 - sketches) / 2,
        },
        rel=1e-4,
    )


@pytest.mark.slow
def test_with_training_sketches_and_a_pair_judge(judge, photographed):
    photos, labels, sketches = photographed
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    drawn = generator.predict({"photo": photos, "label": labels}, verbose=0)
    _, _, train_sketches = arrays(30, seed=0)
    pair_judge = train_pair_judge(photos, sketches, steps=3)
    results = evaluate(generator, judge, *photographed, pair_judge, train_sketches)
    phi_train, phi_real = judge_features(judge, train_sketches), judge_features(judge, sketches)
    assert len(phi_train) > len(phi_real)
    random = np.random.default_rng(0)
    draws = [phi_train[random.permutation(len(phi_train))[: len(phi_real)]] for _ in range(5)]
    blank, measure = np.ones_like(sketches), metrics.nearest_training_distance
    expected = {
        "pair_rank": metrics.photo_rank(pair_distances(pair_judge, photos, drawn), labels),
        "pair_rank_real": metrics.photo_rank(pair_distances(pair_judge, photos, sketches), labels),
        "copying_ratio": measure(drawn, sketches, train_sketches)["ratio"],
        "copying_ratio_white_paper": measure(blank, sketches, train_sketches)["ratio"],
        "fid_phi_train": np.mean([metrics.frechet_distance(each, phi_real) for each in draws]),
    }
    assert {name: results[name] for name in expected} == pytest.approx(expected, rel=1e-4)
    assert set(results) == MEASURES | {"swap_asked", "swap_photo"} | set(expected)


def test_the_distance_of_training_sketches_is_of_as_many_of_each_class(judge, photographed):
    """A training set of the test sketches and many more of one class is as near as the test sketches are."""
    photos, labels, sketches = photographed
    more = np.clip(np.repeat(sketches[:1], 40, axis=0) - np.linspace(0, 1, 40)[:, None, None, None], -1, 1)
    first = np.argmax(labels, axis=1) != np.argmax(labels[0])  # all others: theirs are the only ones
    known = np.concatenate([sketches[first], more]), np.concatenate([labels[first], labels[:1].repeat(40, 0)])

    def distance(*known):
        return evaluate_drawn(sketches, judge, photos, labels, sketches, None, *known)["fid_phi_train"]

    assert distance(sketches, labels) == pytest.approx(0, abs=1e-3) == distance(sketches)
    assert distance(*known) < 0.7 * distance(known[0])
    with pytest.raises(ValueError, match="`train_labels` must be of the 6 classes of `labels`. Received: 5"):
        distance(sketches[first], labels[first][:, 1:])
    with pytest.raises(ValueError, match="`train_labels` must be"):
        distance(sketches, labels[1:])


def test_without_a_judge_there_is_what_needs_none(judge, photographed):
    generator = unet_generator((*SIZE, 3), filters=2)
    results = evaluate(generator, None, *photographed, train_sketches=arrays(24, seed=0)[2])
    whole = evaluate(generator, judge, *photographed, train_sketches=arrays(24, seed=0)[2])
    by_judge = {"class_accuracy", "class_accuracy_real", "class_accuracy_blurred", "photo_rank_features"}
    by_judge |= {"fid_phi", "kid_phi", "density", "coverage", "fid_phi_train"}
    assert results == {name: value for name, value in whole.items() if name not in by_judge}
    assert set(results) == set(whole) - by_judge


def test_a_blurred_photo_keeps_its_mass_and_loses_its_lines(photographed):
    photos = photographed[0]
    smooth = blurred(photos)
    assert smooth.shape == photos.shape and smooth.dtype == photos.dtype
    assert np.abs(smooth.mean(axis=(1, 2)) - photos.mean(axis=(1, 2))).max() < 0.2
    assert np.abs(np.diff(smooth, axis=2)).max() < 0.3 * np.abs(np.diff(photos, axis=2)).max()


@pytest.mark.slow
def test_gan_train_asks_a_judge_of_drawn_sketches_about_real_ones(photographed):
    """A generator that hands on its "photos": the real sketches, or always one of them."""
    _, labels, sketches = photographed
    _, train_labels, train_sketches = arrays(120, seed=0)
    photo = keras.Input((*SIZE, 1), name="photo")
    copies = keras.Model(photo, layers.Identity()(photo))
    blank = keras.Model(photo, layers.Lambda(lambda x: 0 * x + 1)(photo))

    def accuracy(generator):
        return gan_train(generator, train_sketches, train_labels, sketches, labels, epochs=20, batch_size=16)

    assert accuracy(copies) > 0.5
    assert accuracy(blank) < 0.35


def test_real_sketches_pass(judge, photographed):
    """A generator that draws the true sketches: they are handed to it as photos."""
    _, labels, sketches = photographed
    photo = keras.Input((*SIZE, 1), name="photo")
    copies = keras.Model(photo, layers.Identity()(photo))
    results = evaluate(copies, judge, sketches, labels, sketches)
    assert results["class_accuracy"] == results["class_accuracy_real"]
    assert results["within_class_diversity"] == pytest.approx(1) and results["l1"] == 0


@pytest.mark.filterwarnings("error")
def test_one_test_photo_a_class_has_no_diversity(judge, photographed):
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    results = evaluate(generator, judge, *(part[:6] for part in photographed))
    for name in ("within_class_diversity", "photo_rank_features", "photo_rank_chamfer"):
        assert np.isnan(results.pop(name)), name
    assert all(np.isfinite(value) for value in results.values())


def test_the_judge_knows_sketches_that_it_has_not_seen(judge, photographed):
    _, labels, sketches = photographed
    assert metrics.class_accuracy(judge, sketches, labels) > 0.6  # chance: .17
    probabilities = judge.predict_on_batch(sketches)
    assert probabilities.shape == (24, 6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_the_judge_is_another_network_than_the_classifier(judge):
    classifier = strategy_networks("classifier", (*SIZE, 3), 6, filters=2)[2]

    def kernels(network):
        return [weight.shape for weight in network.trainable_weights if weight.name == "kernel"]

    assert kernels(judge) != kernels(classifier)
    # What it says of a sketch is certain: neither augmentation nor noise is left in it.
    kinds = {layer.__class__.__name__ for layer in judge.layers}
    assert "GaussianNoise" not in kinds and not {kind for kind in kinds if kind.startswith("Random")}


@pytest.mark.slow
def test_the_judge_follows_from_its_seed():
    _, labels, sketches = arrays(18, seed=0)

    def weights(start, **options):
        keras.utils.set_random_seed(start)
        judge = train_judge(sketches, labels, epochs=2, batch_size=8, **options)
        return np.concatenate([w.ravel() for w in judge.get_weights()])

    first = weights(1)
    np.testing.assert_array_equal(first, weights(2))
    assert np.any(first != weights(1, seed=5))


@pytest.mark.slow
def test_labels_are_not_shifted_against_sketches():
    """A set that is learnt only if every sketch is seen with its own label."""
    labels = np.eye(2, dtype="float32")[[0, 1] * 16]
    sketches = np.ones((32, 16, 16, 1), "float32")
    sketches[1::2, 4:12, 4:12] = -1
    judge = train_judge(sketches, labels, epochs=15, batch_size=8)
    assert metrics.class_accuracy(judge, sketches, labels) == 1


@pytest.mark.slow
def test_a_judge_that_never_sees_a_mirrored_image_tells_it_from_the_class_that_it_looks_like():
    """Two classes that are mirror images of each other: learnt only where nothing is mirrored."""
    labels = np.eye(2, dtype="float32")[[0, 1] * 16]
    images = -np.ones((32, 16, 16, 1), "float32")
    images[0::2, 3:13, 3:7] = 1
    images[0::2, 9:13, 3:13] = 1  # an L
    images[1::2] = images[0::2, :, ::-1]
    judge = train_judge(images, labels, epochs=15, batch_size=8, mirror=False, background=-1.0)
    assert metrics.class_accuracy(judge, images, labels) == 1
    mirrored = train_judge(images, labels, epochs=15, batch_size=8, background=-1.0)
    assert metrics.class_accuracy(mirrored, images, labels) < 1


def test_what_a_shifted_image_leaves_free_is_background():
    """An image all black stays all black for a judge that is told so, and gets a white rim otherwise."""
    black = -np.ones((8, 16, 16, 1), "float32")
    told = small_changes(seed=0, mirror=False, background=-1.0)(black, training=True)
    np.testing.assert_array_equal(told, black)
    assert np.max(small_changes(seed=0, mirror=False, background=1.0)(black, training=True)) > 0


@pytest.fixture(scope="module")
def digits():
    return embedded_images(300, (16, 16)).split(0.2)


@pytest.fixture(scope="module")
def digit_judge(digits):
    train, _ = digits
    return train_judge(train.images, train.labels, epochs=20, mirror=False, background=-1.0)


class Drawer:
    """A generator of class images that draws by a function of labels: no network needed."""

    def __init__(self, draw):
        self.draw = draw

    def predict(self, inputs, verbose=0):
        assert set(inputs) == {"latent", "label"} and len(inputs["latent"]) == len(inputs["label"])
        return self.draw(np.argmax(inputs["label"], axis=1))


@pytest.mark.slow
def test_generators_that_the_measures_of_class_images_must_tell_apart(digits, digit_judge):
    train, test = digits
    latent = Latent(4, (), 0)
    classes = np.argmax(train.labels, axis=1)
    rng = np.random.default_rng(0)
    others = [rng.permutation(np.flatnonzero(classes == c)) for c in range(10)]

    def one_of(asked):
        turns = [int(np.sum(asked[:i] == c)) for i, c in enumerate(asked)]
        return train.images[[others[c][turn] for c, turn in zip(asked, turns)]]

    def measures(draw):
        return evaluate_images(Drawer(draw), digit_judge, latent, test)

    varied = measures(one_of)
    alike = measures(lambda asked: train.images[[others[c][0] for c in asked]])
    wrong = measures(lambda asked: one_of((asked + 1) % 10))
    assert varied["class_accuracy"] > 0.8 and varied["within_class_diversity"] > 0.8
    assert varied["ms_ssim"] == pytest.approx(varied["ms_ssim_real"], abs=0.1)
    # 16 px hold the 11 px window once. Of real images about half of the classes are more alike by chance.
    assert varied["ms_ssim_scales"] == 1 and 0.1 <= varied["ms_ssim_classes_below"] <= 0.9
    assert alike["ms_ssim_classes_below"] == 0
    assert alike["within_class_diversity"] == pytest.approx(0, abs=1e-3) and alike[
        "ms_ssim"
    ] == pytest.approx(1)
    assert (
        wrong["class_accuracy"] < 0.2 and wrong["class_accuracy_real"] == varied["class_accuracy_real"] > 0.6
    )


@pytest.mark.slow
def test_measures_of_class_images_follow_from_the_seed(digits, digit_judge):
    _, test = digits
    latent, drawn = Latent(4, (), 0), []
    generator = Drawer(lambda asked: test.images)
    watched = generator.predict
    generator.predict = lambda inputs, verbose=0: drawn.append(inputs["latent"]) or watched(inputs)
    for seed in (1, 1, 2):
        evaluate_images(generator, digit_judge, latent, test, seed=seed)
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.any(np.asarray(drawn[0]) != np.asarray(drawn[2]))


def test_means_by_judges_and_their_ranges():
    found = {
        1: {"rank": 0.65, "l1": 0.25, "kid": float("nan")},
        2: {"rank": 0.71, "l1": 0.25, "kid": 0.5},
        3: {"rank": 0.68, "l1": 0.25, "kid": 0.7},
    }
    means, ranges = mean_by_judges([1, 2, 3], found.get)
    assert means["rank"] == pytest.approx(0.68) and means["l1"] == 0.25 and np.isnan(means["kid"])
    assert ranges == {"rank": (0.65, 0.71)}  # of what no judge looks at, and of NaN, there is none
    assert mean_by_judges([2], found.get) == (found[2], {})


def test_a_mean_of_no_judge_is_refused():
    with pytest.raises(ValueError, match="`judges` must be a list of at least one. Received: none"):
        mean_by_judges([], len)


def test_what_does_not_belong_together_is_refused_by_name(judge, photographed):
    photos, labels, sketches = photographed
    generator = strategy_networks("classifier", photos.shape[1:], labels.shape[1], filters=2)[0]
    for given, message in (
        ((photos[:3], labels, sketches), "`labels` must be .*3, n_classes.*Received: a shape of"),
        ((photos, labels.argmax(axis=1), sketches), "`labels` must be .*Received: a shape of"),
        ((photos, labels, sketches[:3]), "`drawn` and `sketches` must have one shape.*Received: "),
        ((photos, labels, sketches[:, :8]), "`drawn` and `sketches` must have one shape.*Received: "),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate(generator, judge, *given)
    with pytest.raises(ValueError, match="`photos` must be as many as `sketches`.*Received: 3"):
        evaluate_drawn(sketches, judge, photos[:3], labels, sketches)
    with pytest.raises(ValueError, match="`labels` must be .*Received: a shape of"):
        gan_train(generator, photos[:2], labels, sketches, labels)
