"""Keras callbacks for any GAN; `CollapseAlarm` for a `ConditionalGAN`, `EpochAlarms` for a loop of steps."""

from keras_cgan.callbacks.alarms import CollapseAlarm, CollapseWarning
from keras_cgan.callbacks.epoch_alarms import EpochAlarms
from keras_cgan.callbacks.finite import StopIfNotFinite
from keras_cgan.callbacks.pictures import DrawPictures
from keras_cgan.callbacks.progress import ShowProgress
from keras_cgan.callbacks.restore import RestoreIfNotFinite

__all__ = [
    "CollapseAlarm",
    "CollapseWarning",
    "DrawPictures",
    "EpochAlarms",
    "RestoreIfNotFinite",
    "ShowProgress",
    "StopIfNotFinite",
]
