"""Networks that draw: photo (and label) to sketch, latent (and label) to image."""

from keras_cgan.generators.dcgan import dcgan_generator
from keras_cgan.generators.mlp import mlp_generator
from keras_cgan.generators.resblock import resblock_generator
from keras_cgan.generators.resnet import resnet_generator
from keras_cgan.generators.unet import unet_depth, unet_generator

__all__ = [
    "dcgan_generator",
    "mlp_generator",
    "resblock_generator",
    "resnet_generator",
    "unet_depth",
    "unet_generator",
]
