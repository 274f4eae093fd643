"""InfoGAN: codes beside the noise that can be read off the images; no label is used."""

import keras
import tensorflow as tf

from keras_cgan.adversarial_losses import gaussian_loss
from keras_cgan.checks import check_weights
from keras_cgan.discriminators import conv_discriminator
from keras_cgan.generators import dcgan_generator
from keras_cgan.latents import Latent
from keras_cgan.random_warp import RandomWarp
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.latent_gan import LatentGAN, class_loss


@keras.saving.register_keras_serializable(package="keras_cgan")
class InfoGAN(LatentGAN):
    """A GAN whose D has a head Q that reads the codes off fakes: what it misreads, both networks lose.

    Q never sees a real image: its step differs from the other recipes' in that alone.

    Args:
        generator: As `LatentGAN` takes it.
        discriminator: With outputs `real_fake`, `label` (the categorical code, softmax) and, where
            there are continuous codes, `codes` (their means).
        latent: A `Latent` with one categorical code, and perhaps continuous ones.
        code_weight, continuous_weight: Lambda, of the categorical and of the continuous codes.
        **options: As `LatentGAN` takes them.

    Raises:
        ValueError: The discriminator does not read these codes.

    Example:

    >>> model = InfoGAN(generator, discriminator, Latent())

    Source: Chen et al. 2016, "InfoGAN", equations 5 and 6.
    """

    def __init__(self, generator, discriminator, latent, code_weight=1.0, continuous_weight=0.1, **options):
        super().__init__(generator, discriminator, latent, **options)
        self._given |= {"code_weight": code_weight, "continuous_weight": continuous_weight}
        check_weights(code_weight=code_weight, continuous_weight=continuous_weight)
        self.code_weight, self.continuous_weight = code_weight, continuous_weight
        self.loss_names = ("d_loss", "g_loss", "d_code", "g_code")
        if latent.continuous:
            self.loss_names += ("d_continuous", "g_continuous")
        read = {"label": latent.categories, "codes": (latent.continuous,) if latent.continuous else ()}
        outputs = discriminator.output if isinstance(discriminator.output, dict) else {}
        for name, sizes in read.items():
            told = (outputs[name].shape[-1],) if name in outputs else ()
            if told != sizes:
                raise ValueError(
                    f"`discriminator` must have an output {name!r} for codes of {sizes}, one categorical and "
                    f"any number of continuous ones. Received: {name!r} of {told}"
                )

    def _code_terms(self, player, drawn, on_fake):
        parts = self.latent.split(drawn["latent"])
        misread = class_loss(parts["categories"][0], on_fake["label"])
        terms = {f"{player}_code": (self.code_weight, misread)}
        if self.latent.continuous:
            off = tf.reduce_mean(gaussian_loss(parts["continuous"], on_fake["codes"]))
            terms[f"{player}_continuous"] = self.continuous_weight, off
        return terms

    def d_terms(self, batch, drawn, on_real, on_fake):
        return self._code_terms("d", drawn, on_fake)

    def g_terms(self, batch, drawn, on_fake, run):
        return self._code_terms("g", drawn, on_fake)


def infogan(
    image_shape=(28, 28, 1), n_values=10, continuous=2, noise=62, width=1.0, warp=0.0, background=-1.0
):
    """InfoGAN as on MNIST, compiled.

    Args:
        image_shape: `(height, width, channels)`; sides that halve evenly twice.
        n_values: Values of the categorical code.
        continuous: How many codes are U(-1, 1).
        noise: How many numbers of noise, U(-1, 1) as in the paper's code.
        width: Multiple of the paper's numbers of units and maps.
        warp: Strength of the `RandomWarp` behind which D and Q see all images; 0, the paper's, for none.
            A few thousand images D else learns by heart: each code then draws one image over and over. But
            size and slant, which the paper's continuous codes found, are then what Q cannot read.
        background: What comes in from outside of a bent image.

    Returns:
        A compiled `InfoGAN`; the paper has batches of 128.

    Example:

    >>> model = infogan()
    >>> model.fit(train.batches(128, labels=False), epochs=10, steps_per_epoch=len(train) // 128)
    >>> images = model.generator.predict(model.latent.grid(code=1))

    Source: Chen et al. 2016, "InfoGAN", section 7 and appendix C.1: Adam 2e-4 for D and 1e-3 for G,
    lambda 1 and .1. G ends in a tanh, for images in [-1, 1].
    """
    latent = Latent(noise, (n_values,), continuous, noise_distribution="uniform")
    generator = dcgan_generator(
        image_shape,
        latent.size,
        dense=(round(1024 * width),),
        filters=(round(128 * width), round(64 * width)),
    )
    discriminator = conv_discriminator(
        image_shape,
        layers=((round(64 * width), 2), (round(128 * width), 2)),
        leak=0.1,
        dense=round(1024 * width),
        n_classes=n_values,
        code_size=continuous,
        q_hidden=round(128 * width),
        augment=RandomWarp(warp, background=background, name="warp") if warp else None,
    )
    model = InfoGAN(generator, discriminator, latent, name="infogan")
    model.compile({"d": FusedAdam(2e-4, beta_1=0.5), "g": FusedAdam(1e-3, beta_1=0.5)})
    return model
