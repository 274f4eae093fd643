"""What a set of labelled photo/sketch pairs is, wherever it comes from."""

import numpy as np

from keras_cgan.data.images import to_unit


class Pairs:
    """Labelled photo/sketch pairs that are drawn or decoded one at a time, on request.

    The embedded set and the folder set are both of this kind, so that one
    tf.data pipeline (`keras_cgan.data.PairPipeline`) serves either.

    Args:
        labels: Integer class indices, shape `(n_pairs,)`.
        class_names: One name a class, in the order of the one-hot columns.
        names: One name a pair, for captions and messages (`"chair/0007"`).
        photo_ids: One integer a pair, the same for all the sketches of one photo. By
            default every pair has a photo of its own.

    Subclasses implement `load(index, image_size)`. The pipeline calls it from
    several threads, and keeps what it returns: it must depend on nothing else.
    """

    def __init__(self, labels, class_names, names, photo_ids=None):
        self.labels = np.asarray(labels, dtype="int64")
        self.class_names = tuple(class_names)
        self.names = tuple(names)
        self.photo_ids = np.arange(len(self.labels)) if photo_ids is None else np.asarray(photo_ids)

    def __len__(self):
        return len(self.labels)

    @property
    def n_classes(self):
        """The number of classes, and so the length of a label."""
        return len(self.class_names)

    @property
    def n_photos(self):
        """The number of photos: fewer than pairs where a photo has several sketches."""
        return len(np.unique(self.photo_ids))

    def one_hot(self, indices=slice(None)):
        """The labels of some pairs, one-hot, float32, `(n, n_classes)`."""
        return np.eye(self.n_classes, dtype="float32")[self.labels[indices]]

    def load(self, index, image_size):
        """One pair as uint8 arrays at a size in pixels.

        Args:
            index: Which pair, from 0 to `len(self) - 1`.
            image_size: `(height, width)` in pixels.

        Returns:
            The photo `(height, width, photo_channels)` in RGB and the sketch
            `(height, width, sketch_channels)`, both uint8 in [0, 255].
        """
        raise NotImplementedError

    def as_arrays(self, image_size, most=None):
        """Pairs to measure on, one for each photo, as arrays.

        Args:
            image_size: `(height, width)` in pixels.
            most: At most so many, spread over the set; `None` for all.

        Returns:
            Photos `(n, height, width, channels)` in [-1, 1], labels `(n, n_classes)`, one-hot, and
            sketches `(n, height, width, channels)` in [-1, 1].

        Example:

        >>> photos, labels, sketches = EmbeddedPairs(120, seed=1).as_arrays((64, 64))
        """
        indices = np.unique(self.photo_ids, return_index=True)[1]
        if most is not None and len(indices) > most:
            indices = indices[np.linspace(0, len(indices) - 1, most).astype(int)]
        photos, sketches = (
            to_unit(np.stack(images)) for images in zip(*(self.load(i, image_size) for i in indices))
        )
        return photos, self.one_hot(indices), sketches
