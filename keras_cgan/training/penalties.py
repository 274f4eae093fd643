"""Penalties on the slope of a discriminator or critic, for its own step."""

import tensorflow as tf
from keras import random


def gradient_penalty(critic, real, fake, seed=None):
    """How far a critic's slope is from 1, at random points between real samples and fakes.

    For a critic without batch norm or `MinibatchDiscrimination`: with them a sample's output depends on
    the others too.

    Args:
        critic: Function from images to outputs, as `lambda images: run(self.discriminator, images)`;
            the outputs may be `(batch, 1)` or a patch matrix, whose mean is then a sample's output.
        real: Real samples, `(batch, ...)`, usually `(batch, height, width, channels)`.
        fake: Fakes of the same shape; no gradient flows to them.
        seed: A `keras.random.SeedGenerator` that the model keeps: it is saved with the model, so
            that a resumed training goes on with the very same points. By default Keras' own, which
            is not saved.

    Returns:
        (norm of the gradient - 1)^2, float32, one value a sample; the paper weighs it by 10.

    Raises:
        ValueError: The shapes differ, or `seed` is an integer.

    Example:

    >>> def d_losses(self, images, drawn, run):
    ...     def critic(images):
    ...         return run(self.discriminator, images)
    ...
    ...     loss = adversarial_loss("wasserstein")
    ...     d_loss = loss.real(critic(images)) + loss.fake(critic(drawn))
    ...     d_loss += 10 * gradient_penalty(critic, images, drawn, self._seeds)
    ...     return {"d_loss": tf.reduce_mean(d_loss)}

    Source: Gulrajani et al. 2017, "Improved training of Wasserstein GANs", equation 3 and
    algorithm 1.
    """
    if seed is not None and not isinstance(seed, random.SeedGenerator):
        raise ValueError(
            "`seed` must be a `keras.random.SeedGenerator`, or None: an integer would give the same places "
            f"between in each step. Received: seed={seed!r}"
        )
    real, fake = (tf.stop_gradient(tf.cast(images, tf.float32)) for images in (real, fake))
    if not real.shape.is_compatible_with(fake.shape):
        raise ValueError(
            f"`real` and `fake` must have one shape. Received: real of shape {tuple(real.shape)}, "
            f"fake of shape {tuple(fake.shape)}"
        )
    # One number a sample, for all of its pixels.
    share = random.uniform((tf.shape(real)[0], *(1,) * (len(real.shape) - 1)), dtype="float32", seed=seed)
    squares = _squared_slopes(critic, real + share * (fake - real))
    # At a slope of exactly 0, as of a critic that starts with zeros, the root's own gradient is NaN.
    return tf.square(tf.sqrt(tf.maximum(squares, 1e-12)) - 1.0)


def r1_penalty(critic, real):
    """The squared slope of a discriminator at real samples; at fakes it is R2.

    Without the paper's factor of one half: R1 with its gamma is `gamma / 2` times the mean of this.

    Args:
        critic: Function from images to outputs (logits), as `gradient_penalty` takes it.
        real: Real samples, `(batch, ...)`.

    Returns:
        The squared norm of the gradient, float32, one value a sample.

    Example:

    >>> d_loss += gamma / 2 * r1_penalty(critic, images)

    Source: Mescheder et al. 2018, "Which training methods for GANs do actually converge?",
    equation 9; R2: equation 10.
    """
    return _squared_slopes(critic, tf.stop_gradient(tf.cast(real, tf.float32)))


def lazily(penalty, every, steps):
    """A penalty in one of so many steps, times as many; 0 in those between, where it is not taken.

    Args:
        penalty: Function without arguments that gives a float32 scalar. It must move no variable: on
            several devices none can be moved within a condition.
        every: How many steps apart, at least 1.
        steps: How many steps there were, an integer tensor: the first one takes the penalty.

    Returns:
        A float32 scalar, whose mean over the steps is about the penalty's.

    Source: Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN", section 3.1, lazy
    regularization.
    """
    if every == 1:
        return penalty()
    return tf.cond(tf.equal(steps % every, 0), lambda: every * penalty(), lambda: tf.constant(0.0))


def _squared_slopes(critic, images):
    """The squared norm of the gradient of each sample's mean output, in float32."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.cast(critic(images), tf.float32)
        total = tf.reduce_sum(outputs)
    # Of the sum, and divided afterwards: shares of many patches may be too small for float16.
    gradient = tape.gradient(total, images, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    patches = tf.cast(tf.size(outputs) / tf.maximum(tf.shape(images)[0], 1), tf.float32)
    return tf.reduce_sum(tf.square(gradient), axis=tuple(range(1, len(images.shape)))) / patches**2
