"""The residual generator of WGAN-GP, as ControlGAN has it: the label sets the norms."""

import keras
from keras import layers

from keras_cgan import blocks, checks
from keras_cgan.generators.conditions import latent_inputs, tanh_output


def resblock_generator(
    image_shape, latent_size=128, n_classes=None, filters=128, n_blocks=3, name="generator"
):
    """Builds ControlGAN's generator: latent to a small map, doubled by residual blocks.

    With `n_classes` the label sets gamma and beta of both norms of every block, linearly; the
    last norm has its own, as in the code of WGAN-GP.

    Args:
        image_shape: `(height, width, channels)` of the image. Both sides must halve evenly
            `n_blocks` times.
        latent_size: Length of the latent.
        n_classes: Length of the label; `None` for a generator without label input.
        filters: Maps of every block.
        n_blocks: Number of residual blocks, each doubling the size.
        name: Name of the model.

    Returns:
        A `keras.Model` from latents `(batch, latent_size)`, or from a dict `{"latent",
        "label"}`, to images `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: `image_shape` does not halve so often, or another argument is not one of
            those allowed.

    Example:

    >>> generator = resblock_generator((32, 32, 3), n_classes=10)
    >>> generator({"latent": latents, "label": labels}).shape
    (8, 32, 32, 3)

    Source: Lee and Seok 2017, "Controllable generative adversarial network", with the blocks of
    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", appendix C.
    """
    image_shape = checks.check_image_shape(image_shape)
    checks.check_at_least(1, filters=filters, n_blocks=n_blocks)
    times = 2**n_blocks
    checks.check_sides(image_shape, multiple=times, reason=f" for n_blocks={n_blocks}")
    inputs, x, label = latent_inputs(latent_size, n_classes)
    height, width = image_shape[0] // times, image_shape[1] // times
    x = blocks.dense(x, height * width * filters, "start_dense", initializer="glorot_uniform")
    x = layers.Reshape((height, width, filters), name="start_map")(x)
    for number in range(1, n_blocks + 1):
        x = blocks.preactivated(x, filters, f"block{number}", "batch", label, resize="up")
    x = layers.ReLU(name="image_relu")(blocks.normalize(x, "batch", "image_norm"))
    x = blocks.conv(x, image_shape[-1], 3, "image_conv", initializer="glorot_uniform")
    return keras.Model(inputs, tanh_output(x, "image"), name=name)
