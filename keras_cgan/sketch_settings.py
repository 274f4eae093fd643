"""The settings of a training of photo to sketch: its options, checked, and what follows from its pairs."""

import argparse
from pathlib import Path

from keras_cgan.checks import UPSAMPLINGS, check_flags, flag
from keras_cgan.data.images import FITS
from keras_cgan.run_folder import RunFolder, check_new
from keras_cgan.startup import PRECISIONS
from keras_cgan.strategies import (
    PHOTO_WEIGHTS,
    STRATEGIES,
    default_warp,
    default_weights,
    list_strategies,
    photo_weights,
    read_photo_weights,
)

DEFAULTS = {  # `None`: as suits the strategy, or what the pairs are found to be
    "data": None,
    "fit": "pad",
    "misalignment": 0.4,
    "aligned": None,
    "warp": None,
    "blur_photos": 0.0,
    "strategy": "classifier",
    "label_input": None,
    "image_size": 64,
    "filters": 32,
    "g_filters": None,
    "upsampling": None,
    "l1_weight": None,
    "adversarial_weight": 1.0,
    "class_weight": None,
    "photo_weights": None,
    "batch_size": 8,
    "epochs": 50,
    "average_decay": None,
    "engine": "fused",
    "precision": "auto",
    "seed": 0,
    "judge_epochs": None,
}
ENGINES = ("fused", "reference")
LEAST = {"misalignment": 0, "image_size": 24, "batch_size": 1, "epochs": 1, "filters": 1, "g_filters": 1}
LEAST |= {"warp": 0, "l1_weight": 0, "adversarial_weight": 0, "class_weight": 0, "seed": 0, "judge_epochs": 1}


def parse_arguments(arguments=None):
    """The command line of `examples/train_sketches.py`.

    Args:
        arguments: It as a list; `None` for the program's own.

    Returns:
        An `argparse.Namespace` of `out`, `resume` and what else was asked for: no defaults, so that a
        resumed run can tell.

    Example:

    >>> settings = choose_settings(parse_arguments(["--strategy", "pix2pix", "--epochs", "3"]))
    """
    parser = argparse.ArgumentParser(
        description="Trains a class-conditional photo-to-sketch GAN and measures it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        epilog=f"strategies:\n{list_strategies()}",
    )
    for title, add_options in {
        "pairs": _add_pairs,
        "labels and networks": _add_networks,
        "what the generator is asked for": _add_weights,
        "training": _add_training,
        "results": _add_results,
    }.items():
        add_options(parser.add_argument_group(title))
    return parser.parse_args(arguments)


def _add_pairs(group):
    group.add_argument("--data", help="folder of photo/sketch pairs (default: the embedded set)")
    _add(group, "--fit", "how images that are not square are brought to size", choices=FITS)
    _add(group, "--misalignment", "of the embedded set: 0 traced, 1 drawn from memory", type=float)
    group.add_argument(
        "--aligned",
        action=argparse.BooleanOptionalAction,
        help="whether sketches lie on their photos' lines (default: as measured)",
    )
    group.add_argument(
        "--warp",
        type=float,
        help="how strongly photo and sketch are bent together, 0 not at all (default: 0; for class-and-photo "
        f"{default_warp('class-and-photo'):g}, where aligned 0)",
    )
    _add(
        group,
        "--blur-photos",
        "share of the training photos that are blurred, so that the class is drawn by the label",
        metavar="RATE",
        type=float,
    )


def _add_networks(group):
    _add(group, "--strategy", "how the labels are used, see below", choices=STRATEGIES)
    group.add_argument(
        "--label-input",
        action=argparse.BooleanOptionalAction,
        help="whether the generator is told the label (default: yes, but not for pix2pix)",
    )
    _add(group, "--image-size", "height and width in pixels, a multiple of 4, at least 24", type=int)
    _add(group, "--filters", "maps of the first convolution", type=int)
    group.add_argument(
        "--g-filters",
        type=int,
        help="maps of the first convolution of the generator alone (default: as of both)",
    )
    group.add_argument(
        "--upsampling",
        choices=UPSAMPLINGS,
        help="of the generator (default: resize; for pix2pix transpose, as the paper has it)",
    )


