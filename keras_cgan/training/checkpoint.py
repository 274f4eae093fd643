"""Saves and restores everything that a training step reads, so that a resumed run is the same run."""

import keras
import tensorflow as tf

from keras_cgan.training.distributed import is_chief


class TrainerCheckpoint:
    """The state of a trainer on disk: weights, optimizers, dropout seeds, steps.

    A save is complete or not there: the last complete one is restored. On several workers
    only the chief (worker 0) writes, and all read: the folder must be one that all see.

    Args:
        trainer: A `ReferenceTrainer`, or a compiled `ConditionalGAN` or other `AdversarialModel`.
        folder: Where to keep the last two saves.

    Raises:
        ValueError: The model is not compiled.

    Example:

    >>> checkpoint = TrainerCheckpoint(trainer, "run/checkpoint")
    >>> first_step = checkpoint.restore()  # 0 where nothing was saved
    """

    def __init__(self, trainer, folder):
        if isinstance(trainer, keras.Model) and not trainer.compiled:
            raise ValueError(
                "`trainer` must be compiled, so that it has its optimizers. "
                f"Received: {trainer.name!r}, not compiled"
            )
        names = ("generator", "discriminator", "classifier")
        networks = {name: getattr(trainer, name, None) for name in names}
        networks = {name: network for name, network in networks.items() if network is not None}
        optimizers = {f"{name}_optimizer": optimizer for name, optimizer in trainer.optimizers.items()}
        # Keras leaves the seeds of Dropout out of `weights`, and so out of what a model saves. With
        # them goes what a trainer has of its own: averages, a pool of images.
        owners = [*networks.values(), *([trainer] if isinstance(trainer, keras.Model) else [])]
        known = {id(weight) for network in networks.values() for weight in network.weights}
        rest = {id(v): v for owner in owners for v in owner.variables if id(v) not in known}
        self._step = tf.Variable(0, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(
            step=self._step, **networks, **optimizers, rest=_Variables(rest.values())
        )
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)
        self._writes = is_chief(getattr(trainer, "distribute_strategy", None))

    def save(self, step):
        """Saves the state after so many steps, or epochs: what `restore` will return."""
        self._step.assign(step)
        if self._writes:
            self._manager.save(checkpoint_number=step)

    def restore(self):
        """Restores the last complete save and returns its number of steps; 0 where there is none.

        Raises:
            ValueError: It is a save of other networks, or of another trainer.
        """
        path = self._manager.latest_checkpoint
        if path is None:
            return 0
        try:
            self._manager.checkpoint.restore(path).assert_consumed()
        except (AssertionError, ValueError) as error:  # other objects, or other shapes
            raise ValueError(
                "`folder` must hold a save of the same networks, optimizers and options. "
                f"Received: {path}, of others ({str(error).splitlines()[0]})"
            ) from error
        return int(self._step)

    def exists(self):
        """Whether there is a complete save to restore."""
        return self._manager.latest_checkpoint is not None

    def each_epoch(self):
        """A Keras callback that saves after each epoch, counting epochs from 1.

        Example:

        >>> first = checkpoint.restore()
        >>> gan.fit(dataset, epochs=10, initial_epoch=first, callbacks=[checkpoint.each_epoch()])
        """
        return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self.save(epoch + 1))


class _Variables(tf.Module):
    """Variables as something that `tf.train.Checkpoint` takes."""

    def __init__(self, variables):
        super().__init__()
        self.values = [variable.value for variable in variables]
