"""Photos and sketches that are no pairs, of a set of pairs or of two sets: what CycleGAN is trained on."""

import cv2
import numpy as np
import tensorflow as tf

from keras_cgan.checks import check_choice
from keras_cgan.data.images import fit_image, to_uint8
from keras_cgan.data.pairs import Pairs
from keras_cgan.data.pipeline import PairPipeline

PATTERN = 12  # levels of 255 by which a ground may differ within a row, and still is white


class SomePairs(Pairs):
    """Some of the pairs of a set.

    Args:
        pairs: A `Pairs`.
        indices: Which of them, integers.

    Example:

    >>> first_ten = SomePairs(pairs, range(10))
    """

    def __init__(self, pairs, indices):
        self._pairs, self._indices = pairs, np.asarray(indices, dtype="int64")
        super().__init__(
            pairs.labels[self._indices],
            pairs.class_names,
            [pairs.names[index] for index in self._indices],
            pairs.photo_ids[self._indices],
        )

    def load(self, index, image_size):
        return self._pairs.load(self._indices[index], image_size)


class GreyPairs(SomePairs):
    """The pairs of a set with photos of one channel, as sketches are.

    Where nothing but the images says what goes with what, as for CycleGAN, a dark ground is drawn as
    ink and a pattern on it as strokes. So the ground may be changed.

    Args:
        pairs: A `Pairs` with photos in RGB.
        ground: `"kept"`: photos in grey. `"light"`: in grey, a photo with a dark rim as its negative.
            `"white"`: a pixel is as dark as its colour is unlike that of the ground of its row, which is
            what there is at both ends of the row.

    Raises:
        ValueError: `ground` is not one of these.

    Example:

    >>> GreyPairs(EmbeddedPairs()).load(0, (64, 64))[0].shape
    (64, 64, 1)
    """

    def __init__(self, pairs, ground="kept"):
        check_choice("ground", ground, ("kept", "light", "white"))
        super().__init__(pairs, range(len(pairs)))
        self.ground = ground

    def load(self, index, image_size):
        photo, sketch = super().load(index, image_size)
        if self.ground == "white":
            grey = _on_white(photo)
        else:
            grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
            if self.ground == "light" and _rim(grey) < 128:
                grey = 255 - grey
        return grey[..., None], sketch


def _rim(image):
    """The median of the outermost pixels."""
    return np.median(np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]))


def _on_white(photo):
    """The greatest of three channels' differences from the ground, black on white."""
    photo = photo.astype("float32")
    left, right = (photo[:, part].mean(axis=1, keepdims=True) for part in (slice(2), slice(-2, None)))
    across = np.linspace(0, 1, photo.shape[1], dtype="float32")[:, None]
    unlike = np.abs(photo - left - across * (right - left)).max(axis=-1)
    return np.round(255 - np.maximum(unlike - PATTERN, 0)).astype("uint8")


def halves(pairs):
    """Two halves of a set, with as many of each class, and no photo in both.

    Args:
        pairs: A `Pairs` with at least two photos.

    Returns:
        `(first, second)`, each a `SomePairs`; the first has the odd photo of a class.

    Raises:
        ValueError: There are not two photos.

    Example:

    >>> first, second = halves(EmbeddedPairs(420))
    """
    if pairs.n_photos < 2:
        raise ValueError(f"`pairs` must have at least two photos. Received: {len(pairs)} pairs")
    side = {}  # of a photo
    taken = np.zeros(pairs.n_classes, dtype=int)
    for photo, label in zip(pairs.photo_ids, pairs.labels):
        if photo not in side:
            side[photo] = taken[label] % 2
            taken[label] += 1
    sides = np.array([side[photo] for photo in pairs.photo_ids])
    return SomePairs(pairs, np.flatnonzero(sides == 0)), SomePairs(pairs, np.flatnonzero(sides == 1))


class _SketchesAlone(Pairs):
    """Sketches, each in the place of a photo as well, for a pipeline of which nobody looks at the photos."""

    def __init__(self, images):
        super().__init__(np.argmax(images.labels, axis=1), images.class_names, images.names)
        self._images = images.images

    def load(self, index, image_size):
        sketch = fit_image(to_uint8(self._images[index]), image_size)
        return sketch, sketch


class UnpairedPipeline:
    """Batches of photos beside sketches of other photos, each shuffled and augmented for itself.

    The photos are those of one half of the pairs and the sketches those of the other, or of another set: no
    pair is ever there to be learnt from. As with `PairPipeline` a batch depends on `seed` and its number
    only.

    Args:
        pairs: A `Pairs`.
        image_size: `(height, width)` in pixels.
        batch_size: Photos, and sketches, a step: at most as many as the smaller half has.
        seed: Non-negative integer.
        sketches: Sketches without photos, a `ClassImages`; the photos are then those of all pairs.
        **options: As `PairPipeline` takes them.

    Raises:
        ValueError: If an argument is not as `PairPipeline` wants it.

    Example:

    >>> pipeline = UnpairedPipeline(EmbeddedPairs(420), (32, 32), batch_size=4)
    >>> model.fit(pipeline.batches(), steps_per_epoch=1000)

    Source: Zhu et al. 2017, section 3: two sets of images, and no pairs.
    """

    def __init__(self, pairs, image_size, batch_size, seed=0, sketches=None, **options):
        sides = halves(pairs) if sketches is None else (pairs, _SketchesAlone(sketches))
        # Two seeds that no other seed of this pipeline uses: photos and sketches are shuffled apart.
        self._photos, self._sketches = (
            PairPipeline(side, image_size, batch_size, seed=2 * seed + number, drop_remainder=True, **options)
            for number, side in enumerate(sides)
        )

    @property
    def steps_per_epoch(self):
        """The number of batches until each of the photos, but a rest, was shown."""
        return self._photos.steps_per_epoch

    def batches(self, start=0, stop=None):
        """Batches `start` to `stop`, counted through all epochs, as a `tf.data.Dataset`.

        Args:
            start: The first batch.
            stop: The batch to stop before; None for no end.

        Returns:
            A dataset of `(photos, sketches)`, float32 in [-1, 1].
        """
        photos, sketches = (side.batches(start, stop) for side in (self._photos, self._sketches))
        return tf.data.Dataset.zip(photos, sketches).map(lambda photo, sketch: (photo[0]["photo"], sketch[1]))
