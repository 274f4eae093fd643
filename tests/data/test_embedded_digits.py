"""The embedded class images: repeatable, varied, and yet told apart."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cgan.data import embedded_images
from keras_cgan.pictures import image_grid

SIZE = (16, 16)


def test_an_image_depends_on_its_index_and_the_seed_only():
    few, many, other = (embedded_images(n, SIZE, seed=seed) for n, seed in ((10, 3), (35, 3), (10, 4)))
    np.testing.assert_array_equal(few.images, many.images[:10])
    assert np.all(np.abs(few.images - other.images).mean(axis=(1, 2, 3)) > 0.01)


def test_classes_are_balanced_and_named():
    images = embedded_images(20, SIZE)
    assert images.class_names == tuple("0123456789")
    np.testing.assert_array_equal(images.labels, np.eye(10)[np.arange(20) % 10])
    assert images.names[13] == "3/0001"


@pytest.mark.parametrize("size", [(16, 16), (28, 28), (32, 48), (50, 20), (128, 128)])
def test_digits_are_white_on_black_and_clear_of_the_frame(size):
    images = embedded_images(100, size, channels=3).images
    assert images.shape == (100, *size, 3) and images.dtype == np.float32
    np.testing.assert_array_equal(images[..., 0], images[..., 2])
    ink = (images[..., 0] + 1) / 2
    assert np.all(ink.max(axis=(1, 2)) > 0.9)
    border = [ink[:, 0], ink[:, -1], ink[:, :, 0], ink[:, :, -1]]
    assert max(side.max() for side in border) < 0.6  # A stroke's edge may share a pixel with it.
    share = ink.mean(axis=(1, 2)) * max(size) / min(size)
    assert np.all((share > 0.01) & (share < 0.35))


def test_no_two_are_alike():
    images = embedded_images(300, SIZE).images.reshape(300, -1)
    apart = np.abs(images[:, None] - images[None]).mean(axis=2) + 9 * np.eye(300)
    assert apart.min() > 0.01


def test_a_class_is_no_template():
    """The nearest mean is far from enough, as with handwritten digits (82 % on MNIST)."""
    train, test = embedded_images(2000).split(0.25)
    means = train.labels.T @ train.images.reshape(len(train), -1) / train.labels.sum(axis=0)[:, None]
    apart = np.square(test.images.reshape(len(test), 1, -1) - means).sum(axis=2)
    accuracy = np.mean(apart.argmin(axis=1) == test.labels.argmax(axis=1))
    assert 0.6 < accuracy < 0.9


def test_rows_of_classes_make_a_grid():
    images = embedded_images(40, SIZE)
    rows = [images.images[images.labels[:, c] == 1] for c in range(10)]
    picture = image_grid(rows, [""] * 4, images.class_names, cell=32)
    assert picture.shape[0] == 18 + 10 * 36


@pytest.mark.slow
def test_a_small_classifier_tells_them_apart():
    train, test = embedded_images(10_000), embedded_images(2000, seed=1)
    model = keras.Sequential(
        [
            keras.Input(train.image_shape),
            layers.Conv2D(16, 5, strides=2, activation="relu"),
            layers.Conv2D(32, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(2e-3), "categorical_crossentropy", metrics=["accuracy"])
    model.fit(train.images, train.labels, batch_size=64, epochs=6, verbose=0)
    assert model.evaluate(test.images, test.labels, verbose=0)[1] > 0.98


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n": 9}, "`n` must be an integer of at least 10. Received: n=9"),
        ({"n": 20.0}, "Received: n=20.0"),
        ({"image_size": (15, 28)}, r"`image_size` must be at least 16 px.*Received: image_size=\(15, 28\)"),
        ({"image_size": 28}, r"`image_size` must be \(height, width\).*Received: image_size=28"),
        ({"channels": 2}, "`channels` must be .*Received: channels=2"),
        ({"seed": -1}, "`seed` must be .*Received: seed=-1"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        embedded_images(**arguments)
