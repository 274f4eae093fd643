"""Whether sketches lie on the lines of their photos, as the training scripts measure it."""

from data_tools.progress import quiet_decoders

from keras_cgan.data.images import fit_image, read_image
from keras_cgan.data.pairs import Pairs
from keras_cgan.startup import start_tensorflow

IMAGE_SIZE = (64, 64)  # px, the most at which it is measured


class ItemPairs(Pairs):
    """Pairs of files that can be decoded.

    Args:
        items: `Item`s.
        pairs: `(photo, sketch)`, numbers of items, at least one.
        fit: How other proportions are brought to size.
    """

    def __init__(self, items, pairs, fit="pad"):
        self._paths = [(items[photo].path, items[sketch].path) for photo, sketch in pairs]
        self._fit = fit
        class_names = sorted({items[photo].class_name for photo, _ in pairs})
        super().__init__(
            labels=[class_names.index(items[photo].class_name) for photo, _ in pairs],
            class_names=class_names,
            names=[f"{sketch.parent.name}/{sketch.stem}" for _, sketch in self._paths],
            photo_ids=[photo for photo, _ in pairs],
        )

    def load(self, index, image_size):
        """One pair as uint8 arrays at a size (see `Pairs.load`)."""
        channels = zip(self._paths[index], (3, 1))
        return tuple(fit_image(read_image(path, each), image_size, self._fit) for path, each in channels)


def measure_alignment(items, pairs, fit="pad"):
    """The alignment of the training pairs, or of all where there is no split `train`.

    Args:
        items: `Item`s.
        pairs: `(photo, sketch)`, numbers of items that can be decoded.
        fit: How other proportions are brought to size.

    Returns:
        The figure of `keras_cgan.metrics.is_aligned`, NaN where no class has two photos.
    """
    train = [pair for pair in pairs if items[pair[0]].split == "train"] or pairs
    if not train:
        return float("nan")
    start_tensorflow()
    # Here, as only this needs TensorFlow.
    from keras_cgan.metrics import is_aligned

    with quiet_decoders():
        return is_aligned(ItemPairs(items, train, fit), IMAGE_SIZE)[1]


def describe(alignment):
    """The figure in the words of the training scripts."""
    from keras_cgan.metrics import describe_alignment

    return describe_alignment(alignment)
