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
    noise_distribution="unit",
    output_bias=None,
    dropout=0.5,
    d_dropout=(0.2, 0.5),
    optimizers=None,
    average_decay=None,
):
    """The conditional GAN of 2014, compiled.

    In few updates the paper's settings draw one image a class, or heed neither label nor noise. Adam,
    noise of more variance (`noise_distribution="normal"`) and `dropout=0.0` in the generator mend both.

    Args:
        image_shape: `(height, width, channels)`.
        n_classes: Length of a label.
        latent_units, label_units: Units of the generator's layers on noise and on label, before
            they join.
        hidden: Units of its layers after that.
        noise_distribution: As `Latent` takes it.
        output_bias: As `gan` takes it.
        dropout: Rate behind the generator's layers. Where it learns to draw from what it drops, it
            heeds the noise less.
        d_dropout: Rates on the discriminator's image and behind its layers: the paper has .5 and tells
            no other on the image; .2 is the first GAN's.
        optimizers: As `LatentGAN.compile` takes them; by default the paper's,
            `paper_sgd(decay_factor=1.00004)`.
        average_decay: As `LatentGAN` takes it.

    Returns:
        A compiled `LatentGAN`; fakes are drawn for the labels of the real batch (the paper has 100).

    Example:

    >>> model = cgan(n_classes=train.n_classes)
    >>> model.fit(train.batches(100), epochs=10, steps_per_epoch=len(train) // 100)
    >>> images = model.generator.predict({"latent": model.latent.sample(10), "label": np.eye(10)})

    Source: Mirza and Osindero 2014, "Conditional generative adversarial nets", section 4.1.
    """
    latent = Latent(noise=100, categories=(), continuous=0, noise_distribution=noise_distribution)
    generator = mlp_generator(
        image_shape,
        latent.size,
        n_classes,
        hidden=hidden,
        latent_units=latent_units,
        label_units=label_units,
        dropout=dropout,
        output_bias=output_bias,
    )
    discriminator = maxout_discriminator(
        image_shape,
        n_classes,
        hidden=((240, 4),),
        image_units=(240, 5),
        label_units=(50, 5),
        input_dropout=d_dropout[0],
        dropout=d_dropout[1],
    )
    model = LatentGAN(generator, discriminator, latent, average_decay=average_decay, name="cgan")
    model.compile(optimizers or paper_sgd(decay_factor=1.00004))
    return model
