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
    instead of all at once. `TF_CPP_MIN_LOG_LEVEL` below 3 in the environment brings the messages back.

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
        ValueError: `precision` is not one of those, or `TF_CONFIG` cannot be read.

    Example:

    >>> strategy = start_tensorflow(seed=1, precision="mixed_bfloat16", distribute=True)
    """
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: precision={precision!r}")
    workers = _count_workers(os.environ.get("TF_CONFIG")) if distribute else 0
    asked = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in ("0", "1", "2")  # 3 is quiet
    # Errors, too: those that matter are raised, and the graph optimizer logs some that do not.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.nullcontext() if asked else _stderr_held():
        import tensorflow as tf

        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        strategy = _strategy(tf, workers) if distribute else tf.distribute.get_strategy()
        tf.zeros(())  # starts the devices, which have messages too
    if not asked:
        # Among others, that a last, shorter batch is traced once more.
        tf.get_logger().setLevel("ERROR")
    import keras

    from keras_cgan.precision import fastest_precision

    keras.config.set_dtype_policy(fastest_precision()[0] if precision == "auto" else precision)
    keras.utils.set_random_seed(seed)
    return strategy


def _count_workers(text):
    """How many processes train together by a TF_CONFIG: its chief and its workers; 0 where there is none."""
    try:
        jobs = json.loads(text or "{}").get("cluster", {})
        return sum(len(jobs.get(job, ())) for job in ("chief", "worker"))
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            'TF_CONFIG must be JSON such as {"cluster": {"worker": ["host:port", ...]}, "task": {"type": '
            f'"worker", "index": 0}}}}. Received: {text}'
        ) from error


def _strategy(tf, workers):
    """For all machines in TF_CONFIG, or all GPUs; has to be made before TensorFlow's first operation."""
    if workers > 1:
        # On stdout, as stderr is held; and now, as it may take minutes until all are there.
        print(f"waiting for the other workers of TF_CONFIG ({workers} in all) ...", flush=True)
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
