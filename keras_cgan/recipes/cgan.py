"""Conditional GAN: noise and a label to images; both networks are told the label."""

from keras_cgan.discriminators import maxout_discriminator
from keras_cgan.generators import mlp_generator
from keras_cgan.latents import Latent
from keras_cgan.recipes.gan import paper_sgd
from keras_cgan.training.latent_gan import LatentGAN


def cgan(
    image_shape=(28, 28, 1),
    n_classes=10,
    latent_units=200,
    label_units=1000,
    hidden=(1200,),
    learning_rate=0.1,
    decay_factor=1.00004,
    ramp_steps=125_000,
):
    """The conditional GAN of 2014, compiled.

    Args:
        image_shape: `(height, width, channels)`.
        n_classes: Length of a label.
        latent_units, label_units: Units of the generator's layers on noise and on label, before
            they join.
        hidden: Units of its layers after that.
        learning_rate, decay_factor, ramp_steps: As `gan` takes them.

    Returns:
        A compiled `LatentGAN`; fakes are drawn for the labels of the real batch (the paper has 100).

    Example:

    >>> model = cgan(n_classes=train.n_classes)
    >>> model.fit(train.batches(100), epochs=10, steps_per_epoch=len(train) // 100)
    >>> images = model.generator.predict({"latent": model.latent.sample(10), "label": np.eye(10)})

    Source: Mirza and Osindero 2014, "Conditional generative adversarial nets", section 4.1.
    """
    latent = Latent(noise=100, categories=(), continuous=0, noise_distribution="unit")
    generator = mlp_generator(
        image_shape,
        latent.size,
        n_classes,
        hidden=hidden,
        latent_units=latent_units,
        label_units=label_units,
        dropout=0.5,
    )
    discriminator = maxout_discriminator(
        image_shape, n_classes, hidden=((240, 4),), image_units=(240, 5), label_units=(50, 5)
    )
    model = LatentGAN(generator, discriminator, latent, name="cgan")
    model.compile(paper_sgd(learning_rate, decay_factor, ramp_steps))
    return model
