"""One bar for a whole training."""

import keras

from keras_cgan.console import Progress


class ShowProgress(keras.callbacks.Callback):
    """A bar with losses and time left, over all epochs: for `fit(..., verbose=0)`.

    Keras' own bar is one an epoch: hundreds of lines, where a set is small. In a log file, a line an epoch.

    Raises:
        ValueError: In `fit`, where the number of steps is not known.

    Example:

    >>> gan.fit(dataset, epochs=300, steps_per_epoch=14, verbose=0, callbacks=[ShowProgress()])
    """

    def on_train_begin(self, logs=None):
        self._steps = self.params["steps"]
        if self._steps is None:
            raise ValueError(
                "`steps_per_epoch` of fit must be given where a dataset does not know its length. "
                "Received: ShowProgress() without a number of steps"
            )
        self._progress = Progress(self._steps * self.params["epochs"], log_every=self._steps)
        self._done = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._done = epoch * self._steps

    def on_train_batch_end(self, batch, logs=None):
        self._progress.show(self._done + batch + 1, logs or {})

    def on_train_end(self, logs=None):
        self._progress.end()
