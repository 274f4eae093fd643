import itertools

import cv2
import numpy as np
import pytest

from keras_cgan.data.embedded import EmbeddedPairs

N_CLASSES = 6


def soft(image, sigma=2):
    return cv2.GaussianBlur(np.asarray(image, dtype="float32"), (0, 0), sigma)


def ink(sketch):
    return 1 - sketch[..., 0] / 255


def alignment(misalignment, n_pairs=48):
    """The mean correlation of a photo's Canny edges with its sketch's ink, both blurred."""
    pairs = EmbeddedPairs(n_pairs, misalignment=misalignment)
    values = []
    for i in range(n_pairs):
        photo, sketch = pairs.load(i, (64, 64))
        edges = cv2.Canny(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 100, 200)
        values.append(np.corrcoef(soft(edges).ravel(), soft(ink(sketch)).ravel())[0, 1])
    return np.mean(values)


def test_an_item_is_the_same_whenever_and_wherever_it_is_drawn():
    one, other = EmbeddedPairs(12, seed=3), EmbeddedPairs(90, seed=3)
    other.load(4, (32, 32))
    for index in (0, 7, 11):
        for a, b in zip(one.load(index, (48, 48)), other.load(index, (48, 48))):
            np.testing.assert_array_equal(a, b)


def test_seed_and_index_change_both_images():
    pairs, reseeded = EmbeddedPairs(12, seed=0), EmbeddedPairs(12, seed=1)
    for a, b, c in zip(pairs.load(0, (48, 48)), pairs.load(6, (48, 48)), reseeded.load(0, (48, 48))):
        assert np.abs(a.astype(int) - b).mean() > 3
        assert np.abs(a.astype(int) - c).mean() > 3


def test_the_photo_does_not_depend_on_the_misalignment():
    aligned, redrawn = EmbeddedPairs(6, misalignment=0), EmbeddedPairs(6, misalignment=1)
    for index in range(6):
        (photo, sketch), (same, other) = aligned.load(index, (32, 32)), redrawn.load(index, (32, 32))
        np.testing.assert_array_equal(photo, same)
        assert (sketch != other).any()


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (24, 80), (75, 40), (512, 512)])
def test_sizes_types_and_paper(size):
    pairs = EmbeddedPairs(N_CLASSES)
    for index in range(N_CLASSES):
        photo, sketch = pairs.load(index, size)
        assert photo.shape == (*size, 3) and photo.dtype == np.uint8
        assert sketch.shape == (*size, 1) and sketch.dtype == np.uint8
        assert photo.std() > 10
        # Some ink, and paper that is white for the most part.
        assert sketch.min() < 140
        assert np.median(sketch) == 255


def test_an_item_at_two_sizes_is_one_picture():
    pairs = EmbeddedPairs(12)
    for index in range(12):
        for small, large in zip(pairs.load(index, (64, 64)), pairs.load(index, (128, 128))):
            reduced = cv2.resize(large, (64, 64), interpolation=cv2.INTER_AREA).reshape(small.shape)
            assert np.abs(small.astype(float) - reduced).mean() < 2


def test_an_object_keeps_its_proportions_in_a_wide_frame():
    pairs = EmbeddedPairs(N_CLASSES, misalignment=0)
    for index in range(N_CLASSES):
        square, wide = (ink(pairs.load(index, size)[1]) for size in [(64, 64), (64, 128)])
        np.testing.assert_allclose(wide[:, 32:96], square, atol=0.02)
        assert wide[:, :24].max() == 0


@pytest.mark.parametrize("misalignment", [0.0, 0.8])
def test_ink_share_of_each_class(misalignment):
    pairs = EmbeddedPairs(72, misalignment=misalignment)
    share = np.array([ink(pairs.load(i, (64, 64))[1]).mean() for i in range(72)])
    for class_name, of_class in zip(pairs.class_names, share.reshape(-1, N_CLASSES).T):
        assert 0.05 < of_class.mean() < 0.14, class_name
        assert 0.02 < of_class.min() and of_class.max() < 0.25, class_name


def test_misalignment_parts_the_sketch_from_the_photo_step_by_step():
    traced, half, far, redrawn = (alignment(m) for m in (0, 0.5, 0.8, 1))
    assert traced > 0.7
    assert traced - half > 0.15 and half - far > 0.05 and far - redrawn > 0.02
    assert redrawn < 0.4


