"""The strategies: which networks each takes, by one table."""

import argparse
import pickle
from typing import NamedTuple

import keras
import numpy as np
import pytest

from keras_cgan import STRATEGIES, photo_options, photo_towers, strategies, strategy_model, strategy_networks
from keras_cgan.data import EmbeddedPairs
from keras_cgan.strategies import (
    default_warp,
    default_weights,
    photo_weights,
    read_photo_weights,
    tower_pairs,
)
from keras_cgan.strategy_parts import strategy_towers

PHOTO, N_CLASSES, N_PATCHES = (48, 64, 3), 5, (10, 14)


class Row(NamedTuple):
    """What a strategy's discriminator sees and says, and whether there is a classifier."""

    channels: int
    activations: dict
    classifier: bool = False


# With one sketch channel: the pair has 4 channels, the sketch alone 1.
TABLE = {
    "pix2pix": Row(4, {"real_fake": "linear"}),
    "sigmoid": Row(1, {"classes": "sigmoid"}),
    "fake-class": Row(1, {"classes": "softmax"}),
    "two-head": Row(4, {"real_fake": "linear", "classes": "softmax"}),
    "classifier": Row(4, {"real_fake": "linear"}, classifier=True),
    "shared-q": Row(4, {"real_fake": "linear", "label": "softmax"}),
    "class-and-photo": Row(1, {"real_fake": "linear"}, classifier=True),
}
SHAPES = {"real_fake": (*N_PATCHES, 1), "classes": (N_CLASSES + 1,), "label": (N_CLASSES,)}
every_strategy = pytest.mark.parametrize("strategy", TABLE)


def networks(strategy, **options):
    return strategy_networks(strategy, PHOTO, N_CLASSES, **{"filters": 4, "n_layers": 2, **options})


def outputs_of(discriminator):
    """Outputs by the name of their last layer, which is the name of the output."""
    return {
        tensor._keras_history.operation.name: tensor for tensor in keras.tree.flatten(discriminator.output)
    }


def test_the_table_is_complete():
    assert list(STRATEGIES) == list(TABLE)


@every_strategy
def test_the_networks_are_those_of_the_table(strategy):
    row = TABLE[strategy]
    generator, discriminator, classifier = networks(strategy)
    assert generator.output_shape == (None, 48, 64, 1)
    assert discriminator.input_shape == (None, 48, 64, row.channels)
    outputs = outputs_of(discriminator)
    assert {
        name: tensor._keras_history.operation.activation.__name__ for name, tensor in outputs.items()
    } == (row.activations)
    assert {name: tuple(tensor.shape[1:]) for name, tensor in outputs.items()} == {
        name: SHAPES[name] for name in row.activations
    }
    assert (classifier is not None) == row.classifier
    if classifier is not None:
        assert classifier.input_shape == (None, 48, 64, 1) and classifier.output_shape == (None, N_CLASSES)


@every_strategy
def test_what_a_strategy_says_of_itself(strategy):
    row, chosen = TABLE[strategy], STRATEGIES[strategy]
    assert chosen.paired == (row.channels == 4)
    assert set(chosen.outputs) == set(row.activations)
    assert chosen.classifier == row.classifier
    if chosen.class_head:
        assert row.activations["classes"] == chosen.class_head
    assert chosen.summary


@every_strategy
@pytest.mark.parametrize("label_input", [True, False])
def test_with_and_without_the_label_as_input(strategy, label_input):
    generator, discriminator, _ = networks(strategy, label_input=label_input)
    photo = np.zeros((2, *PHOTO), "float32")
    inputs = {"photo": photo, "label": np.eye(N_CLASSES, dtype="float32")[:2]} if label_input else photo
    assert isinstance(generator.input, dict) == label_input
    sketch = generator(inputs)
    assert sketch.shape == (2, 48, 64, 1)
    seen = sketch if discriminator.input_shape[-1] == 1 else np.concatenate([photo, sketch], axis=-1)
    assert all(tensor.shape[0] == 2 for tensor in keras.tree.flatten(discriminator(seen)))


@every_strategy
def test_sketch_channels(strategy):
    generator, discriminator, classifier = networks(strategy, sketch_channels=3)
    assert generator.output_shape[-1] == 3
    assert discriminator.input_shape[-1] == (6 if TABLE[strategy].channels == 4 else 3)
    assert classifier is None or classifier.input_shape[-1] == 3
    if strategy == "shared-q":
        assert discriminator.get_layer("trunk1_conv").input.shape[-1] == 3


@every_strategy
def test_options_reach_both_networks(strategy):
    options = {"filters": 3, "n_layers": 1, "norm": "instance", "upsampling": "transpose"}
    generator, discriminator, _ = networks(strategy, **options)
    assert isinstance(generator.get_layer("up1_conv"), keras.layers.Conv2DTranspose)
    assert generator.get_layer("down1_conv").filters == 3
    assert discriminator.get_layer("trunk1_conv").filters == 3
    assert "trunk2_conv" not in {layer.name for layer in discriminator.layers}
    for model in (generator, discriminator):
        assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)


