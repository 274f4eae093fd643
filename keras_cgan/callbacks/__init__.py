"""Keras callbacks for any GAN of the engine."""

from keras_cgan.callbacks.finite import StopIfNotFinite
from keras_cgan.callbacks.pictures import DrawPictures
from keras_cgan.callbacks.progress import ShowProgress

__all__ = ["DrawPictures", "ShowProgress", "StopIfNotFinite"]
