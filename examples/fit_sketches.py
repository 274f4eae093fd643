"""Trains by compile and fit, with Keras' callbacks, on one device or on many.

    python examples/fit_sketches.py                     # the embedded set
    python examples/fit_sketches.py --data my_pairs --out runs/fit
    python examples/fit_sketches.py --data my_pairs --out runs/fit     # again: it goes on

All GPUs of the machine are used. For several machines start the same command on each, with
its TF_CONFIG in the environment (see README): --out is then a folder that all of them see.
"""

import argparse
import sys
from pathlib import Path

from keras_cgan.run_folder import RunFolder
from keras_cgan.startup import PRECISIONS, start_tensorflow
from keras_cgan.strategies import STRATEGIES


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description="Trains a photo-to-sketch GAN by compile and fit.")
    parser.add_argument("--data", help="folder of photo/sketch pairs; by default the embedded set")
    parser.add_argument("--strategy", choices=STRATEGIES, default="classifier")
    parser.add_argument("--image-size", type=int, default=64, help="pixels, a multiple of 4 (default: 64)")
    parser.add_argument("--batch-size", type=int, default=8, help="pairs a step, of all devices (default: 8)")
    parser.add_argument("--filters", type=int, default=32, help="maps of the first convolution (default: 32)")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="runs/fit", help="folder for the results (default: runs/fit)")
    return parser.parse_args(arguments)


def make_model(options, n_classes):
    """The compiled model: networks of the strategy, and an optimizer for each by default."""
    from keras_cgan import ConditionalGAN, strategy_networks

    size = (options.image_size, options.image_size, 3)
    networks = strategy_networks(options.strategy, size, n_classes, filters=options.filters)
    gan = ConditionalGAN(*networks, options.strategy, class_weight=25.0, average_decay=0.999)
    gan.compile()
    return gan


def make_callbacks(gan, checkpoint, out, test, class_names):
    """Keras' own callbacks, and a sample grid after each epoch."""
    import keras

    from keras_cgan.data import write_image
    from keras_cgan.pictures import sample_grid

    def draw(epoch, logs):
        grid = sample_grid(gan.generator, *test, class_names)
        write_image(out / "samples" / f"epoch-{epoch + 1:03d}.png", grid)

    return [
        checkpoint.each_epoch(),
        keras.callbacks.CSVLogger(out / "losses.csv", append=True),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(on_epoch_end=draw),
    ]


def main(arguments=None):
    options = parse_arguments(arguments)
    strategy = start_tensorflow(options.seed, options.precision, distribute=True)
    from keras_cgan.data import PairPipeline, open_pairs
    from keras_cgan.precision import to_float32
    from keras_cgan.training.checkpoint import TrainerCheckpoint
    from keras_cgan.training.distributed import is_chief

    settings = {name: value for name, value in vars(options).items() if name not in ("out", "epochs")}
    out, chief = Path(options.out), is_chief(strategy)
    if chief:
        RunFolder.new_or_same(out, settings)

    size = (options.image_size,) * 2
    train, test = open_pairs(options.data)
    # Batches of one size: a short last one might hold fewer pairs than there are devices.
    pipeline = PairPipeline(train, size, options.batch_size, seed=options.seed, drop_remainder=True)
    held_out = PairPipeline(test, size, options.batch_size, shuffle=False, augment=False, drop_remainder=True)
    with strategy.scope():
        gan = make_model(options, train.n_classes)
    checkpoint = TrainerCheckpoint(gan, out / "checkpoint")
    epoch = checkpoint.restore()
    callbacks = make_callbacks(gan, checkpoint, out, test.as_arrays(size, 200), train.class_names)
    gan.fit(
        pipeline.batches(epoch * pipeline.steps_per_epoch),
        epochs=options.epochs,
        initial_epoch=epoch,
        steps_per_epoch=pipeline.steps_per_epoch,
        validation_data=held_out.epoch(0),
        callbacks=callbacks if chief else callbacks[:1],
    )
    if chief:
        to_float32(gan.averaged()).save(out / "generator.keras")
        print(f"sketches:  {out}/samples/*.png\nlosses:    {out / 'losses.csv'}")
        print(f"generator: {out / 'generator.keras'}, the moving average of its weights")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on after the last whole epoch")
