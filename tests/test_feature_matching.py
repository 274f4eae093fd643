"""Features of what was drawn and of the true sketch: by hand, what moves, whose network it is, and saving."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_cgan import (
    ConditionalGAN,
    DiffAugment,
    FeatureMatching,
    joined_discriminator,
    lenet_classifier,
    patch_discriminator,
    resnet_classifier,
    shared_q_discriminator,
    two_head_discriminator,
    unet_generator,
)
from keras_cgan.feature_matching import feature_network
from keras_cgan.testing import moved_variables
from keras_cgan.training.checkpoint import TrainerCheckpoint

SIZE = (16, 16)
SKETCH, PAIR = (*SIZE, 1), (*SIZE, 4)


def images(channels, n=3, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, *SIZE, channels)).astype("float32")


def value(term, drawn, sketch, photo=None, training=True):
    photo = images(3, seed=9) if photo is None else photo
    return ops.convert_to_numpy(term(drawn, None, photo, None, sketch, training=training))


def pairs_discriminator(**options):
    return patch_discriminator(PAIR, filters=2, n_layers=1, **{"norm": None, **options})


def gan(discriminator=None, classifier=None, alone=False, **options):
    """A model; `alone`: whose generator learns by its terms only."""
    keras.utils.set_random_seed(0)
    generator = unet_generator((*SIZE, 3), n_classes=2, filters=2)
    weights = dict.fromkeys(["l1_weight", "adversarial_weight", "class_weight"], 0.0) if alone else {}
    made = ConditionalGAN(generator, discriminator or pairs_discriminator(), classifier, **weights, **options)
    made.compile(g_optimizer=keras.optimizers.Adam(5e-3))
    return made


def batch(n=3):
    x = {"photo": images(3, n, seed=1), "label": np.eye(2, dtype="float32")[np.arange(n) % 2]}
    return x, images(1, n, seed=2)


def outputs(network, layers, inputs):
    features = keras.Model(network.inputs[0], [network.get_layer(name).output for name in layers])
    return [ops.convert_to_numpy(feature) for feature in keras.tree.flatten(features(inputs, training=False))]


@pytest.mark.parametrize("layers", [None, ("trunk1_conv", "patch_relu")])
def test_by_hand_of_a_pair(layers):
    network = pairs_discriminator()
    drawn, true, photo = images(1), images(1, seed=1), images(3, seed=2)
    found = value(FeatureMatching(network, layers=layers), drawn, true, photo)
    shown = [np.concatenate([photo, sketch], axis=-1) for sketch in (drawn, true)]
    shown = [outputs(network, layers or ["trunk1_relu", "patch_relu"], pair) for pair in shown]
    expected = [np.mean(np.abs(a - b), axis=(1, 2, 3)) for a, b in zip(*shown)]
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-5)


def test_by_hand_of_a_sketch_alone():
    network = keras.Sequential(
        [keras.Input(SKETCH), keras.layers.Flatten(), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)]
    )
    drawn, true = images(1), images(1, seed=1)
    hidden = network.layers[1].name
    (a,), (b,) = (outputs(network, [hidden], sketch) for sketch in (drawn, true))
    found = value(FeatureMatching(network), drawn, true)
    np.testing.assert_allclose(found, np.mean(np.abs(a - b), axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    "network, expected",
    [
        (pairs_discriminator(activation="sigmoid"), ["trunk1_relu", "patch_relu"]),
        (
            two_head_discriminator(PAIR, 2, filters=2, n_layers=1),
            ["trunk1_relu", "patch_relu", "classes_hidden_relu"],
        ),
    ],
)
def test_by_default_all_that_comes_of_a_nonlinearity_before_the_outputs(network, expected):
    found = feature_network(network).outputs
    assert [tensor._keras_history.operation.name for tensor in found] == expected


def test_nonlinearities_within_layers_count_too():
    found = feature_network(lenet_classifier((32, 32, 1), 3)).outputs
    assert [len(tensor.shape) for tensor in found] == [4, 4, 2, 2]  # and not the classes


def test_by_hand_of_a_discriminator_that_is_told_the_label():
    """Its features are those before the label joins, in a gan and alone."""
    told = pairs_discriminator(n_classes=2)
    model = gan(told, terms=[FeatureMatching()])
    blind = keras.Model(told.input["image"], told.get_layer("patch_relu").output)
    drawn, true, photo = images(1), images(1, seed=1), images(3, seed=2)
    found, alone = (value(term, drawn, true, photo) for term in (model.terms[0], FeatureMatching(told)))
    expected = value(FeatureMatching(blind, layers=("trunk1_relu", "patch_relu")), drawn, true, photo)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(alone, expected, rtol=1e-5)
    logs = model.train_on_batch(*batch(), return_dict=True)
    assert 0 < logs["g_feature_matching"] < np.inf


def joined_parts():
    """Three discriminators: of the pair at half the size, of the sketch, and one that is told the label."""
    options = {"filters": 2, "n_layers": 1, "norm": None}
    return [
        patch_discriminator((8, 8, 4), name="coarse", **options),
        patch_discriminator(SKETCH, name="sketch", **options),
        patch_discriminator(PAIR, name="told", n_classes=2, **options),
    ]


@pytest.mark.parametrize("layers", [None, ("told/patch_relu", "coarse/trunk1_relu", "told/trunk1_relu")])
def test_by_hand_of_joined_discriminators(layers):
    """Each part's features are of what it is shown."""
    parts = joined_parts()
    joined_discriminator(PAIR, parts)  # of which they are parts, too, shown other images
    joined = joined_discriminator(PAIR, parts, augment=keras.layers.Rescaling(0.5))
    drawn, true, photo = images(1), images(1, seed=1), images(3, seed=2)

    def features(sketch):
        pair = 0.5 * np.concatenate([photo, sketch], axis=-1)
        halves = pair.reshape(3, 8, 2, 8, 2, 4).mean(axis=(2, 4))
        blind = keras.Model(parts[2].input["image"], parts[2].get_layer("patch_relu").output)
        both = ["trunk1_relu", "patch_relu"]
        found = zip(
            ("coarse", "sketch", "told"),
            (
                outputs(parts[0], both, halves),
                outputs(parts[1], both, pair[..., 3:]),
                outputs(blind, both, pair),
            ),
        )
        named = {f"{part}/{name}": x for part, both_found in found for name, x in zip(both, both_found)}
        return [named[name] for name in layers or named]

    expected = [np.mean(np.abs(a - b), axis=(1, 2, 3)) for a, b in zip(features(drawn), features(true))]
    found = value(FeatureMatching(joined, layers=layers), drawn, true, photo)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-5)


