"""Labelled single images, for the recipes that learn from a class and no photo, wherever they come from."""

import numbers

import numpy as np

from keras_cgan.checks import check_at_least
from keras_cgan.data.images import to_unit


class ClassImages:
    """Images of known classes, as arrays that models and `fit` take as they are.

    Args:
        images: `(n, height, width, 1 or 3)`: floats in [-1, 1], or uint8 in [0, 255], which
            are scaled to them.
        labels: One-hot, `(n, n_classes)`, of at least two classes.
        class_names: One name a class, in the order of the columns of `labels`.
        names: One name an image, for captions and messages (`"chair/0007"`). By default its number.

    Attributes:
        images: float32 in [-1, 1], `(n, height, width, channels)`.
        labels: float32, one-hot, `(n, n_classes)`.
        class_names, names: Tuples of text.

    Raises:
        ValueError: The arrays are not as described, or do not go together.

    Example:

    >>> images = ClassImages(pixels, np.eye(10)[digits], class_names="0123456789")
    >>> classifier.fit(images.images, images.labels)
    """

    def __init__(self, images, labels, class_names, names=None):
        images, labels = np.asarray(images), np.asarray(labels, "float32")
        self.class_names = tuple(class_names)
        self.names = tuple(map(str, range(len(images)))) if names is None else tuple(names)
        _check_pixels(images)
        wanted = (len(images), len(self.class_names))
        if labels.shape != wanted or wanted[1] < 2 or not is_one_hot(labels):
            raise ValueError(
                "`labels` must be one-hot, a row an image and a column a class, of at least two classes. "
                f"Received: shape {labels.shape} for {wanted[0]} images and {wanted[1]} `class_names`"
            )
        if len(self.names) != len(images):
            raise ValueError(
                f"`names` must be one an image. Received: {len(self.names)} names, {len(images)} images"
            )
        self.images = to_unit(images) if images.dtype == np.uint8 else images.astype("float32", copy=False)
        self.labels = labels

    def __len__(self):
        return len(self.images)

    @property
    def n_classes(self):
        """The number of classes, and so the length of a label."""
        return len(self.class_names)

    @property
    def image_shape(self):
        """`(height, width, channels)` of an image."""
        return self.images.shape[1:]

    @property
    def background(self):
        """The median of the top and bottom rows of pixels, in [-1, 1]."""
        return float(np.median(self.images[:, (0, -1)]))

    def subset(self, indices):
        """The images at some indices, or where a mask is true, as a `ClassImages` of the same classes."""
        chosen = np.arange(len(self))[indices]
        names = [self.names[index] for index in chosen]
        return ClassImages(self.images[chosen], self.labels[chosen], self.class_names, names)

    def split(self, test_share=0.2, seed=0):
        """Parts the images, class by class, into those to train on and those to test on.

        A class has at least one image on either side, or its only one to train on.

        Args:
            test_share: Share of the images of each class that are held out, in (0, 1).
            seed: Non-negative integer that chooses them.

        Returns:
            `(train, test)`, each a `ClassImages`.

        Raises:
            ValueError: `test_share` is out of its range, or no class has two images.

        Example:

        >>> train, test = images.split(test_share=0.1)
        """
        check_test_share(test_share)
        check_at_least(0, seed=seed)
        rng = np.random.default_rng(seed)
        held_out = np.zeros(len(self), bool)
        for column in self.labels.T:
            places = rng.permutation(np.flatnonzero(column))
            count = min(max(1, round(test_share * len(places))), len(places) - 1)
            held_out[places[: max(count, 0)]] = True
        if not held_out.any():
            raise ValueError(
                "Some class must have at least two images for one to be held out as a test. "
                f"Received: {len(self)} images of {self.n_classes} classes"
            )
        return self.subset(~held_out), self.subset(held_out)

    def batches(self, batch_size, seed=0, start=0, labels=True):
        """Batches without end, every epoch in an order of its own, as a `tf.data.Dataset`.

        Which images a batch holds depends on `seed` and the batch's number alone: from `start` on, training
        goes on with the same batches as if it had not stopped. What is over in an epoch is left out.

        Args:
            batch_size: Images a batch, at most `len(self)`.
            seed: Non-negative integer.
            start: The first batch, counted through all epochs: how many steps were done before.
            labels: Whether a batch has labels.

        Returns:
            A dataset of `{"image": (batch_size, height, width, channels), "label": (batch_size, n_classes)}`,
            or without labels of images alone, float32, for `fit(dataset, steps_per_epoch=...)`.

        Raises:
            ValueError: An argument is not as described.

        Example:

        >>> gan.fit(train.batches(64, labels=False), epochs=10, steps_per_epoch=len(train) // 64)
        """
        # Here, as reading and drawing images needs no TensorFlow.
        import tensorflow as tf

        check_at_least(1, batch_size=batch_size)
        check_at_least(0, seed=seed, start=start)
        if batch_size > len(self):
            raise ValueError(
                f"`batch_size` must be at most the number of images, {len(self)}. "
                f"Received: batch_size={batch_size}"
            )
        per_epoch, last = len(self) // batch_size, len(self) - 1
        with tf.device("CPU"):  # where tf.data runs
            arrays = {"image": tf.constant(self.images), "label": tf.constant(self.labels)}
        chosen = arrays if labels else arrays["image"]

        def batch(step):
            places = step % per_epoch * batch_size + tf.range(batch_size, dtype="int64")
            # A permutation that is computed, not stored: another one for each seed and epoch.
            order = tf.random.experimental.index_shuffle(places, tf.stack([seed, step // per_epoch]), last)
            return tf.nest.map_structure(lambda array: tf.gather(array, order), chosen)

        return tf.data.Dataset.counter(start).map(batch).prefetch(tf.data.AUTOTUNE)


def check_test_share(test_share):
    """Raises a `ValueError` unless `test_share` is in (0, 1)."""
    if isinstance(test_share, bool) or not isinstance(test_share, numbers.Real) or not 0 < test_share < 1:
        raise ValueError(f"`test_share` must be in (0, 1). Received: test_share={test_share!r}")


def check_class_count(class_names, source, hint=""):
    """Raises a `ValueError` that names the source, after a hint, unless there are at least two classes."""
    if len(class_names) < 2:
        raise ValueError(
            f"`source` must hold at least two classes. {hint}"
            f"Received: source={str(source)!r} with {', '.join(class_names) or 'none'}"
        )


def _check_pixels(images):
    floats = images.dtype.kind == "f"
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        problem = f"shape {images.shape}"
    elif not floats and images.dtype != np.uint8:
        problem = f"dtype {images.dtype}"
    elif floats and not (-1 <= images.min() and images.max() <= 1):  # NaN fails it too.
        problem = f"floats from {images.min()} to {images.max()}"
    else:
        return
    raise ValueError(
        "`images` must be (n, height, width, 1 or 3), floats in [-1, 1] or uint8 in [0, 255], at least one. "
        f"Received: {problem}"
    )


def is_one_hot(labels):
    """Whether each row, of any number type, has a single 1 and zeros."""
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())
