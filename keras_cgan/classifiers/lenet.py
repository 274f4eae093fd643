"""The LeNet-style sketch classifier of the answer."""

import keras
from keras import layers

from keras_cgan.blocks import output_activation
from keras_cgan.checks import check_image_shape, check_n_classes, check_rate, check_sides


def classifier_input(image_shape, n_classes, smallest=16, input_noise=0.0):
    """Checks a classifier's shape and number of classes; makes its input, and that with noise on it."""
    check_n_classes(n_classes)
    image_shape = check_image_shape(image_shape)
    check_sides(image_shape, smallest)
    if not 0.0 <= input_noise < float("inf"):
        raise ValueError(
            f"`input_noise` must be a number of at least 0. Received: input_noise={input_noise!r}"
        )
    sketch = keras.Input(image_shape, name="sketch")
    return sketch, layers.GaussianNoise(input_noise, name="input_noise")(sketch) if input_noise else sketch


def label_output(x, n_classes, initializer="he_normal"):
    """The softmax of every classifier; `x` are its penultimate features."""
    x = layers.Dense(n_classes, kernel_initializer=initializer, dtype="float32", name="logits")(x)
    return output_activation(x, "softmax", "label")


def lenet_classifier(image_shape, n_classes, dropout=0.5, input_noise=0.0, name="classifier"):
    """Builds the answer's LeNet: two 5x5 convolutions, two hidden layers, softmax.

    Args:
        image_shape: `(height, width, channels)` of a sketch, both sides at least 16 px.
        n_classes: Number of classes.
        dropout: Rate after either hidden layer.
        input_noise: Standard deviation of Gaussian noise on the sketch in training. A classifier
            that reads through noise cannot be told a class by a faint pattern, so a generator
            has to draw it.
        name: Name of the model.

    Returns:
        A `keras.Model` from sketches `(batch, height, width, channels)` in [-1, 1] to
        `(batch, n_classes)` probabilities. The layer `features` holds its penultimate
        features, 100 a sketch.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> lenet_classifier((64, 64, 1), n_classes=6).output_shape
    (None, 6)

    Source: LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", in the widths of the answer that this project follows.
    """
    check_rate(dropout)
    sketch, x = classifier_input(image_shape, n_classes, input_noise=input_noise)
    for number, filters in enumerate((12, 25), start=1):
        x = layers.Conv2D(
            filters, 5, activation="relu", kernel_initializer="he_normal", name=f"conv{number}"
        )(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(180, activation="relu", kernel_initializer="he_normal", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout1")(x)
    x = layers.Dense(100, activation="relu", kernel_initializer="he_normal", name="features")(x)
    x = layers.Dropout(dropout, name="dropout2")(x)
    return keras.Model(sketch, label_output(x, n_classes), name=name)
