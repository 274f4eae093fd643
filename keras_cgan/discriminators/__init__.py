"""Networks that judge: real or fake, and, in some, of which class."""

from keras_cgan.discriminators.convolutional import conv_discriminator
from keras_cgan.discriminators.joined import joined_discriminator
from keras_cgan.discriminators.maxout import maxout_discriminator
from keras_cgan.discriminators.patch import patch_discriminator, single_unit_discriminator
from keras_cgan.discriminators.pooled import pooled_discriminator
from keras_cgan.discriminators.resblock import resblock_discriminator
from keras_cgan.discriminators.two_head import shared_q_discriminator, two_head_discriminator

__all__ = [
    "conv_discriminator",
    "joined_discriminator",
    "maxout_discriminator",
    "patch_discriminator",
    "pooled_discriminator",
    "resblock_discriminator",
    "shared_q_discriminator",
    "single_unit_discriminator",
    "two_head_discriminator",
]
