"""Class images from .npz files, and scikit-learn's digits."""

import sys

import numpy as np
import pytest

from keras_cgan.data import ImageError, open_images

SIZE = (16, 16)


def pixels(n=8, shape=(16, 16)):
    """uint8 images: number i has the grey 20 i."""
    return np.broadcast_to((20 * np.arange(n, dtype=np.uint8)).reshape(-1, *[1] * len(shape)), (n, *shape))


def saved(tmp_path, **arrays):
    np.savez(tmp_path / "set.npz", **arrays)
    return tmp_path / "set.npz"


def grey_numbers(images):
    return np.rint((images[:, 0, 0, 0] + 1) * 127.5 / 20).astype(int)


def opened(path, size=SIZE, **options):
    """All images of a file, in their order, train and test together, and their classes."""
    train, test = open_images(path, size, **options)
    images, labels = np.concatenate([train.images, test.images]), np.concatenate([train.labels, test.labels])
    order = np.argsort(images[:, 0, 0, 0], kind="stable")
    return images[order], labels[order].argmax(axis=1), train.class_names


def test_images_and_labels_are_parted(tmp_path):
    labels = np.array([3, 7] * 4)
    path = saved(tmp_path, images=pixels(), labels=labels)
    train, test = open_images(path, SIZE, test_share=0.25)
    assert len(train) == 6 and len(test) == 2
    assert train.class_names == test.class_names == ("3", "7")
    for part in (train, test):
        np.testing.assert_array_equal(part.labels.argmax(axis=1), grey_numbers(part.images) % 2)
    images, classes, _ = opened(path)
    assert grey_numbers(images).tolist() == list(range(8)) and classes.tolist() == [0, 1] * 4


def test_a_file_as_keras_has_them_is_parted_already(tmp_path):
    path = saved(
        tmp_path,
        x_train=pixels(6),
        y_train=np.arange(6) % 3,
        x_test=pixels(2, (8, 8)),
        y_test=np.array([[3], [0]]),  # a column, as in Keras' cifar10; a class that train has not
    )
    train, test = open_images(path, SIZE)
    assert train.images.shape == (6, 16, 16, 1) and test.images.shape == (2, 16, 16, 1)
    assert train.class_names == test.class_names == ("0", "1", "2", "3")
    assert train.labels.argmax(axis=1).tolist() == [0, 1, 2, 0, 1, 2]
    assert test.labels.argmax(axis=1).tolist() == [3, 0]


@pytest.mark.parametrize("kind", ["float32", "uint8", "bool"])
def test_labels_may_be_one_hot(tmp_path, kind):
    path = saved(tmp_path, images=pixels(), labels=np.eye(4)[np.arange(8) % 3].astype(kind))
    _, classes, names = opened(path)
    assert classes.tolist() == [0, 1, 2, 0, 1, 2, 0, 1] and names == ("0", "1", "2", "3")


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_floats_are_scaled_by_their_range(tmp_path, kind):
    labels = np.arange(8) % 2
    expected = opened(saved(tmp_path, images=pixels(), labels=labels))[0]
    for scaled in (pixels() / 255, pixels() / 127.5 - 1):
        path = saved(tmp_path, images=scaled.astype(kind), labels=labels)
        np.testing.assert_allclose(opened(path)[0], expected, atol=0.009)


def test_train_and_test_are_scaled_alike(tmp_path):
    """The test part of a set in [-1, 1] may well have no dark pixel."""
    labels, bright = np.arange(8) % 2, np.full((8, 16, 16), 0.5)
    arrays = {"x_train": bright - 1, "y_train": labels, "x_test": bright, "y_test": labels}
    train, test = open_images(saved(tmp_path, **arrays), SIZE)
    np.testing.assert_allclose(train.images, -0.5, atol=0.005)
    np.testing.assert_allclose(test.images, 0.5, atol=0.005)


