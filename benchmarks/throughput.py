"""Images a second of generator inference and of the input pipeline, for benchmarks/speed.py."""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from side_by_side import random_batch, take_turns

from keras_cgan import faster_network
from keras_cgan.data import EmbeddedPairs, FolderPairs, PairPipeline, write_image

BATCH_SIZES = (1, 16)


def drawing_ways(generator, photo, torch_pix2pix=None):
    """The ways of drawing: a dict of title -> function without arguments that draws the photos.

    Args:
        generator: A Keras model from photos to sketches.
        photo: `(batch, height, width, 3)`, an array.
        torch_pix2pix: The module of this name, or `None` to leave PyTorch out.
    """
    ways = {
        "predict_on_batch": lambda: generator.predict_on_batch(photo),
        "traced by tf.function": traced_drawing(generator, photo),
        "faster_network, traced": traced_drawing(faster_network(generator), photo),
    }
    if torch_pix2pix is not None:
        ways["PyTorch eager"] = torch_pix2pix.drawing(generator, photo)
    return ways


def traced_drawing(generator, photo):
    """A function without arguments that draws the photos by a `tf.function` of the generator."""
    traced = tf.function(lambda photo: generator(photo, training=False))
    return lambda: traced(tf.constant(photo)).numpy()


def inference_rates(generator, rounds, torch_pix2pix=None):
    """Images a second of a generator.

    Args:
        generator: A Keras model from photos to sketches.
        rounds: How often each way has its turn.
        torch_pix2pix: As in `drawing_ways`.

    Returns:
        A dict of title -> {batch size: images a second}, from medians.

    Raises:
        RuntimeError: The ways do not draw the same.
    """
    rates = {}
    for batch_size in BATCH_SIZES:
        x, _ = random_batch(generator.input_shape[1], batch_size)
        ways = drawing_ways(generator, x["photo"], torch_pix2pix)
        drawn = {title: draw() for title, draw in ways.items()}
        for title, sketches in drawn.items():
            off = np.abs(sketches - drawn["predict_on_batch"]).max()
            if not off < 1e-3:
                raise RuntimeError(f"{title} draws otherwise than predict_on_batch: up to {off:g} apart.")
        for title, times in take_turns(ways, rounds, per_turn=5, untimed=1).items():
            rates.setdefault(title, {})[batch_size] = 1000 * batch_size / statistics.median(times)
    return rates


def input_rates(image_size, batch_size, seconds=2.0, n_pairs=48):
    """Images a second of `PairPipeline`, with nothing else to do.

    Args:
        image_size: Pixels a side.
        batch_size: Pairs a batch.
        seconds: How long to read, at least.
        n_pairs: Pairs of either set; at least a batch.

    Returns:
        A dict of title -> images a second.
    """
    size = (image_size, image_size)
    pairs = EmbeddedPairs(max(n_pairs, batch_size))
    rates = {"kept in memory": pipeline_rate(PairPipeline(pairs, size, batch_size), seconds)}
    with tempfile.TemporaryDirectory() as folder:
        files = write_pairs(pairs, size, folder)
        rates["PNG files, decoded each time"] = pipeline_rate(
            PairPipeline(files, size, batch_size, memory_limit=0), seconds
        )
    return rates


def pipeline_rate(pipeline, seconds):
    """Images a second from the second epoch on: in the first, images are made or read for the first time."""
    batches = iter(pipeline.batches())
    for _ in range(pipeline.steps_per_epoch + 1):
        next(batches)
    images, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        images += next(batches)[1].shape[0]
    return images / (time.perf_counter() - begin)


def write_pairs(pairs, size, folder):
    """Writes pairs as PNG files in the on-disk format, all of them for training.

    Args:
        pairs: A `Pairs`.
        size: `(height, width)` of the files, in pixels.
        folder: Where to; it must be there.

    Returns:
        `FolderPairs` of the files.
    """
    for index in range(len(pairs)):
        for side, image in zip(("photo", "sketch"), pairs.load(index, size)):
            write_image(Path(folder) / "train" / side / f"{pairs.names[index]}.png", image)
    return FolderPairs(folder, "train", test_share=0)
