"""Shuffled, augmented batches of pairs for training, each a pure function of seed, epoch and place in it."""

import numbers
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from keras_cgan.data.blur import blurred
from keras_cgan.data.images import check_image_size, to_unit
from keras_cgan.data.warp import take, warp_map


class PairLoader:
    """Loads pairs at one size in threads, and keeps as many of them in memory as fit.

    Args:
        pairs: A `Pairs`.
        image_size: `(height, width)` in pixels.
        memory_limit: Bytes that the kept uint8 images may take.
    """

    def __init__(self, pairs, image_size, memory_limit):
        self._pairs = pairs
        self._image_size = image_size
        self._pool = ThreadPoolExecutor(thread_name_prefix="pair_loader")
        first = pairs.load(0, image_size)
        if any(image.dtype != np.uint8 or image.shape[:-1] != tuple(image_size) for image in first):
            got = [(image.shape, str(image.dtype)) for image in first]
            raise ValueError(f"`pairs.load` must return uint8 images of size {image_size}. Received: {got}")
        self.channels = tuple(image.shape[-1] for image in first)
        kept = min(len(pairs), int(memory_limit) // sum(image.nbytes for image in first))
        # Untouched pages of np.empty take no memory yet.
        self._photos, self._sketches = (np.empty((kept, *image.shape), np.uint8) for image in first)
        self._is_kept = np.zeros(kept, dtype=bool)

    def __call__(self, indices):
        """The pairs at some indices, as a list of `(photo, sketch)` uint8 arrays. Do not write into them."""
        return list(self._pool.map(self._load, indices))

    def _load(self, index):
        if index < len(self._is_kept) and self._is_kept[index]:
            return self._photos[index], self._sketches[index]
        photo, sketch = self._pairs.load(index, self._image_size)
        if index < len(self._is_kept):
            self._photos[index], self._sketches[index] = photo, sketch
            self._is_kept[index] = True  # last: another thread may look in between
        return photo, sketch


class PairPipeline:
    """Batches of pairs as `tf.data`, the same after a restart as without one.

    Which pairs a batch holds, and how they are cropped, flipped, bent and blurred, depends on nothing but
    `seed` and the batch's number counted from the start of training. So a run resumes bit-exactly from a
    step count: no iterator has to be saved.

    With `augment`, images are loaded `jitter` times larger, and a window of `image_size` at a random whole
    pixel is cut out and perhaps flipped left to right: the same window and flip for photo and sketch.

    Args:
        pairs: A `Pairs`, such as `EmbeddedPairs` or `FolderPairs`.
        image_size: `(height, width)` in pixels.
        batch_size: Pairs a batch, at most `len(pairs)`.
        shuffle: Whether each epoch has an order of its own; otherwise the order is that of `pairs`.
        augment: Whether to crop and flip. False for evaluation.
        jitter: How much larger images are loaded, at least 1; 1 means no crop.
        flip: Whether half of the pairs are mirrored.
        warp: How strongly photo and sketch are bent together, with `augment`: .7 is much, 0 not at all. See
            `keras_cgan.data.warp`.
        blur_rate: Share of the photos that are blurred, with `augment`, from 0 for none to 1: where a photo
            tells little, the class has to be drawn by its label. Each is blurred at random between not at all
            and as strongly as for `evaluate`'s `class_accuracy_blurred`; its sketch stays as it is.
        seed: Non-negative integer.
        drop_remainder: Whether a last, shorter batch is left out.
        memory_limit: Bytes of decoded images that are kept between epochs; 0 keeps none.

    Raises:
        ValueError: If an argument is not as described.

    Example:
        >>> pipeline = PairPipeline(pairs, (64, 64), batch_size=16, seed=1)
        >>> steps = pipeline.steps_per_epoch
        >>> model.fit(pipeline.batches(), epochs=10, steps_per_epoch=steps, shuffle=False)
    """

    def __init__(
        self,
        pairs,
        image_size,
        batch_size,
        shuffle=True,
        augment=True,
        jitter=1.12,
        flip=True,
        seed=0,
        drop_remainder=False,
        memory_limit=2e9,
        warp=0.0,
        blur_rate=0.0,
    ):
        self.image_size = check_image_size(image_size)
        _check_count("batch_size", batch_size, 1)
        _check_count("seed", seed, 0)
        if len(pairs) < batch_size:
            raise ValueError(
                f"`batch_size` must be at most the number of pairs, {len(pairs)}. "
                f"Received: batch_size={batch_size!r}"
            )
        if not (isinstance(jitter, numbers.Real) and 1 <= jitter < float("inf")):
            raise ValueError(f"`jitter` must be a number of at least 1. Received: jitter={jitter!r}")
        if not (isinstance(memory_limit, numbers.Real) and 0 <= memory_limit < float("inf")):
            raise ValueError(f"`memory_limit` must be a number >= 0. Received: memory_limit={memory_limit!r}")
        if not (isinstance(warp, numbers.Real) and 0 <= warp < float("inf")):
            raise ValueError(f"`warp` must be a number >= 0. Received: warp={warp!r}")
        is_number = isinstance(blur_rate, numbers.Real) and not isinstance(blur_rate, bool)
        if not (is_number and 0 <= blur_rate <= 1):
            raise ValueError(f"`blur_rate` must be a number in [0, 1]. Received: blur_rate={blur_rate!r}")
        self.pairs, self.batch_size, self.seed = pairs, int(batch_size), int(seed)
        self._warp, self._blur_rate = (warp, blur_rate) if augment else (0, 0)
        self._shuffle, self._flip, self._drop_remainder = shuffle, flip and augment, drop_remainder
        load_size = tuple(round(side * jitter) if augment else side for side in self.image_size)
        self._margin = tuple(loaded - side for loaded, side in zip(load_size, self.image_size))
        self._loader = PairLoader(pairs, load_size, memory_limit)
        self._last_order = (None, None)

    @property
    def steps_per_epoch(self):
        """The number of batches in an epoch."""
        full, rest = divmod(len(self.pairs), self.batch_size)
        return full + bool(rest and not self._drop_remainder)

    def epoch(self, number):
        """The batches of one epoch, counted from 0, as a finite `tf.data.Dataset` (see `batches`)."""
        _check_count("epoch", number, 0)
        return self.batches(number * self.steps_per_epoch, (number + 1) * self.steps_per_epoch)

    def batches(self, start=0, stop=None):
        """Batches `start` to `stop`, counted through all epochs, as a `tf.data.Dataset`.

        Args:
            start: The first batch: how many training steps were done before.
            stop: The batch to stop before; None for no end, as `fit(..., steps_per_epoch=...)` takes it.

        Returns:
            A dataset of `({"photo": (b, h, w, photo_channels), "label": (b, n_classes)}, sketch (b, h, w,
            sketch_channels))`, float32, images in [-1, 1], labels one-hot.
        """
        _check_count("start", start, 0)
        if stop is not None:
            _check_count("stop", stop, start)
        steps = tf.data.Dataset.counter(start) if stop is None else tf.data.Dataset.range(start, stop)
        return steps.map(self._as_tensors).prefetch(tf.data.AUTOTUNE)

    def arrays(self, step):
        """Batch `step`, counted through all epochs, as float32 arrays: photos, labels, sketches."""
        epoch, place = divmod(int(step), self.steps_per_epoch)
        indices = self._order(epoch)[place * self.batch_size : (place + 1) * self.batch_size]
        cuts = self._draw_cuts(epoch, place, len(indices))
        photos, sketches = (
            to_unit(np.stack([self._cut(image, *cut, sketch) for image, cut in zip(images, cuts)]))
            for images, sketch in zip(zip(*self._loader(indices)), (False, True))
        )
        if self._blur_rate:
            self._blur(photos, epoch, place)
        return photos, self.pairs.one_hot(indices), sketches

    def _order(self, epoch):
        if not self._shuffle:
            return np.arange(len(self.pairs))
        known, order = self._last_order
        if known != epoch:
            # The ending 0 keeps this stream apart from `_draw_cuts`: seeds [s, e] and [s, e, 0] would be one.
            order = np.random.default_rng([self.seed, epoch, 0]).permutation(len(self.pairs))
            self._last_order = (epoch, order)
        return order

    def _draw_cuts(self, epoch, place, count):
        """For each pair the upper left corner of its window, whether it is mirrored, and how it is bent."""
        rng = np.random.default_rng([self.seed, epoch, 1 + place])
        corners = rng.integers(0, np.add(self._margin, 1), size=(count, 2))
        mirrored = (rng.random(count) < 0.5) & self._flip
        warps = [warp_map(rng, self.image_size, self._warp) if self._warp else None for _ in range(count)]
        return [(*corner, mirror, warp) for corner, mirror, warp in zip(corners, mirrored, warps)]

    def _cut(self, image, top, left, mirrored, warp, sketch):
        height, width = self.image_size
        if warp is None:
            window = image[top : top + height, left : left + width]
        else:
            # From the whole image: what is around the window may come into it.
            middle = top + (height - 1) / 2, left + (width - 1) / 2
            window = take(image, *warp, middle, sketch)
        return window[:, ::-1] if mirrored else window

    def _blur(self, photos, epoch, place):
        """Blurs some of a batch's photos in place."""
        # The ending 1 makes it a stream of its own: windows are those of rate 0, and a higher rate blurs more
        # photos without blurring the others otherwise.
        rng = np.random.default_rng([self.seed, epoch, 1 + place, 1])
        chances, left = rng.random((2, len(photos)))
        for index in np.flatnonzero(chances < self._blur_rate):
            photos[index] = blurred(photos[index : index + 1], 1 - left[index])[0]

    def _as_tensors(self, step):
        photo, label, sketch = tf.numpy_function(self.arrays, [step], [tf.float32] * 3)
        count = self.batch_size if self._drop_remainder else None
        photo_channels, sketch_channels = self._loader.channels
        photo.set_shape((count, *self.image_size, photo_channels))
        label.set_shape((count, self.pairs.n_classes))
        sketch.set_shape((count, *self.image_size, sketch_channels))
        return {"photo": photo, "label": label}, sketch


def pair_dataset(pairs, image_size, batch_size, epoch=0, **options):
    """One epoch's batches as a finite `tf.data.Dataset`.

    To train for several epochs keep a `PairPipeline` instead: it decodes the images once for all of them, and
    `fit` on this dataset would repeat the same order and crops in each.

    Args:
        pairs: A `Pairs`.
        image_size: `(height, width)` in pixels.
        batch_size: Pairs a batch, at most `len(pairs)`.
        epoch: Which epoch, from 0.
        **options: The other arguments of `PairPipeline`.

    Returns:
        A dataset as `PairPipeline.batches` makes it.

    Raises:
        ValueError: If an argument is not as `PairPipeline` wants it.

    Example:
        >>> for conditions, sketch in pair_dataset(pairs, (64, 64), 16, shuffle=False, augment=False):
        ...     drawn = generator(conditions)
    """
    return PairPipeline(pairs, image_size, batch_size, **options).epoch(epoch)


def _check_count(name, value, least):
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"`{name}` must be an integer of at least {least}. Received: {name}={value!r}")
