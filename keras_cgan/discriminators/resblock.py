"""The residual discriminator of WGAN-GP with dropout, as ControlGAN has it."""

import keras
from keras import layers

from keras_cgan import blocks, checks
from keras_cgan.discriminators import heads

N_HALVINGS = 2  # The first blocks, as in the paper for 32 pixels.


def resblock_discriminator(
    image_shape, filters=128, n_blocks=4, dropout=(0.2, 0.5, 0.5), name="discriminator"
):
    """Builds ControlGAN's discriminator: residual blocks without norm, and one real/fake value.

    The first two blocks halve the size. There is no norm, because a gradient penalty is of each
    image by itself.

    Args:
        image_shape: `(height, width, channels)` of the image, both sides at least 4 px.
        filters: Maps of every block.
        n_blocks: Number of residual blocks.
        dropout: Rates after the last blocks, one for each; `()` for none.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1] to logits
        `(batch, 1)`.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> resblock_discriminator((32, 32, 3)).output_shape
    (None, 1)

    Source: Lee and Seok 2017, "Controllable generative adversarial network", with the blocks of
    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", appendix C.
    """
    image_shape = checks.check_image_shape(image_shape)
    checks.check_at_least(1, filters=filters, n_blocks=n_blocks)
    if not isinstance(dropout, (tuple, list)) or len(dropout) > n_blocks:
        raise ValueError(
            f"`dropout` must be a tuple of at most n_blocks={n_blocks} rates. Received: dropout={dropout!r}"
        )
    for rate in dropout:
        checks.check_rate(rate)
    checks.check_sides(image_shape, smallest=2 ** min(n_blocks, N_HALVINGS))
    inputs = x = keras.Input(image_shape, name="image")
    rates = (0.0,) * (n_blocks - len(dropout)) + tuple(dropout)
    for number, rate in enumerate(rates, start=1):
        resize = "down" if number <= N_HALVINGS else None
        x = blocks.preactivated(x, filters, f"block{number}", resize=resize, activate_first=number > 1)
        if rate:
            x = layers.Dropout(rate, name=f"block{number}_dropout")(x)
    x = layers.ReLU(name="unit_relu")(x)
    x = layers.GlobalAveragePooling2D(name="unit_pool")(x)
    return keras.Model(inputs, heads.unit_head(x, None), name=name)
