"""Whether sketches lie on the lines of their photos, as the training scripts measure it, and by class."""

import statistics

from data_tools.progress import Progress, quiet_decoders

from keras_cgan.data.images import fit_image, read_image
from keras_cgan.data.pairs import Pairs
from keras_cgan.startup import start_tensorflow

IMAGE_SIZE = (64, 64)  # px, the most at which it is measured
_LEAST_OF_CLASS, _MOST_OF_CLASS = 8, 16  # photos by which a class is judged: of fewer, chance decides
_NOT_ALIGNED = 0.1  # 16 mixed up pairs come to .06 at most, and those of the hardest class to .16 at least


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
        The figure of `keras_cgan.metrics.is_aligned`, NaN where no class has two photos; and a dict of it by
        class, of those that have at least eight.
    """
    train = [pair for pair in pairs if items[pair[0]].split == "train"] or pairs
    if not train:
        return float("nan"), {}
    start_tensorflow()
    # Here, as only this needs TensorFlow.
    from keras_cgan.metrics import is_aligned

    with quiet_decoders():
        return is_aligned(ItemPairs(items, train, fit), IMAGE_SIZE)[1], _by_class(items, train, fit)


def _by_class(items, pairs, fit):
    from keras_cgan.metrics import pair_alignment

    by_class = {}
    for photo, sketch in pairs:
        by_class.setdefault(items[photo].class_name, []).append((photo, sketch))
    many = {
        name: of_class
        for name, of_class in sorted(by_class.items())
        if len({photo for photo, _ in of_class}) >= _LEAST_OF_CLASS
    }
    progress, figures = Progress(len(many), "classes measured for alignment"), {}
    for name, of_class in many.items():
        arrays = ItemPairs(items, of_class, fit).as_arrays(IMAGE_SIZE, _MOST_OF_CLASS)
        figures[name] = pair_alignment(*arrays)["alignment"]
        progress.add()
    return figures


def record_alignment(by_class, findings):
    """Records the classes that do not align at all, where half of the classes, or more, do.

    Args:
        by_class: The figures of `measure_alignment`.
        findings: `Findings`.
    """
    from keras_cgan.metrics.alignment import ALIGNED

    middle = statistics.median_high(by_class.values()) if by_class else 0
    for name, figure in by_class.items():
        if figure < _NOT_ALIGNED and middle >= ALIGNED:
            findings.add(
                "misaligned_class", name, detail=f"alignment {figure:.2f}, {middle:.2f} in the median"
            )


def describe(alignment):
    """The figure in the words of the training scripts."""
    from keras_cgan.metrics import describe_alignment

    return describe_alignment(alignment)
