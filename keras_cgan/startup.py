"""Starts TensorFlow for a program: quietly, with memory growth, a seed and a precision."""

import contextlib
import json
import os
import sys
import tempfile

PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")


def start_tensorflow(seed=0, precision="float32", distribute=False):
    """Imports TensorFlow without its start-up messages and sets it up.

    For programs, before anything else imports TensorFlow. GPUs get memory as it is needed
    instead of all at once. `TF_CPP_MIN_LOG_LEVEL` in the environment brings the messages back.

    Args:
        seed: Of Python, NumPy and Keras.
        precision: One of `PRECISIONS`: the Keras dtype policy, or `"auto"` for that of
            `fastest_precision`.
        distribute: Whether to use all GPUs of this machine, and the machines in `TF_CONFIG`.

    Returns:
        The `tf.distribute.Strategy` to make the model in: with several GPUs a
        `MirroredStrategy`, with several machines a `MultiWorkerMirroredStrategy`, else
        TensorFlow's default, which does nothing.

    Raises:
        ValueError: `precision` is not one of those.

    Example:

    >>> strategy = start_tensorflow(seed=1, precision="mixed_bfloat16", distribute=True)
    """
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: precision={precision!r}")
    asked = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    # Errors, too: those that matter are raised, and the graph optimizer logs some that do not.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.nullcontext() if asked else _stderr_held():
        import tensorflow as tf

        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        strategy = _strategy(tf) if distribute else tf.distribute.get_strategy()
        tf.zeros(())  # starts the devices, which have messages too
    if not asked:
        # Among others, that a last, shorter batch is traced once more.
        tf.get_logger().setLevel("ERROR")
    import keras

    from keras_cgan.precision import fastest_precision

    keras.config.set_dtype_policy(fastest_precision()[0] if precision == "auto" else precision)
    keras.utils.set_random_seed(seed)
    return strategy


def _strategy(tf):
    """For all machines in TF_CONFIG, or all GPUs; has to be made before TensorFlow's first operation."""
    workers = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {}).get("worker", [])
    if len(workers) > 1:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


@contextlib.contextmanager
def _stderr_held():
    """Holds back what C++ code writes to stderr, and shows it only when something is raised."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
