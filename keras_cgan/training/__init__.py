"""How the networks learn: the frozen combined model, and the engines around it."""

from keras_cgan.training.adversarial import AdversarialModel
from keras_cgan.training.combined import combined_model
from keras_cgan.training.conditional_gan import ConditionalGAN
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.reference import ReferenceTrainer

__all__ = ["AdversarialModel", "ConditionalGAN", "FusedAdam", "ReferenceTrainer", "combined_model"]
