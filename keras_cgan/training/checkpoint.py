"""Saves and restores everything that a training step reads, so that a resumed run is the same run."""

import tensorflow as tf


class TrainerCheckpoint:
    """The state of a `ReferenceTrainer` on disk: weights, optimizers, dropout seeds, step.

    A save is complete or not there: the last complete one is restored.

    Args:
        trainer: A `ReferenceTrainer`.
        folder: Where to keep the last two saves.

    Example:

    >>> checkpoint = TrainerCheckpoint(trainer, "run/checkpoint")
    >>> first_step = checkpoint.restore()  # 0 where nothing was saved
    """

    def __init__(self, trainer, folder):
        networks = {
            "generator": trainer.generator,
            "discriminator": trainer.discriminator,
            "classifier": trainer.classifier,
        }
        networks = {name: network for name, network in networks.items() if network is not None}
        optimizers = {f"{name}_optimizer": optimizer for name, optimizer in trainer.optimizers.items()}
        # Keras leaves the seeds of Dropout out of `weights`, and so out of what a model saves.
        seeds = {
            f"{name}_seeds": _Variables(_without(network.variables, network.weights))
            for name, network in networks.items()
        }
        self._step = tf.Variable(0, dtype=tf.int64)
        checkpoint = tf.train.Checkpoint(step=self._step, **networks, **optimizers, **seeds)
        self._manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=2)

    def save(self, step):
        """Saves the state after so many steps."""
        self._step.assign(step)
        self._manager.save(checkpoint_number=step)

    def restore(self):
        """Restores the last complete save and returns its number of steps; 0 where there is none."""
        path = self._manager.latest_checkpoint
        if path is None:
            return 0
        self._manager.checkpoint.restore(path).assert_consumed()
        return int(self._step)


class _Variables(tf.Module):
    """Variables as something that `tf.train.Checkpoint` takes."""

    def __init__(self, variables):
        super().__init__()
        self.values = [variable.value for variable in variables]


def _without(variables, others):
    ids = {id(variable) for variable in others}
    return [variable for variable in variables if id(variable) not in ids]
