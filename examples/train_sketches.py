"""Trains a generator that draws photos as sketches, and shows how well the class is drawn.

    python examples/train_sketches.py                    # the embedded set, in a few minutes
    python examples/train_sketches.py --data my_pairs    # your own pairs
    python examples/train_sketches.py --resume runs/classifier-1

Your pairs: my_pairs/{train,test}/{photo,sketch}/<class>/<name>.png. Without train and test
folders, a fifth of the photos is held out for the test.

`train` is the loop; the step itself is one page in keras_cgan/training/reference.py, and the same
in one compiled function, faster, in keras_cgan/training/conditional_gan.py.
"""

import argparse
import json
import math
import shlex
import sys
from pathlib import Path

from keras_cgan.checks import UPSAMPLINGS
from keras_cgan.console import Progress, StopOnCtrlC
from keras_cgan.data.images import FITS
from keras_cgan.recipe_run import run_program
from keras_cgan.run_folder import RunFolder, check_new, write_json
from keras_cgan.startup import PRECISIONS, start_tensorflow
from keras_cgan.strategies import (
    PHOTO_WEIGHTS,
    STRATEGIES,
    TOWER_STEPS,
    default_warp,
    default_weights,
    list_strategies,
    photo_weights,
    read_photo_weights,
    tower_pairs,
)

DEFAULTS = {
    "data": None,
    "fit": "pad",
    "misalignment": 0.4,
    "strategy": "classifier",
    "label_input": None,
    "image_size": 64,
    "batch_size": 8,
    "epochs": 50,
    "filters": 32,
    "g_filters": None,
    "upsampling": None,
    "l1_weight": None,
    "adversarial_weight": 1.0,
    "class_weight": None,
    "photo_weights": None,
    "seed": 0,
    "precision": "auto",
    "engine": "fused",
    "aligned": None,
    "warp": None,
    "blur_photos": 0.0,
    "average_decay": None,
    "judge_epochs": None,
}
ENGINES = ("fused", "reference")
LEAST = {"misalignment": 0, "image_size": 24, "batch_size": 1, "epochs": 1, "filters": 1, "g_filters": 1}
LEAST |= {"warp": 0, "l1_weight": 0, "adversarial_weight": 0, "class_weight": 0, "seed": 0, "judge_epochs": 1}
SAMPLE_EVERY = 20  # batches
ADVICE = "a new run with --precision float32 or other weights may help"  # where a loss is NaN
MOST_TEST_PHOTOS = 1000  # that the final measures are taken on
MOST_JUDGE_SKETCHES = 3000  # that the judge learns from


