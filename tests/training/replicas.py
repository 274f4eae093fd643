"""Run as a program: trains a tiny model on one device, on two, or as one of two workers.

    python replicas.py one|mirrored|worker FOLDER EPOCHS

Writes the weights to FOLDER/<how>-<task>.npz and the losses to a .json beside it. A worker
keeps a checkpoint in FOLDER/checkpoint, goes on from it, and prints a line for each epoch.
"""

import json
import os
import sys

import keras
import numpy as np
import tensorflow as tf
from tiny import N_CLASSES, SIZE, batch

import keras_cgan
from keras_cgan.training.checkpoint import TrainerCheckpoint
from keras_cgan.training.distributed import WorkerLostError

PAIRS, BATCH = 8, 4


def strategy_for(how):
    if how == "worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if how == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    return tf.distribute.get_strategy()


def make_model():
    """Instance norm and no dropout: what a device computes depends on its own samples alone."""
    keras.utils.set_random_seed(0)
    photo, pair, sketch = ((*SIZE, channels) for channels in (3, 4, 1))
    gan = keras_cgan.ConditionalGAN(
        keras_cgan.unet_generator(photo, n_classes=N_CLASSES, filters=4, norm="instance", dropout=0.0),
        keras_cgan.patch_discriminator(pair, filters=4, n_layers=1, norm="instance"),
        keras_cgan.lenet_classifier(sketch, N_CLASSES, dropout=0.0),
        average_decay=0.5,
        r1_weight=0.5,
        r2_weight=0.25,
        r1_every=2,
    )
    # SGD shows any error of scale, where Adam would hide it; and its epsilon here keeps Adam from
    # magnifying rounding.
    c_optimizer = keras_cgan.FusedAdam(0.001, epsilon=0.01)
    gan.compile(keras.optimizers.SGD(0.001), keras.optimizers.SGD(0.1), c_optimizer)
    return gan


def batches():
    """Of 3, 4 and 1 pairs: with halves that differ, at once; whole; with nothing for the second device."""
    pairs = tf.data.Dataset.from_tensor_slices(batch(PAIRS))
    return pairs.take(BATCH - 1).batch(BATCH).concatenate(pairs.skip(BATCH - 1).batch(BATCH))


def main(how, folder, epochs):
    strategy = strategy_for(how)
    task = strategy.cluster_resolver.task_id if how == "worker" else 0
    with strategy.scope():
        gan = make_model()
    dataset = batches()
    callbacks, first = [], 0
    if how == "worker":
        checkpoint = TrainerCheckpoint(gan, f"{folder}/checkpoint")
        first = checkpoint.restore()
        said = lambda epoch, logs: print(f"epoch {epoch}", flush=True)  # noqa: E731
        callbacks = [checkpoint.each_epoch(), keras.callbacks.LambdaCallback(on_epoch_end=said)]
    options = {"epochs": epochs, "initial_epoch": first, "callbacks": callbacks, "verbose": 0}
    try:
        history = gan.fit(dataset, validation_data=dataset, **options).history
    except WorkerLostError as error:
        print(f"lost: {error}", flush=True)
        os._exit(3)  # TensorFlow would wait for the worker that is gone
    weights = [*gan.get_weights(), *gan.averaged().get_weights()]
    np.savez(f"{folder}/{how}-{task}.npz", **{str(number): value for number, value in enumerate(weights)})
    with open(f"{folder}/{how}-{task}.json", "w", encoding="utf-8") as file:
        json.dump(history, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
