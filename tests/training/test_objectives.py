"""What each strategy's networks are told."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import networks

from keras_cgan import STRATEGIES, strategy_networks
from keras_cgan.training.objectives import Objectives

LABEL = np.array([[0, 1, 0], [1, 0, 0]], "float32")
ONES, ZEROS = np.ones((2, 1), "float32"), np.zeros((2, 1), "float32")
REAL = np.concatenate([ZEROS, LABEL], axis=1)
SIGMOID_FAKE = np.concatenate([ONES, LABEL], axis=1)
SOFTMAX_FAKE = np.concatenate([ONES, np.zeros_like(LABEL)], axis=1)

# D's targets for real and for fakes; what G asks for is as for real, and a classifier's label.
TARGETS = {
    "pix2pix": ({"real_fake": ONES}, {"real_fake": ZEROS}),
    "sigmoid": ({"classes": REAL}, {"classes": SIGMOID_FAKE}),
    "fake-class": ({"classes": REAL}, {"classes": SOFTMAX_FAKE}),
    "two-head": ({"real_fake": ONES, "classes": REAL}, {"real_fake": ZEROS, "classes": SOFTMAX_FAKE}),
    "classifier": ({"real_fake": ONES}, {"real_fake": ZEROS}),
    "shared-q": ({"real_fake": ONES, "label": LABEL}, {"real_fake": ZEROS, "label": LABEL}),
    "class-and-photo": ({"real_fake": ONES}, {"real_fake": ZEROS}),
}
# By output: the losses' classes of D, C and G.
BINARY, CLASSES = "DiscriminatorLoss", "ClassLoss"
LOSSES = {
    "pix2pix": ({"real_fake": BINARY}, {}, {"real_fake": BINARY, "sketch": "L1Loss"}),
    "sigmoid": ({"classes": BINARY}, {}, {"classes": BINARY, "sketch": "L1Loss"}),
    "fake-class": ({"classes": CLASSES}, {}, {"classes": CLASSES, "sketch": "L1Loss"}),
    "two-head": (
        {"real_fake": BINARY, "classes": CLASSES},
        {},
        {"real_fake": BINARY, "classes": CLASSES, "sketch": "L1Loss"},
    ),
    "classifier": (
        {"real_fake": BINARY},
        {"label": CLASSES},
        {"real_fake": BINARY, "label": CLASSES, "sketch": "L1Loss"},
    ),
    "shared-q": (
        {"real_fake": BINARY, "label": CLASSES},
        {},
        {"real_fake": BINARY, "label": CLASSES, "sketch": "L1Loss"},
    ),
}
LOSSES["class-and-photo"] = LOSSES["classifier"]
every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


def assert_targets(targets, expected):
    assert set(targets) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(targets[name], values, err_msg=name)
        assert targets[name].dtype == "float32"


@every_strategy
def test_targets(strategy):
    told = Objectives(*networks(strategy), strategy)
    real, fake = TARGETS[strategy]
    assert_targets(told.d_targets(LABEL, 2, fake=False), real)
    assert_targets(told.d_targets(LABEL, 2, fake=True), fake)
    asked = {**real, "label": LABEL} if STRATEGIES[strategy].classifier else real
    assert_targets(told.g_targets(LABEL, 2), asked)


@every_strategy
def test_targets_of_tensors_whose_size_is_not_known_yet(strategy):
    told = Objectives(*networks(strategy), strategy)

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def targets(label):
        size = tf.shape(label)[0]
        return [told.d_targets(label, size, fake) for fake in (False, True)] + [told.g_targets(label, size)]

    asked = {"label": LABEL} if STRATEGIES[strategy].classifier else {}
    expected = [*TARGETS[strategy], {**TARGETS[strategy][0], **asked}]
    for actual, values in zip(targets(LABEL), expected, strict=True):
        assert_targets(actual, values)


@every_strategy
def test_losses(strategy):
    told = Objectives(*networks(strategy), strategy)
    for losses, expected in zip((told.d_losses, told.c_losses, told.g_losses), LOSSES[strategy], strict=True):
        assert {name: type(loss).__name__ for name, loss in losses.items()} == expected
        # The tiny networks end in an `Activation`, which is left off.
        assert all(loss.from_logits for name, loss in losses.items() if name != "sketch")


@pytest.mark.parametrize("label", [True, False], ids=["label", "no label"])
@every_strategy
def test_what_a_strategy_needs(strategy, label):
    told = Objectives(*networks(strategy, label), strategy)
    assert told.paired is STRATEGIES[strategy].paired
    assert told.takes_label is label
    assert told.needs_label is (label or strategy != "pix2pix")
    assert told.adversarial == ("classes" if strategy in ("sigmoid", "fake-class") else "real_fake")
    by_class = {"two-head": ["classes"], "classifier": ["label"], "shared-q": ["label"]}
    by_class["class-and-photo"] = ["label"]
    assert told.class_outputs == by_class.get(strategy, [])
    assert (told.c_model is not None) is STRATEGIES[strategy].classifier
    weights = {"sketch": 10, told.adversarial: 2, **dict.fromkeys(told.class_outputs, 3)}
    assert told.g_weights(10, 2, 3) == weights


@pytest.mark.parametrize("class_head, fake", [("sigmoid", SIGMOID_FAKE), ("softmax", SOFTMAX_FAKE)])
def test_the_class_head_of_two_heads_says_which_option_it_is(class_head, fake):
    told = Objectives(*networks("two-head", class_head=class_head))
    assert_targets(told.d_targets(LABEL, 2, fake=True), {"real_fake": ZEROS, "classes": fake})
    assert type(told.d_losses["classes"]).__name__ == (BINARY if class_head == "sigmoid" else CLASSES)


def test_smoothing_is_of_ds_targets_for_real_alone():
    told = Objectives(*networks("shared-q"), label_smoothing=0.25)
    assert_targets(told.d_targets(LABEL, 2, fake=False), {"real_fake": 0.75 * ONES, "label": LABEL})
    assert_targets(told.d_targets(LABEL, 2, fake=True), {"real_fake": ZEROS, "label": LABEL})
    assert_targets(told.g_targets(LABEL, 2), {"real_fake": ONES, "label": LABEL})


def test_a_patch_discriminators_targets_are_a_matrix():
    told = Objectives(*strategy_networks("pix2pix", (*tiny.SIZE, 3), 3, filters=2, n_layers=1))
    shape = (2, *told.d_model.output["real_fake"].shape[1:])
    assert len(shape) == 4
    assert_targets(told.d_targets(None, 2, fake=False), {"real_fake": np.ones(shape, "float32")})


def test_reconstruction_by_squares():
    told = Objectives(*networks("pix2pix"), reconstruction="l2")
    assert type(told.g_losses["sketch"]).__name__ == "L2Loss"


def test_the_networks_themselves_are_what_learns():
    generator, discriminator, classifier = networks("classifier")
    told = Objectives(generator, discriminator, classifier)
    models = told.generator, told.d_model, told.c_model
    for model, network in zip(models, (generator, discriminator, classifier)):
        assert [id(variable) for variable in model.variables] == [id(v) for v in network.variables]
    assert set(told.d_model.output) == {"real_fake"} and set(told.c_model.output) == {"label"}


def test_conditions():
    told = Objectives(*networks("classifier"))
    photo = np.zeros((2, *tiny.SIZE, 3))
    given = told.conditions({"photo": photo, "label": LABEL, "more": photo})
    assert given[0] is photo and given[1] is LABEL
    with pytest.raises(ValueError, match=r"`x` must be a dict .* Received: no 'label' in \['photo'\]"):
        told.conditions({"photo": photo})
    with pytest.raises(ValueError, match=r"no 'photo' in \['label'\]"):
        told.conditions({"label": LABEL})
    blind = Objectives(*networks("pix2pix", label=False))
    for x in (photo, {"photo": photo}):
        given = blind.conditions(x)
        assert given[0] is photo and given[1] is None


@pytest.mark.parametrize("trainer", ["fused", "reference"])
def test_a_generator_that_takes_its_photo_in_a_dict(trainer):
    """Without a label among its inputs it needs none, and is given none."""
    photo = {"photo": keras.Input((*tiny.SIZE, 3), name="photo")}
    sketch = keras.layers.Conv2D(1, 3, padding="same", activation="tanh")(photo["photo"])
    generator = keras.Model(photo, sketch, name="generator")
    parts = (generator, tiny.discriminator())
    told = Objectives(*parts)
    assert not told.takes_label and not told.needs_label
    x, sketch = tiny.batch()
    assert set(told.generator_inputs(x["photo"], x["label"])) == {"photo"}
    engine = tiny.sgd_gan(parts) if trainer == "fused" else tiny.sgd_trainer(parts)
    for given in (x, {"photo": x["photo"]}, x["photo"]):
        assert np.isfinite(engine.train_on_batch(given, sketch)["g_loss"])


def test_other_inputs_of_a_generator_are_refused():
    inputs = {name: keras.Input((*tiny.SIZE, 3), name=name) for name in ("photo", "depth")}
    stacked = keras.layers.Concatenate()([inputs["photo"], inputs["depth"]])
    generator = keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same")(stacked))
    with pytest.raises(ValueError, match=r"`generator` must take a photo.*Received: .*\['depth', 'photo'\]"):
        Objectives(generator, tiny.discriminator())
