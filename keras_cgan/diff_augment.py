"""What a discriminator is shown of few images: shifted, and with a piece cut out, gradients and all."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="keras_cgan")
class DiffAugment(layers.Layer):
    """Shifts each image by whole pixels and cuts a square out of it, in training only.

    As a first layer of a discriminator it treats real and drawn images alike, and gradients pass
    through it to the generator. All channels of an image are treated alike: of a stacked pair, photo
    and sketch. Colours are left as they are: of a sketch they are the lines.

    Args:
        translation: Most that an image is shifted by, as a share of its sides, in [0, 1).
        cutout: Side of the square, as a share of the sides, in [0, 1]; its middle is anywhere in the
            image. 0: none.
        background: What comes in from outside of the image: 1 is paper. The square is grey, 0.
        seed: Of the random numbers.

    Raises:
        ValueError: `translation` or `cutout` is not in its range.

    Example:

    >>> discriminator = patch_discriminator((64, 64, 4), augment=DiffAugment())

    Source: Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", section 4.
    """

    def __init__(self, translation=0.125, cutout=0.5, background=1.0, seed=None, **options):
        super().__init__(**options)
        if not 0 <= translation < 1:
            raise ValueError(f"`translation` must be in [0, 1). Received: translation={translation!r}")
        if not 0 <= cutout <= 1:
            raise ValueError(f"`cutout` must be in [0, 1]. Received: cutout={cutout!r}")
        self.translation, self.cutout, self.background, self.seed = translation, cutout, background, seed
        self.seeds = keras.random.SeedGenerator(seed)

    def call(self, images, training=False):
        if not training:
            return images
        x = images - self.background  # outside is 0
        for axis in (1, 2):
            x = self._shifted(x, axis)
        return self._cut(x + self.background)

    def _shifted(self, x, axis):
        """Each image moved along an axis by a number of its own."""
        side = x.shape[axis]
        most = round(self.translation * side)
        if not most:
            return x
        by = keras.random.randint((ops.shape(x)[0], 1), -most, most + 1, seed=self.seeds)
        places = ops.arange(side)[None] + by
        inside = ops.cast((places >= 0) & (places < side), x.dtype)
        shape = (-1, side, 1, 1) if axis == 1 else (-1, 1, side, 1)
        # As a matrix for each image: a product is fast on a CPU, and so is its gradient.
        moved = ops.one_hot(ops.clip(places, 0, side - 1), side, dtype=x.dtype)
        x = ops.einsum("bij,bjwc->biwc" if axis == 1 else "bij,bhjc->bhic", moved, x)
        return x * ops.reshape(inside, shape)

    def _cut(self, x):
        """A square of zeros, its middle anywhere."""
        outside = ops.zeros((), x.dtype)
        for axis in (1, 2):
            side = x.shape[axis]
            length = round(self.cutout * side)
            middle = keras.random.randint((ops.shape(x)[0], 1), 0, side, seed=self.seeds)
            places = ops.arange(side)[None] - middle + length // 2
            shape = (-1, side, 1, 1) if axis == 1 else (-1, 1, side, 1)
            apart = ops.cast((places < 0) | (places >= length), x.dtype)
            outside = ops.maximum(outside, ops.reshape(apart, shape))
        return x * outside

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        names = ("translation", "cutout", "background", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
