"""The builders in other code: each way does what it says, and leaves the networks as they were."""

import keras
import numpy as np
import pytest

import keras_cgan
from keras_cgan.testing import moved_variables

SIZE = (32, 32)


@pytest.fixture(scope="module")
def example(load_example):
    return load_example("reuse_builders")


@pytest.fixture
def part():
    rng = np.random.default_rng(0)
    photo, sketch, grey = (rng.uniform(-1, 1, (8, *SIZE, n)).astype("float32") for n in (3, 1, 1))
    label = np.eye(6, dtype="float32")[np.arange(8) % 6]
    pair = np.concatenate([photo, sketch], axis=-1)
    return {"photo": photo, "label": label, "sketch": sketch, "grey": grey, "pair": pair}


def test_a_discriminator_that_is_probed_learns_nothing_and_can_still_learn(example, part):
    discriminator = keras_cgan.patch_discriminator((*SIZE, 4), filters=4, n_layers=2)
    moved = moved_variables(lambda: example.probe_features(discriminator, part, part), discriminator)
    assert not moved["discriminator"]
    assert all(layer.trainable for layer in discriminator.layers)


def test_only_what_is_in_front_of_a_generator_learns(example, part):
    generator = keras_cgan.unet_generator((*SIZE, 3), filters=4)
    classifier = keras_cgan.lenet_classifier((*SIZE, 1), 6)
    distances = []

    def learn():
        distances.extend(example.train_in_front(generator, classifier, part, part))

    moved = moved_variables(learn, generator, classifier)
    assert not moved["generator"] and not moved["classifier"] and generator.trainable
    before, after, right = distances
    assert after < before and 0 <= right <= 1


def test_weights_go_over_by_name_and_shape(example):
    source = keras_cgan.unet_generator((*SIZE, 3), filters=4)
    target = keras_cgan.unet_generator((*SIZE, 3), n_classes=6, filters=4)
    others = {layer.name: layer.get_weights() for layer in target.layers}
    same, new = example.transfer_weights(source, target)
    assert same + new == sum(bool(layer.weights) for layer in target.layers) and same and new
    copied = 0
    for layer in target.layers:
        twin = next((twin for twin in source.layers if twin.name == layer.name), None)
        fits = twin is not None and [w.shape for w in twin.weights] == [w.shape for w in layer.weights]
        for weight, wanted in zip(layer.get_weights(), (twin.get_weights() if fits else others[layer.name])):
            np.testing.assert_array_equal(weight, wanted)
        copied += fits and bool(layer.weights)
    assert copied == same


@pytest.mark.slow
def test_the_script_runs_and_its_figures_say_what_they_should(example, capsys):
    example.main(["--epochs", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3.", "  ", "4.", "  "]
    assert float(lines[0].split("accuracy ")[1][:4]) > 0.8
    from_trained, from_fresh = (float(word) for word in lines[5].replace(",", "").split() if word[0] == "0")
    assert from_trained < from_fresh
    keras.backend.clear_session()
