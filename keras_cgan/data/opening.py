"""The set that a source names: pairs, or class images; a folder, a file, or what is just there."""

import os
from pathlib import Path

from keras_cgan.checks import check_at_least, check_choice
from keras_cgan.data.class_arrays import digit_images, npz_images
from keras_cgan.data.class_folder import folder_images
from keras_cgan.data.class_images import check_test_share
from keras_cgan.data.embedded import EmbeddedPairs
from keras_cgan.data.embedded_digits import embedded_images
from keras_cgan.data.folder import FolderPairs
from keras_cgan.data.images import FITS, check_channels, check_image_size
from keras_cgan.data.shards import ShardPairs, is_sharded

DIGITS = "digits"


def open_pairs(folder=None, misalignment=0.4, fit="pad", one_class=False):
    """The training pairs and the test pairs of a folder, or of the embedded set.

    Args:
        folder: `<folder>/{train,test}/{photo,sketch}/<class>/<name>`, or without `train` and
            `test`: see `FolderPairs`; or shards: see `ShardPairs`. `None` for the embedded set, 420 and
            120 pairs.
        misalignment: Of the embedded set, at least 0.
        fit: How images of other proportions in a folder are brought to size (see `fit_image`).
        one_class: Whether a single class is enough, as it is for what is not told the class.

    Returns:
        `(train, test)`, each a `Pairs`, of the same classes.

    Raises:
        ValueError: The folder holds too few classes, or is not as the reader wants it.

    Example:

    >>> train, test = open_pairs("my_pairs")
    """
    if folder is None:
        return EmbeddedPairs(420, misalignment, seed=0), EmbeddedPairs(120, misalignment, seed=1)
    of_kind = ShardPairs if is_sharded(folder) else FolderPairs
    train = of_kind(folder, "train", fit=fit)
    if train.n_classes < 2 and not one_class:
        raise ValueError(
            "`folder` must hold at least two classes; one is enough for the recipes pix2pix and CycleGAN. "
            f"Received: {', '.join(train.class_names)} in {folder}"
        )
    return train, of_kind(folder, "test", fit=fit, class_names=train.class_names)


def open_images(source=None, image_size=(28, 28), channels=1, fit="pad", test_share=0.2, seed=0, n=12_000):
    """The images to train on and those to test on, of a folder, a file, or a set that is just there.

    Args:
        source: What to read:

            - `None`: the embedded set, drawn digits of ten classes (`embedded_images`).
            - `"digits"`: scikit-learn's 1797 real digits of 8 x 8 px (`pip install keras_cgan[digits]`). A
              folder of that name is `"./digits"`.
            - a folder: `<class>/<name>.png`, `{train,test}/<class>/<name>.png`, or the sketches of the pair
              layout, with photos or without: `{train,test}/sketch/<class>/<name>.png`.
            - a `.npz` file with the arrays `images` and `labels`, or `x_train`, `y_train`, `x_test` and
              `y_test`. Images are `(n, height, width)` or `(n, height, width, 1 or 3)`: uint8 in [0, 255], or
              floats: in [-1, 1] where any is negative, otherwise in [0, 1], kept to 8 bits. Labels are
              integers, each value that occurs a class, or one-hot.
        image_size: `(height, width)` in pixels that all images are brought to.
        channels: 1 for grey, 3 for RGB.
        fit: How other proportions are brought to size: `"pad"` with white, `"stretch"` or `"crop"`
            (see `fit_image`).
        test_share: Share of each class that is held out where the source has no test part, in (0, 1).
        seed: Non-negative integer that chooses what is held out, and what the embedded set is.
        n: Images of the embedded set, train and test together.

    Returns:
        `(train, test)`, each a `ClassImages`, of the same classes.

    Raises:
        FileNotFoundError: There is no such file or folder.
        ImportError: `"digits"` without scikit-learn.
        ValueError: An argument, a folder's layout or an array is not as described, there are fewer than two
            classes, or too few images.

    Example:

    >>> train, test = open_images("mnist.npz", image_size=(32, 32))
    """
    image_size = check_image_size(image_size)
    check_channels("channels", channels)
    check_choice("fit", fit, FITS)
    check_test_share(test_share)
    check_at_least(0, seed=seed)
    if source is None:
        return embedded_images(n, image_size, channels, seed).split(test_share, seed)
    if source == DIGITS:
        return digit_images(image_size, channels).split(test_share, seed)
    # An empty text would be the folder one happens to be in.
    path = Path(source) if source and isinstance(source, (str, os.PathLike)) else None
    if path and path.is_dir():
        return folder_images(path, image_size, channels, fit, test_share, seed)
    if path and path.suffix.lower() == ".npz" and path.exists():
        return npz_images(path, image_size, channels, fit, test_share, seed)
    error = FileNotFoundError if path and not path.exists() else ValueError
    raise error(
        f"`source` must be None, {DIGITS!r}, or an existing folder or .npz file. Received: source={source!r}"
    )
