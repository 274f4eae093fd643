"""A small VGG-style sketch classifier."""

import keras
from keras import layers

from keras_cgan.checks import check_at_least, check_rate
from keras_cgan.classifiers.lenet import classifier_input, label_output


def vgg_classifier(
    image_shape, n_classes, filters=32, blocks=3, dropout=0.3, input_noise=0.0, shrink=1, name="classifier"
):
    """Builds a VGG-style classifier: pairs of 3x3 convolutions between poolings.

    With batch norm after every convolution and global average pooling at the end, so
    that it learns from a few hundred sketches and takes any size.

    Args:
        image_shape: `(height, width, channels)` of a sketch, both sides at least 16 px.
        n_classes: Number of classes.
        filters: Maps of the first block; each further block has twice as many.
        blocks: Number of blocks, each two convolutions and a pooling.
        dropout: Rate before the last layer.
        input_noise: Standard deviation of Gaussian noise on the sketch in training. A classifier
            that reads through noise cannot be told a class by a faint pattern, so a generator
            has to draw it.
        shrink: The sketch is reduced so many times first, by averages.
        name: Name of the model.

    Returns:
        A `keras.Model` from sketches `(batch, height, width, channels)` in [-1, 1] to
        `(batch, n_classes)` probabilities. The layer `features` holds its penultimate
        features.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> vgg_classifier((64, 64, 1), n_classes=6).output_shape
    (None, 6)

    Source: Simonyan & Zisserman 2015, "Very deep convolutional networks", section 2,
    with the norm of Ioffe & Szegedy 2015.
    """
    check_at_least(1, filters=filters, blocks=blocks, shrink=shrink)
    check_rate(dropout)
    sketch, x = classifier_input(image_shape, n_classes, max(16, shrink * 2**blocks), input_noise)
    if shrink > 1:
        x = layers.AveragePooling2D(shrink, name="shrink")(x)
    for block in range(1, blocks + 1):
        for number in (1, 2):
            layer_name = f"block{block}_conv{number}"
            x = layers.Conv2D(
                filters * 2 ** (block - 1),
                3,
                padding="same",
                use_bias=False,
                kernel_initializer="he_normal",
                name=layer_name,
            )(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{layer_name}_norm")(x)
            x = layers.ReLU(name=f"{layer_name}_relu")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(sketch, label_output(x, n_classes), name=name)
