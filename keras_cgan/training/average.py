"""A moving average of a generator's weights."""

import keras
import tensorflow as tf


class WeightAverage(keras.layers.Layer):
    """Follows weights: average = d * average + (1 - d) * weight, once an update.

    d is `min(decay, (1 + t) / (10 + t))` after t updates: the random weights of the start are
    soon forgotten, where 0.999 alone would hold on to them for thousands of updates.

    Args:
        weights: The variables to follow.
        decay: The decay after many updates, in (0, 1).

    Source: Karras et al. 2018, "Progressive growing of GANs", section 6; the d of few updates
    is that of `tf.train.ExponentialMovingAverage`.
    """

    def __init__(self, weights, decay, **options):
        super().__init__(dtype="float32", autocast=False, trainable=False, **options)
        self.decay = decay
        # The same in every replica, so any one of them will do.
        options = {"trainable": False, "aggregation": "only_first_replica"}
        self._values = [self.add_weight(weight.shape, dtype=weight.dtype, **options) for weight in weights]
        self._updates = self.add_weight((), "zeros", dtype="int32", name="updates", **options)
        self.built = True
        self.start(weights)

    def start(self, weights):
        """Begins at these weights, unless an update was averaged already."""
        if not self._has_begun():
            for average, weight in zip(self._values, weights, strict=True):
                average.assign(weight)

    def update(self, weights, is_updated=True):
        """Takes in the weights after a step; works in a graph.

        Args:
            weights: The variables, as the constructor was given them.
            is_updated: Whether the step moved them: a step that only accumulates gradients,
                or is skipped for an overflow, must not count.
        """
        number = tf.cast(tf.convert_to_tensor(self._updates), tf.float32) + 1.0
        decay = tf.minimum(self.decay, (1.0 + number) / (10.0 + number))
        # No tf.cond: several devices cannot assign in one.
        decay = tf.where(is_updated, decay, 1.0)
        for average, weight in zip(self._values, weights, strict=True):
            value = tf.convert_to_tensor(weight)
            if value.dtype.is_floating:  # a count, as of a Normalization layer, has no average
                share = tf.cast(decay, value.dtype)
                value = share * tf.convert_to_tensor(average) + (1.0 - share) * value
            average.assign(value)
        self._updates.assign_add(tf.cast(is_updated, tf.int32))

    def values(self, weights):
        """The averages as arrays, in the order of the weights; before any update, the weights themselves."""
        return [variable.numpy() for variable in (self._values if self._has_begun() else weights)]

    def _has_begun(self):
        return int(self._updates.numpy()) > 0