def test_a_gan_of_joined_discriminators_is_saved_with_the_term(tmp_path):
    joined = joined_discriminator(PAIR, joined_parts(), augment=DiffAugment())
    model = gan(joined, terms=[FeatureMatching()])
    assert 0 < model.train_on_batch(*batch(), return_dict=True)["g_feature_matching"] < np.inf
    model.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    first, second = (made.train_on_batch(*batch(), return_dict=True) for made in (model, loaded))
    assert second == pytest.approx(first, rel=1e-4)
    assert len(loaded.variables) == len(model.variables)


@pytest.mark.parametrize("norm", ["batch", "instance", "spectral"])
def test_zero_for_the_true_sketch_whatever_is_random_in_the_network(norm):
    augmented = pairs_discriminator(norm=norm, augment=DiffAugment())
    model = gan(augmented, terms=[FeatureMatching()])
    true = images(1)
    assert np.all(value(model.terms[0], true, true) == 0)
    assert np.all(value(model.terms[0], images(1, seed=1), true) > 0)


def test_augmentation_falls_otherwise_at_each_step_and_not_at_all_where_measured():
    x, y = batch()
    model = gan(pairs_discriminator(augment=DiffAugment()), terms=[FeatureMatching()])
    term, drawn = model.terms[0], images(1)
    first = value(term, drawn, y, x["photo"])
    assert np.all(value(term, drawn, y, x["photo"]) == first)
    weights = model.discriminator.get_weights()
    model.train_on_batch(x, y)
    model.discriminator.set_weights(weights)
    assert np.all(value(term, drawn, y, x["photo"]) != first)
    measured = value(FeatureMatching(model.discriminator), drawn, y, x["photo"])
    np.testing.assert_allclose(value(term, drawn, y, x["photo"], training=False), measured, rtol=1e-5)


