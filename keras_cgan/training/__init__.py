"""How the networks learn: the frozen combined model, and the engines around it."""

import keras

if keras.backend.backend() != "tensorflow":
    # Before anything else: each engine would fail deep within, and differently.
    raise ImportError(
        "`keras_cgan.training` (AdversarialModel, ConditionalGAN, EquilibriumWeight, FusedAdam, LatentGAN, "
        "ReferenceTrainer, combined_model, gradient_penalty, r1_penalty) and `keras_cgan.recipes` need "
        "Keras' TensorFlow backend: set KERAS_BACKEND=tensorflow before Keras is imported. "
        f"Received: KERAS_BACKEND={keras.backend.backend()}"
    )

from keras_cgan.training.adversarial import AdversarialModel
from keras_cgan.training.combined import combined_model
from keras_cgan.training.conditional_gan import ConditionalGAN
from keras_cgan.training.equilibrium import EquilibriumWeight
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.latent_gan import LatentGAN
from keras_cgan.training.penalties import gradient_penalty, r1_penalty
from keras_cgan.training.reference import ReferenceTrainer

__all__ = [
    "AdversarialModel",
    "ConditionalGAN",
    "EquilibriumWeight",
    "FusedAdam",
    "LatentGAN",
    "ReferenceTrainer",
    "combined_model",
    "gradient_penalty",
    "r1_penalty",
]
