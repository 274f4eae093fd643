"""What every image-to-image generator shares: its inputs, its output, its checks."""

import numbers

import keras
from keras import layers

from keras_cgan import blocks


def check_image_shape(image_shape):
    """Raises a `ValueError` unless `image_shape` is three positive integers."""
    shape = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    if len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ValueError(
            "`image_shape` must be (height, width, channels), three positive integers. "
            f"Received: image_shape={image_shape!r}"
        )
    return shape


def check_n_classes(n_classes):
    """Raises a `ValueError` unless `n_classes` is an integer of at least 2."""
    check_at_least(2, n_classes=n_classes)


def check_at_least(least, **counts):
    """Raises a `ValueError` that names the first argument that is no integer of at least `least`."""
    for argument, value in counts.items():
        if not isinstance(value, int) or value < least:
            raise ValueError(
                f"`{argument}` must be an integer of at least {least}. Received: {argument}={value!r}"
            )


def check_rate(dropout):
    """Raises a `ValueError` unless `dropout` is in [0, 1)."""
    if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout!r}")


def condition_inputs(image_shape, n_classes):
    """Makes the generator's inputs.

    Args:
        image_shape: `(height, width, channels)` of the photo.
        n_classes: Length of the label, or `None` for a generator without one.

    Returns:
        `(inputs, photo, label)`: what goes to `keras.Model`, and its two parts
        (`label` is `None` without `n_classes`).
    """
    photo = keras.Input(check_image_shape(image_shape), name="photo")
    if n_classes is None:
        return photo, photo, None
    check_n_classes(n_classes)
    label = keras.Input((n_classes,), name="label")
    return {"photo": photo, "label": label}, photo, label


def add_label(x, label, name="label_bottleneck"):
    """Adds a linear map of the label to every place of the bottleneck; no label, no change."""
    if label is None:
        return x
    return layers.Add(name=f"{name}_add")([x, blocks.label_map(label, x.shape[-1], name, stddev=1.0)])


def tanh_output(x, name="sketch"):
    """The last layer: tanh, in float32 whatever the precision of the rest."""
    return layers.Activation("tanh", dtype="float32", name=name)(x)
