"""How like the rest of its batch an image is: what tells a discriminator of one image for all."""

import keras
from keras import ops

from keras_cgan.checks import check_at_least


@keras.saving.register_keras_serializable(package="keras_cgan")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to the features of each image how near those of the others of its batch are.

    A discriminator that sees images one by one cannot tell a generator that draws one image a class from a
    good one. With this layer it can: near 1 for images that are alike, near 0 for others, in each of some
    learnt projections. Real and drawn images must be in batches of their own (`joined_batch=False`); each of
    several devices compares its own part. An image alone has nothing near.

    Here it is the mean over the other images, where the paper sums over all: so its range does not grow with
    the batch.

    Args:
        kernels: Number of projections, and of the numbers that are appended.
        size: Length of each projection.

    Raises:
        ValueError: `kernels` or `size` is below 1.

    Example:

    >>> MinibatchDiscrimination(kernels=50)(features).shape  # of features (batch, units): (64, 1024)
    (64, 1074)

    Source: Salimans et al. 2016, "Improved techniques for training GANs", section 3.2.
    """

    def __init__(self, kernels=50, size=5, **options):
        super().__init__(**options)
        check_at_least(1, kernels=kernels, size=size)
        self.kernels, self.size = kernels, size
        self.input_spec = keras.layers.InputSpec(ndim=2)

    def build(self, input_shape):
        self.projections = self.add_weight(
            (input_shape[-1], self.kernels * self.size), "glorot_uniform", name="projections"
        )

    def call(self, features):
        projected = ops.cast(ops.matmul(features, self.projections), "float32")
        projected = ops.reshape(projected, (-1, self.kernels, self.size))
        distances = ops.sum(ops.abs(projected[:, None] - projected[None]), axis=-1)  # (n, n, kernels)
        size = ops.shape(features)[0]
        others = 1 - ops.eye(size)  # all but the image itself
        nearness = ops.sum(ops.exp(-distances) * others[..., None], axis=1)
        nearness /= ops.cast(ops.maximum(size - 1, 1), "float32")
        return ops.concatenate([features, ops.cast(nearness, features.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.kernels)

    def get_config(self):
        return {**super().get_config(), "kernels": self.kernels, "size": self.size}
