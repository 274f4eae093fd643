"""Keras callbacks for any GAN, `CollapseAlarm` for a `ConditionalGAN`; for a loop of steps `EpochAlarms` and
`RestoreSteps`."""

from keras_cgan.callbacks.alarms import CollapseAlarm, CollapseWarning
from keras_cgan.callbacks.epoch_alarms import EpochAlarms
from keras_cgan.callbacks.finite import StopIfNotFinite
from keras_cgan.callbacks.pictures import DrawPictures
from keras_cgan.callbacks.progress import ShowProgress
from keras_cgan.callbacks.restore import RestoreIfNotFinite, RestoreSteps

__all__ = [
    "CollapseAlarm",
    "CollapseWarning",
    "DrawPictures",
    "EpochAlarms",
    "RestoreIfNotFinite",
    "RestoreSteps",
    "ShowProgress",
    "StopIfNotFinite",
]
