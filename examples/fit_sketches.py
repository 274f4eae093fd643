"""Trains by compile and fit, with Keras' callbacks, on one device or on many.

    python examples/fit_sketches.py                     # the embedded set
    python examples/fit_sketches.py --data my_pairs --out runs/fit
    python examples/fit_sketches.py --data my_pairs --out runs/fit     # again: it goes on

All GPUs of the machine are used. For several machines start the same command on each, with
its TF_CONFIG in the environment (see README): --out is then a folder that all of them see.
"""

import argparse
import os
import sys
from pathlib import Path

from keras_cgan.data.images import FITS
from keras_cgan.run_folder import RunFolder
from keras_cgan.sketch_settings import check_options, settle
from keras_cgan.startup import PRECISIONS, start_tensorflow
from keras_cgan.strategies import (
    PHOTO_WEIGHTS,
    STRATEGIES,
    TOWER_STEPS,
    list_strategies,
    read_photo_weights,
    tower_pairs,
)

LEAST = {"image_size": 24, "batch_size": 1, "filters": 1, "epochs": 1, "seed": 0}
LEAST |= {"g_filters": 1, "l1_weight": 0, "class_weight": 0, "warp": 0}


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description="Trains a photo-to-sketch GAN by compile and fit.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"strategies:\n{list_strategies()}",
    )

    def add(name, text, default, **options):
        parser.add_argument(name, help=f"{text} (default: {default})", default=default, **options)

    parser.add_argument("--data", help="folder of photo/sketch pairs (default: the embedded set)")
    add("--fit", "how images that are not square are brought to size", "pad", choices=FITS)
    add("--strategy", "how the labels are used, see below", "classifier", choices=STRATEGIES)
    add("--image-size", "height and width in pixels, a multiple of 4, at least 24", 64, type=int)
    add("--batch-size", "pairs a step, of all devices together", 8, type=int)
    add("--filters", "maps of the first convolution", 32, type=int)
    parser.add_argument("--g-filters", type=int, help="the same of the generator alone (default: no other)")
    add("--epochs", "passes over the training pairs, with those of earlier runs", 50, type=int)
    parser.add_argument(
        "--aligned",
        action=argparse.BooleanOptionalAction,
        help="whether sketches lie on their photos' lines (default: as measured)",
    )
    for name, text in {
        "--l1-weight": "of the distance to the true sketch",
        "--class-weight": "of the class",
        "--warp": "how strongly photo and sketch are bent together, 0 not at all",
    }.items():
        parser.add_argument(name, type=float, help=f"{text} (default: the strategy's own)")
    parser.add_argument(
        "--photo-weights",
        type=read_photo_weights,
        metavar="NAME=NUMBER,...",
        help="some of the weights of what class-and-photo asks for: see train_sketches.py (default: "
        + ",".join(f"{name}={weight:g}" for name, weight in PHOTO_WEIGHTS.items())
        + ")",
    )
    add("--precision", "Keras dtype policy; auto: the fastest here", "auto", choices=PRECISIONS)
    add("--seed", "of weights, order and augmentation", 0, type=int)
    add("--out", "folder for the results, a new one or that of a run to go on with", "runs/fit")
    return parser.parse_args(arguments)


def settled(options):
    """The options, with what was settled when the run in their folder began, where there is one."""
    if options.data:
        options.data = str(Path(options.data).resolve())  # wherever the run is gone on with from
    if (Path(options.out) / "settings.json").is_file():
        settings = RunFolder.open(options.out).settings
        if options.precision == "auto":
            options.precision = settings.get("precision", "auto")
        if options.aligned is None:
            options.aligned = settings.get("aligned")
    return options


def make_pipelines(train, test, options):
    """Batches to train on, and of the test pairs."""
    from keras_cgan.data import PairPipeline

    size = (options.image_size,) * 2
    pipeline = PairPipeline(train, size, options.batch_size, seed=options.seed, warp=options.warp)
    few = min(options.batch_size, len(test))
    return pipeline, PairPipeline(test, size, few, shuffle=False, augment=False)


def make_towers(options):
    """Two networks that are to learn which sketch is of which photo; `None` where a strategy has no need."""
    from keras_cgan.strategy_parts import strategy_towers

    size = (options.image_size, options.image_size, 3)
    return strategy_towers(options.strategy, size, options.aligned, weights=options.photo_weights)


