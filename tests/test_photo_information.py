"""The photo told from the sketch: the loss by hand, who counts as another, and what moves."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_cgan
from keras_cgan import (
    ConditionalGAN,
    patch_discriminator,
    photo_towers,
    strategy_model,
    strategy_networks,
    unet_generator,
)
from keras_cgan.contrastive import image_tower
from keras_cgan.data import EmbeddedPairs
from keras_cgan.photo_information import PhotoInformation
from keras_cgan.strategy_parts import strategy_towers
from keras_cgan.testing import moved_variables

SIZE = (16, 16)


def corner_tower(name):
    """An embedding that can be read off: the first three values of an image, made a direction."""
    image = keras.Input((2, 2, 1))
    flat = layers.Flatten()(image)
    first = layers.Dense(3, use_bias=False, kernel_initializer=keras.initializers.Identity())(flat)
    return keras.Model(image, layers.UnitNormalization()(first), name=name)


def images(*vectors):
    found = np.zeros((len(vectors), 4), "float32")
    found[:, :3] = vectors
    return found.reshape(-1, 2, 2, 1)


def labels(*classes):
    return np.eye(2, dtype="float32")[list(classes)]


def information(**options):
    return PhotoInformation(corner_tower("photo"), corner_tower("sketch"), temperature=0.5, **options)


X, Y, Z = (1, 0, 0), (0, 1, 0), (0, 0, 1)


def test_by_hand_among_those_of_the_batch_that_are_of_its_class():
    term = information(queue=0)
    drawn, photos = images((0.6, 0.8, 0), Y, Z), images(X, Y, Z)
    found = ops.convert_to_numpy(term(drawn, None, photos, labels(0, 0, 1), None))
    first = -np.log(np.exp(1.2) / (np.exp(1.2) + np.exp(1.6)))
    second = -np.log(np.exp(2) / (np.exp(0) + np.exp(2)))
    np.testing.assert_allclose(found, [first, second, 0], atol=1e-5)


def test_photos_of_earlier_batches_are_others_too():
    term = information(queue=2)

    def loss(drawn, photo, c):
        return float(term(images(drawn), None, images(photo), labels(c), None)[0])

    assert loss(X, X, 0) == 0  # nothing to be told from
    assert loss(X, Y, 0) == pytest.approx(np.log(1 + np.exp(2)), rel=1e-4)
    assert loss(Z, Z, 1) == 0  # those are of the other class
    # Two places: of X, Y and Z the last two are left.
    assert loss(Y, Z, 0) == pytest.approx(np.log(1 + np.exp(2)), rel=1e-4)


def test_what_was_asked_for_does_not_say_who_counts():
    first, second = information(queue=0), information(queue=0)
    arrays = images(X, Y), images(X, Y)
    own = first(arrays[0], labels(0, 0), arrays[1], labels(0, 0), None)
    swapped = second(arrays[0], labels(1, 0), arrays[1], labels(0, 0), None)
    np.testing.assert_array_equal(own, swapped)


def test_without_labels_all_photos_are_others():
    term = information(queue=4)
    found = term(images(X, Y), None, images(X, Y), None, None)
    np.testing.assert_allclose(found, np.log(1 + np.exp(-2.0)), atol=1e-5)


def gan():
    keras.utils.set_random_seed(0)
    photo_tower = image_tower((*SIZE, 3), size=8, filters=2, name="photo_tower")
    sketch_tower = image_tower((*SIZE, 1), size=8, filters=2, dropout=0.0, name="sketch_tower")
    towers = photo_tower, sketch_tower
    term = PhotoInformation(*towers, weight=50.0, queue=4)
    generator = unet_generator((*SIZE, 3), n_classes=6, filters=2)
    discriminator = patch_discriminator((*SIZE, 1), filters=2, n_layers=1, norm=None)
    model = ConditionalGAN(generator, discriminator, terms=[term], l1_weight=0, adversarial_weight=0)
    model.compile(g_optimizer=keras.optimizers.Adam(5e-3))
    return model, towers


def batch():
    photos, label, sketches = EmbeddedPairs(12, 0.3).as_arrays(SIZE)
    return {"photo": photos, "label": label}, sketches


@pytest.mark.slow
def test_in_the_engine_the_generator_learns_and_the_towers_stay():
    model, towers = gan()
    moved = moved_variables(lambda: model.train_on_batch(*batch()), model.generator, *towers)
    assert moved.pop("generator") and not any(moved.values())
    assert not model.terms[0].trainable_variables
    losses = [model.train_on_batch(*batch(), return_dict=True)["g_photo_information"] for _ in range(100)]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])


def test_each_call_looks_through_other_noise_in_training_alone():
    tower = image_tower((*SIZE, 1), size=3, filters=2, input_noise=0.5)
    term = PhotoInformation(corner_tower("photo"), tower, queue=0)
    before = [ops.convert_to_numpy(variable) for variable in tower.variables]
    asked = np.zeros((2, *SIZE, 1), "float32"), None, images(X, Y), labels(0, 0), None
    noisy = {float(term(*asked, training=True)[0]) for _ in range(3)}
    assert len(noisy) == 3 and len({float(term(*asked, training=False)[0]) for _ in range(3)}) == 1
    assert all(np.array_equal(a, b) for a, b in zip(before, tower.variables, strict=True))


@pytest.mark.slow
def test_saved_with_the_model(tmp_path):
    model, _ = gan()
    model.train_on_batch(*batch())
    model.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    first, second = ([ops.convert_to_numpy(v) for v in made.terms[0].variables] for made in (model, loaded))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    first, second = (made.test_on_batch(*batch(), return_dict=True) for made in (model, loaded))
    assert second == pytest.approx(first, rel=1e-5)


LOADS = """
import sys, keras, numpy as np
from keras_cgan import ConditionalGAN
gan = keras.saving.load_model(sys.argv[1])
x = {"photo": np.zeros((2, 16, 16, 3), "float32"), "label": np.eye(6, dtype="float32")[:2]}
print(gan.predict(x, verbose=0).shape, [term.name for term in gan.terms])
from keras_cgan import patch_discriminator
print(keras.saving.load_model(sys.argv[2]).output_shape)
"""


@pytest.mark.slow
def test_class_and_photo_loads_in_another_program(tmp_path):
    """With the import alone that README names."""
    towers = photo_towers((*SIZE, 3))
    networks = strategy_networks("class-and-photo", (*SIZE, 3), 6, filters=2, n_layers=1)
    model = strategy_model("class-and-photo", networks, towers=towers)
    model.save(tmp_path / "gan.keras")
    model.discriminator.save(tmp_path / "d.keras")
    root = str(Path(keras_cgan.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", LOADS, tmp_path / "gan.keras", tmp_path / "d.keras"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "(2, 16, 16, 1) ['edges', 'photo_information']"


@pytest.mark.slow
def test_measuring_neither_reads_the_queue_nor_fills_it():
    model, _ = gan()
    model.train_on_batch(*batch())
    before = [ops.convert_to_numpy(v) for v in model.terms[0].variables]
    one, other = (model.test_on_batch(*batch(), return_dict=True) for _ in range(2))
    assert one == other
    after = [ops.convert_to_numpy(v) for v in model.terms[0].variables]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_same_photo_is_no_other():
    """With several sketches of a photo, or fewer photos than the queue has places."""
    term = information(queue=2)
    twice = images(X, X), labels(0, 0)
    found = term(images(X, Y), None, twice[0], twice[1], None)
    np.testing.assert_allclose(found, 0, atol=1e-6)  # nothing to be told from
    assert float(term(images(Y), None, images(X), labels(0), None)[0]) == pytest.approx(0, abs=1e-6)
    assert float(term(images(X), None, images(Y), labels(0), None)[0]) > 1


@pytest.mark.parametrize(
    "options, message",
    [
        ({"temperature": 0.0}, "`temperature` must be"),
        ({"queue": -1}, "`queue` must be"),
        ({"weight": -1.0}, "`weight`"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        PhotoInformation(corner_tower("photo"), corner_tower("sketch"), **options)


def test_towers_of_two_lengths():
    with pytest.raises(ValueError, match="one length. Received: 3 and 8"):
        PhotoInformation(corner_tower("photo"), image_tower((*SIZE, 1), size=8))


@pytest.mark.parametrize(
    ("photo", "sketch", "message"),
    [
        (
            (*SIZE, 1),
            (*SIZE, 1),
            r"`photo_tower` .* photo, of shape \(16, 16, 3\). Received: .*\(16, 16, 1\)",
        ),
        (
            (*SIZE, 3),
            (32, 32, 1),
            r"`sketch_tower` .* sketch, of shape \(16, 16, 1\). Received: .*\(32, 32, 1\)",
        ),
        (
            (*SIZE, 3),
            (*SIZE, 3),
            r"`sketch_tower` .* sketch, of shape \(16, 16, 1\). Received: .*\(16, 16, 3\)",
        ),
    ],
)
def test_towers_of_other_images_than_the_gans_are_refused(photo, sketch, message):
    networks = unet_generator((*SIZE, 3), n_classes=2, filters=2), patch_discriminator((*SIZE, 1), 2, 1)
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(*networks, terms=[PhotoInformation(image_tower(photo), image_tower(sketch))])


def test_sketches_of_three_channels_are_trained_on_with_towers_for_them():
    networks = strategy_networks("class-and-photo", (*SIZE, 3), 2, filters=2, n_layers=1, sketch_channels=3)
    towers = strategy_towers("class-and-photo", (*SIZE, 3), sketch_channels=3)
    model = strategy_model("class-and-photo", networks, towers=towers)
    rng = np.random.default_rng(0)
    photo, sketch = (rng.uniform(-1, 1, (2, *SIZE, 3)).astype("float32") for _ in range(2))
    logs = model.train_on_batch({"photo": photo, "label": labels(0, 1)}, sketch, return_dict=True)
    assert np.isfinite(logs["g_photo_information"])
