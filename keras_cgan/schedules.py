"""Learning rates and momenta that change over training, as the papers have them; counted in updates."""

import math
import numbers

import keras
from keras import ops

from keras_cgan.checks import check_at_least

_PACKAGE = "keras_cgan"


@keras.saving.register_keras_serializable(package=_PACKAGE)
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Constant, then in a straight line to 0.

    CycleGAN has 100 epochs of each. Its code counts whole epochs; here the rate falls with
    each update.

    Args:
        learning_rate: The rate of the first updates.
        constant_steps: How many updates it stays there: epochs times updates an epoch.
        decay_steps: How many updates it takes from there to 0; it stays at 0.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> optimizer = keras.optimizers.Adam(LinearDecay(2e-4, 100 * n_batches, 100 * n_batches), beta_1=0.5)

    Source: Zhu et al. 2017, section 4, training details.
    """

    def __init__(self, learning_rate, constant_steps, decay_steps):
        super().__init__()
        _check_rate(learning_rate=learning_rate)
        check_at_least(0, constant_steps=constant_steps)
        check_at_least(1, decay_steps=decay_steps)
        self.learning_rate, self.constant_steps, self.decay_steps = learning_rate, constant_steps, decay_steps

    def __call__(self, step):
        done = (ops.cast(step, "float32") - self.constant_steps) / self.decay_steps
        return self.learning_rate * (1.0 - ops.clip(done, 0.0, 1.0))

    def get_config(self):
        return {name: getattr(self, name) for name in ("learning_rate", "constant_steps", "decay_steps")}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class GeometricDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The rate divided by the same factor at each update, until it is as small as it may be.

    `keras.optimizers.schedules.ExponentialDecay` with the same numbers has no least rate, and it
    rounds the factor to float32: for 1.000004 that is 1 % of its logarithm.

    Args:
        learning_rate: The rate of the first update.
        factor: What the rate is divided by at each update, above 1.
        least: The rate is never below this.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> GeometricDecay()(1_000_000)  # the GAN of 2014
    0.0018315

    Source: Goodfellow et al. 2014, the settings of its code; Mirza and Osindero 2014, section 4.1,
    with a factor of 1.00004.
    """

    def __init__(self, learning_rate=0.1, factor=1.000004, least=1e-6):
        super().__init__()
        _check_rate(learning_rate=learning_rate)
        if not isinstance(factor, numbers.Real) or not 1 < factor < math.inf:
            raise ValueError(f"`factor` must be a number above 1. Received: factor={factor!r}")
        if not isinstance(least, numbers.Real) or not 0 <= least <= learning_rate:
            raise ValueError(
                f"`least` must be from 0 to `learning_rate`, {learning_rate}. Received: least={least!r}"
            )
        self.learning_rate, self.factor, self.least = learning_rate, factor, least

    def __call__(self, step):
        # The logarithm is taken in Python, in float64.
        rate = self.learning_rate * ops.exp(-math.log(self.factor) * ops.cast(step, "float32"))
        return ops.maximum(rate, self.least)

    def get_config(self):
        return {name: getattr(self, name) for name in ("learning_rate", "factor", "least")}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class RampedSGD(keras.optimizers.SGD):
    """SGD whose momentum grows in a straight line, as in the GANs of 2014.

    velocity <- momentum * velocity - learning rate * gradient; weight <- weight + velocity.

    Args:
        learning_rate: A float or a schedule.
        momentum: The momentum of the first update, in [0, 1].
        final_momentum: That of update number `ramp_steps`, counted from 0, and of all later ones.
        ramp_steps: How many updates it takes: 250 epochs times updates an epoch in the paper.
        **options: As `keras.optimizers.SGD` takes them, but for `nesterov`.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> optimizer = RampedSGD(GeometricDecay(), 0.5, 0.7, ramp_steps=250 * n_batches)

    Source: Goodfellow et al. 2014, the settings of its code, which counts whole epochs.
    """

    def __init__(self, learning_rate=0.1, momentum=0.5, final_momentum=0.7, ramp_steps=1, **options):
        for argument, value in {"momentum": momentum, "final_momentum": final_momentum}.items():
            if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
                raise ValueError(f"`{argument}` must be in [0, 1]. Received: {argument}={value!r}")
        check_at_least(1, ramp_steps=ramp_steps)
        # A config of SGD says it, but no ramp was ever defined for that form.
        if options.pop("nesterov", False):
            raise ValueError("`nesterov` must be False. Received: nesterov=True")
        super().__init__(learning_rate, float(momentum), **options)
        self.final_momentum, self.ramp_steps = float(final_momentum), ramp_steps

    def build(self, variables):
        """Makes the velocities; called by Keras."""
        if self.built:
            return
        super().build(variables)
        if not self.momentums:  # a momentum that begins at 0: Keras takes it for none
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def current_momentum(self):
        """The momentum of the next update: a float32 scalar, computed from `iterations`."""
        done = ops.minimum(ops.cast(self.iterations, "float32") / self.ramp_steps, 1.0)
        return self.momentum + (self.final_momentum - self.momentum) * done

    def update_step(self, gradient, variable, learning_rate):
        """One variable's update; called by Keras."""
        dtype = variable.dtype
        velocity = self.momentums[self._get_variable_index(variable)]
        step = ops.cast(learning_rate, dtype) * ops.cast(gradient, dtype)
        self.assign(velocity, ops.cast(self.current_momentum(), dtype) * velocity - step)
        self.assign_add(variable, velocity)

    def get_config(self):
        config = super().get_config()
        return {**config, "final_momentum": self.final_momentum, "ramp_steps": self.ramp_steps}


def _check_rate(**values):
    for argument, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < math.inf:
            raise ValueError(f"`{argument}` must be a number above 0. Received: {argument}={value!r}")
