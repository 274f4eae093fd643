"""Trains a generator that draws photos as sketches, and shows how well the class is drawn.

    python examples/train_sketches.py                    # the embedded set, in a few minutes
    python examples/train_sketches.py --data my_pairs    # your own pairs
    python examples/train_sketches.py --resume runs/classifier-1

Your pairs: my_pairs/{train,test}/{photo,sketch}/<class>/<name>.png. Without train and test
folders, a fifth of the photos is held out for the test.

`train` is the loop; the step itself is one page in keras_cgan/training/reference.py.
"""

import argparse
import math
import signal
import sys
import time
from pathlib import Path

from keras_cgan.run_folder import RunFolder, write_json
from keras_cgan.startup import PRECISIONS, start_tensorflow
from keras_cgan.strategies import STRATEGIES

DEFAULTS = {
    "data": None,
    "misalignment": 0.8,
    "strategy": "classifier",
    "label_input": None,
    "image_size": 64,
    "batch_size": 8,
    "epochs": 30,
    "filters": 32,
    "l1_weight": 10.0,
    "adversarial_weight": 1.0,
    "class_weight": 1.0,
    "seed": 0,
    "precision": "float32",
}
SAMPLE_EVERY = 20  # batches
MOST_TEST_PHOTOS = 1000  # that the final measures are taken on


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description="Trains a class-conditional photo-to-sketch GAN and measures it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="strategies:\n" + "\n".join(f"  {name:11} {s.summary}" for name, s in STRATEGIES.items()),
    )

    def add(name, text, **options):
        default = DEFAULTS[name.lstrip("-").replace("-", "_")]
        # No default here: so that a resumed run can tell what was asked for.
        parser.add_argument(name, help=f"{text} (default: {default})", default=argparse.SUPPRESS, **options)

    add("--data", "folder of photo/sketch pairs; by default the embedded set")
    add("--misalignment", "of the embedded set: 0 traced, 1 drawn from memory", type=float)
    add("--strategy", "how the labels are used, see below", choices=STRATEGIES)
    parser.add_argument(
        "--label-input",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="whether the generator is told the label (default: yes, but not for pix2pix)",
    )
    add("--image-size", "height and width in pixels, a multiple of 4", type=int)
    add("--batch-size", "pairs a step", type=int)
    add("--epochs", "passes over the training pairs", type=int)
    add("--filters", "maps of the first convolution", type=int)
    add("--l1-weight", "of the distance to the true sketch", type=float)
    add("--adversarial-weight", "of fooling the discriminator", type=float)
    add("--class-weight", "of showing the class", type=float)
    add("--seed", "of weights, order and augmentation", type=int)
    add("--precision", "Keras dtype policy", choices=PRECISIONS)
    parser.add_argument("--out", help="new folder for the results (default: runs/<strategy>-<number>)")
    parser.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")
    return parser.parse_args(arguments)


def open_run(options):
    """A new run folder, or that of `--resume`, whose settings then hold."""
    asked = {name: value for name, value in vars(options).items() if name in DEFAULTS}
    if not options.resume:
        settings = {**DEFAULTS, **asked}
        if settings["label_input"] is None:
            settings["label_input"] = settings["strategy"] != "pix2pix"
        if settings["data"]:
            settings["data"] = str(Path(settings["data"]).resolve())
        return RunFolder.new(options.out or RunFolder.next_free("runs", settings["strategy"]), settings)
    if options.out:
        raise ValueError("--resume goes on in its own folder: leave out --out")
    run = RunFolder.open(options.resume)
    if "data" in asked:
        asked["data"] = str(Path(asked["data"]).resolve())
    for name, value in asked.items():
        if name != "epochs" and value != run.settings[name]:
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"{flag} is {run.settings[name]} in {run.path}: a run is resumed as it was started")
    if asked.get("epochs", run.settings["epochs"]) != run.settings["epochs"]:
        run.settings["epochs"] = asked["epochs"]
        write_json(run.path / "settings.json", run.settings)
    return run


def load_pairs(settings):
    """The training pairs and the test pairs."""
    from keras_cgan.data import EmbeddedPairs, FolderPairs

    if settings["data"] is None:
        return (
            EmbeddedPairs(420, settings["misalignment"], seed=0),
            EmbeddedPairs(120, settings["misalignment"], seed=1),
        )
    train = FolderPairs(settings["data"], "train")
    return train, FolderPairs(settings["data"], "test", class_names=train.class_names)


def make_trainer(settings, n_classes):
    from keras_cgan import ReferenceTrainer, strategy_networks

    networks = strategy_networks(
        settings["strategy"],
        (settings["image_size"], settings["image_size"], 3),
        n_classes,
        label_input=settings["label_input"],
        filters=settings["filters"],
    )
    weights = {name: settings[name] for name in ("l1_weight", "adversarial_weight", "class_weight")}
    return ReferenceTrainer(*networks, strategy=settings["strategy"], **weights)


