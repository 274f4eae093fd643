"""Photos beside sketches of other photos: halves without a photo in both, shuffled apart, in grey."""

import numpy as np
import pytest

from keras_cgan.data import ClassImages, EmbeddedPairs, GreyPairs, Pairs, UnpairedPipeline
from keras_cgan.data.unpaired import SomePairs, halves

SIZE = (16, 16)


class Numbered(Pairs):
    """Pairs whose pixels say which they are."""

    def load(self, index, image_size):
        photo = np.full((*image_size, 3), index, "uint8")
        return photo, photo[..., :1] + 100


def numbered(photo_ids, labels):
    return Numbered(labels, ("a", "b"), [str(i) for i in range(len(labels))], photo_ids)


def seen(pipeline, steps):
    """The numbers of the pairs that photos and sketches are of, batch by batch."""
    return [
        tuple(np.rint((np.asarray(images)[:, 0, 0, 0] + 1) * 127.5).astype(int) for images in batch)
        for batch in pipeline.batches(0, steps)
    ]


def test_halves_share_no_photo_and_have_as_many_of_each_class():
    # Photos 0 and 3 have two sketches each.
    pairs = numbered([0, 0, 1, 2, 3, 3, 4, 5], [0, 0, 1, 0, 1, 1, 0, 1])
    first, second = halves(pairs)
    assert first.photo_ids.tolist() == [0, 0, 1, 4, 5]
    assert second.photo_ids.tolist() == [2, 3, 3]
    assert second.labels.tolist() == [0, 1, 1] and second.names == ("3", "4", "5")
    assert second.load(1, SIZE)[0][0, 0, 0] == 4
    with pytest.raises(ValueError, match="`pairs` must have at least two photos. Received: 2 pairs"):
        halves(SomePairs(pairs, [0, 1]))


def test_no_pair_is_ever_seen():
    pairs = numbered(None, [0, 1] * 10)
    pipeline = UnpairedPipeline(pairs, SIZE, 5, augment=False)
    assert pipeline.steps_per_epoch == 2
    batches = seen(pipeline, 4)
    photos, sketches = (set(np.concatenate(side)) for side in zip(*batches))
    assert photos == set(range(20)) - {number - 100 for number in sketches} and len(photos) == 10
    # An order of its own each: places in the halves do not go together.
    places = [
        (sorted(photos).index(p), sorted(sketches).index(s)) for b in batches for p, s in zip(*b, strict=True)
    ]
    assert len({photo - sketch for photo, sketch in places}) > 5


def test_a_batch_depends_on_its_number_alone():
    pipeline = UnpairedPipeline(EmbeddedPairs(24), SIZE, 4, seed=3)
    whole, later = list(pipeline.batches(0, 5)), list(pipeline.batches(3, 5))
    for batch, again in zip(whole[3:], later, strict=True):
        for images, same in zip(batch, again, strict=True):
            np.testing.assert_array_equal(images, same)
    assert [images.shape for images in whole[0]] == [(4, 16, 16, 3), (4, 16, 16, 1)]


def test_photos_in_grey():
    pairs = EmbeddedPairs(6)
    grey = GreyPairs(pairs)
    photo, sketch = pairs.load(2, SIZE)
    np.testing.assert_array_equal(grey.load(2, SIZE)[1], sketch)
    expected = photo @ [0.299, 0.587, 0.114]
    assert grey.load(2, SIZE)[0].shape == (16, 16, 1)
    np.testing.assert_allclose(grey.load(2, SIZE)[0][..., 0], expected, atol=1)
    assert grey.as_arrays(SIZE)[0].shape == (6, 16, 16, 1)


def test_dark_ground_becomes_light():
    """By the rim alone: what stands on the ground may be as dark as it likes."""
    photos = np.full((2, 16, 16, 3), 230, "uint8")
    photos[0, 2:-2, 2:-2] = 10
    photos[1] = 255 - photos[0]

    class Two(Pairs):
        def load(self, index, image_size):
            return photos[index], photos[index][..., :1]

    pairs = Two([0, 1], ("a", "b"), ("0", "1"))
    grey = GreyPairs(pairs, ground="light")
    for index in (0, 1):
        np.testing.assert_array_equal(grey.load(index, SIZE)[0], photos[0][..., :1])
        np.testing.assert_array_equal(grey.load(index, SIZE)[1], photos[index][..., :1])
        np.testing.assert_array_equal(GreyPairs(pairs).load(index, SIZE)[0], photos[index][..., :1])


def test_sketches_of_another_set():
    images = np.arange(100, 107, dtype="uint8").repeat(16 * 16).reshape(7, *SIZE, 1)
    others = ClassImages(images, np.eye(2)[[0, 1, 1, 0, 1, 0, 0]], ("a", "b"))
    pipeline = UnpairedPipeline(numbered(None, [0, 1] * 10), SIZE, 5, sketches=others, augment=False)
    assert pipeline.steps_per_epoch == 4
    photos, sketches = (np.concatenate(side) for side in zip(*seen(pipeline, 4)))
    assert sorted(photos) == list(range(20)) and len(set(sketches)) == 7
    assert set(sketches) == set(range(100, 107))


def test_a_ground_of_two_colours_becomes_white():
    """By hand: a wall with a gradient and a pattern, a floor, and an object of two other colours."""
    photo = np.zeros((16, 16, 3), "uint8")
    photo[:9] = np.linspace(60, 120, 16)[:, None]
    photo[3, 5] += 10
    photo[9:] = (200, 180, 20)
    photo[6:9, 6:10] = (90, 90, 190)
    photo[9:12, 6:10] = (200, 80, 20)

    class One(Pairs):
        def load(self, index, image_size):
            return photo, photo[..., :1]

    white, sketch = GreyPairs(One([0], ("a",), ("0",)), ground="white").load(0, SIZE)
    assert white.shape == (16, 16, 1) and white.dtype == "uint8"
    np.testing.assert_array_equal(sketch, photo[..., :1])
    there = np.zeros((16, 16), bool)
    there[6:12, 6:10] = True
    np.testing.assert_array_equal(white[~there], 255)
    np.testing.assert_allclose(
        white[6:9, 6:10, 0], 255 - (100 - 12), atol=12
    )  # blue is 190, the wall about 90
    np.testing.assert_array_equal(white[9:12, 6:10, 0], 255 - (100 - 12))


def test_no_other_ground():
    with pytest.raises(ValueError, match="`ground` must be .*kept.*light.*white.*Received: .*black"):
        GreyPairs(EmbeddedPairs(6), ground="black")
