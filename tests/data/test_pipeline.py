"""Batches of pairs: shapes, ranges, augmentation, and repetition from seed and step."""

import itertools

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cgan.data import ImageError, Pairs, PairPipeline, pair_dataset
from keras_cgan.data.blur import blurred
from keras_cgan.data.warp import take, warp_map

SIZE = (16, 20)


class NoisePairs(Pairs):
    """Pairs whose sketch is the photo's red channel, so that a crop of one alone would be seen.

    The lower left pixel of the sketch holds the pair's number as long as nothing is cut off.
    """

    def __init__(self, count=10, n_classes=3):
        self.loads = []
        names = [f"pair {index}" for index in range(count)]
        super().__init__(np.arange(count) % n_classes, [f"class {n}" for n in range(n_classes)], names)

    def load(self, index, image_size):
        self.loads.append(int(index))
        photo = np.random.default_rng(int(index)).integers(0, 256, (*image_size, 3), dtype=np.uint8)
        photo[-1, 0] = index
        return photo, photo[..., :1].copy()


def collect(dataset):
    return [(x["photo"].numpy(), x["label"].numpy(), y.numpy()) for x, y in dataset]


def assert_same(batches, others):
    assert len(batches) == len(others) > 0
    for batch, other in zip(batches, others):
        for array, expected in zip(batch, other):
            np.testing.assert_array_equal(array, expected)


def differs(batches, others):
    return any(not np.array_equal(a, b) for x, y in zip(batches, others) for a, b in zip(x, y))


def test_batches_have_static_shapes_and_unit_range():
    dataset = pair_dataset(NoisePairs(), SIZE, batch_size=4)
    conditions, sketch = dataset.element_spec
    assert conditions["photo"] == tf.TensorSpec((None, *SIZE, 3), tf.float32)
    assert conditions["label"] == tf.TensorSpec((None, 3), tf.float32)
    assert sketch == tf.TensorSpec((None, *SIZE, 1), tf.float32)
    batches = collect(dataset)
    assert [len(photo) for photo, _, _ in batches] == [4, 4, 2]
    photos = np.concatenate([photo for photo, _, _ in batches])
    assert photos.shape == (10, *SIZE, 3)
    assert -1 <= photos.min() < -0.98 and 0.98 < photos.max() <= 1


def test_a_last_short_batch_can_be_left_out():
    pipeline = PairPipeline(NoisePairs(), SIZE, batch_size=4, drop_remainder=True)
    dataset = pipeline.epoch(0)
    assert pipeline.steps_per_epoch == 2 == dataset.cardinality()
    assert dataset.element_spec[1].shape == (4, *SIZE, 1)
    assert [len(sketch) for _, _, sketch in collect(dataset)] == [4, 4]