def train(run, trainer, pairs, samples):
    """The training loop. Returns the number of steps done: all of them, unless Ctrl-C was pressed."""
    from keras_cgan.data import PairPipeline
    from keras_cgan.training.checkpoint import TrainerCheckpoint

    settings = run.settings
    size = (settings["image_size"],) * 2
    pipeline = PairPipeline(pairs, size, settings["batch_size"], seed=settings["seed"])
    total = settings["epochs"] * pipeline.steps_per_epoch
    checkpoint = TrainerCheckpoint(trainer, run.path / "checkpoint")
    step = checkpoint.restore()
    run.keep_losses(step)
    progress = Progress(step, total)
    stop = StopOnCtrlC()

    for x, y in pipeline.batches(step, total):
        losses = trainer.train_on_batch(x, y)
        step += 1
        run.add_losses(step, losses)
        progress.show(step, losses)
        if step % SAMPLE_EVERY == 0:
            samples.write(run.path / "samples" / f"step-{step:06d}.png")
            trainer.generator.save_weights(run.path / "weights" / "generator.weights.h5")
            trainer.discriminator.save_weights(run.path / "weights" / "discriminator.weights.h5")
        if step % pipeline.steps_per_epoch == 0 or stop.asked:
            checkpoint.save(step)
        if stop.asked:
            break
    progress.end()
    return step, total


class Samples:
    """The sample grid: photo | generated | true of some test pairs, and the same photos as every class."""

    def __init__(self, generator, photos, labels, sketches, class_names):
        self._content = generator, photos, labels, sketches, class_names

    def write(self, path):
        from keras_cgan.data import write_image
        from keras_cgan.pictures import sample_grid

        write_image(path, sample_grid(*self._content))


class Progress:
    """A bar with losses and time left; in a log file, a line every 20 steps."""

    def __init__(self, first_step, total):
        self._total, self._first, self._start = total, first_step, None
        self._is_terminal = sys.stdout.isatty()

    def show(self, step, losses):
        if self._start is None:
            # The first step also compiles: it says nothing about the time left.
            self._start, self._first = time.monotonic(), step
        if not self._is_terminal and step % SAMPLE_EVERY and step != self._total:
            return
        done = step - self._first
        left = (time.monotonic() - self._start) / done * (self._total - step) if done else math.nan
        clock = f"{int(left) // 60}:{int(left) % 60:02d}" if done else "-:--"
        filled = round(20 * step / self._total)
        text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
        line = f"step {step}/{self._total} [{'=' * filled}{'.' * (20 - filled)}] {clock} left  {text}"
        print(f"\r{line}\033[K" if self._is_terminal else line, end="" if self._is_terminal else "\n", flush=True)

    def end(self):
        if self._is_terminal:
            print()


class StopOnCtrlC:
    """Lets the step under way end on the first Ctrl-C (or SIGTERM); a second one stops at once."""

    def __init__(self):
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number, frame):
        self.asked = True
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)


def arrays(pairs, settings, most=None):
    """Photos, labels and sketches as arrays: one pair a photo, at most so many, spread over the set."""
    import numpy as np
    from keras_cgan.data import to_unit

    indices = np.unique(pairs.photo_ids, return_index=True)[1] if most else np.arange(len(pairs))
    if most and len(indices) > most:
        indices = indices[np.linspace(0, len(indices) - 1, most).astype(int)]
    loaded = [pairs.load(i, (settings["image_size"],) * 2) for i in indices]
    photos, sketches = (to_unit(np.stack(images)) for images in zip(*loaded))
    return photos, pairs.one_hot(indices), sketches


def measure(run, trainer, train_pairs, test):
    """Trains the judge, measures the generator, writes results.json; returns the measures."""
    from keras_cgan.evaluate import evaluate, train_judge

    print("training an independent classifier on real sketches, as a judge ...", flush=True)
    _, labels, sketches = arrays(train_pairs, run.settings)
    results = evaluate(trainer.generator, train_judge(sketches, labels), *test)
    write_json(run.path / "results.json", results)
    return results


def summary(results, n_classes):
    """The measures in one line: none of the first three may stand alone."""
    parts = [f"class accuracy {results['class_accuracy']:.2f} (real sketches {results['class_accuracy_real']:.2f})"]
    if "swap_asked" in results:
        parts.append(f"asked for another class: drawn {results['swap_asked']:.2f} (chance {1 / n_classes:.2f})")
    parts.append(f"within-class diversity {results['within_class_diversity']:.2f} (real sketches 1, all alike 0)")
    parts.append(f"L1 {results['l1']:.3f} (white paper {results['l1_white_paper']:.3f})")
    return "; ".join(parts)


def main(arguments=None):
    run = open_run(parse_arguments(arguments))
    settings = run.settings
    start_tensorflow(settings["seed"], settings["precision"])
    train_pairs, test_pairs = load_pairs(settings)
    names = train_pairs.class_names
    print(f"{len(train_pairs)} training and {len(test_pairs)} test pairs of {len(names)} classes: {', '.join(names)}")

    trainer = make_trainer(settings, len(names))
    test = arrays(test_pairs, settings, MOST_TEST_PHOTOS)
    samples = Samples(trainer.generator, *test, names)
    step, total = train(run, trainer, train_pairs, samples)
    if step < total:
        print(f"stopped and saved after step {step} of {total}. To go on:\n  python {sys.argv[0]} --resume {run.path}")
        return

    samples.write(run.path / "samples.png")
    for network in (trainer.generator, trainer.discriminator, trainer.classifier):
        if network is not None:
            network.save(run.path / f"{network.name}.keras")
    results = measure(run, trainer, train_pairs, test)
    print(f"sketches:  {run.path / 'samples.png'}\nmodels:    {run.path}/*.keras")
    print(f"losses:    {run.path / 'losses.csv'}\nmeasures:  {run.path / 'results.json'}")
    print(summary(results, len(names)))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
