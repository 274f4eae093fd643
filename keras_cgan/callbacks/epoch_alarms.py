"""The alarms for a loop of one's own, which calls `train_on_batch`."""

import warnings

import keras

from keras_cgan.callbacks.alarms import CollapseAlarm, CollapseWarning
from keras_cgan.callbacks.finite import StopIfNotFinite
from keras_cgan.training import ConditionalGAN


class EpochAlarms:
    """Looks at each epoch of a loop before it is saved, as `StopIfNotFinite` and `CollapseAlarm` do in `fit`.

    Args:
        trainer: A compiled `ConditionalGAN`. Of any other trainer, such as a `ReferenceTrainer`, and with a
            single pair, losses alone are looked at.
        photos, labels, sketches: Held-out pairs, as `CollapseAlarm` takes them.
        advice: What may help where a loss is not finite, for the message.

    Raises:
        ValueError: As `CollapseAlarm` does.

    Example:

    >>> alarms = EpochAlarms(gan, *test_pairs.as_arrays((64, 64), 200))
    >>> alarms.begin()
    >>> for step, (x, y) in enumerate(batches, start=1):
    ...     alarms.add(gan.train_on_batch(x, y))
    ...     if step % steps_per_epoch == 0:
    ...         print(*alarms.end_epoch(step // steps_per_epoch), sep="\\n")
    """

    def __init__(
        self,
        trainer,
        photos,
        labels,
        sketches=None,
        advice="a lower learning rate or float32 may help",
    ):
        can_draw = isinstance(trainer, ConditionalGAN) and len(photos) > 1
        self._collapse = CollapseAlarm(photos, labels, sketches) if can_draw else None
        callbacks = [StopIfNotFinite(advice), *filter(None, [self._collapse])]
        self._callbacks = keras.callbacks.CallbackList(callbacks, model=trainer)
        self._losses, self._has_begun = [], False

    def add(self, losses):
        """Takes in what `train_on_batch` returned."""
        self._losses.append(losses)

    def begin(self):
        """Begins with the weights as they are now: after a checkpoint was restored."""
        self._callbacks.on_train_begin()
        self._has_begun = True

    def end_epoch(self, number):
        """Ends an epoch.

        Args:
            number: The epoch, from 1.

        Returns:
            What went wrong, a list of lines; empty where all is well.

        Raises:
            ValueError: There was no `begin`, or no step since the epoch before.
            RuntimeError: A loss, a weight or an output is NaN or infinite: not to be saved.
        """
        if not self._losses or not self._has_begun:
            raise ValueError(
                "an epoch needs `begin` before it and the losses of a step, by `add`. "
                f"Received: {len(self._losses)} steps, {'begun' if self._has_begun else 'not begun'}"
            )
        losses, self._losses = self._losses, []
        mean = {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}
        raised = self._collapse.raised if self._collapse else []
        known = len(raised)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CollapseWarning)  # it is returned
            self._callbacks.on_epoch_end(number - 1, mean)
        for _, kind, message in raised[known:]:
            if kind == "not finite":
                raise RuntimeError(f"{message}. Nothing of this epoch is saved")
        return [message for _, _, message in raised[known:]]
