"""`fit` on several machines: a loop of `strategy.run`, where Keras 3's own fails.

Keras' `fit`, `evaluate` and `predict` work under `tf.distribute.MirroredStrategy` (several
devices of one machine). Under `MultiWorkerMirroredStrategy` they fail when they reduce the
logs of the workers, so `AdversarialModel.fit` comes here instead.
"""

import warnings

import keras
import tensorflow as tf

_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)


class WorkerLostError(RuntimeError):
    """Another worker is gone: the job has stopped, and has to be started again as a whole."""


def is_multi_worker(strategy):
    """Whether a strategy spans several machines, or processes."""
    # Without a cluster it is a strategy for the devices of this process.
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy) and (
        strategy.cluster_resolver.cluster_spec().as_dict() != {}
    )


def is_chief(strategy):
    """Whether this process is the cluster's chief, without one worker 0, or the only one: it writes files."""
    if not is_multi_worker(strategy):
        return True
    resolver = strategy.cluster_resolver
    if "chief" in resolver.cluster_spec().as_dict():
        return resolver.task_type == "chief"
    return not resolver.task_id


def fit_workers(
    model,
    dataset,
    epochs=1,
    verbose="auto",
    callbacks=None,
    validation_data=None,
    initial_epoch=0,
    steps_per_epoch=None,
    shuffle=None,
    **others,
):
    """Trains a compiled model on all workers at once; every worker calls it, with the same arguments.

    Args:
        model: An `AdversarialModel`, made and compiled inside `strategy.scope()`.
        dataset: A `tf.data.Dataset` of whole batches: each is shared out among the replicas.
        epochs, verbose, callbacks, initial_epoch, steps_per_epoch: As `keras.Model.fit` has
            them. Only the chief shows progress.
        validation_data: Optional dataset, likewise.
        shuffle: Of no effect, as in Keras: a dataset has an order of its own.
        **others: The other arguments of `keras.Model.fit`: an error, unless `None`.

    Returns:
        A `keras.callbacks.History`; its losses are means over all workers.

    Raises:
        ValueError: `dataset` or `validation_data` is not a `tf.data.Dataset`, or another
            argument is given.
        WorkerLostError: Another worker has died.

    Example:

    >>> strategy = tf.distribute.MultiWorkerMirroredStrategy()  # reads TF_CONFIG
    >>> with strategy.scope():
    ...     gan = ConditionalGAN(*strategy_networks("classifier", (64, 64, 3), 6))
    ...     gan.compile()
    >>> gan.fit(dataset, epochs=10)  # comes here
    """
    given = [f"{name}={value!r}" for name, value in others.items() if value is not None]
    if given:
        raise ValueError(
            "`fit` on several workers takes `x`, `validation_data`, `epochs`, `initial_epoch`, "
            f"`steps_per_epoch`, `callbacks` and `verbose`. Received: {', '.join(given)}"
        )
    for name, data in {"x": dataset, "validation_data": validation_data}.items():
        if not isinstance(data, tf.data.Dataset) and not (name == "validation_data" and data is None):
            raise ValueError(
                f"`{name}` must be a `tf.data.Dataset` of whole batches on several workers. "
                f"Received: {name} of type {type(data).__name__}"
            )
    strategy = model.distribute_strategy
    train = _Pass(model, strategy, dataset, model.train_step, steps_per_epoch)
    validate = None if validation_data is None else _Pass(model, strategy, validation_data, model.test_step)
    shows = verbose != 0 and is_chief(strategy)
    callbacks = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=shows,
        verbose=verbose if shows else 0,
        epochs=epochs,
        steps=train.steps,
        model=model,
    )
    model.stop_training = False
    try:
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            callbacks.on_epoch_begin(epoch)
            logs = train.run(callbacks)
            if validate is not None:
                logs |= {f"val_{name}": value for name, value in validate.run().items()}
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        callbacks.on_train_end()
    except _LOST as error:
        raise WorkerLostError(
            "a worker of this job is gone, so the others cannot go on. Start all workers again with the same "
            "commands: training goes on from its last checkpoint, where it has one. "
            f"TensorFlow says: {_most_telling(str(error))}"
        ) from error
    return model.history


def _most_telling(text):
    """The line of an error of TensorFlow that says most about a worker: its first line often says nothing."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line != "Graph execution error:"] or ["no reason"]
    about = ("worker", "task", "heartbeat", "unavailable", "connection", "peer")
    # A line of the traceback in it names files and code, which may have such words, too.
    said = [line for line in lines if not line.startswith(("File ", "Detected at node"))]
    return next((line for line in said if any(word in line.lower() for word in about)), (said or lines)[0])


class _Pass:
    """One way over a dataset, step by step on all replicas."""

    def __init__(self, model, strategy, dataset, step, steps=None):
        self._model, self._strategy = model, strategy
        cardinality = int(dataset.cardinality())
        self.steps = steps if steps is not None else (cardinality if cardinality >= 0 else None)
        if cardinality == tf.data.INFINITE_CARDINALITY and steps is None:
            raise ValueError(
                "`steps_per_epoch` must be given for a dataset without an end. Received: steps_per_epoch=None"
            )
        self._goes_on = steps is not None
        options = tf.data.Options()
        # Each worker reads all batches and takes its part: there are no files to share out.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        self._dataset = strategy.experimental_distribute_dataset(dataset.with_options(options))
        self._iterator = None

        @tf.function(reduce_retracing=True)
        def on_replicas(data):
            strategy.run(step, args=(data,))

        self._step = on_replicas

    def run(self, callbacks=None):
        """An epoch. Returns the mean losses over all replicas, the same on every worker."""
        self._model.reset_metrics()
        number = 0
        while self.steps is None or number < self.steps:
            data = self._next(is_first=not number)
            if not data.has_value():
                if self._goes_on:
                    warnings.warn(
                        f"the dataset ended after {number} of {self.steps} steps of an epoch, and so did the "
                        "epoch: let it `repeat()`, or ask for fewer `steps_per_epoch`",
                        stacklevel=2,
                    )
                self._iterator = None
                break
            if callbacks:
                callbacks.on_train_batch_begin(number)
            self._step(data.get_value())
            if callbacks:
                # Not the losses: to read them, all workers would have to wait for each other.
                callbacks.on_train_batch_end(number, {})
            number += 1
        return {tracker.name: float(tracker.result()) for tracker in self._model.metrics}

    def _next(self, is_first):
        """The next batch, if any. As in Keras, epochs of given steps go on where the one before has ended."""
        if is_first and not self._goes_on:
            self._iterator = None
        is_new = self._iterator is None
        if is_new:
            self._iterator = iter(self._dataset)
        data = self._iterator.get_next_as_optional()
        if is_first and not is_new and not data.has_value():
            # The epoch before took the very last batch.
            self._iterator = iter(self._dataset)
            data = self._iterator.get_next_as_optional()
        return data
