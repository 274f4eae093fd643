"""GAN: noise to images. The networks are fully connected, and D's are maxout."""

import numpy as np

from keras_cgan.discriminators import maxout_discriminator
from keras_cgan.generators import mlp_generator
from keras_cgan.latents import Latent
from keras_cgan.schedules import GeometricDecay, RampedSGD
from keras_cgan.training.latent_gan import LatentGAN


def gan(
    image_shape=(28, 28, 1),
    hidden=(1200, 1200),
    maxout=((240, 5), (240, 5)),
    output_bias=None,
    d_dropout=(0.2, 0.5),
    optimizers=None,
    average_decay=None,
):
    """The GAN of 2014, compiled.

    Args:
        image_shape: `(height, width, channels)`.
        hidden: Units of the generator's layers.
        maxout: `(units, pieces)` of the discriminator's layers.
        output_bias: Optional bias of the generator's last layer, of the image's shape:
            `marginal_bias` of the training images, as in the paper's code.
        d_dropout: Rates on the discriminator's input and behind its layers.
        optimizers: As `LatentGAN.compile` takes them; by default `paper_sgd()`, which takes more than
            100,000 updates. Adam takes thousands.
        average_decay: As `LatentGAN` takes it.

    Returns:
        A compiled `LatentGAN`; the paper has batches of 100.

    Example:

    >>> model = gan(output_bias=marginal_bias(train.images))
    >>> model.fit(train.batches(100, labels=False), epochs=10, steps_per_epoch=len(train) // 100)
    >>> images = model.generator.predict(model.latent.sample(16))

    Source: Goodfellow et al. 2014, "Generative adversarial nets", section 5 and its code's
    `mnist.yaml`. G ends in a tanh for images in [-1, 1], which is the paper's sigmoid, stretched.
    """
    input_dropout, dropout = d_dropout
    latent = Latent(noise=100, categories=(), continuous=0)
    generator = mlp_generator(image_shape, latent.size, hidden=hidden, output_bias=output_bias)
    discriminator = maxout_discriminator(
        image_shape, hidden=maxout, input_dropout=input_dropout, dropout=dropout
    )
    model = LatentGAN(generator, discriminator, latent, average_decay=average_decay, name="gan")
    model.compile(optimizers or paper_sgd())
    return model


def marginal_bias(images):
    """The bias at which a generator that knows nothing else draws the mean image.

    Args:
        images: Training images, `(n, height, width, channels)` in [-1, 1].

    Returns:
        The logit of the mean of each pixel, taken to [0, 1], `(height, width, channels)`, for
        `output_bias`.

    Example:

    >>> model = gan(output_bias=marginal_bias(train.images))

    Source: the code of Goodfellow et al. 2014, where biases start at the pixels' marginals.
    """
    # A pixel that is the same everywhere would have an infinite bias. In [-1, 1] a logit is 2 artanh.
    mean = np.clip(np.mean(images, axis=0, dtype="float64"), -0.999, 0.999)
    return (2 * np.arctanh(mean)).astype("float32")


def paper_sgd(learning_rate=0.1, decay_factor=1.000004, ramp_steps=125_000):
    """The optimizers of GAN and cGAN: SGD with a falling rate and a growing momentum.

    Args:
        learning_rate: The rate of the first update.
        decay_factor: What the rate is divided by at each update, until it is 1e-6.
        ramp_steps: Updates in which the momentum grows from .5 to .7: by default 250 epochs of 500,
            as the paper's code trains on 50,000 digits.

    Returns:
        A dict of player -> optimizer, for `gan` and `cgan`.

    Example:

    >>> model = gan(optimizers=paper_sgd(ramp_steps=250 * len(train) // 100))

    Source: the code of Goodfellow et al. 2014.
    """
    return {
        player: RampedSGD(
            GeometricDecay(learning_rate, decay_factor, min(1e-6, learning_rate)), ramp_steps=ramp_steps
        )
        for player in ("d", "g")
    }
