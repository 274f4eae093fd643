"""Networks that draw: photo (and label) to sketch."""

from keras_cgan.generators.resnet import resnet_generator
from keras_cgan.generators.unet import unet_depth, unet_generator

__all__ = ["resnet_generator", "unet_depth", "unet_generator"]