def usual_weights(name):
    """What a weight is by default, for --help: `100; for sigmoid, fake-class 0 where pairs do not align`."""
    common, others = default_weights("classifier")[name], {}
    for strategy in STRATEGIES:
        aligned, free = (default_weights(strategy, aligned)[name] for aligned in (True, False))
        said = f"{free:g}" if aligned == free else f"{free:g} where pairs do not align"
        said = said if aligned in (free, common) else f"{aligned:g}, {said}"
        if {aligned, free} != {common}:
            others.setdefault(said, []).append(strategy)
    return "; for ".join([f"{common:g}", *(f"{', '.join(names)} {said}" for said, names in others.items())])


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description="Trains a class-conditional photo-to-sketch GAN and measures it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"strategies:\n{list_strategies()}",
    )

    def add(name, text, **options):
        default = DEFAULTS[name.lstrip("-").replace("-", "_")]
        # No default here: so that a resumed run can tell what was asked for.
        parser.add_argument(name, help=f"{text} (default: {default})", default=argparse.SUPPRESS, **options)

    parser.add_argument(
        "--data",
        default=argparse.SUPPRESS,
        help="folder of photo/sketch pairs (default: the embedded set)",
    )
    add("--fit", "how images that are not square are brought to size", choices=FITS)
    add("--misalignment", "of the embedded set: 0 traced, 1 drawn from memory", type=float)
    add("--strategy", "how the labels are used, see below", choices=STRATEGIES)
    parser.add_argument(
        "--label-input",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="whether the generator is told the label (default: yes, but not for pix2pix)",
    )
    add("--image-size", "height and width in pixels, a multiple of 4, at least 24", type=int)
    add("--batch-size", "pairs a step", type=int)
    add(
        "--epochs",
        "passes over the training pairs; the more, the surer class-and-photo draws another class when asked",
        type=int,
    )
    add("--filters", "maps of the first convolution", type=int)
    parser.add_argument(
        "--g-filters",
        type=int,
        default=argparse.SUPPRESS,
        help="maps of the first convolution of the generator alone (default: as of both)",
    )
    parser.add_argument(
        "--upsampling",
        choices=UPSAMPLINGS,
        default=argparse.SUPPRESS,
        help="of the generator (default: resize; for pix2pix transpose, as the paper has it)",
    )
    times = f"{PHOTO_WEIGHTS['swap_weight']:g} times as much for another than the photo's"
    texts = {"l1": "the distance to the true sketch", "class": f"the class; in class-and-photo {times}"}
    for name, text in texts.items():
        parser.add_argument(
            f"--{name}-weight",
            type=float,
            default=argparse.SUPPRESS,
            help=f"of {text} (default: {usual_weights(f'{name}_weight')})",
        )
    own = ",".join(f"{name}={weight:g}" for name, weight in PHOTO_WEIGHTS.items())
    parser.add_argument(
        "--photo-weights",
        type=read_photo_weights,
        metavar="NAME=NUMBER,...",
        default=argparse.SUPPRESS,
        help="some of the weights of what class-and-photo asks for where pairs do not align: the photo's "
        "edges, the photo told by towers, the true sketch's features in the classifier; how often another "
        f"class is asked for, and how many times as much the class weighs then (default: {own})",
    )
    parser.add_argument(
        "--aligned",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="whether sketches lie on their photos' lines (default: as measured)",
    )
    parser.add_argument(
        "--warp",
        type=float,
        default=argparse.SUPPRESS,
        help="how strongly photo and sketch are bent together, 0 not at all (default: 0; for class-and-photo "
        f"{default_warp('class-and-photo'):g}, where aligned 0)",
    )
    add(
        "--blur-photos",
        "share of the training photos that are blurred, so that the class is drawn by the label",
        metavar="RATE",
        type=float,
    )
    parser.add_argument(
        "--average-decay",
        type=float,
        default=argparse.SUPPRESS,
        help="of a moving average of the generator's weights, which is what is kept then; 0: none (default: "
        f"0; for class-and-photo {STRATEGIES['class-and-photo'].average_decay:g})",
    )
    add("--adversarial-weight", "of fooling the discriminator", type=float)
    add("--seed", "of weights, order and augmentation", type=int)
    add("--precision", "Keras dtype policy; auto: the fastest of this machine", choices=PRECISIONS)
    add("--engine", "one compiled step, or the answer's three compiled models: same maths", choices=ENGINES)
    parser.add_argument(
        "--judge-epochs",
        type=int,
        default=argparse.SUPPRESS,
        help="passes over the true sketches that the judge learns by (default: 60, fewer of many)",
    )
    parser.add_argument("--out", help="new folder for the results (default: runs/<strategy>-<number>)")
    parser.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")
    return parser.parse_args(arguments)


def choose_settings(options):
    """The defaults and what was asked for; with `--resume` the run's own, where only the epochs may grow."""
    asked = {name: value for name, value in vars(options).items() if name in DEFAULTS}
    if asked.get("data"):
        asked["data"] = str(Path(asked["data"]).resolve())
    if options.resume:
        if asked.get("precision") == "auto":
            del asked["precision"]  # settled when the run began
        settings = {**resumed_settings(options, asked), **asked}
    else:
        settings = {**DEFAULTS, **asked}
        if settings["label_input"] is None:
            settings["label_input"] = settings["strategy"] != "pix2pix"
        if settings["upsampling"] is None:
            settings["upsampling"] = STRATEGIES[settings["strategy"]].upsampling
        if options.out:
            check_new(options.out)
    if settings["average_decay"] is None:  # of an earlier version's run, too
        settings["average_decay"] = STRATEGIES[settings["strategy"]].average_decay or 0.0
    check(settings)
    return settings


