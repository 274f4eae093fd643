"""Images bent at random: what a discriminator is shown, where real images are few."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cgan")
class RandomWarp(keras.layers.Layer):
    """Scales, slants, shifts and bends each image by numbers of its own, in training only.

    As a first layer of a discriminator it bends real and drawn images alike, and gradients pass
    through it: the generator does not learn to bend. What is read off the images, a class or a code,
    must then be what bending leaves as it is.

    For small images: it takes memory as the cube of the width, 67 MB for 64 images of 64 px, .5 GB of 128 px.

    Args:
        strength: At 1 both sides are scaled by up to `exp(.22)`, slanted by up to .3, and a wave of up
            to a twentieth of the side goes through; less in proportion.
        shift: Most that an image is shifted by, as a share of the side.
        background: What comes in from outside of the image.
        seed: Of the random numbers.

    Raises:
        ValueError: `strength` or `shift` is below 0.

    Example:

    >>> discriminator = conv_discriminator((28, 28, 1), augment=RandomWarp(0.7))

    Source: Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", figure 4;
    there images are shifted, cut into and recoloured.
    """

    def __init__(self, strength=0.7, shift=0.03, background=-1.0, seed=None, **options):
        super().__init__(**options)
        for name, value in {"strength": strength, "shift": shift}.items():
            if not value >= 0:
                raise ValueError(f"`{name}` must be at least 0. Received: {name}={value}")
        self.strength, self.shift, self.background, self.seed = strength, shift, background, seed
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        x = images - self.background  # outside is 0
        x = self._bent(x)
        x = ops.transpose(self._bent(ops.transpose(x, (0, 2, 1, 3))), (0, 2, 1, 3))
        return x + self.background

    def _bent(self, x):
        """Each row drawn anew along itself: a pass across and one down make any linear map."""
        size, (height, width) = ops.shape(x)[0], x.shape[1:3]

        def uniform(most, middle=0.0):
            shape = (size, 1, 1)
            return keras.random.uniform(shape, middle - most, middle + most, dtype="float32", seed=self.seeds)

        row, column = (ops.arange(n, dtype="float32") - (n - 1) / 2 for n in (height, width))
        row, column = row[None, :, None], column[None, None, :]
        places = column * ops.exp(uniform(0.22 * self.strength))
        places += row * uniform(0.3 * self.strength) + uniform(self.shift * width)
        waves = uniform(0.5, middle=1.0) * 2 * math.pi / height
        wave = ops.sin(row * waves + uniform(math.pi))
        places += uniform(0.05 * self.strength * width) * wave
        return resample(x, places + (width - 1) / 2)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("strength", "shift", "background", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def resample(x, places):
    """Values between pixels of a row, linear in between, 0 outside.

    Args:
        x: `(batch, height, width, channels)`.
        places: Where each new pixel is taken from, along its row, in pixels: `(batch, height, width)`.

    Returns:
        `(batch, height, width, channels)`.

    Example:

    >>> resample([[[[0.0], [4.0]]]], [[[0.5, 1.0]]])  # 2, 4
    """
    x = ops.convert_to_tensor(x)
    pixels = ops.arange(x.shape[2], dtype="float32")
    # As a matrix for each row: its gradient is exact, and a product is fast on a CPU.
    near = ops.relu(1 - ops.abs(ops.cast(places, "float32")[..., None] - pixels))
    return ops.matmul(ops.cast(near, x.dtype), x)