def make_model(options, n_classes, towers=None, n_photos=None):
    """The compiled model: networks of the strategy, and an optimizer for each by default."""
    from keras_cgan import strategy_model, strategy_networks

    size = (options.image_size, options.image_size, 3)
    # "pix2pix" is the baseline that knows no classes.
    label_input = options.strategy != "pix2pix"
    networks = strategy_networks(
        options.strategy,
        size,
        n_classes,
        label_input=label_input,
        filters=options.filters,
        g_filters=options.g_filters,
    )
    weights = {"l1_weight": options.l1_weight, "class_weight": options.class_weight}
    weights["weights"] = options.photo_weights
    return strategy_model(
        options.strategy, networks, options.aligned, towers, n_photos, **weights, average_decay=0.999
    )


def teach(towers, pairs, options):
    """Trains the towers on the true pairs, each machine on one device."""
    from keras_cgan import train_towers

    of_one_device = make_towers(options)
    train_towers(*of_one_device, *tower_pairs(pairs, (options.image_size,) * 2), steps=TOWER_STEPS)
    for tower, taught in zip(towers, of_one_device, strict=True):
        tower.set_weights(taught.get_weights())


def main(arguments=None):
    options = parse_arguments(arguments)
    check_options(vars(options), LEAST)
    options = settled(options)
    strategy = start_tensorflow(options.seed, options.precision, distribute=True)
    import keras

    from keras_cgan.callbacks import CollapseAlarm, DrawPictures, RestoreIfNotFinite, StopIfNotFinite
    from keras_cgan.data import open_pairs
    from keras_cgan.pictures import sample_grid
    from keras_cgan.precision import fastest_precision
    from keras_cgan.training.checkpoint import TrainerCheckpoint
    from keras_cgan.training.distributed import is_chief, is_multi_worker

    chief = is_chief(strategy)
    if options.precision == "auto":
        options.precision, reason = fastest_precision()
        if chief:
            print(f"precision: {options.precision} ({reason})", flush=True)
    train, test = open_pairs(options.data, fit=options.fit)
    settle(vars(options), train, print if chief else lambda _: None)
    pipeline, held_out = make_pipelines(train, test, options)
    with strategy.scope():
        towers = make_towers(options)
        gan = make_model(options, train.n_classes, towers, train.n_photos)

    # Only now: a run that cannot start leaves no folder behind.
    settings = {name: value for name, value in vars(options).items() if name not in ("out", "epochs")}
    out = Path(options.out)
    if chief:
        RunFolder.new_or_same(out, settings, folders=["data"])
    checkpoint = TrainerCheckpoint(gan, out / "checkpoint")
    if towers and not checkpoint.exists():
        if chief:
            print("training two networks to tell which sketch is of which photo ...", flush=True)
        teach(towers, train, options)
    epoch = checkpoint.restore()
    # What has gone wrong is not saved: one machine goes back to the last good epoch, several stop.
    callbacks = [RestoreIfNotFinite(checkpoint)]
    if is_multi_worker(strategy):
        stop = StopIfNotFinite("another --out with --precision float32 may help")
        callbacks = [stop, checkpoint.each_epoch()]
    if chief:
        callbacks.append(keras.callbacks.CSVLogger(out / "losses.csv", append=True))
        shown = test.as_arrays((options.image_size,) * 2, 200)
        if not is_multi_worker(strategy):
            callbacks.append(CollapseAlarm(*shown))
        pictures = DrawPictures(
            gan, out / "samples", lambda generator: sample_grid(generator, *shown, train.class_names)
        )
        callbacks.append(pictures)
    gan.fit(
        pipeline.batches(epoch * pipeline.steps_per_epoch),
        epochs=options.epochs,
        initial_epoch=epoch,
        steps_per_epoch=pipeline.steps_per_epoch,
        validation_data=held_out.epoch(0),
        callbacks=callbacks,
    )
    if chief:
        pictures.generator.save(out / "generator.keras")
        print(f"sketches:  {out}/samples/*.png\nlosses:    {out / 'losses.csv'}")
        print(f"generator: {out / 'generator.keras'}, the moving average of its weights", flush=True)


def leave(message):
    """Ends the program at once: TensorFlow's own end would wait for a worker that is gone."""
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    os._exit(1)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError, RuntimeError) as error:
        leave(f"error: {error}")
    except KeyboardInterrupt:
        leave("stopped: the same command goes on after the last whole epoch")
