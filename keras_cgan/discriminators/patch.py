"""Real or fake, and nothing else: the PatchGAN and the single unit."""

import keras
from keras import layers

import keras_cgan.diff_augment  # noqa: F401 - known to Keras, so that a saved D with it loads
from keras_cgan import blocks, checks
from keras_cgan.discriminators import heads


def patch_discriminator(
    image_shape,
    filters=64,
    n_layers=3,
    activation=None,
    norm="batch",
    augment=None,
    n_classes=None,
    name="discriminator",
):
    """Builds pix2pix's PatchGAN: one real/fake value for each overlapping patch.

    `n_layers` stride-2 convolutions 4x4, then two of stride 1. The receptive field is
    16, 34, 70 pixels for n_layers 1, 2, 3; n_layers=0 is the PixelGAN (1x1).

    Args:
        image_shape: `(height, width, channels)` of the stacked pair, or of a sketch alone.
        filters: Maps of the first convolution; the paper has 64.
        n_layers: Number of stride-2 convolutions, from 0.
        activation: `None` for logits, `"sigmoid"` for probabilities.
        norm: `"batch"` (paper), `"instance"`, `"spectral"` or `None`.
        augment: Optional layer that images pass first, such as `DiffAugment()`.
        n_classes: Length of the label that D is told by projection: to each patch's logit the inner
            product of the label's embedding with the features of the patch is added; `None` for none.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1], or from a dict
        `{"image", "label": (batch, n_classes)}`, to `(batch, h, w, 1)`: 30 x 30 for 256 pixels and
        n_layers=3.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> discriminator = patch_discriminator((256, 256, 6))
    >>> discriminator.output_shape
    (None, 30, 30, 1)

    Source: Isola et al. 2017, section 6.1.2; the label: Miyato and Koyama 2018, "cGANs with projection
    discriminator", equation 3.
    """
    checks.check_norm(norm)
    checks.check_choice("activation", activation, (None, "sigmoid"))
    checks.check_at_least(1, filters=filters)
    image_shape = checks.check_image_shape(image_shape)
    inputs, image, label = blocks.beside_label(keras.Input(image_shape, name="image"), n_classes)
    x = image if augment is None else augment(image)
    if n_layers == 0:
        outputs = _pixel_head(x, filters, norm, activation, label)
    else:
        checks.check_fits(image_shape, n_layers, times=3, least=0)
        x = heads.trunk(x, filters, n_layers, norm)
        outputs = heads.patch_head(x, filters, n_layers, norm, activation, label)
    return keras.Model(inputs, outputs, name=name)


def _pixel_head(x, filters, norm, activation, label):
    """The 1x1 PixelGAN: C64 - C128 - 1, all 1x1."""
    spectral = "spectral" if norm == "spectral" else None
    x = blocks.conv(x, filters, 1, "pixel1_conv", norm=spectral)
    x = layers.LeakyReLU(0.2, name="pixel1_relu")(x)
    x = blocks.conv(x, 2 * filters, 1, "pixel2_conv", norm=norm)
    x = blocks.normalize(x, norm, "pixel2_norm")
    x = layers.LeakyReLU(0.2, name="pixel2_relu")(x)
    logits = blocks.conv(x, 1, 1, "pixel_logits", norm=spectral)
    return blocks.output_activation(
        heads.add_projection(logits, x, label, 1, spectral), activation, "real_fake"
    )


def single_unit_discriminator(
    image_shape, filters=64, n_layers=4, activation=None, norm="batch", name="discriminator"
):
    """Builds a discriminator with one real/fake value for the whole image.

    Args:
        image_shape: `(height, width, channels)` of the stacked pair, or of a sketch alone.
        filters: Maps of the first convolution.
        n_layers: Number of stride-2 convolutions 4x4, from 1.
        activation: `None` for logits, `"sigmoid"` for probabilities.
        norm: `"batch"`, `"instance"`, `"spectral"` or `None`.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1] to
        `(batch, 1)`.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> single_unit_discriminator((64, 64, 4), filters=32).output_shape
    (None, 1)

    Source: Goodfellow et al. 2014, "Generative adversarial nets", with the convolutions
    of Isola et al. 2017.
    """
    checks.check_norm(norm)
    checks.check_choice("activation", activation, (None, "sigmoid"))
    checks.check_at_least(1, filters=filters)
    image_shape = checks.check_image_shape(image_shape)
    checks.check_fits(image_shape, n_layers)
    inputs = keras.Input(image_shape, name="image")
    x = heads.trunk(inputs, filters, n_layers, norm)
    return keras.Model(inputs, heads.unit_head(x, activation), name=name)