def test_without_shuffle_and_augmentation_pairs_come_as_they_are():
    pairs = NoisePairs()
    batches = collect(pair_dataset(pairs, SIZE, batch_size=4, shuffle=False, augment=False))
    photos, labels, sketches = (np.concatenate(part) for part in zip(*batches))
    expected = [pairs.load(index, SIZE) for index in range(len(pairs))]
    np.testing.assert_allclose(photos, np.stack([photo for photo, _ in expected]) / 127.5 - 1, atol=1e-6)
    np.testing.assert_allclose(sketches, np.stack([sketch for _, sketch in expected]) / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(labels, np.eye(3)[pairs.labels])


def pair_numbers(batches):
    return [int(round((sketch[-1, 0, 0] + 1) * 127.5)) for _, _, sketches in batches for sketch in sketches]


def test_each_epoch_holds_every_pair_once_in_its_own_order():
    pairs = NoisePairs()
    pipeline = PairPipeline(pairs, SIZE, batch_size=4, augment=False)
    orders = []
    for epoch in range(3):
        batches = collect(pipeline.epoch(epoch))
        orders.append(tuple(pair_numbers(batches)))
        labels = np.concatenate([label for _, label, _ in batches]).argmax(-1)
        np.testing.assert_array_equal(labels, pairs.labels[list(orders[-1])])
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len(set(orders)) == 3
    assert tuple(range(10)) not in orders


def test_photo_and_sketch_share_crop_and_flip():
    pairs = NoisePairs(count=24)
    pipeline = PairPipeline(pairs, SIZE, batch_size=24, shuffle=False, jitter=1.1)
    ((photos, _, sketches),) = collect(pipeline.epoch(0))
    np.testing.assert_array_equal(photos[..., :1], sketches)

    # Each must be a window of the larger load, and windows and flips must vary.
    found = []
    for index, photo in enumerate(photos):
        large = pairs.load(index, (18, 22))[0] / np.float32(127.5) - 1
        windows = itertools.product(range(3), range(3), (1, -1))
        found += [
            (top, left, step)
            for top, left, step in windows
            if np.allclose(photo, large[top : top + 16, left : left + 20][:, ::step])
        ]
    assert len(found) == len(photos)
    tops, lefts, steps = (set(values) for values in zip(*found))
    assert tops == lefts == {0, 1, 2} and steps == {1, -1}


def test_crop_and_flip_can_be_turned_off_one_by_one():
    pairs = NoisePairs(count=16)
    whole = pair_dataset(pairs, SIZE, 16, shuffle=False, augment=False)
    neither = pair_dataset(pairs, SIZE, 16, shuffle=False, jitter=1, flip=False)
    assert_same(collect(whole), collect(neither))
    ((photos, _, _),), ((plain, _, _),) = (
        collect(dataset) for dataset in (pair_dataset(pairs, SIZE, 16, shuffle=False, jitter=1), whole)
    )
    mirrored = [np.array_equal(photo, other[:, ::-1]) for photo, other in zip(photos, plain)]
    same = [np.array_equal(photo, other) for photo, other in zip(photos, plain)]
    assert 0 < sum(mirrored) < 16 and sum(mirrored) + sum(same) == 16


class FramedPairs(NoisePairs):
    """Smooth pairs in a white frame, so that what is around a photo is what is around a sketch."""

    def load(self, index, image_size):
        photo, _ = super().load(index, image_size)
        photo = cv2.GaussianBlur(photo, (5, 5), 1.5)
        photo[:4], photo[-4:], photo[:, :4], photo[:, -4:] = 255, 255, 255, 255
        return photo, photo[..., :1].copy()


def test_photo_and_sketch_are_bent_alike_each_pair_by_a_map_of_its_own():
    class OnePicture(FramedPairs):
        def load(self, index, image_size):
            return super().load(0, image_size)

    def batch(**options):
        ((photos, _, sketches),) = collect(
            pair_dataset(OnePicture(), (32, 40), 10, shuffle=False, jitter=1, flip=False, **options)
        )
        return photos, sketches

    plain, (photos, sketches) = batch()[0], batch(warp=0.7)
    np.testing.assert_array_equal(photos[..., :1], sketches)
    assert all(np.abs(photo - other).mean() > 0.02 for photo, other in zip(photos, plain))
    assert len({photo.tobytes() for photo in photos}) == len(photos)
    np.testing.assert_array_equal(batch(warp=0.7, augment=False)[0], plain)


def test_a_bent_pair_takes_from_around_its_window_too():
    # All white but a frame that no window reaches: it comes in when the pair is bent.
    class DarkFrame(NoisePairs):
        def load(self, index, image_size):
            photo = np.full((*image_size, 3), 255, np.uint8)
            photo[0] = photo[-1] = photo[:, 0] = photo[:, -1] = 0
            return photo, photo[..., :1].copy()

    def darkest(warp):
        dataset = pair_dataset(DarkFrame(count=32), (16, 16), 32, shuffle=False, jitter=1.5, warp=warp)
        ((_, _, sketches),) = collect(dataset)
        return np.sort(sketches.min(axis=(1, 2, 3)))

    assert darkest(0)[len(darkest(0)) // 2] == 1  # most windows are within the frame
    assert darkest(1.0).mean() < darkest(0).mean() - 0.1


def test_paper_around_a_bent_sketch_is_white_and_a_photo_goes_on():
    image = np.full((16, 16, 1), 80, np.uint8)
    far = np.full((4, 4), 100.0, "float32")
    assert (take(image, far, far, middle=(7.5, 7.5), sketch=True) == 255).all()
    assert (take(image, far, far, middle=(7.5, 7.5), sketch=False) == 80).all()
    for channels in (1, 3, 4):
        bent = take(np.zeros((16, 16, channels), np.uint8), far, far, (0, 0), sketch=True)
        assert bent.shape == (4, 4, channels) and (bent == 255).all()


def test_maps_stay_within_their_bounds_and_about_the_middle():
    height, width, strength = 24, 40, 0.5
    rng = np.random.default_rng(0)
    maps = np.array([warp_map(rng, (height, width), strength) for _ in range(400)])
    rows, columns = (np.arange(side) - (side - 1) / 2 for side in (height, width))
    most = np.abs(rows)[:, None] * np.exp(0.22 * strength) + np.abs(columns) * 0.3 * strength
    most = most + 0.05 * height * (1 + strength)
    assert (np.abs(maps[:, 0]) <= most + 1e-4).all()
    np.testing.assert_allclose(maps[:, 0].mean(axis=0), np.broadcast_to(rows[:, None], (24, 40)), atol=0.6)
    np.testing.assert_allclose(maps[:, 1].mean(axis=0), np.broadcast_to(columns, (24, 40)), atol=1.0)
    assert maps[:, 0].std(axis=0).min() > 0.3 and maps[:, 1].std(axis=0).min() > 0.3


def test_bent_batches_too_depend_on_seed_and_step_alone():
    whole = collect(PairPipeline(NoisePairs(), SIZE, 4, seed=5, warp=0.7).batches(0, 6))
    assert_same(collect(PairPipeline(NoisePairs(), SIZE, 4, seed=5, warp=0.7).batches(2, 6)), whole[2:])
    assert differs(whole, collect(PairPipeline(NoisePairs(), SIZE, 4, seed=6, warp=0.7).batches(0, 6)))


@pytest.mark.parametrize("options", [{}, {"warp": 0.7}])
def test_a_share_of_the_photos_is_blurred_and_nothing_else_is_changed(options):
    def batch(**more):
        (arrays,) = collect(pair_dataset(NoisePairs(200), (16, 16), 200, **options, **more))
        return arrays

    plain, *others = batch()
    assert_same([batch(blur_rate=0.0)], [(plain, *others)])
    counts = []
    for rate in (0.25, 1.0):
        photos, *same = batch(blur_rate=rate)
        assert_same([same], [others])
        counts.append((photos != plain).any(axis=(1, 2, 3)).sum())
    # A blur of much less than a pixel is none: about a tenth of them, in photos as small as these.
    assert 30 <= counts[0] <= 62 and 160 <= counts[1] <= 200
    most, left, least = (
        np.abs(np.diff(x, axis=2)).mean(axis=(1, 2, 3)) for x in (plain, photos, blurred(plain))
    )
    left = (left - least) / (most - least)
    assert -0.01 < left.min() < 0.02 and 0.98 < left.max() < 1.01 and 0.05 < np.median(left) < 0.5


def test_blurred_batches_too_depend_on_seed_and_step_alone():
    def batches(seed, *steps):
        return collect(PairPipeline(NoisePairs(), SIZE, 4, seed=seed, blur_rate=0.5).batches(*steps))

    whole = batches(5, 0, 6)
    assert_same(batches(5, 0, 6), whole)
    assert_same(batches(5, 2, 6), whole[2:])
    # Without order and cuts the seed, epoch and place choose the photos that are blurred.
    still = {"shuffle": False, "jitter": 1, "flip": False, "blur_rate": 0.5}
    of = [PairPipeline(NoisePairs(), SIZE, 5, seed=seed, **still) for seed in (5, 6)]
    plain = PairPipeline(NoisePairs(), SIZE, 5, **{**still, "blur_rate": 0.0})
    chosen = [
        (pipeline.arrays(n)[0] != plain.arrays(n)[0]).any(axis=(1, 2, 3)) for pipeline in of for n in range(4)
    ]
    assert len({each.tobytes() for each in chosen}) > 4


def test_nothing_is_blurred_without_augmentation():
    options = {"shuffle": False, "augment": False}
    plain = collect(pair_dataset(NoisePairs(), SIZE, 4, **options))
    assert_same(collect(pair_dataset(NoisePairs(), SIZE, 4, **options, blur_rate=1.0)), plain)


def test_batches_depend_on_seed_and_epoch_alone():
    def batches(seed, epoch, **options):
        return collect(pair_dataset(NoisePairs(), SIZE, 4, epoch=epoch, seed=seed, **options))

    assert_same(batches(3, 2), batches(3, 2))
    assert_same(batches(3, 2), batches(3, 2, memory_limit=0))
    assert differs(batches(3, 2), batches(3, 1))
    assert differs(batches(3, 2), batches(4, 2))
    for apart in ({"shuffle": False}, {"augment": False}):  # the cuts alone, and the order alone
        assert differs(batches(3, 2, **apart), batches(3, 1, **apart))
        assert differs(batches(3, 2, **apart), batches(4, 2, **apart))


def test_batches_of_one_epoch_are_cut_differently():
    class OnePicture(NoisePairs):
        def load(self, index, image_size):
            return super().load(0, image_size)

    first, second, _ = collect(pair_dataset(OnePicture(), SIZE, 4))
    assert not np.array_equal(first[0], second[0])


def test_a_resumed_epoch_is_the_tail_of_the_whole():
    whole = PairPipeline(NoisePairs(), SIZE, 4, seed=5)
    again = PairPipeline(NoisePairs(), SIZE, 4, seed=5)
    all_steps = collect(whole.epoch(0)) + collect(whole.epoch(1))
    assert_same(collect(again.epoch(1).skip(2)), all_steps[5:])
    assert_same(collect(again.batches(2, 6)), all_steps[2:])
    assert_same(collect(again.batches(4).take(2)), all_steps[4:])


def test_fit_sees_another_order_each_epoch():
    class Recorder(keras.Model):
        def __init__(self):
            super().__init__()
            self.seen = []

        def train_step(self, data):
            self.seen.append(tuple(pair_numbers([(None, None, data[1].numpy())])))
            return {"loss": 0.0}

    pipeline = PairPipeline(NoisePairs(), SIZE, batch_size=4, augment=False)
    model = Recorder()
    model.compile(run_eagerly=True)
    steps = pipeline.steps_per_epoch
    model.fit(pipeline.batches(), epochs=2, steps_per_epoch=steps, shuffle=False, verbose=0)
    first, second = sum(model.seen[:3], ()), sum(model.seen[3:], ())
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


@pytest.mark.parametrize("kept", [0, 4, 10])
def test_as_many_pairs_are_kept_as_memory_allows(kept):
    pairs = NoisePairs()
    bytes_a_pair = SIZE[0] * SIZE[1] * (3 + 1)
    pipeline = PairPipeline(pairs, SIZE, 4, augment=False, memory_limit=kept * bytes_a_pair + 1)
    first = collect(pipeline.epoch(0))
    pairs.loads.clear()
    assert_same(collect(pipeline.epoch(0)), first)
    assert sorted(pairs.loads) == list(range(kept, 10))


def test_an_error_in_loading_reaches_the_user():
    class Broken(NoisePairs):
        def load(self, index, image_size):
            if index == 7:
                raise ImageError("photo/7.png is damaged")
            return super().load(index, image_size)

    with pytest.raises(tf.errors.OpError, match="photo/7.png is damaged"):
        collect(pair_dataset(Broken(), SIZE, 5))


def test_pairs_must_load_uint8_of_the_size_asked():
    class Floats(NoisePairs):
        def load(self, index, image_size):
            photo, sketch = super().load(index, image_size)
            return photo / 255, sketch

    with pytest.raises(ValueError, match="`pairs.load` must return uint8 images .*Received: .*float64"):
        pair_dataset(Floats(), SIZE, 5)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("image_size", 16),
        ("image_size", (16, 0)),
        ("batch_size", 0),
        ("batch_size", 2.5),
        ("batch_size", 11),
        ("epoch", -1),
        ("jitter", 0.9),
        ("jitter", "1.1"),
        ("seed", -1),
        ("memory_limit", -1),
        ("warp", -0.1),
        ("warp", "much"),
        ("blur_rate", -0.1),
        ("blur_rate", 1.1),
        ("blur_rate", float("nan")),
        ("blur_rate", True),
        ("blur_rate", "half"),
    ],
)
def test_arguments_are_checked(argument, value):
    options = {"image_size": SIZE, "batch_size": 4, argument: value}
    with pytest.raises(ValueError) as error:
        pair_dataset(NoisePairs(), **options)
    assert f"`{argument}` must be" in str(error.value)
    assert str(error.value).endswith(f"Received: {argument}={value!r}")


def test_a_range_of_batches_is_checked():
    pipeline = PairPipeline(NoisePairs(), SIZE, 4)
    with pytest.raises(ValueError, match="`stop` must be an integer of at least 3. Received: stop=2"):
        pipeline.batches(3, 2)
    with pytest.raises(ValueError, match="`start` must be an integer of at least 0. Received: start=-1"):
        pipeline.batches(-1)
