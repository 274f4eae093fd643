"""How the networks learn: the frozen combined model, and the engines around it."""

from keras_cgan.training.combined import combined_model
from keras_cgan.training.reference import ReferenceTrainer

__all__ = ["ReferenceTrainer", "combined_model"]
