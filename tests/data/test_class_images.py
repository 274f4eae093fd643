"""Class images as arrays: what they must be, how they are parted, and the batches made of them."""

import re
import subprocess
import sys

import numpy as np
import pytest

from keras_cgan.data import ClassImages, open_images


def numbered(n=20, n_classes=2, shape=(4, 4, 1)):
    """Images that are each of a grey of their own, so that they can be told apart; classes in turn."""
    greys = np.linspace(-1, 1, n, dtype="float32")
    images = np.broadcast_to(greys[:, None, None, None], (n, *shape))
    return ClassImages(
        images, np.eye(n_classes)[np.arange(n) % n_classes], [f"c{i}" for i in range(n_classes)]
    )


def greys(images):
    return np.asarray(images)[:, 0, 0, 0].tolist()


def test_reading_images_needs_no_tensorflow():
    code = """
import sys
from keras_cgan.data import open_images
open_images(None, (16, 16), n=20)
sys.exit("tensorflow" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_bytes_become_floats_in_the_range_of_models():
    pixels = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    images = ClassImages(pixels, np.eye(2), ["a", "b"])
    assert images.images.dtype == images.labels.dtype == np.float32
    assert greys(images.images) == [-1, 1]
    assert images.names == ("0", "1") and images.class_names == ("a", "b")
    assert len(images) == 2 and images.n_classes == 2 and images.image_shape == (1, 1, 1)


def test_a_subset_keeps_what_belongs_together():
    images = numbered()
    for chosen in ([3, 1], np.arange(20) == 7):
        part, at = images.subset(chosen), np.arange(20)[chosen]
        assert greys(part.images) == greys(images.images[at])
        np.testing.assert_array_equal(part.labels, images.labels[at])
        assert part.names == tuple(str(i) for i in at) and part.class_names == images.class_names


@pytest.mark.parametrize("share, held_out", [(0.2, 2), (0.01, 1), (0.99, 9), (0.5, 5)])
def test_a_split_holds_out_a_share_of_each_class(share, held_out):
    images = numbered()
    train, test = images.split(share, seed=1)
    assert test.labels.sum(axis=0).tolist() == [held_out] * 2
    assert sorted(greys(train.images) + greys(test.images)) == greys(images.images)
    assert images.split(share, seed=1)[1].names == test.names
    assert len({images.split(share, seed=seed)[1].names for seed in range(5)}) > 1


def test_the_only_image_of_a_class_is_trained_on():
    images = ClassImages(np.zeros((3, 2, 2, 1)), np.eye(2)[[0, 0, 1]], ["a", "b"])
    train, test = images.split(0.9)
    assert train.labels.sum(axis=0).tolist() == [1, 1] and test.labels.sum(axis=0).tolist() == [1, 0]
    with pytest.raises(ValueError, match="at least two images.* Received: 2 images of 2 classes"):
        images.subset([0, 2]).split()


def test_batches_hold_every_image_once_an_epoch_in_changing_orders():
    images = numbered(22)
    epochs = []
    for batch in images.batches(5, seed=3).take(4 * 4):
        assert batch["image"].shape == (5, 4, 4, 1) and batch["label"].shape == (5, 2)
        numbers = np.rint((np.array(greys(batch["image"])) + 1) * 21 / 2).astype(int)
        np.testing.assert_array_equal(np.argmax(batch["label"], axis=1), numbers % 2)
        epochs.append(numbers)
    epochs = np.reshape(epochs, (4, 20))
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert len({frozenset(epoch) for epoch in epochs}) > 1  # not always the same two are left out


def test_batches_depend_on_the_seed_and_their_number_only():
    def first(count, **options):
        return [greys(batch) for batch in images.batches(5, labels=False, **options).take(count)]

    images = numbered()
    whole = first(10, seed=1)
    assert first(7, seed=1, start=3) == whole[3:]
    assert first(10, seed=2) != whole
    batches = images.batches(5, seed=1, labels=False)
    assert [greys(batch) for batch in batches.take(2)] == [greys(batch) for batch in batches.take(2)]
    assert batches.element_spec.shape == (5, 4, 4, 1) and batches.element_spec.dtype == "float32"


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"images": np.zeros((2, 4, 4))}, r"`images` must be .*Received: shape \(2, 4, 4\)"),
        ({"images": np.zeros((2, 4, 4, 2))}, r"Received: shape \(2, 4, 4, 2\)"),
        ({"images": np.zeros((0, 4, 4, 1))}, r"Received: shape \(0, 4, 4, 1\)"),
        ({"images": np.zeros((2, 4, 4, 1), int)}, "Received: dtype int64"),
        ({"images": np.full((2, 4, 4, 1), 255.0)}, "Received: floats from 255.0 to 255.0"),
        ({"images": np.full((2, 4, 4, 1), np.nan)}, "Received: floats from nan"),
        ({"labels": np.array([0, 1])}, r"`labels` must be one-hot.*Received: shape \(2,\) for 2 images"),
        ({"labels": np.full((2, 2), 0.5)}, "`labels` must be one-hot"),
        ({"labels": np.ones((2, 2))}, "`labels` must be one-hot"),
        ({"labels": np.eye(3)}, r"Received: shape \(3, 3\) for 2 images and 2 `class_names`"),
        ({"labels": np.ones((2, 1)), "class_names": ["a"]}, "at least two classes"),
        ({"names": ["one"]}, "`names` must be one an image. Received: 1 names, 2 images"),
    ],
)
def test_arrays_are_checked(arguments, message):
    good = {"images": np.zeros((2, 4, 4, 1)), "labels": np.eye(2), "class_names": ["a", "b"]}
    ClassImages(**good)
    with pytest.raises(ValueError, match=message):
        ClassImages(**{**good, **arguments})


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda images: images.split(0), r"`test_share` must be in \(0, 1\). Received: test_share=0"),
        (lambda images: images.split(True), "Received: test_share=True"),
        (lambda images: images.split(seed=-1), "`seed` must be .*Received: seed=-1"),
        (lambda images: images.batches(0), "`batch_size` must be .*Received: batch_size=0"),
        (lambda images: images.batches(21), "`batch_size` must be at most .*20. Received: batch_size=21"),
        (lambda images: images.batches(2, seed=0.5), "`seed` must be .*Received: seed=0.5"),
        (lambda images: images.batches(2, start=-1), "`start` must be .*Received: start=-1"),
        (lambda images: open_images(image_size=28), "`image_size` must be .*Received: image_size=28"),
        (lambda images: open_images(channels=2), "`channels` must be .*Received: channels=2"),
        (lambda images: open_images(fit="zoom"), "`fit` must be .*Received: fit=.zoom"),
        (lambda images: open_images(test_share=1), "`test_share` must be .*Received: test_share=1"),
        (lambda images: open_images(seed="0"), "`seed` must be .*Received: seed=.0"),
        (lambda images: open_images(n=9), "`n` must be .*Received: n=9"),
    ],
)
def test_arguments_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call(numbered())


def test_a_source_must_be_one_that_can_be_read(tmp_path):
    for name in ("nowhere", "nowhere.npz"):
        with pytest.raises(FileNotFoundError, match=rf"`source` must be .*Received: source='.*{name}'"):
            open_images(str(tmp_path / name))
    (tmp_path / "images.zip").write_bytes(b"x")
    with pytest.raises(
        ValueError, match="`source` must be .*existing folder or .npz file. Received: .*images.zip"
    ):
        open_images(tmp_path / "images.zip")
    for wrong in ("", 3, []):
        with pytest.raises(
            ValueError, match=rf"`source` must be .*Received: source={re.escape(repr(wrong))}"
        ):
            open_images(wrong)


def test_without_a_source_the_embedded_set_is_parted():
    train, test = open_images(image_size=(16, 24), channels=3, test_share=0.25, n=40)
    assert train.images.shape == (30, 16, 24, 3) and test.images.shape == (10, 16, 24, 3)
    assert set(train.labels.sum(axis=0)) == {3} and set(test.labels.sum(axis=0)) == {1}
    assert not set(train.names) & set(test.names)
