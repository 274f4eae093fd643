"""Back to the last good state where training has become NaN."""

import math
import warnings

import keras
import tensorflow as tf

from keras_cgan.callbacks.alarms import CollapseWarning
from keras_cgan.callbacks.signs import listed, losses_not_finite, not_finite
from keras_cgan.checks import check_at_least
from keras_cgan.training.distributed import is_multi_worker


class RestoreIfNotFinite(keras.callbacks.Callback):
    """Saves after each good epoch, and goes back to that save where a loss or weight is not finite.

    NaN stays in weights, moving averages and Adam's moments for good, so all of these go back, with
    lower learning rates. Losses are looked at after each batch, weights and what the optimizers keep
    after each epoch. The rest of an epoch goes on from what was restored, and its logs are means of
    that rest alone: NaN where nothing is left of it.

    It takes the place of `checkpoint.each_epoch()` and of `StopIfNotFinite`; other callbacks that save,
    or look at an epoch, come after it. For one machine: on several, workers do not tell one another the
    losses of a step.

    Args:
        checkpoint: The `TrainerCheckpoint` of the model that is trained.
        factor: What every learning rate is multiplied by at each restore, in (0, 1]. A rate that
            follows a schedule cannot be set: it stays, and the warning says so.
        most: How many restores there may be, of all calls of `fit`.

    Attributes:
        restored: What happened so far: a list of `(epoch, what was not finite)`, with epochs from 1.

    Raises:
        ValueError: `factor` or `most` is not in its range; in `fit`, on several machines.
        RuntimeError: From `fit`: after `most` restores something is not finite again (the model is then
            back at the last good epoch), or it is from the start.

    Example:

    >>> checkpoint = TrainerCheckpoint(gan, "run/checkpoint")
    >>> first = checkpoint.restore()
    >>> gan.fit(dataset, epochs=50, initial_epoch=first, callbacks=[RestoreIfNotFinite(checkpoint)])
    """

    def __init__(self, checkpoint, factor=0.5, most=3):
        super().__init__()
        if not 0 < factor <= 1:
            raise ValueError(f"`factor` must be in (0, 1]. Received: factor={factor}")
        check_at_least(1, most=most)
        self.checkpoint, self.factor, self.most = checkpoint, factor, most
        self.restored = []

    def on_train_begin(self, logs=None):
        if is_multi_worker(self.model.distribute_strategy):
            raise ValueError(
                "`RestoreIfNotFinite` is for one machine: on several use `StopIfNotFinite`. "
                "Received: a model of several workers"
            )
        self._has_begun = False

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._has_stepped = epoch, False
        if not self._has_begun:
            bad = not_finite(self.model, {})
            if bad:
                raise RuntimeError(
                    "`fit` must begin with finite weights: there is nothing to go back to. "
                    f"Received: {listed(bad)}"
                )
            self._save(epoch)
            self._has_begun = True

    def on_train_batch_end(self, batch, logs=None):
        bad = losses_not_finite(logs or {})
        self._has_stepped = not bad
        if bad:
            self._go_back(f"step {batch + 1} of epoch {self._epoch + 1}", bad)
            self.model.reset_metrics()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        # Where the last batch was bad, the state is one that is saved.
        bad = not_finite(self.model, logs) if self._has_stepped else []
        if bad:
            self._go_back(f"the end of epoch {epoch + 1}", bad)
        elif self._has_stepped:
            self._save(epoch + 1)
        if bad or not self._has_stepped:
            # Else they would be of weights that are gone, or, as means of no batches, 0.
            logs.update(dict.fromkeys(self.model.loss_names, math.nan))

    def _save(self, epochs):
        self.checkpoint.save(epochs)
        self._since = 0  # restores since the save, which holds the rates of its time

    def _go_back(self, where, bad):
        epochs = self.checkpoint.restore()
        back = f"after epoch {epochs}" if epochs else "before the first epoch"
        if len(self.restored) == self.most:
            raise RuntimeError(
                f"all losses and weights must be finite, and after {self.most} restores at {where} some are "
                f"not: the model is as it was {back}. Another precision, or other data, may "
                f"help. Received: {listed(bad)}"
            )
        self.restored.append((self._epoch + 1, listed(bad)))
        self._since += 1
        warnings.warn(
            f"at {where} not finite: {listed(bad)}. The model is again as it was {back}; "
            f"learning rates: {_lower_rates(self.model.optimizers, self.factor**self._since)}",
            CollapseWarning,
            stacklevel=2,
        )


class RestoreSteps:
    """`RestoreIfNotFinite` for a loop of one's own, which calls `train_on_batch` and counts steps.

    Args:
        checkpoint: The `TrainerCheckpoint` of the trainer.
        trainer: A `ReferenceTrainer`, or a compiled `ConditionalGAN`.
        factor, most: As `RestoreIfNotFinite` takes them.
        advice: What may help in the end, for the message.

    Example:

    >>> restore = RestoreSteps(checkpoint, trainer)
    >>> step = restore.begin()
    >>> for x, y in pipeline.batches(step, total):
    ...     losses = trainer.train_on_batch(x, y)
    ...     step += 1
    ...     ends = step % pipeline.steps_per_epoch == 0
    ...     if warning := restore.look(step, losses, weights=ends):
    ...         print(warning)
    ...     elif ends:
    ...         restore.save(step)
    """

    def __init__(
        self, checkpoint, trainer, factor=0.5, most=3, advice="another precision, or other data, may help"
    ):
        self._checkpoint, self._trainer, self._factor, self._most = checkpoint, trainer, factor, most
        self._advice, self._count, self._since = advice, 0, 0

    def begin(self):
        """Restores the last save, or saves the state as it is; returns its number of steps."""
        step = self._checkpoint.restore()
        if not step:
            self.save(0)
        return step

    def save(self, step):
        """Saves the state after so many steps."""
        self._checkpoint.save(step)
        self._since = 0  # restores since the save, which holds the rates of its time

    def look(self, step, losses, weights=False):
        """Goes back to the last save where a loss of a step is not finite.

        Args:
            step: Its number, for the message.
            losses: What `train_on_batch` returned.
            weights: Whether to look at the weights and what the optimizers keep, too: before they are
                saved or drawn with, as they may break in a step whose losses are finite.

        Returns:
            What happened, text; `None` where all is finite.

        Raises:
            RuntimeError: They are not, after `most` restores.
        """
        bad = not_finite(self._trainer, losses) if weights else losses_not_finite(losses)
        if not bad:
            return None
        saved = self._checkpoint.restore()
        what = f"at step {step} not finite: {listed(bad)}. The networks are again as after step {saved}"
        if self._count == self._most:
            raise RuntimeError(f"{what}, for the last time after {self._most} restores; {self._advice}")
        self._count, self._since = self._count + 1, self._since + 1
        rates = _lower_rates(self._trainer.optimizers, self._factor**self._since)
        return f"{what}, and go on with learning rates {rates}"


def _lower_rates(optimizers, factor):
    """Multiplies every learning rate; says what they are."""
    said = []
    for player, optimizer in optimizers.items():
        rate = float(tf.convert_to_tensor(optimizer.learning_rate)) * factor
        try:
            optimizer.learning_rate = rate
            said.append(f"{player} {rate:g}")
        except (AttributeError, TypeError):  # Keras': of a function, of a schedule
            said.append(f"{player} as its schedule has it")
    return ", ".join(said)
