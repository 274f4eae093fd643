"""What the generators share: their inputs and their output."""

import keras
from keras import layers

from keras_cgan import blocks
from keras_cgan.checks import check_at_least, check_image_shape


def condition_inputs(image_shape, n_classes):
    """Makes the inputs of an image-to-image generator.

    Args:
        image_shape: `(height, width, channels)` of the photo.
        n_classes: Length of the label, or `None` for a generator without one.

    Returns:
        `(inputs, photo, label)`: what goes to `keras.Model`, and its two parts
        (`label` is `None` without `n_classes`).
    """
    return blocks.beside_label(keras.Input(check_image_shape(image_shape), name="photo"), n_classes)


def latent_inputs(latent_size, n_classes):
    """Makes the inputs of a generator that draws from numbers: as `condition_inputs`, with a latent.

    Args:
        latent_size: Length of the latent.
        n_classes: Length of the label, or `None` for a generator without one.

    Returns:
        `(inputs, latent, label)`.
    """
    check_at_least(1, latent_size=latent_size)
    return blocks.beside_label(keras.Input((latent_size,), name="latent"), n_classes)


def joined(x, label):
    """The label behind the latent, or what was made of either; no label, no change."""
    return x if label is None else layers.Concatenate(name="latent_and_label")([x, label])


def takes_label(generator):
    """Whether a generator has a label input beside the photo or the latent."""
    # A Sequential model has no `input`.
    return isinstance(getattr(generator, "input", None), dict)


def add_label(x, label, name="label_bottleneck"):
    """Adds a linear map of the label to every place of the bottleneck; no label, no change."""
    if label is None:
        return x
    return layers.Add(name=f"{name}_add")([x, blocks.label_map(label, (1, 1, x.shape[-1]), name, stddev=1.0)])


def tanh_output(x, name="sketch"):
    """The last layer: tanh, in float32 whatever the precision of the rest."""
    return layers.Activation("tanh", dtype="float32", name=name)(x)
