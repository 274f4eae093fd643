"""An end to training that has gone wrong."""

import math

import keras


class StopIfNotFinite(keras.callbacks.Callback):
    """Raises where a mean loss of an epoch is NaN or infinite; before the callbacks that save it.

    Keras' `TerminateOnNaN` looks at a log named "loss", and here there is none.

    Args:
        advice: What may help, for the message.

    Raises:
        RuntimeError: From `fit`, after such an epoch.

    Example:

    >>> gan.fit(dataset, callbacks=[StopIfNotFinite(), checkpoint.each_epoch()])
    """

    def __init__(self, advice="a lower learning rate or float32 may help"):
        super().__init__()
        self.advice = advice

    def on_epoch_end(self, epoch, logs=None):
        bad = {name: value for name, value in (logs or {}).items() if not math.isfinite(value)}
        if bad:
            found = ", ".join(f"{name}={value}" for name, value in bad.items())
            raise RuntimeError(
                f"all losses must be finite: epoch {epoch + 1} is not saved; {self.advice}. Received: {found}"
            )
