"""A small ResNet-style sketch classifier."""

import keras
from keras import layers

from keras_cgan.checks import check_at_least, check_rate
from keras_cgan.classifiers.lenet import classifier_input, label_output


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
    image_shape,
    n_classes,
    filters=32,
    stages=3,
    dropout=0.3,
    input_noise=0.0,
    blocks=1,
    growth=2,
    stem_strides=2,
    name="classifier",
):
    """Builds a ResNet-style classifier: basic blocks in stages after a 3x3 stem.

    ControlGAN's has nine blocks of 32, 128 and 512 maps: `blocks=3, growth=4, stem_strides=1`.

    Args:
        image_shape: `(height, width, channels)` of a sketch, both sides at least 16 px.
        n_classes: Number of classes.
        filters: Maps of the stem; each stage after the first has `growth` times as many and
            half the size.
        stages: Number of stages.
        dropout: Rate before the last layer.
        input_noise: Standard deviation of Gaussian noise on the sketch in training. A classifier
            that reads through noise cannot be told a class by a faint pattern, so a generator
            has to draw it.
        blocks: Number of blocks a stage.
        growth: How many times as many maps each stage has as the one before.
        stem_strides: Stride of the stem: 2 halves the size at once, 1 keeps it.
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
    ControlGAN: Lee and Seok 2017, "Controllable generative adversarial network".
    """
    check_at_least(1, filters=filters, stages=stages, blocks=blocks, growth=growth, stem_strides=stem_strides)
    check_rate(dropout)
    sketch, x = classifier_input(image_shape, n_classes, input_noise=input_noise)
    x = layers.ReLU(name="stem_relu")(_conv_norm(x, filters, 3, stem_strides, "stem"))
    for stage in range(stages):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            # One block is what a stage is by default: its layers are named after the stage.
            block_name = f"stage{stage + 1}" + (f"_block{block + 1}" if block else "")
            x = _residual(x, filters * growth**stage, strides, block_name)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(sketch, label_output(x, n_classes), name=name)
