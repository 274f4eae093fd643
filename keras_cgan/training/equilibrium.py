"""ControlGAN's equilibrium rule: how much the generator must heed the classifier."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cgan")
class EquilibriumWeight(keras.layers.Layer):
    """The weight gamma of the class loss, which keeps fakes as hard for C as real samples, or as asked.

    After each step gamma <- gamma + rate (loss on fakes - target * loss on real), within
    [0, most]: it grows while fakes are harder to tell than they should be, and shrinks where
    the generator draws for the classifier alone. A model that has it as an attribute saves gamma.

    Args:
        rate: How fast gamma follows; the paper has 0.001 on CIFAR-10 and 0.01 on CelebA.
        target: The ratio to be kept, loss on fakes to loss on real samples: 1 and 0.05.
        most: The largest gamma: 2 and 20.
        start: Gamma before the first update, in [0, most].

    Raises:
        ValueError: An argument is not a number in its range.

    Example:

    >>> self.gamma = EquilibriumWeight()
    >>> ...
    >>> g_loss = adversarial + self.gamma.value * c_loss_fake
    >>> self.gamma.update(c_loss_fake, c_loss_real)

    Source: Lee and Seok 2017, "Controllable generative adversarial network", section 3, the
    equilibrium parameter E.
    """

    def __init__(self, rate=0.001, target=1.0, most=2.0, start=0.0, **options):
        _check_positive(rate=rate, target=target, most=most)
        if not isinstance(start, numbers.Real) or not 0 <= start <= most:
            raise ValueError(f"`start` must be in [0, {most}], from 0 to `most`. Received: start={start!r}")
        super().__init__(dtype="float32", autocast=False, trainable=False, **options)
        self.rate, self.target, self.most, self.start = rate, target, most, start
        self._gamma = self.add_weight(
            (),
            keras.initializers.Constant(start),
            trainable=False,
            name="gamma",
            # Each replica has its own losses: Keras takes the mean of what they assign.
            aggregation="mean",
        )
        self.built = True

    @property
    def value(self):
        """Gamma now: a float32 scalar."""
        # A copy: else it would be the variable itself, and read after the update.
        return ops.copy(self._gamma)

    def update(self, loss_fake, loss_real, is_updated=True):
        """Moves gamma by one step of the rule; works in a graph.

        Args:
            loss_fake: The classifier's loss on fakes: a scalar, or one value a sample.
            loss_real: Its loss on real samples, likewise.
            is_updated: Whether the step moved the generator: one that is skipped for an overflow, or
                only accumulates gradients, must not count.

        Returns:
            The new gamma, a float32 scalar. A loss that is not finite, as in a step that mixed
            precision skips, leaves it as it was.
        """
        fake, real = (ops.mean(ops.cast(loss, "float32")) for loss in (loss_fake, loss_real))
        change = self.rate * (fake - self.target * real)
        # No cond: several devices cannot assign in one.
        change = ops.where(ops.logical_and(is_updated, ops.isfinite(change)), change, 0.0)
        self._gamma.assign(ops.clip(self.value + change, 0.0, self.most))
        return self.value

    def get_config(self):
        return {name: getattr(self, name) for name in ("rate", "target", "most", "start", "name")}


def _check_positive(**values):
    for argument, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < float("inf"):
            raise ValueError(f"`{argument}` must be a number above 0. Received: {argument}={value!r}")
