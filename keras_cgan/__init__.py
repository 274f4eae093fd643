"""Class-conditional photo-to-sketch GANs in Keras 3.

Names are imported on first use, so that builders, losses and targets work under any
Keras backend without TensorFlow being touched.
"""

import importlib

from keras_cgan.pixel_limit import limit_pixels

limit_pixels()

__version__ = "0.1.0"

_EXPORTS = {
    "generators": (
        "dcgan_generator",
        "mlp_generator",
        "resblock_generator",
        "resnet_generator",
        "unet_generator",
    ),
    "discriminators": (
        "conv_discriminator",
        "joined_discriminator",
        "maxout_discriminator",
        "patch_discriminator",
        "pooled_discriminator",
        "resblock_discriminator",
        "shared_q_discriminator",
        "single_unit_discriminator",
        "two_head_discriminator",
    ),
    "classifiers": ("lenet_classifier", "resnet_classifier", "vgg_classifier"),
    "targets": ("fakeness_targets", "real_fake_targets"),
    "losses": (
        "ClassLoss",
        "DiscriminatorLoss",
        "L1Loss",
        "L2Loss",
        "discriminator_loss",
        "discriminator_on_generator_loss",
        "generator_l1_loss",
        "generator_l2_loss",
    ),
    "adversarial_losses": ("ADVERSARIAL_LOSSES", "adversarial_loss", "gaussian_loss"),
    "contrastive": ("contrastive_loss", "image_tower", "photo_towers", "train_towers"),
    "diff_augment": ("DiffAugment",),
    "feature_matching": ("FeatureMatching",),
    "latents": ("Latent",),
    "minibatch_discrimination": ("MinibatchDiscrimination",),
    "photo_information": ("PhotoInformation",),
    "schedules": ("GeometricDecay", "LinearDecay", "RampedSGD"),
    "strategies": ("STRATEGIES",),
    "strategy_parts": ("photo_options", "strategy_model", "strategy_networks"),
    "faster": ("faster_network",),
    "terms": ("BlurredL1", "EdgeLikeness", "GeneratorTerm"),
    "training": (
        "AdversarialModel",
        "ConditionalGAN",
        "EquilibriumWeight",
        "FusedAdam",
        "LatentGAN",
        "ReferenceTrainer",
        "combined_model",
        "gradient_penalty",
        "r1_penalty",
    ),
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *__all__])