def settle(settings, train_pairs):
    """Says whether pairs align, and fills in what depends on it."""
    from keras_cgan.metrics import describe_alignment, is_aligned

    if settings["aligned"] is None:
        settings["aligned"], alignment = is_aligned(train_pairs, (settings["image_size"],) * 2)
        print(describe_alignment(alignment))
    given = settings["strategy"], settings["aligned"], settings["photo_weights"]
    settings["photo_weights"] = photo_weights(*given)
    for name, weight in default_weights(settings["strategy"], settings["aligned"]).items():
        if settings[name] is None:
            settings[name] = weight
    if settings["warp"] is None:
        settings["warp"] = default_warp(settings["strategy"], settings["aligned"])


def resumed_settings(options, asked):
    """The settings of the run to go on with; raises a `ValueError` where others are asked for."""
    if options.out:
        raise ValueError("--resume goes on in its own folder: leave out --out")
    # What earlier versions did not measure and store.
    before = {"aligned": False, "photo_weights": {}, "warp": 0.0}
    settings = {**DEFAULTS, **before, **RunFolder.open(options.resume).settings}
    settings["photo_weights"] = weights_of_run(settings)
    if "photo_weights" in asked:
        asked["photo_weights"] = {**settings["photo_weights"], **asked["photo_weights"]}
    for name, value in asked.items():
        if name == "epochs" and value < settings[name]:
            raise ValueError(f"--epochs is {settings[name]} in {options.resume}: ask for more, not fewer")
        if name not in ("epochs", "judge_epochs") and value != settings[name]:
            raise ValueError(
                f"{flag(name)} is {settings[name]} in {options.resume}: a run is resumed as it was started"
            )
    return settings


def weights_of_run(settings):
    """The photo weights that a run was begun with; raises a `ValueError` where it does not say them."""
    now, stored = photo_weights(settings["strategy"], settings["aligned"]), settings["photo_weights"]
    if now and set(stored) | {"feature_matching"} != set(now):
        raise ValueError(
            f"--resume must be a run of {settings['strategy']} that says what it weighs by {', '.join(now)}. "
            f"Received: one of an earlier version, with {stored or 'nothing of it'}"
        )
    return dict.fromkeys(now, 0.0) | stored


def check(settings):
    """Raises a `ValueError` that names the flag, before anything is loaded or written."""
    for name, least in LEAST.items():
        if settings[name] is not None and not least <= settings[name] < math.inf:
            raise ValueError(f"{flag(name)} must be at least {least}. Received: {settings[name]}")
    if not 0 <= settings["blur_photos"] <= 1:
        raise ValueError(f"--blur-photos must be from 0 to 1. Received: {settings['blur_photos']}")
    if not 0 <= settings["average_decay"] < 1:
        raise ValueError(f"--average-decay must be in [0, 1). Received: {settings['average_decay']}")
    if settings["image_size"] % 4:
        raise ValueError(f"--image-size must be a multiple of 4. Received: {settings['image_size']}")
    if STRATEGIES[settings["strategy"]].photo and not settings["label_input"]:
        raise ValueError(
            f"--strategy {settings['strategy']} swaps labels, so the generator must be told them. "
            "Received: --no-label-input"
        )
    if settings["photo_weights"] and not STRATEGIES[settings["strategy"]].photo:
        raise ValueError(
            f"--photo-weights are of --strategy class-and-photo. Received: --strategy {settings['strategy']}"
        )
    if settings["engine"] == "reference" and STRATEGIES[settings["strategy"]].photo:
        raise ValueError(
            f"--engine must be fused for --strategy {settings['strategy']}. Received: --engine reference"
        )
    if settings["engine"] == "reference" and settings["average_decay"]:
        raise ValueError(
            "--average-decay must be 0 for --engine reference, which keeps no average. "
            f"Received: {settings['average_decay']}"
        )
    if settings["data"] and not Path(settings["data"]).is_dir():
        raise ValueError(
            f"--data must be a folder of pairs. Received: {settings['data']}, where there is none"
        )


def flag(name):
    return "--" + name.replace("_", "-")


