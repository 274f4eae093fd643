"""Adam in one pass over the memory: Keras' own takes about ten, which a small batch cannot hide."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="keras_cgan")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, updated by TensorFlow's fused kernel: same maths, same arguments.

    With `amsgrad`, for sparse gradients (of an `Embedding`), and for variables that are not
    float32, it is Keras' own update.

    Args:
        **options: As `keras.optimizers.Adam` takes them.

    Example:

    >>> model.compile(g_optimizer=FusedAdam(2e-4, beta_1=0.5))

    Source: Kingma and Ba 2015, "Adam: a method for stochastic optimization", section 2, the
    form before algorithm 1's last line ("epsilon hat"), as in Keras.
    """

    def update_step(self, gradient, variable, learning_rate):
        """One variable's update; called by Keras."""
        if self.amsgrad or variable.dtype != tf.float32 or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        step = tf.cast(tf.convert_to_tensor(self.iterations) + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(self._momentums[index]),
            v=_handle(self._velocities[index]),
            beta1_power=tf.pow(tf.constant(self.beta_1, tf.float32), step),
            beta2_power=tf.pow(tf.constant(self.beta_2, tf.float32), step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(gradient, tf.float32),
        )


def _handle(variable):
    """The resource of a variable, Keras' own or TensorFlow's; of a distributed one, this device's part."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
