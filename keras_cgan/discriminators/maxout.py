"""The maxout discriminator of the first GAN and of the first conditional one."""

import keras
from keras import initializers, layers

from keras_cgan import blocks, checks
from keras_cgan.discriminators import heads


def maxout_discriminator(
    image_shape,
    n_classes=None,
    hidden=((240, 5), (240, 5)),
    image_units=None,
    label_units=(50, 5),
    input_dropout=0.2,
    dropout=0.5,
    weight_range=0.005,
    name="discriminator",
):
    """Builds the first GAN's discriminator: maxout layers, and one real/fake value.

    As it stands it is Goodfellow's. Mirza and Osindero's conditional one, which is told the
    label, is `n_classes=10, image_units=(240, 5), hidden=((240, 4),)`.

    The papers' pixels are in [0, 1], and so are those that its first layer sees: images in [-1, 1]
    are rescaled. From the papers' small weights and rate, SGD diverges without it.

    Args:
        image_shape: `(height, width, channels)` of the image.
        n_classes: Length of the label; `None` for a discriminator without label input.
        hidden: `(units, pieces)` of each maxout layer on image (and label).
        image_units: `(units, pieces)` of a maxout layer on the image alone, before the label
            joins; `None` for none.
        label_units: The same for the label; without `n_classes` it has no meaning.
        input_dropout: Rate on the image.
        dropout: Rate after every maxout layer.
        weight_range: All weights are drawn from U(-weight_range, weight_range).
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1], or from a
        dict `{"image", "label"}`, to logits `(batch, 1)`.

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> maxout_discriminator((28, 28, 1)).output_shape
    (None, 1)

    Source: Goodfellow et al. 2014, "Generative adversarial nets", section 5 and its code's
    `mnist.yaml`; Mirza and Osindero 2014, "Conditional generative adversarial nets", section 4.1.
    """
    image_shape = checks.check_image_shape(image_shape)
    checks.check_pairs("hidden", hidden, "(units, pieces)")
    checks.check_pair("image_units", image_units, "(units, pieces)")
    checks.check_pair("label_units", label_units, "(units, pieces)")
    checks.check_rate(input_dropout, "input_dropout")
    checks.check_rate(dropout)
    checks.check_positive(weight_range=weight_range)
    checks.check_needs_classes(n_classes, image_units=image_units)
    inputs, x, label = blocks.beside_label(keras.Input(image_shape, name="image"), n_classes)

    def uniform():
        return initializers.RandomUniform(-weight_range, weight_range)

    def dropped(x, rate, name):
        return layers.Dropout(rate, name=f"{name}_dropout")(x) if rate else x

    def layer(x, units_and_pieces, name):
        return dropped(blocks.maxout(x, *units_and_pieces, name, uniform()), dropout, name)

    x = layers.Rescaling(0.5, 0.5, name="image_unit_range")(x)
    x = dropped(layers.Flatten(name="image_flatten")(x), input_dropout, "image")
    if image_units is not None:
        x = layer(x, image_units, "image_maxout")
    if label is not None:
        if label_units is not None:
            label = layer(label, label_units, "label_maxout")
        x = layers.Concatenate(name="image_and_label")([x, label])
    for number, units_and_pieces in enumerate(hidden, start=1):
        x = layer(x, units_and_pieces, f"hidden{number}")
    return keras.Model(inputs, heads.unit_head(x, None, uniform()), name=name)