def is_finished(path, settings):
    """Whether a run has its measures, taken after all of its epochs."""
    file = Path(path) / "results.json"
    return file.exists() and json.loads(file.read_text(encoding="utf-8")).get("epochs") == settings["epochs"]


def open_run(options, settings):
    """The folder of the run, a new one or that of `--resume`."""
    if not options.resume:
        return RunFolder.new(options.out or RunFolder.next_free("runs", settings["strategy"]), settings)
    run = RunFolder.open(options.resume)
    run.change_settings(settings)
    return run


def make_towers(settings):
    """Two networks that are to learn which sketch is of which photo; `None` where a strategy has no need."""
    from keras_cgan.strategy_parts import strategy_towers

    size = (settings["image_size"], settings["image_size"], 3)
    weights = settings["photo_weights"]
    return strategy_towers(settings["strategy"], size, settings["aligned"], weights=weights)


def make_trainer(settings, n_classes, towers=None, n_photos=None):
    """The engine over the networks of the strategy: both answer `train_on_batch(x, y)` with the losses."""
    from keras_cgan import ReferenceTrainer, strategy_model, strategy_networks

    networks = strategy_networks(
        settings["strategy"],
        (settings["image_size"], settings["image_size"], 3),
        n_classes,
        label_input=settings["label_input"],
        filters=settings["filters"],
        upsampling=settings["upsampling"],
        g_filters=settings["g_filters"],
    )
    weights = {name: settings[name] for name in ("l1_weight", "adversarial_weight", "class_weight")}
    if settings["engine"] == "reference":
        return ReferenceTrainer(*networks, settings["strategy"], **weights)
    weights["average_decay"] = settings["average_decay"] or None
    weights["weights"] = settings["photo_weights"]
    return strategy_model(settings["strategy"], networks, settings["aligned"], towers, n_photos, **weights)


def make_pipeline(pairs, settings):
    from keras_cgan.data import PairPipeline

    size = (settings["image_size"],) * 2
    options = {"seed": settings["seed"], "warp": settings["warp"], "blur_rate": settings["blur_photos"]}
    return PairPipeline(pairs, size, settings["batch_size"], **options)


def teach(towers, pairs, settings):
    """Trains the towers on the true pairs."""
    from keras_cgan import train_towers

    photos, sketches = tower_pairs(pairs, (settings["image_size"],) * 2)
    print(f"training two networks to tell which of {len(photos)} sketches is of which photo ...", flush=True)
    train_towers(*towers, photos, sketches, steps=TOWER_STEPS)


def train(run, trainer, pipeline, samples, alarms, towers=None):
    """The training loop. Returns the number of steps done and of all: the same, unless it was stopped."""
    from keras_cgan.callbacks import RestoreSteps
    from keras_cgan.training.checkpoint import TrainerCheckpoint

    total = run.settings["epochs"] * pipeline.steps_per_epoch
    checkpoint = TrainerCheckpoint(trainer, run.path / "checkpoint")
    if towers and not checkpoint.exists():
        try:
            teach(towers, pipeline.pairs, run.settings)
        except KeyboardInterrupt:
            return 0, total
    restore = RestoreSteps(checkpoint, trainer, advice=ADVICE)
    step = restore.begin()
    run.keep_losses(step)
    progress = Progress(total, SAMPLE_EVERY)
    alarms.begin()

    with StopOnCtrlC() as stop:
        for x, y in pipeline.batches(step, total):
            losses = trainer.train_on_batch(x, y)
            step += 1
            run.add_losses(step, losses)
            draws, ends = step % SAMPLE_EVERY == 0, step % pipeline.steps_per_epoch == 0
            if warning := restore.look(step, losses, weights=draws or ends):
                progress.end()
                print(f"warning: {warning}", flush=True)
                continue
            progress.show(step, losses)
            alarms.add(losses)
            if draws:
                samples.write(run.path / "samples" / f"step-{step:06d}.png")
                run.save_weights(trainer.generator, trainer.discriminator)
            if ends or stop.asked:
                for warning in alarms.end_epoch(math.ceil(step / pipeline.steps_per_epoch)):
                    progress.end()
                    print(f"warning: {warning}", flush=True)
                restore.save(step)
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


