"""What benchmarks share: options, a quiet start with a number of threads, one batch for all, and turns."""

import argparse
import os
import sys
import time

import numpy as np
from workloads import Workload

from keras_cgan.startup import start_tensorflow

N_CLASSES = 6


def positive(text):
    """A positive integer of the command line."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a positive integer. Received: {text!r}")
    return int(text)


def workloads(text):
    """Workloads of the command line, by commas, each once."""
    try:
        return list(dict.fromkeys(map(Workload.parse, text.split(","))))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def say(line):
    """A line for who is waiting; not part of the tables."""
    print(line, file=sys.stderr, flush=True)


def start(threads):
    """Starts TensorFlow quietly on so many threads.

    Args:
        threads: Of one operation, and operations side by side.

    Raises:
        RuntimeError: Something has imported TensorFlow before.
    """
    if "tensorflow" in sys.modules:
        raise RuntimeError(
            "`start` sets the number of threads, so it must come before TensorFlow is imported."
        )
    # `tf.config.threading` would need TensorFlow, which `start_tensorflow` is to import quietly.
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    start_tensorflow()


def random_batch(image_size, batch_size, seed=0):
    """A batch of noise.

    Args:
        image_size: Pixels a side.
        batch_size: Pairs.
        seed: Of the noise.

    Returns:
        `({"photo", "label"}, sketch)` as arrays, as the trainers take them.
    """
    rng = np.random.default_rng(seed)
    shape = (batch_size, image_size, image_size)
    x = {
        "photo": rng.uniform(-1, 1, (*shape, 3)).astype("float32"),
        "label": np.eye(N_CLASSES, dtype="float32")[rng.integers(0, N_CLASSES, batch_size)],
    }
    return x, rng.uniform(-1, 1, (*shape, 1)).astype("float32")


def take_turns(steps, rounds, per_turn=1, untimed=0):
    """Times functions that take turns, so that what else the machine does meets all of them alike.

    Args:
        steps: A dict of name -> function without arguments.
        rounds: How often each has its turn; every other round goes backwards.
        per_turn: Timed calls a turn.
        untimed: Calls before these: the caches still hold what the one before worked on, and
            its threads may not yet sleep.

    Returns:
        A dict of name -> milliseconds of its calls, in order.
    """
    times = {name: [] for name in steps}
    for number in range(rounds):
        for name in reversed(list(steps)) if number % 2 else list(steps):
            for _ in range(untimed):
                steps[name]()
            for _ in range(per_turn):
                begin = time.perf_counter()
                steps[name]()
                times[name].append(1000 * (time.perf_counter() - begin))
    return times