def test_gradients_reach_what_was_drawn_and_not_the_true_sketch():
    tf = pytest.importorskip("tensorflow")
    term, photo = FeatureMatching(pairs_discriminator()), images(3)
    drawn, true = tf.constant(images(1)), tf.constant(images(1, seed=1))
    with tf.GradientTape() as tape:
        tape.watch([drawn, true])
        loss = term(drawn, None, photo, None, true)
    of_drawn, of_true = tape.gradient(loss, [drawn, true])
    assert np.all(np.any(of_drawn.numpy(), axis=(1, 2, 3))) and of_true is None


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_by_another_network_the_generator_learns_and_nothing_of_the_network_moves(norm):
    network = pairs_discriminator(norm=norm, augment=DiffAugment(), name="fixed")
    model = gan(terms=[FeatureMatching(network, weight=100.0)], alone=True)
    moved = moved_variables(lambda: model.train_on_batch(*batch()), model.generator, network)
    assert moved["generator"] and not moved["fixed"] and not model.terms[0].trainable_variables
    losses = [model.train_on_batch(*batch(), return_dict=True)["g_feature_matching"] for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5])


@pytest.mark.slow
@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_the_gans_own_discriminator_learns_as_without_the_term(update):
    """With the generator held still by its rate, both discriminators see the same."""
    found = []
    for terms in ([], [FeatureMatching(weight=10.0)]):
        keras.utils.set_random_seed(0)
        model = gan(
            pairs_discriminator(norm="batch", augment=DiffAugment(seed=1)), update=update, terms=terms
        )
        model.compile(g_optimizer=keras.optimizers.SGD(0.0))
        for _ in range(2):
            model.train_on_batch(*batch())
        found.append([ops.convert_to_numpy(v) for v in model.discriminator.variables])
    assert len(found[0]) == len(found[1])
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
def test_where_another_class_is_asked_for_there_is_no_true_sketch():
    assert FeatureMatching.own_class_only
    x, y = batch(40)
    model = gan(terms=[FeatureMatching()], swap_rate=0.9)
    model.compile(g_optimizer=keras.optimizers.SGD(0.0), d_optimizer=keras.optimizers.SGD(0.0))
    logs = model.train_on_batch(x, y, return_dict=True)
    whole = model.test_on_batch(x, y, return_dict=True)
    assert logs["g_feature_matching"] == pytest.approx(whole["g_feature_matching"], rel=0.2)


def own_classifier():
    return resnet_classifier(SKETCH, 2, filters=2, stages=2)


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["discriminator", "classifier", "the model itself", "shared Q"])
def test_a_network_of_the_gan_is_the_same_one_after_loading(whose, tmp_path):
    discriminator, classifier, network = pairs_discriminator(), own_classifier(), whose
    if whose == "the model itself":
        network = discriminator
    elif whose == "shared Q":
        discriminator, classifier = shared_q_discriminator(PAIR, 2, filters=2, n_layers=1, hidden=4), None
        network = "discriminator"
    model = gan(discriminator, classifier, terms=[FeatureMatching(network)])
    x, y = batch()
    model.train_on_batch(x, y)
    model.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    name = "classifier" if whose == "classifier" else "discriminator"
    assert loaded.terms[0].get_config() == model.terms[0].get_config()
    assert loaded.terms[0].network == name and len(loaded.variables) == len(model.variables)
    own = {id(variable) for variable in getattr(loaded, name).variables}
    assert own >= {id(variable) for variable in loaded.terms[0]._get_features().variables}
    for _ in range(2):
        first, second = (made.train_on_batch(x, y, return_dict=True) for made in (model, loaded))
        assert second == pytest.approx(first, rel=1e-4)