def measure(run, generator, train_pairs, test):
    """Trains the judge, measures the generator, writes results.json; returns the measures."""
    from keras_cgan.evaluate import evaluate
    from keras_cgan.judges import train_judge

    _, labels, sketches = train_pairs.as_arrays((run.settings["image_size"],) * 2, MOST_JUDGE_SKETCHES)
    print(f"training an independent classifier on {len(labels)} real sketches, as a judge ...", flush=True)
    judge = train_judge(sketches, labels, run.settings["judge_epochs"])
    results = evaluate(generator, judge, *test)
    write_json(run.path / "results.json", {"epochs": run.settings["epochs"], **results})
    return results


def summary(results, n_classes):
    """The measures in one line: none of the first three may stand alone."""
    text = {name: "n/a" if math.isnan(value) else f"{value:.2f}" for name, value in results.items()}
    parts = [f"class accuracy {text['class_accuracy']} (real sketches {text['class_accuracy_real']})"]
    if "swap_asked" in text:
        parts.append(f"asked for another class: drawn {text['swap_asked']} (chance {1 / n_classes:.2f})")
    ranks = f"{text['photo_rank_features']} and {text['photo_rank_chamfer']}"
    parts.append(
        f"true sketch's rank in its class, by the judge and by chamfer distance, {ranks} (chance .50)"
    )
    parts.append(f"within-class diversity {text['within_class_diversity']} (real sketches 1, all alike 0)")
    parts.append(f"L1 {results['l1']:.3f} (white paper {results['l1_white_paper']:.3f})")
    return "; ".join(parts)


def main(arguments=None):
    options = parse_arguments(arguments)
    settings = choose_settings(options)
    if options.resume and is_finished(options.resume, settings):
        print(f"{options.resume} is finished: {settings['epochs']} epochs. To go on, ask for more --epochs.")
        return
    start_tensorflow(settings["seed"], settings["precision"])
    from keras_cgan.precision import fastest_precision, to_float32

    if settings["precision"] == "auto":
        settings["precision"], reason = fastest_precision()
        print(f"precision: {settings['precision']} ({reason})")
    from keras_cgan.callbacks import EpochAlarms
    from keras_cgan.data import open_pairs

    train_pairs, test_pairs = open_pairs(settings["data"], settings["misalignment"], settings["fit"])
    if getattr(train_pairs, "split_note", None):
        print(train_pairs.split_note)
    names = train_pairs.class_names
    counts = f"{len(train_pairs)} training and {len(test_pairs)} test pairs"
    print(f"{counts} of {len(names)} classes: {', '.join(names)}")

    settle(settings, train_pairs)
    towers = make_towers(settings)
    trainer = make_trainer(settings, len(names), towers, train_pairs.n_photos)
    pipeline = make_pipeline(train_pairs, settings)
    test = test_pairs.as_arrays((settings["image_size"],) * 2, MOST_TEST_PHOTOS)
    samples = Samples(trainer.generator, *test, names)
    run = open_run(options, settings)  # only now: a run that cannot start leaves no folder behind
    step, total = train(run, trainer, pipeline, samples, EpochAlarms(trainer, *test, ADVICE), towers)
    if step < total:
        print(f"stopped and saved after step {step} of {total}. To go on:")
        print("  " + shlex.join([sys.executable, sys.argv[0], "--resume", str(run.path)]))
        return

    generator = to_float32(trainer.kept_generator())
    Samples(generator, *test, names).write(run.path / "samples.png")
    others = [network for network in (trainer.discriminator, trainer.classifier) if network is not None]
    for network in (generator, *map(to_float32, others)):
        network.save(run.path / f"{network.name}.keras")
    results = measure(run, generator, train_pairs, test)
    print(f"sketches:  {run.path / 'samples.png'}\nmodels:    {run.path}/*.keras")
    print(f"losses:    {run.path / 'losses.csv'}\nmeasures:  {run.path / 'results.json'}")
    print(summary(results, len(names)))


if __name__ == "__main__":
    run_program(main)
