"""What every image-to-image generator shares: its inputs and its output."""

import keras
from keras import layers

from keras_cgan import blocks
from keras_cgan.checks import check_image_shape, check_n_classes


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


def takes_label(generator):
    """Whether a generator has a label input beside the photo."""
    # A Sequential model has no `input`.
    return isinstance(getattr(generator, "input", None), dict)


def add_label(x, label, name="label_bottleneck"):
    """Adds a linear map of the label to every place of the bottleneck; no label, no change."""
    if label is None:
        return x
    return layers.Add(name=f"{name}_add")([x, blocks.label_map(label, x.shape[-1], name, stddev=1.0)])


def tanh_output(x, name="sketch"):
    """The last layer: tanh, in float32 whatever the precision of the rest."""
    return layers.Activation("tanh", dtype="float32", name=name)(x)