@every_strategy
def test_the_baseline_alone_upsamples_as_the_paper(strategy):
    first = networks(strategy)[0].get_layer("up1_conv")
    assert isinstance(first, keras.layers.Conv2DTranspose) == (strategy == "pix2pix")


@every_strategy
def test_names_tell_the_networks_apart(strategy):
    models = [model for model in networks(strategy) if model is not None]
    assert [model.name for model in models] == ["generator", "discriminator", "classifier"][: len(models)]


def test_errors():
    with pytest.raises(
        ValueError, match=r"`strategy` must be one of \['pix2pix'.*Received: strategy='acgan'"
    ):
        networks("acgan")
    with pytest.raises(ValueError, match="`n_classes`.*Received: n_classes=1"):
        strategy_networks("classifier", PHOTO, 1)
    with pytest.raises(ValueError, match="`norm`.*Received: norm='layer'"):
        networks("pix2pix", norm="layer")
    with pytest.raises(ValueError, match="`upsampling`.*Received: upsampling=2"):
        networks("pix2pix", upsampling=2)


@every_strategy
@pytest.mark.parametrize("aligned", [False, True], ids=["free", "aligned"])
def test_the_model_of_a_strategy_has_its_weights_terms_and_average(strategy, aligned):
    chosen = STRATEGIES[strategy]
    gan = strategy_model(strategy, networks(strategy), aligned, towers=())
    assert gan.compiled and gan.average_decay == chosen.average_decay
    asks_for_photo = chosen.photo and not aligned
    assert [type(term).__name__ for term in gan.terms] == ["EdgeLikeness"] * asks_for_photo
    assert (gan.swap_rate > 0) == asks_for_photo
    weights = {name: gan._given[name] for name in ("l1_weight", "class_weight")}
    assert weights == default_weights(strategy, aligned)


@every_strategy
def test_who_is_not_helped_by_the_true_sketch_of_pairs_that_do_not_align_does_without(strategy):
    without = strategy in ("sigmoid", "fake-class", "class-and-photo")
    assert default_weights(strategy)["l1_weight"] == (0.0 if without else 100.0)
    assert default_weights(strategy, aligned=True)["l1_weight"] == 100.0
    chosen = STRATEGIES[strategy]
    assert pickle.loads(pickle.dumps(chosen)) == chosen


def test_of_aligned_pairs_class_and_photo_asks_for_the_class_by_more():
    found = [default_weights("class-and-photo", aligned)["class_weight"] for aligned in (True, False)]
    assert found == [0.5, 0.25]
    assert {default_weights(name)["class_weight"] for name in STRATEGIES if name != "class-and-photo"} == {
        25.0
    }


def test_asked_for_options_take_the_place_of_the_strategys():
    made = networks("class-and-photo")
    asked = {"average_decay": None, "swap_rate": 0.1, "terms": (), "class_weight": 2.0}
    gan = strategy_model("class-and-photo", made, aligned=True, **asked)
    assert {name: gan._given[name] for name in asked} == asked | {"terms": []}
    assert gan._given["l1_weight"] == 100.0  # for aligned pairs, and not asked for


def test_the_photo_is_told_by_towers_where_there_are_some():
    towers = photo_towers(PHOTO)
    gan = strategy_model("class-and-photo", networks("class-and-photo"), towers=towers)
    term = gan.terms[-1]
    assert (term.photo_tower, term.sketch_tower) == towers and "g_photo_information" in gan.loss_names
    for strategy, aligned in (("class-and-photo", True), ("classifier", False)):
        assert not photo_options(strategy, aligned, towers)


def test_of_few_photos_fewer_are_told_from():
    towers = photo_towers(PHOTO)
    queues = {
        n: photo_options("class-and-photo", towers=towers, n_photos=n)["terms"][-1].queue
        for n in (None, 2, 60, 384, 5000)
    }
    assert queues == {None: 128, 2: 0, 60: 20, 384: 128, 5000: 128}


def test_of_more_classes_more_photos_are_told_from():
    """For they are told from those of their class alone."""
    towers = photo_towers(PHOTO)

    def queue(n_classes, n_photos):
        made = strategy_networks("class-and-photo", PHOTO, n_classes, filters=2)
        gan = strategy_model("class-and-photo", made, towers=towers, n_photos=n_photos)
        return gan.terms[-1].queue

    assert [queue(*each) for each in ((3, None), (6, None), (30, None), (30, 900))] == [128, 128, 630, 300]