def _add_weights(group):
    group.add_argument(
        "--l1-weight",
        type=float,
        help=f"of the distance to the true sketch (default: {_usual_weights('l1_weight')})",
    )
    _add(group, "--adversarial-weight", "of fooling the discriminator", type=float)
    group.add_argument(
        "--class-weight",
        type=float,
        help=f"of the class; in class-and-photo {PHOTO_WEIGHTS['swap_weight']:g} times as much for another "
        f"than the photo's (default: {_usual_weights('class_weight')})",
    )
    own = ",".join(f"{name}={weight:g}" for name, weight in PHOTO_WEIGHTS.items())
    group.add_argument(
        "--photo-weights",
        type=read_photo_weights,
        metavar="NAME=NUMBER,...",
        help="some of the weights of what class-and-photo asks for where pairs do not align: the photo's "
        "edges, the photo told by towers, the true sketch's features in the classifier; how often another "
        f"class is asked for, and how many times as much the class weighs then (default: {own})",
    )


def _add_training(group):
    _add(group, "--batch-size", "pairs a step", type=int)
    _add(
        group,
        "--epochs",
        "passes over the training pairs; the more, the surer class-and-photo draws another class when asked",
        type=int,
    )
    group.add_argument(
        "--average-decay",
        type=float,
        help="of a moving average of the generator's weights, which is what is kept then; 0: none (default: "
        f"0; for class-and-photo {STRATEGIES['class-and-photo'].average_decay:g})",
    )
    engines = "one compiled step, or the answer's three compiled models: same maths"
    _add(group, "--engine", engines, choices=ENGINES)
    _add(group, "--precision", "Keras dtype policy; auto: the fastest of this machine", choices=PRECISIONS)
    _add(group, "--seed", "of weights, order and augmentation", type=int)


def _add_results(group):
    group.add_argument(
        "--judge-epochs",
        type=int,
        help="passes over the true sketches that the judge learns by (default: 60, fewer of many)",
    )
    text = "new folder for the results (default: runs/<strategy>-<number>)"
    group.add_argument("--out", help=text, default=None)
    group.add_argument("--resume", metavar="RUN", help="go on with the run in this folder", default=None)


def _add(group, name, text, **options):
    """Adds an option that says what of `DEFAULTS` it is where it is not given."""
    default = DEFAULTS[name.lstrip("-").replace("-", "_")]
    group.add_argument(name, help=f"{text} (default: {default})", **options)


def _usual_weights(name):
    """What a weight is by default, for --help: `100; for sigmoid, fake-class 0 where pairs do not align`."""
    common, others = default_weights("classifier")[name], {}
    for strategy in STRATEGIES:
        aligned, free = (default_weights(strategy, aligned)[name] for aligned in (True, False))
        said = f"{free:g}" if aligned == free else f"{free:g} where pairs do not align"
        said = said if aligned in (free, common) else f"{aligned:g}, {said}"
        if {aligned, free} != {common}:
            others.setdefault(said, []).append(strategy)
    return "; for ".join([f"{common:g}", *(f"{', '.join(names)} {said}" for said, names in others.items())])


def choose_settings(options):
    """The defaults and what was asked for; with `--resume` the run's own, where only the epochs may grow.

    Args:
        options: As `parse_arguments` has them.

    Returns:
        A dict of the names in `DEFAULTS`. What depends on whether pairs align is `None` still: `settle`.

    Raises:
        ValueError: An option is out of its range, does not go with another, or is not that of the run.
        FileExistsError: There is something in the folder of `--out`.
        FileNotFoundError: The folder of `--resume` is not that of a run.

    Example:

    >>> choose_settings(parse_arguments(["--strategy", "pix2pix"]))["label_input"]
    False
    """
    asked = {name: value for name, value in vars(options).items() if name in DEFAULTS}
    if asked.get("data"):
        asked["data"] = str(Path(asked["data"]).resolve())
    if options.resume:
        if asked.get("precision") == "auto":
            del asked["precision"]  # settled when the run began
        settings = {**_resumed_settings(options, asked), **asked}
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
    _check(settings)
    return settings


def _resumed_settings(options, asked):
    """The settings of the run to go on with; raises a `ValueError` where others are asked for."""
    if options.out:
        raise ValueError("--resume goes on in its own folder: leave out --out")
    # What earlier versions did not measure and store.
    before = {"aligned": False, "photo_weights": {}, "warp": 0.0}
    run = RunFolder.open(options.resume)
    settings = {**DEFAULTS, **before, **run.settings}
    settings["photo_weights"] = _weights_of_run(settings)
    if "photo_weights" in asked:
        asked["photo_weights"] = {**settings["photo_weights"], **asked["photo_weights"]}
    if run.has_lost("data") and not asked.get("data"):
        raise ValueError(
            f"--data of {options.resume} is {settings['data']}, where there is none any more: say where it is"
        )
    for name, value in asked.items():
        if name == "epochs" and value < settings[name]:
            raise ValueError(f"--epochs is {settings[name]} in {options.resume}: ask for more, not fewer")
        is_free = name in ("epochs", "judge_epochs") or (name == "data" and run.has_lost("data"))
        if not is_free and value != settings[name]:
            raise ValueError(
                f"{flag(name)} is {settings[name]} in {options.resume}: a run is resumed as it was started"
            )
    return settings


