"""A replica's part of a batch: how much it counts, and what it runs on where it has none."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Part(NamedTuple):
    """A replica's part of a batch: what to run, how many samples of it count, and their share of the whole.

    Means over replicas, weighted by `share`, add up to the mean over the whole batch.
    """

    batch: Any
    size: Any
    share: Any


def part_of_batch(batch):
    """This replica's part of a batch, ready to be run, and how much it counts.

    A batch of fewer samples than replicas leaves some of them none. They run on a copy of the first
    replica's first sample, which counts nothing: networks fail on an empty batch, and zeros might
    give NaN, or move the averages of batch norm, which every replica keeps of what it ran.

    Args:
        batch: Any structure of tensors, or of arrays in an eager step, samples first; `None` where one
            is not there.

    Returns:
        A `Part`.
    """
    # Of one kind: a network cannot be called on a photo that is an array and a label that is a tensor.
    parts = [None if part is None else tf.convert_to_tensor(part) for part in keras.tree.flatten(batch)]
    batch = keras.tree.pack_sequence_as(batch, parts)
    size = tf.shape(next(part for part in parts if part is not None))[0]
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return Part(batch, size, 1.0)
    share = tf.cast(size, tf.float32)
    share /= context.all_reduce("sum", share)
    return Part(_filled(batch, 1 - tf.minimum(size, 1), context), size, share)


def _filled(batch, missing, context):
    """The batch with `missing` (0 or 1) more samples, copies of the first replica's first."""
    is_first = tf.equal(context.replica_id_in_sync_group, 0)

    def first_sample(part):
        sample = tf.pad(part[:1], [[0, missing], *[[0, 0]] * (len(part.shape) - 1)])
        # Not all numbers can be summed over all devices: float32 can.
        return tf.where(is_first, tf.cast(sample, tf.float32), 0.0)

    parts = keras.tree.flatten(batch)
    # In every step, short or not: devices cannot talk to each other in a tf.cond.
    samples = iter(context.all_reduce("sum", [first_sample(part) for part in parts if part is not None]))
    filled = [
        part if part is None else tf.concat([part, tf.cast(next(samples)[:missing], part.dtype)], axis=0)
        for part in parts
    ]
    return keras.tree.pack_sequence_as(batch, filled)