def test_a_network_of_the_gan_is_the_same_one_in_a_copy_by_its_config():
    model = gan(terms=[FeatureMatching(weight=2.0, layers=("patch_relu",))])
    copy = ConditionalGAN.from_config(model.get_config())
    own = {id(variable) for variable in copy.discriminator.variables}
    assert {id(variable) for variable in copy.terms[0]._get_features().variables} <= own
    assert copy.terms[0].get_config() == model.terms[0].get_config()


@pytest.mark.slow
def test_another_network_is_saved_with_the_gan(tmp_path):
    model = gan(
        terms=[FeatureMatching(pairs_discriminator(norm="batch", name="fixed"), 3.0, ("patch_relu",))]
    )
    x, y = batch()
    model.train_on_batch(x, y)
    model.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    first, second = (made.test_on_batch(x, y, return_dict=True) for made in (model, loaded))
    assert second == pytest.approx(first, rel=1e-5) and loaded.terms[0].weight == 3.0


@pytest.mark.slow
def test_checkpoints(tmp_path):
    x, y = batch()
    terms = FeatureMatching(), FeatureMatching(pairs_discriminator(name="fixed"), name="other")
    model = gan(terms=terms)
    model.train_on_batch(x, y)
    TrainerCheckpoint(model, tmp_path).save(1)
    other = gan(terms=[FeatureMatching(), FeatureMatching(pairs_discriminator(name="fixed"), name="other")])
    assert TrainerCheckpoint(other, tmp_path).restore() == 1
    first, second = (made.test_on_batch(x, y, return_dict=True) for made in (model, other))
    assert second == pytest.approx(first, rel=1e-5)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: FeatureMatching(weight=-1.0), "`weight` must be .* Received: weight=-1.0"),
        (lambda: FeatureMatching("generator"), "`network` must be one of .* Received: network='generator'"),
        (lambda: FeatureMatching(3), "`network` must be one of .* Received: network=3"),
        (lambda: FeatureMatching(keras.Model()), "functional model with one input.* Received"),
        (
            lambda: FeatureMatching(layers="patch_relu"),
            "`layers` must be a tuple .* Received: layers='patch_relu'",
        ),
        (lambda: FeatureMatching(layers=()), r"`layers` must be a tuple .* Received: layers=\(\)"),
        (
            lambda: FeatureMatching(pairs_discriminator(), layers=["relu"]),
            r"`layers` must be names of layers of 'discriminator'.* Received: layers=\('relu',\)",
        ),
        (
            lambda: FeatureMatching(pairs_discriminator(n_classes=2), layers=["patch_relu", "label_add"]),
            r"`layers` must be .* 'discriminator' that do not read the label. Received: .*'label_add'\)",
        ),
        (
            lambda: FeatureMatching(joined_discriminator(PAIR, joined_parts()), layers=["told"]),
            r"'told/patch_relu'.* Received: layers=\('told',\)",
        ),
        (
            lambda: FeatureMatching(joined_discriminator(PAIR, joined_parts()), layers=["told/label_add"]),
            r"'discriminator' that do not read the label. Received: layers=\('told/label_add',\)",
        ),
        (
            lambda: gan(terms=[FeatureMatching(layers=("relu",))]),
            r"names of layers .* Received: layers=\('relu',\)",
        ),
        (
            lambda: gan(terms=[FeatureMatching("classifier")]),
            "that the gan has. Received: network='classifier'",
        ),
        (
            lambda: value(FeatureMatching(), images(1), images(1)),
            "must be a model.* Received: network='discriminator'",
        ),
        (
            lambda: value(FeatureMatching(patch_discriminator((*SIZE, 2), 2, 1)), images(1), images(1)),
            r"must take 1 channels \(the sketch\) or 4 .* Received: 'discriminator' with 2 input channels",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_term_of_another_gan():
    term = FeatureMatching()
    first = gan(terms=[term])
    gan(first.discriminator, terms=[term])  # the same network: a gan made anew
    with pytest.raises(ValueError, match="of one gan.* Received: 'feature_matching'"):
        gan(terms=[term])
