"""What the example scripts of the recipes share: options, data, a run folder, training, the closing lines."""

import argparse
import functools
import math
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from keras_cgan.checks import check_flags, flag
from keras_cgan.run_folder import RunFolder, write_json
from keras_cgan.startup import PRECISIONS, start_tensorflow

ROUNDS = 20  # of steps: after each a picture, a row of losses and a save
LEAST = {"image_size": 16, "batch_size": 1, "steps": ROUNDS, "seed": 0}  # 16: a judge's least
JUDGE_STEPS, JUDGE_BATCH = 1000, 32
MOST_SKETCHES, MOST_TEST_PHOTOS = 3000, 1000  # that the judge learns from; to measure on


class _Batches(NamedTuple):
    """As a `PairPipeline` has it: a function of a step `start` that gives endless batches from there on."""

    batches: Any


class RecipeRun:
    """One training of a recipe, as a program: it goes on where it was, and overwrites nothing.

    To be made first of all, as it reads the command line and starts TensorFlow.

    Args:
        name: Of the recipe; without `--out` results go to a new folder `runs/<name>-<number>`.
        description: Text of `--help`: the docstring of the program.
        arguments: The command line as a list; `None` for the program's own.
        image_size, batch_size, steps: Defaults of the options of these names.
        data: Text of `--help` for `--data`.
        **options: The script's own options: name -> `(default, help)`, or `(default, help, least)` for a
            number. Of a boolean it makes `--name` and `--no-name`.

    Attributes:
        settings: All options but `--out`: a dict, name -> value.

    Raises:
        ValueError: An option is out of its range, or the folder of `--out` has a run of other settings.

    Example:

    >>> run = RecipeRun("acgan", __doc__, image_size=32, batch_size=64, steps=2000)
    >>> train, test = run.open_images()
    >>> model = acgan(train.image_shape, train.n_classes)
    >>> draw = functools.partial(class_rows, latent=model.latent, class_names=train.class_names)
    >>> generator = run.fit(model, run.batches_of(train), draw)
    >>> results = run.measure_classes(generator, model.latent, train, test)
    >>> run.end(results, class_summary(results))
    """

    def __init__(
        self,
        name,
        description,
        arguments=None,
        image_size=28,
        batch_size=64,
        steps=2000,
        data="digits, a folder, or an .npz file of images",
        **options,
    ):
        options = {
            "image_size": (image_size, "height and width in pixels"),
            "batch_size": (batch_size, "images a step"),
            "steps": (steps, f"training steps, in {ROUNDS} rounds: rounded down to a multiple of {ROUNDS}"),
            "seed": (0, "of weights, order and noise"),
            **options,
        }
        from keras_cgan.data.opening import DIGITS

        settings = _parse(description, data, options, arguments)
        out = settings.pop("out")
        leasts = {option: rest[0] for option, (_, _, *rest) in options.items() if rest}
        check_flags(LEAST | leasts, settings)
        settings["steps"] -= settings["steps"] % ROUNDS
        for option in ("data", "sketches"):  # wherever a run is gone on with from
            given = settings.get(option)
            if given and given != DIGITS and os.path.exists(given):
                settings[option] = str(Path(given).resolve())
        self.settings = settings
        self.path = Path(out) if out else RunFolder.next_free("runs", name)
        if (self.path / "settings.json").is_file():
            RunFolder.new_or_same(self.path, settings)  # refused here, before minutes are spent
            if (self.path / "results.json").is_file():
                sys.exit(f"{self.path} is finished. For another run choose another --out.")
        start_tensorflow(settings["seed"], settings["precision"])

    @property
    def image_size(self):
        """`(height, width)`."""
        return (self.settings["image_size"],) * 2

    def open_images(self, channels=1):
        """The images to train on and to test on, `(train, test)`: `ClassImages` of what `--data` says.

        Which ones are held out does not depend on `--seed`: runs with several compare.
        """
        from keras_cgan.data import open_images

        train, test = open_images(self.settings["data"], self.image_size, channels)
        names = ", ".join(train.class_names)
        print(f"{len(train)} training and {len(test)} test images of {train.n_classes} classes: {names}")
        return train, test

    def open_pairs(self):
        """The pairs to train on and to test on, `(train, test)`: `Pairs` of what `--data` says."""
        from keras_cgan.data import open_pairs

        misalignment = self.settings.get("misalignment", 0.0)
        train, test = open_pairs(self.settings["data"], misalignment, one_class=True)
        names = ", ".join(train.class_names)
        print(f"{len(train)} training and {len(test)} test pairs of {train.n_classes} classes: {names}")
        return train, test

    def test_arrays(self, pairs):
        """Photos, labels and sketches of the test pairs, to draw and to measure on."""
        return pairs.as_arrays(self.image_size, MOST_TEST_PHOTOS)

    def batches_of(self, images, labels=True):
        """`ClassImages` as `fit` takes them, with or without labels."""
        size, seed = self.settings["batch_size"], self.settings["seed"]
        return _Batches(functools.partial(images.batches, size, seed, labels=labels))

    def fit(self, model, data, draw):
        """Trains, with a bar; writes pictures, losses and models, and goes on from the last round.

        Args:
            model: A compiled `AdversarialModel`.
            data: What `batches_of` gives, or a `PairPipeline`.
            draw: A function from the generator to a picture, uint8 `(height, width, 3)`.

        Returns:
            The generator to keep, in float32: with averaged weights where the model has an average.
        """
        import keras

        from keras_cgan.callbacks import DrawPictures, ShowProgress, StopIfNotFinite
        from keras_cgan.data import write_image
        from keras_cgan.training.checkpoint import TrainerCheckpoint

        per_round = self.settings["steps"] // ROUNDS
        data.batches(start=0)  # a batch size that is too large is refused before there is a folder
        folder = RunFolder.new_or_same(self.path, self.settings)
        print(f"results go to {self.path}; after a stop, --out {self.path} goes on")
        checkpoint = TrainerCheckpoint(model, self.path / "checkpoint")
        done = checkpoint.restore()
        folder.keep_losses(done)
        pictures = DrawPictures(model, self.path / "samples", draw, stem="round")
        losses = keras.callbacks.CSVLogger(self.path / "losses.csv", append=True)
        try:
            model.fit(
                data.batches(start=done * per_round),
                epochs=ROUNDS,
                initial_epoch=done,
                steps_per_epoch=per_round,
                verbose=0,
                # What has gone wrong is not saved.
                callbacks=[ShowProgress(), StopIfNotFinite(), losses, checkpoint.each_epoch(), pictures],
            )
        except KeyboardInterrupt:
            sys.exit(f"\nstopped: with --out {self.path} the same command goes on after the last whole round")
        pictures.update()
        write_image(self.path / "samples.png", draw(pictures.generator))
        pictures.generator.save(self.path / "generator.keras")
        model.save(self.path / "model.keras")
        return pictures.generator

    def measure_classes(self, generator, latent, train, test):
        """What `evaluate_images` says by a judge that learns from the training images."""
        from keras_cgan.evaluate import evaluate_images

        # Not mirrored: a mirrored 3 is no 3.
        judge = self._judge(train.images, train.labels, mirror=False, background=train.background)
        return evaluate_images(generator, judge, latent, test)

    def measure_pairs(self, generator, train, test):
        """What `evaluate` says by a judge that learns from the training sketches.

        Args:
            generator: Model from photos to sketches.
            train: The training pairs, a `Pairs`.
            test: Photos, labels and sketches of the test pairs, as `test_arrays` gives them.

        Returns:
            A dict of floats: class accuracy, diversity and L1, beside those of real sketches and white paper;
            of pairs of a single class without what a judge of classes says.
        """
        from keras_cgan.evaluate import evaluate

        _, labels, sketches = train.as_arrays(self.image_size, MOST_SKETCHES)
        judge = self._judge(sketches, labels) if train.n_classes > 1 else None
        return evaluate(generator, judge, *test)

    def _judge(self, images, labels, **options):
        """An independent classifier, as `train_judge` makes it, by about `JUDGE_STEPS` steps."""
        from keras_cgan.judges import train_judge

        print(f"training an independent classifier on {len(images)} real images, as a judge ...", flush=True)
        # A run that is cut very short, to see whether all works, has a quick judge.
        steps = min(JUDGE_STEPS, 10 * self.settings["steps"])
        epochs = math.ceil(steps / math.ceil(len(images) / JUDGE_BATCH))
        return train_judge(images, labels, epochs=epochs, batch_size=JUDGE_BATCH, **options)

    def end(self, results, line):
        """Saves the measures, and says what was made and where.

        Args:
            results: The measures, a dict that JSON can hold.
            line: The measures as a line to read.
        """
        write_json(self.path / "results.json", {**self.settings, **results})
        print(f"pictures:  {self.path}/*.png, and while it learnt {self.path}/samples/*.png")
        print(f"models:    {self.path}/*.keras\nlosses:    {self.path / 'losses.csv'}")
        print(f"measures:  {self.path / 'results.json'}\n{line}", flush=True)


