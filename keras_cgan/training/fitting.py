"""How an `AdversarialModel` is trained from outside: `fit` and `train_on_batch`."""

import tensorflow as tf

from keras_cgan.training.distributed import fit_workers, is_multi_worker


class Fitting:
    """Mixin of `keras.Model`: checks before training, float losses in a fixed order, several machines."""

    def check_arrays(self, x, y):
        """Raises a `ValueError` for arrays that no step would notice; called with what `fit` is given.

        For a subclass to define: by default all pass.
        """

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Called by Keras before it trains, to make variables from a first batch; here they are made.

        On several devices Keras would take the mean of the devices' parts, and fail where the batch
        does not divide.
        """

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=True):
        """One training step.

        Args:
            x, y, sample_weight: A batch, as `fit` takes it.
            class_weight: Not for these models: an error. Weigh samples instead.
            return_dict: Whether to return a dict; else a list in its order.

        Returns:
            The losses of this batch as floats, by name.
        """
        _refuse_class_weight(class_weight)
        self.check()
        self.check_arrays(x, y)
        logs = super().train_on_batch(x, y, sample_weight, return_dict=True)
        logs = {name: float(logs[name]) for name in self.loss_names}  # Keras sorts them
        return logs if return_dict else list(logs.values())

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        *,
        class_weight=None,
        **options,
    ):
        """Trains as `keras.Model.fit` does; on several machines by `fit_workers`.

        Args:
            x, y: A `tf.data.Dataset`, or arrays.
            batch_size, epochs, verbose, callbacks: As Keras has them.
            class_weight: Not for these models: an error. Weigh samples instead.
            **options: As Keras has them; on several machines those of `fit_workers`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: An argument is not for these models, or not for several machines, or the
                model cannot be trained (`check`), or not on these arrays (`check_arrays`).
        """
        _refuse_class_weight(class_weight)
        self.check()
        self.check_arrays(x, y)
        options.update(epochs=epochs, verbose=verbose, callbacks=callbacks)
        if not is_multi_worker(self.distribute_strategy):
            if isinstance(x, tf.data.Dataset):
                options.setdefault("shuffle", False)  # Keras would warn that it leaves its order alone
            return super().fit(x, y, batch_size, **options)
        for name, value in {"y": y, "batch_size": batch_size}.items():
            if value is not None:
                raise ValueError(
                    f"`{name}` must be None on several workers: pass a dataset of batches as `x`. "
                    f"Received: {name} of type {type(value).__name__}"
                )
        return fit_workers(self, x, **options)


def _refuse_class_weight(class_weight):
    if class_weight is not None:
        raise ValueError(
            "`class_weight` must be None: pass `sample_weight`, one weight a pair. "
            f"Received: class_weight={class_weight}"
        )