@pytest.mark.parametrize("stored", [(16, 16), (16, 16, 1), (16, 16, 3), (40, 40), (8, 8, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_sizes_and_channels_become_those_asked_for(tmp_path, stored, channels):
    path = saved(tmp_path, images=pixels(8, stored), labels=np.arange(8) % 2)
    images, _, _ = opened(path, channels=channels)
    assert images.shape == (8, 16, 16, channels)
    assert grey_numbers(images).tolist() == list(range(8))


def test_other_proportions_are_padded_with_white_or_as_asked(tmp_path):
    path = saved(tmp_path, images=np.zeros((4, 8, 16), np.uint8), labels=[0, 1, 0, 1])
    padded, stretched = opened(path)[0], opened(path, fit="stretch")[0]
    assert np.all(padded[:, :4] == 1) and np.all(padded[:, 4:12] == -1) and np.all(stretched == -1)


LABELS = np.arange(8) % 2


@pytest.mark.parametrize(
    "arrays, message",
    [
        (
            {"images": pixels()},
            r"must hold either the arrays \['images', 'labels'\] or .*Received: \['images'\]",
        ),
        ({"x_train": pixels(), "y_train": LABELS}, r"Received: \['x_train', 'y_train'\]"),
        ({"images": pixels(), "labels": LABELS[:7]}, r"labels of shape \(7,\) for 8 images in 'images'"),
        ({"images": pixels(), "labels": 3}, r"labels of shape \(\) for 8 images"),
        ({"images": pixels(8, (16,)), "labels": LABELS}, r"'images' must be .*Received: shape \(8, 16\)"),
        ({"images": pixels(8, (16, 16, 4)), "labels": LABELS}, r"Received: shape \(8, 16, 16, 4\)"),
        ({"images": pixels(0), "labels": LABELS[:0]}, r"Received: shape \(0, 16, 16\)"),
        (
            {"images": pixels().astype(int), "labels": LABELS},
            "images must be uint8 .*Received: images of int64",
        ),
        ({"images": pixels() > 0, "labels": LABELS}, "Received: images of bool"),
        ({"images": pixels() * 1.0, "labels": LABELS}, "Received: images of floats from 0.0 to 140.0"),
        ({"images": pixels() * np.nan, "labels": LABELS}, "Received: images of floats from nan"),
        ({"images": pixels(), "labels": LABELS * 1.0}, r"labels must be integers .*Received: float64 \(8,\)"),
        ({"images": pixels(), "labels": np.full((8, 2), 0.5)}, r"Received: float64 \(8, 2\)"),
        ({"images": pixels(), "labels": np.array(["a", "b"] * 4)}, r"Received: <U1 \(8,\)"),
        ({"images": pixels(), "labels": LABELS * 0}, "must hold at least two classes. Received: .* with 0"),
        (
            {"images": pixels(), "labels": np.arange(8)},
            "at least two images.*Received: 8 images of 8 classes",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, arrays, message):
    with pytest.raises(ValueError, match=message):
        open_images(saved(tmp_path, **arrays), SIZE)


def test_parts_of_different_kinds_are_refused(tmp_path):
    arrays = {"x_train": pixels(), "y_train": LABELS, "x_test": pixels(), "y_test": LABELS}
    with pytest.raises(ValueError, match="Received: x_train of uint8, x_test of float64"):
        open_images(saved(tmp_path, **{**arrays, "x_test": pixels() / 255}), SIZE)
    for other in (np.eye(2)[LABELS], np.array(["a", "b"] * 4)):
        with pytest.raises(ValueError, match=r"labels must be .*Received: int64 \(8,\), "):
            open_images(saved(tmp_path, **{**arrays, "y_test": other}), SIZE)
    one_hot = {**arrays, "y_train": np.eye(2)[LABELS], "y_test": np.eye(3)[LABELS]}
    with pytest.raises(ValueError, match=r"as many classes in each part.*\(8, 2\), float64 \(8, 3\)"):
        open_images(saved(tmp_path, **one_hot), SIZE)


def test_a_damaged_file_is_named(tmp_path):
    path = saved(
        tmp_path, images=np.random.default_rng(0).integers(0, 255, (8, 16, 16), np.uint8), labels=LABELS
    )
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[500] ^= 1
    for damaged in (b"", b"hello", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(damaged)
        with pytest.raises(ImageError, match="set.npz"):
            open_images(path, SIZE)
    with open(path, "wb") as file:
        np.save(file, pixels())
    with pytest.raises(ImageError, match="set.npz' is a single array"):
        open_images(path, SIZE)


def test_nothing_is_unpickled(tmp_path):
    path = saved(tmp_path, images=pixels(), labels=np.array(["a", None] * 4, dtype=object))
    with pytest.raises(ImageError, match="Cannot read 'labels' of .*set.npz.*allow_pickle=False"):
        open_images(path, SIZE)


def test_digits_name_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"scikit-learn.*pip install keras_cgan\[digits\]"):
        open_images("digits")


def test_digits_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets")
    train, test = open_images("digits", (8, 8), test_share=0.1)
    assert len(train) + len(test) == 1797 and train.class_names == tuple("0123456789")
    assert train.images.min() == -1 and train.images.max() == 1
    ours = {
        (int(label), image.tobytes())
        for part in (train, test)
        for image, label in zip(np.rint((part.images + 1) * 8).astype(int), part.labels.argmax(axis=1))
    }
    theirs = datasets.load_digits()
    assert ours == {
        (int(label), image.astype(int).tobytes()) for image, label in zip(theirs.images, theirs.target)
    }
    wide = open_images("digits", (16, 32), channels=3)[0]
    assert wide.image_shape == (16, 32, 3) and np.all(wide.images[:, :, :8] == -1)