def class_summary(results):
    """What `evaluate_images` says, in a line: neither of the first two may stand alone."""
    text = {name: f"{value:.2f}" for name, value in results.items()}
    return (
        f"class accuracy {text['class_accuracy']} (real images {text['class_accuracy_real']}); within-class "
        f"diversity {text['within_class_diversity']} (real images 1, all alike 0); MS-SSIM within classes "
        f"{text['ms_ssim']} (real images {text['ms_ssim_real']})"
    )


def pair_summary(results):
    """What `evaluate` says of a generator without label, in a line: none of the three may stand alone."""
    by_judge = "class accuracy {class_accuracy:.2f} (real sketches {class_accuracy_real:.2f}); "
    others = (
        "within-class diversity {within_class_diversity:.2f} (real sketches 1, all alike 0); "
        "L1 {l1:.3f} (white paper {l1_white_paper:.3f})"
    )
    return ((by_judge if "class_accuracy" in results else "") + others).format(**results)


def run_program(main):
    """Runs `main()`; what is wrong with the data or the options is said in a line."""
    try:
        main()
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")


def _parse(description, data, options, arguments):
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", help=f"{data} (default: the embedded set)")
    for option, (default, text, *_) in options.items():
        kind = (
            {"action": argparse.BooleanOptionalAction}
            if isinstance(default, bool)
            else {"type": type(default)}
        )
        parser.add_argument(flag(option), default=default, help=f"{text} (default: {default})", **kind)
    text = "Keras dtype policy; auto: the fastest of this machine"
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help=f"{text} (default: float32)"
    )
    parser.add_argument("--out", help="folder for the results, a new one or that of a run to go on with")
    return vars(parser.parse_args(arguments))
