"""A small ResNet-style sketch classifier."""

import keras
from keras import layers

from keras_cgan.classifiers.lenet import classifier_input, label_output
from keras_cgan.checks import check_at_least, check_rate


def _conv_norm(x, filters, kernel_size, strides, name):
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)


def _residual(x, filters, strides, name):
    """Basic block: two 3x3 convolutions beside a shortcut, 1x1 where the shape changes."""
    y = layers.ReLU(name=f"{name}_relu1")(_conv_norm(x, filters, 3, strides, f"{name}_a"))
    y = _conv_norm(y, filters, 3, 1, f"{name}_b")
    if strides != 1 or x.shape[-1] != filters:
        x = _conv_norm(x, filters, 1, strides, f"{name}_shortcut")
    return layers.ReLU(name=f"{name}_relu2")(layers.Add(name=f"{name}_add")([x, y]))


def resnet_classifier(
    image_shape, n_classes, filters=32, stages=3, dropout=0.3, input_noise=0.0, name="classifier"
):
    """Builds a ResNet-style classifier: one basic block a stage after a 3x3 stem.

    Args:
        image_shape: `(height, width, channels)` of a sketch, both sides at least 16 px.
        n_classes: Number of classes.
        filters: Maps of the stem; each stage after the first has twice as many and half
            the size.
        stages: Number of stages.
        dropout: Rate before the last layer.
        input_noise: Standard deviation of Gaussian noise on the sketch in training. A classifier
            that reads through noise cannot be told a class by a faint pattern, so a generator
            has to draw it.
        name: Name of the model.

    Returns:
        A `keras.Model` from sketches `(batch, height, width, channels)` in [-1, 1] to
        `(batch, n_classes)` probabilities. The layer `features` holds its penultimate
        features.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> resnet_classifier((64, 64, 1), n_classes=6).output_shape
    (None, 6)

    Source: He et al. 2016, "Deep residual learning for image recognition", section 4.2.
    """
    check_at_least(1, filters=filters, stages=stages)
    check_rate(dropout)
    sketch, x = classifier_input(image_shape, n_classes, input_noise=input_noise)
    x = layers.ReLU(name="stem_relu")(_conv_norm(x, filters, 3, 2, "stem"))
    for stage in range(stages):
        x = _residual(x, filters * 2**stage, 1 if stage == 0 else 2, f"stage{stage + 1}")
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(sketch, label_output(x, n_classes), name=name)
