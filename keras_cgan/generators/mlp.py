"""The fully connected generator of the first GAN and of the first conditional one."""

import math

import keras
import numpy as np
from keras import initializers, layers

from keras_cgan import blocks, checks
from keras_cgan.generators.conditions import joined, latent_inputs, tanh_output


def mlp_generator(
    image_shape,
    latent_size=100,
    n_classes=None,
    hidden=(1200, 1200),
    latent_units=None,
    label_units=None,
    dropout=0.0,
    weight_range=0.05,
    output_bias=None,
    name="generator",
):
    """Builds the first GAN's generator: latent (and label) through ReLU layers to an image.

    As it stands it is Goodfellow's. Mirza and Osindero's conditional one is `n_classes=10,
    hidden=(1200,), latent_units=200, label_units=1000, dropout=.5`.

    The papers end in a sigmoid, for pixels in [0, 1]. Here pixels are in [-1, 1], so it is the
    same sigmoid, stretched: tanh(x / 2) = 2 sigmoid(x) - 1.

    Args:
        image_shape: `(height, width, channels)` of the image.
        latent_size: Length of the latent.
        n_classes: Length of the label; `None` for a generator without label input.
        hidden: Units of each hidden layer.
        latent_units: Units of a ReLU layer on the latent alone, before the label joins; `None`
            for none.
        label_units: Units of a ReLU layer on the label alone; `None` for none.
        dropout: Rate after every hidden layer.
        weight_range: All weights are drawn from U(-weight_range, weight_range).
        output_bias: Biases of the last layer to start with, of shape `image_shape`; 0 by default.
            The GAN paper's code starts at the mean image, `2 * np.arctanh(.99 * images.mean(0))`.
        name: Name of the model.

    Returns:
        A `keras.Model` from latents `(batch, latent_size)`, or from a dict `{"latent",
        "label"}`, to images `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> generator = mlp_generator((28, 28, 1), n_classes=10, hidden=(1200,), latent_units=200)
    >>> generator({"latent": latents, "label": labels}).shape
    (8, 28, 28, 1)

    Source: Goodfellow et al. 2014, "Generative adversarial nets", section 5 and its code's
    `mnist.yaml`; Mirza and Osindero 2014, "Conditional generative adversarial nets", section 4.1.
    """
    image_shape = checks.check_image_shape(image_shape)
    checks.check_widths("hidden", hidden)
    checks.check_rate(dropout)
    checks.check_positive(weight_range=weight_range)
    checks.check_needs_classes(n_classes, latent_units=latent_units, label_units=label_units)
    bias = _output_bias(output_bias, image_shape)
    inputs, x, label = latent_inputs(latent_size, n_classes)

    def uniform():
        return initializers.RandomUniform(-weight_range, weight_range)

    def layer(x, units, name):
        x = blocks.dense(x, units, f"{name}_dense", initializer=uniform())
        x = layers.ReLU(name=f"{name}_relu")(x)
        return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x

    if latent_units is not None:
        checks.check_at_least(1, latent_units=latent_units)
        x = layer(x, latent_units, "latent")
    if label_units is not None:
        checks.check_at_least(1, label_units=label_units)
        label = layer(label, label_units, "label")
    x = joined(x, label)
    for number, units in enumerate(hidden, start=1):
        x = layer(x, units, f"hidden{number}")
    x = layers.Dense(
        math.prod(image_shape), kernel_initializer=uniform(), bias_initializer=bias, name="image_dense"
    )(x)
    x = layers.Reshape(image_shape, name="image_pixels")(x)
    x = layers.Rescaling(0.5, name="image_half")(x)
    return keras.Model(inputs, tanh_output(x, "image"), name=name)


def _output_bias(output_bias, image_shape):
    """The initializer of the last layer's biases."""
    if output_bias is None:
        return "zeros"
    values = np.asarray(output_bias, "float32")
    if values.shape != image_shape or not np.all(np.isfinite(values)):
        raise ValueError(
            f"`output_bias` must be finite numbers of the image's shape, {image_shape}. "
            f"Received: output_bias of shape {values.shape}, {np.count_nonzero(~np.isfinite(values))} "
            "of them not finite"
        )
    return initializers.Constant(values.ravel())