def _weights_of_run(settings):
    """The photo weights that a run was begun with; raises a `ValueError` where it does not say them."""
    now, stored = photo_weights(settings["strategy"], settings["aligned"]), settings["photo_weights"]
    if now and set(stored) | {"feature_matching"} != set(now):
        raise ValueError(
            f"--resume must be a run of {settings['strategy']} that says what it weighs by {', '.join(now)}. "
            f"Received: one of an earlier version, with {stored or 'nothing of it'}"
        )
    return dict.fromkeys(now, 0.0) | stored


def _check(settings):
    """Raises a `ValueError` that names the flag, before anything is loaded or written."""
    check_options(settings, LEAST)
    if not 0 <= settings["blur_photos"] <= 1:
        raise ValueError(f"--blur-photos must be from 0 to 1. Received: {settings['blur_photos']}")
    if not 0 <= settings["average_decay"] < 1:
        raise ValueError(f"--average-decay must be in [0, 1). Received: {settings['average_decay']}")
    if STRATEGIES[settings["strategy"]].photo and not settings["label_input"]:
        raise ValueError(
            f"--strategy {settings['strategy']} swaps labels, so the generator must be told them. "
            "Received: --no-label-input"
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


def check_options(settings, leasts):
    """Refuses what no training of photo to sketch can be given, before anything is loaded or written.

    Args:
        settings: A dict, name -> value, of `data`, `image_size`, `strategy`, `photo_weights` and the names
            in `leasts`.
        leasts: A dict, name -> the least number that it may be, where it is not `None`.

    Raises:
        ValueError: One is out of its range, or does not go with another; it names the option.

    Example:

    >>> check_options({**DEFAULTS, "epochs": 0}, leasts={"epochs": 1})
    Traceback (most recent call last):
    ValueError: --epochs must be at least 1. Received: 0
    """
    check_flags(leasts, settings)
    if settings["image_size"] % 4:
        raise ValueError(f"--image-size must be a multiple of 4. Received: {settings['image_size']}")
    if settings["photo_weights"] and not STRATEGIES[settings["strategy"]].photo:
        raise ValueError(
            f"--photo-weights are of --strategy class-and-photo. Received: --strategy {settings['strategy']}"
        )
    if settings["data"] and not Path(settings["data"]).is_dir():
        raise ValueError(
            f"--data must be a folder of pairs. Received: {settings['data']}, where there is none"
        )


def settle(settings, train_pairs, say=print):
    """Says whether pairs align, and fills in what depends on the pairs and was not asked for.

    Args:
        settings: A dict of `image_size`, `strategy`, and, `None` where not asked for, `aligned`, `warp`,
            `l1_weight`, `class_weight` and `photo_weights`: changed in place. With `class_names` it is of a
            run that is gone on with.
        train_pairs: The pairs to train on, such as `FolderPairs`.
        say: A function of the text that says how well they align.

    Raises:
        ValueError: The pairs are of other classes than the run, or photo weights were asked for and the
            strategy has none where pairs align.

    Example:

    >>> settle(settings, EmbeddedPairs(424))
    alignment of photo and sketch: 0.17, of 0 to about .5: pixels of photo and sketch do not belong together
    """
    from keras_cgan.metrics import describe_alignment, is_aligned

    check_classes(settings, train_pairs.class_names)
    settings["class_names"] = list(train_pairs.class_names)
    if settings["aligned"] is None:
        settings["aligned"], alignment = is_aligned(train_pairs, (settings["image_size"],) * 2)
        say(describe_alignment(alignment))
    strategy, aligned = settings["strategy"], settings["aligned"]
    settings["photo_weights"] = photo_weights(strategy, aligned, settings["photo_weights"])
    own = default_weights(strategy, aligned) | {"warp": default_warp(strategy, aligned)}
    for name, value in own.items():
        if settings[name] is None:
            settings[name] = value


def check_classes(settings, class_names):
    """Raises a `ValueError` where pairs are of other classes than a run: it knows them by number.

    Args:
        settings: Those of the run, of an earlier version perhaps without `class_names`.
        class_names: Those of the pairs, in their order.

    Example:

    >>> check_classes(RunFolder.open("runs/classifier-1").settings, test_pairs.class_names)
    """
    known = settings.get("class_names") or list(class_names)
    if known != list(class_names):
        raise ValueError(
            f"pairs must be of the classes of the run, {', '.join(known)}, in that order. "
            f"Received: {', '.join(class_names)}"
        )
