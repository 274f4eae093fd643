"""Class images from arrays: a `.npz` file, or scikit-learn's digits."""

import zipfile
import zlib

import numpy as np

from keras_cgan.data.class_images import ClassImages, check_class_count, is_one_hot
from keras_cgan.data.images import ImageError, fit_image, to_channels, to_uint8

WHOLE = ("images", "labels")
PARTED = ("x_train", "y_train", "x_test", "y_test")


def npz_images(path, image_size, channels, fit, test_share, seed):
    """The train and the test images of a `.npz` file.

    Args:
        path: The file, with arrays as `open_images` describes them.
        image_size, channels, fit, test_share, seed: As in `open_images`.

    Returns:
        `(train, test)`, each a `ClassImages`.

    Raises:
        ImageError: The file cannot be read.
        ValueError: An array is missing or not as described; there is one class only, or too few images.

    Example:

    >>> train, test = npz_images("mnist.npz", (32, 32), 1, "pad", 0.2, 0)
    """
    arrays = _read(path)
    parts = [
        (name, arrays[name], arrays[label]) for name, label in zip(list(arrays)[::2], list(arrays)[1::2])
    ]
    for name, pixels, labels in parts:
        _check_shape(path, name, pixels)
        if labels.shape[:1] != pixels.shape[:1]:
            raise ValueError(
                f"{path}: there must be a label for each image. "
                f"Received: labels of shape {labels.shape} for {len(pixels)} images in {name!r}"
            )
    pixels = _as_uint8(path, {name: pixels for name, pixels, _ in parts})
    labels, class_names = _one_hot(path, [labels for _, _, labels in parts])
    check_class_count(class_names, path)
    sets = [
        ClassImages(_fitted(images, image_size, channels, fit), one_hot, class_names)
        for images, one_hot in zip(pixels, labels)
    ]
    return tuple(sets) if len(sets) == 2 else sets[0].split(test_share, seed)


def digit_images(image_size, channels):
    """scikit-learn's 1797 digits, written by hand, as a `ClassImages`: white strokes on black.

    Raises:
        ImportError: scikit-learn is not installed.

    Example:

    >>> train, test = digit_images((32, 32), channels=1).split(test_share=0.2)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(
            "`source='digits'` needs scikit-learn, an extra: pip install keras_cgan[digits]. "
            f"Received: {error}"
        ) from error
    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    # Turned round, so that what is padded is black.
    images = 255 - _fitted(255 - pixels[..., None], image_size, channels, "pad")
    return ClassImages(images, np.eye(10, dtype="float32")[digits.target], class_names="0123456789")


def _read(path):
    """The arrays of a file by name: images and labels in turn."""
    try:
        archive = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ImageError(f"{str(path)!r} is no .npz file, or is damaged: {error}") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ImageError(f"{str(path)!r} is a single array: `np.savez` writes a .npz file.")
    with archive:
        chosen = [names for names in (WHOLE, PARTED) if set(names) <= set(archive.files)]
        if len(chosen) != 1:
            raise ValueError(
                f"{path} must hold either the arrays {list(WHOLE)} or {list(PARTED)}. "
                f"Received: {archive.files}"
            )
        arrays = {}
        for name in chosen[0]:
            try:
                arrays[name] = archive[name]
            except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                raise ImageError(f"Cannot read {name!r} of {str(path)!r}: {error}") from error
    return arrays


def _check_shape(path, name, pixels):
    if not pixels.size or not (pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[-1] in (1, 3))):
        raise ValueError(
            f"{path}: {name!r} must be (n, height, width) or (n, height, width, 1 or 3), at least one image. "
            f"Received: shape {pixels.shape}"
        )


def _as_uint8(path, arrays):
    """All arrays of a file as uint8: one rule for them all, so that train and test are scaled alike."""
    if all(array.dtype == np.uint8 for array in arrays.values()):
        return list(arrays.values())
    rule = f"{path}: images must be uint8 in [0, 255], or floats in [0, 1] or [-1, 1], finite."
    if any(array.dtype.kind != "f" for array in arrays.values()):
        raise ValueError(f"{rule} Received: {', '.join(f'{n} of {a.dtype}' for n, a in arrays.items())}")
    low, high = (float(of([of(array) for array in arrays.values()])) for of in (np.min, np.max))
    if not (-1 <= low and high <= 1):  # NaN fails it too.
        raise ValueError(f"{rule} Received: {', '.join(arrays)} of floats from {low} to {high}")
    return [to_uint8(array if low < 0 else 2 * array - 1) for array in arrays.values()]


def _one_hot(path, parts):
    """One-hot labels for each part of a file, float32, and the names of the classes."""
    # Some files have integers in a column, as Keras' cifar10 has.
    parts = [labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels for labels in parts]
    if all(labels.ndim == 1 and labels.dtype.kind in "iu" for labels in parts):
        values = np.unique(np.concatenate(parts))
        columns = [np.searchsorted(values, labels) for labels in parts]
        return [np.eye(len(values), dtype="float32")[c] for c in columns], [str(value) for value in values]
    tables = all(labels.ndim == 2 and labels.dtype.kind in "iufb" for labels in parts)
    if tables and len({labels.shape[1] for labels in parts}) == 1 and all(map(is_one_hot, parts)):
        return [labels.astype("float32") for labels in parts], [str(c) for c in range(parts[0].shape[1])]
    received = ", ".join(f"{labels.dtype} {labels.shape}" for labels in parts)
    raise ValueError(
        f"{path}: labels must be integers (n,), or one-hot (n, n_classes) of as many classes in each part. "
        f"Received: {received}"
    )


def _fitted(images, image_size, channels, fit):
    """uint8 images `(n, h, w)` or `(n, h, w, 1 or 3)` with other channels and at another size."""
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    return np.stack([fit_image(to_channels(image, channels), image_size, fit) for image in images])
