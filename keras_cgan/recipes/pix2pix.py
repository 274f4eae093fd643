"""pix2pix: photo to sketch by a U-Net, L1 and a PatchGAN that sees the pair."""

from keras_cgan.discriminators import patch_discriminator
from keras_cgan.generators import unet_generator
from keras_cgan.training.conditional_gan import ConditionalGAN
from keras_cgan.training.fused_adam import FusedAdam


def pix2pix(
    image_shape=(256, 256, 3),
    sketch_channels=1,
    filters=64,
    l1_weight=100.0,
    adversarial_weight=1.0,
    n_layers=3,
    paired=True,
    dropout=0.5,
    norm="batch",
    learning_rates=(2e-4, 2e-4),
):
    """pix2pix, compiled: no label anywhere.

    Args:
        image_shape: `(height, width, channels)` of the photo.
        sketch_channels: Channels of the sketch.
        filters: Maps of the first convolution of G and of D.
        l1_weight, adversarial_weight: Of G's losses: 100 and 1 are L1 + cGAN, 100 and 0 L1 alone, 0
            and 1 the cGAN alone (the paper's table 1).
        n_layers: Stride-2 convolutions of D: 0, 1, 2, 3 for patches of 1, 16, 34 and 70 pixels (table 2).
        paired: Whether D sees the photo beside the sketch (cGAN) or the sketch alone (GAN).
        dropout: Rate in the first three decoder steps.
        norm: Of both networks: `"batch"`, or `"instance"`, which is what the paper has at batch 1:
            then a drawing does not depend on what else is in the batch, in training or after.
        learning_rates: Of Adam for G and for D.

    Returns:
        A compiled `ConditionalGAN`; batches of `(photo, sketch)`, of 1 to 10 in the paper.

    Example:

    >>> model = pix2pix((64, 64, 3), filters=32)
    >>> model.fit(photos, sketches, batch_size=4, epochs=50)
    >>> drawn = model.predict(photos)

    Source: Isola et al. 2017, "Image-to-image translation with conditional adversarial networks",
    equations 1 to 4 and section 6. The paper keeps dropout and batch statistics at test time:
    `model.generator(photos, training=True)`.
    """
    seen = sketch_channels + (image_shape[-1] if paired else 0)
    model = ConditionalGAN(
        unet_generator(image_shape, sketch_channels, filters=filters, norm=norm, dropout=dropout),
        patch_discriminator((*image_shape[:2], seen), filters, n_layers, norm=norm),
        l1_weight=l1_weight,
        adversarial_weight=adversarial_weight,
        name="pix2pix",
    )
    model.compile(*(FusedAdam(rate, beta_1=0.5) for rate in learning_rates))
    return model
