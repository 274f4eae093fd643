"""Seven systems, one recipe each: the paper's networks, losses and optimizers on the one engine."""

from keras_cgan.recipes.acgan import ACGAN, acgan
from keras_cgan.recipes.cgan import cgan
from keras_cgan.recipes.controlgan import ControlGAN, controlgan
from keras_cgan.recipes.cyclegan import CycleGAN, cyclegan
from keras_cgan.recipes.gan import gan, marginal_bias
from keras_cgan.recipes.infogan import InfoGAN, infogan
from keras_cgan.recipes.pix2pix import pix2pix

__all__ = [
    "ACGAN",
    "ControlGAN",
    "CycleGAN",
    "InfoGAN",
    "acgan",
    "cgan",
    "controlgan",
    "cyclegan",
    "gan",
    "infogan",
    "marginal_bias",
    "pix2pix",
]