def test_aligned_ink_lies_where_the_photo_has_contrast():
    pairs = EmbeddedPairs(12, misalignment=0)
    for index in range(12):
        photo, sketch = pairs.load(index, (64, 64))
        gradient = np.hypot(*np.gradient(soft(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), 1)))
        inked = ink(sketch) > 0.5
        assert gradient[inked].mean() > 1.5 * gradient[~inked].mean()


@pytest.mark.parametrize("label", range(N_CLASSES))
def test_sketches_of_a_class_differ_in_more_than_their_place(label):
    pairs = EmbeddedPairs(60, misalignment=1)
    shapes = [_cropped(pairs.load(index, (64, 64))[1]) for index in range(label, 60, N_CLASSES)]
    distances = [1 - np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in itertools.combinations(shapes, 2)]
    # Wobble and bent proportions alone come to less than 0.6.
    assert np.mean(distances) > 0.62


@pytest.mark.parametrize("label", range(N_CLASSES))
def test_a_redrawn_sketch_tells_which_photo_of_its_class_it_is_of(label):
    indices = range(label, 15 * N_CLASSES, N_CLASSES)
    traced, redrawn = (
        [_cropped(EmbeddedPairs(90, misalignment=m).load(i, (64, 64))[1]) for i in indices] for m in (0, 0.8)
    )
    found = 0
    for i, sketch in enumerate(redrawn):
        # People mirror what they draw, so either way round counts.
        likeness = [
            max(np.corrcoef(turned.ravel(), other.ravel())[0, 1] for turned in (sketch, sketch[:, ::-1]))
            for other in traced
        ]
        found += np.argmax(likeness) == i
    assert found >= 6  # By chance it would be one of the 15.


def _cropped(sketch):
    """The blurred ink of a drawing, scaled to fill the frame."""
    rows, columns = np.nonzero(sketch[..., 0] < 128)
    crop = ink(sketch)[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return soft(cv2.resize(crop, (32, 32), interpolation=cv2.INTER_AREA), 1.5)


def test_colour_alone_tells_little():
    """The nearest class mean of the photos' mean colours is seldom the right one."""
    pairs = EmbeddedPairs(120)
    colours = np.array([pairs.load(i, (16, 16))[0].mean(axis=(0, 1)) for i in range(120)])
    means = colours[:60].reshape(-1, N_CLASSES, 3).mean(axis=0)
    guesses = np.linalg.norm(colours[60:, None] - means, axis=-1).argmin(axis=-1)
    assert (guesses == pairs.labels[60:]).mean() < 0.5


def test_classes_are_balanced_in_every_prefix_and_names_count_within_them():
    pairs = EmbeddedPairs(20)
    assert len(pairs) == len(pairs.names) == 20
    assert pairs.class_names == ("chair", "tree", "orange", "cup", "fish", "house")
    for stop in range(1, 21):
        assert np.ptp(np.bincount(pairs.labels[:stop], minlength=N_CLASSES)) <= 1
    assert pairs.names[0] == "chair/0000" and pairs.names[13] == "tree/0002"
    assert pairs.one_hot().sum(axis=0).tolist() == [4, 4, 3, 3, 3, 3]


@pytest.mark.parametrize(
    "arguments",
    [
        {"n_pairs": 0},
        {"n_pairs": 2.5},
        {"misalignment": -0.1},
        {"misalignment": float("nan")},
        {"seed": -1},
    ],
)
def test_bad_arguments_are_named(arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=rf"`{name}` must be .*Received: {value}$"):
        EmbeddedPairs(**arguments)


@pytest.mark.parametrize("size", [(15, 64), (64,), (64, 64, 3), 64, (64.0, 64)])
def test_bad_image_sizes_are_named(size):
    with pytest.raises(ValueError, match=r"`image_size` must be .* at least 16\. Received: ") as caught:
        EmbeddedPairs(6).load(0, size)
    assert str(caught.value).endswith(repr(size))


@pytest.mark.parametrize("index", [-1, 6, 1.0])
def test_bad_indices_are_named(index):
    with pytest.raises(IndexError, match=rf"`index` must be an integer from 0 to 5\. Received: {index}$"):
        EmbeddedPairs(6).load(index, (64, 64))