def test_what_looks_through_towers_is_not_made_without_them_unasked():
    made = networks("class-and-photo")
    with pytest.raises(ValueError, match=r"`towers`.*'class-and-photo'.*or \(\).*Received: towers=None"):
        strategy_model("class-and-photo", made)
    for options in ({"towers": ()}, {"aligned": True}):
        terms = strategy_model("class-and-photo", made, **options).terms
        assert "photo_information" not in {term.name for term in terms}


def test_towers_are_for_pairs_that_do_not_align():
    photo, sketch = strategy_towers("class-and-photo", PHOTO)
    assert photo.input_shape == (None, *PHOTO) and sketch.input_shape == (None, 48, 64, 1)
    assert strategy_towers("class-and-photo", PHOTO, aligned=True) is None
    assert strategy_towers("classifier", PHOTO) is None
    of_colour = strategy_towers("class-and-photo", PHOTO, sketch_channels=3)
    assert [tower.input_shape for tower in of_colour] == [(None, *PHOTO)] * 2


def test_towers_learn_from_no_more_pixels_than_memory_holds(monkeypatch):
    pairs = EmbeddedPairs(12)
    assert [len(part) for part in tower_pairs(pairs, (16, 24))] == [12, 12]
    monkeypatch.setattr(strategies, "TOWER_PIXELS", 5 * 16 * 24)
    photos, sketches = tower_pairs(pairs, (16, 24))
    assert photos.shape == (5, 16, 24, 3) and sketches.shape == (5, 16, 24, 1)
    monkeypatch.setattr(strategies, "TOWER_PIXELS", 1)
    assert len(tower_pairs(pairs, (16, 24))[0]) == 2


def test_the_numbers_of_a_run_are_those_of_its_terms_and_swaps():
    weights = photo_weights("class-and-photo")
    more = photo_options("class-and-photo", towers=photo_towers(PHOTO))
    assert {term.name: term.weight for term in more.pop("terms")} | more | {"feature_matching": 0} == weights
    assert photo_weights("class-and-photo", aligned=True) == photo_weights("classifier") == {}


def test_some_of_the_weights_can_be_others():
    own, towers = photo_weights("class-and-photo"), photo_towers(PHOTO)
    others = {"edges": 7, "swap_rate": 0.1, "feature_matching": 20}
    more = photo_options("class-and-photo", towers=towers, weights=others)
    assert more["terms"][-1].network == "classifier"
    assert {term.name: term.weight for term in more.pop("terms")} | more == own | others
    gan = strategy_model("class-and-photo", networks("class-and-photo"), towers=towers, weights=others)
    assert gan.swap_rate == 0.1 and "g_feature_matching" in gan.loss_names
    for strategy, weights in (("class-and-photo", {"l1": 1}), ("classifier", {"edges": 7})):
        with pytest.raises(ValueError, match="photo weights (must be|are) of .*Received: {'"):
            photo_options(strategy, towers=towers, weights=weights)
    with pytest.raises(
        ValueError, match="do not align: leave them out.*of 'class-and-photo', where pairs align"
    ):
        photo_weights("class-and-photo", aligned=True, weights={"edges": 7})


def test_no_towers_are_made_where_their_weight_is_0():
    without = {"photo_information": 0.0}
    assert strategy_towers("class-and-photo", PHOTO, weights=without) is None
    for towers in (photo_towers(PHOTO), None):
        (term,) = photo_options("class-and-photo", towers=towers, weights=without)["terms"]
        assert term.name == "edges"


def test_the_generator_alone_can_be_wider():
    wide, narrow = (
        strategy_networks("classifier", PHOTO, 3, filters=4, g_filters=maps) for maps in (8, None)
    )
    assert [made[0].get_layer("down1_conv").filters for made in (wide, narrow)] == [8, 4]
    assert wide[1].count_params() == narrow[1].count_params()


def test_the_label_can_go_in_at_the_bottleneck_alone():
    norms, bottleneck = (
        strategy_networks("classifier", PHOTO, 3, filters=4, label_in=place)[0]
        for place in ("norms", "bottleneck")
    )
    assert bottleneck.count_params() < norms.count_params() and "label" in bottleneck.input


def test_pairs_are_bent_for_class_and_photo_unless_they_align():
    assert {name for name in STRATEGIES if default_warp(name)} == {"class-and-photo"}
    assert default_warp("class-and-photo", aligned=True) == 0
    with pytest.raises(ValueError, match="`strategy` must be one of"):
        default_warp("acgan")


def test_photo_weights_are_read_as_an_option_names_them():
    assert read_photo_weights("edges=75, swap_weight=5e1") == {"edges": 75.0, "swap_weight": 50.0}
    for text in (
        "",
        "edges",
        "edges=much",
        "l1=3",
        "edges=75,l1=3",
        "edges=-1",
        "edges=nan",
        "edges=inf",
        "edges=1,edges=2",
        "swap_rate=1",
    ):
        with pytest.raises(argparse.ArgumentTypeError, match="edges, photo_information.*Received: '"):
            read_photo_weights(text)
