"""The ways of using the labels: what each is, and what it weighs by; made of parts by `strategy_parts`.

What a network is told follows from its outputs, not from the strategy's name: see
`keras_cgan.training.reference`.
"""

import argparse
import math
from typing import NamedTuple


class Strategy(NamedTuple):
    """One way of using the labels.

    Attributes:
        summary: One line for a reader.
        paired: Whether the discriminator sees photo and sketch, or the sketch alone.
        outputs: Names of the discriminator's outputs.
        classifier: Whether a classifier is trained beside it.
        class_head: Activation of the n_classes + 1 vector, where that is settled.
        upsampling: Of the generator, by default: the baseline keeps the paper's.
        augment: Whether the discriminator sees images shifted and cut into (`DiffAugment`).
        l1_weight, class_weight: What the examples weigh these losses of the generator by.
        unaligned_l1_weight, unaligned_class_weight: The same where sketches do not lie on their photos'
            lines; `None`: no other.
        average_decay: Of a moving average of the generator's weights, which is what is kept then.
        photo: Whether the photo, too, is asked to be readable from the sketch (`photo_options`).
        warp: How strongly photo and sketch are bent together for it, unless they align (`default_warp`).
    """

    summary: str
    paired: bool
    outputs: tuple
    classifier: bool = False
    class_head: str | None = None
    upsampling: str = "resize"
    augment: bool = False
    l1_weight: float = 100.0
    class_weight: float = 25.0
    unaligned_l1_weight: float | None = None
    unaligned_class_weight: float | None = None
    average_decay: float | None = None
    photo: bool = False
    warp: float = 0.0


# Towards a sketch that lies elsewhere, L1 asks for less ink: the Options draw well without.
STRATEGIES = {
    "pix2pix": Strategy("no class: the baseline", True, ("real_fake",), upsampling="transpose"),
    "sigmoid": Strategy(
        "Option 1: D has n_classes + 1 sigmoid units",
        False,
        ("classes",),
        class_head="sigmoid",
        unaligned_l1_weight=0.0,
    ),
    "fake-class": Strategy(
        "Option 2: D has n_classes + 1 softmax units, one of them 'fake'",
        False,
        ("classes",),
        class_head="softmax",
        unaligned_l1_weight=0.0,
    ),
    "two-head": Strategy("D has a real/fake head and a class head", True, ("real_fake", "classes")),
    "classifier": Strategy(
        "a classifier beside D: the class most surely, the default", True, ("real_fake",), classifier=True
    ),
    "shared-q": Strategy("D's trunk also reads the class of real sketches", True, ("real_fake", "label")),
    "class-and-photo": Strategy(
        "a classifier, labels swapped, and the photo told by its edges and by towers: both can be read",
        False,
        ("real_fake",),
        classifier=True,
        augment=True,
        class_weight=0.5,
        unaligned_l1_weight=0.0,
        unaligned_class_weight=0.25,
        average_decay=0.999,
        photo=True,
        warp=0.7,
    ),
}


# The photo's own class follows from its edges. It is another class that takes a weight.
PHOTO_WEIGHTS = {
    "edges": 95.0,
    "photo_information": 5.0,
    "feature_matching": 0.0,
    "swap_rate": 0.4,
    "swap_weight": 65.0,
}
TOWER_STEPS = 600  # that the towers of a strategy learn by, whatever the epochs: more may be asked for later
TOWER_PIXELS = 2**24  # of photos that they learn from: 4096 pairs at 64 px, 256 at 256 px
# Without it the generator learns to mislead the classifier instead of drawing the class: its loss
# on fakes falls while an independent judge sees no class (benchmarks/classifier_noise.py).
CLASSIFIER_NOISE = 0.5


def list_strategies():
    """The names and summaries of the strategies, a line each, as `--help` of a program shows them."""
    width = max(map(len, STRATEGIES))
    return "\n".join(f"  {name:{width}} {chosen.summary}" for name, chosen in STRATEGIES.items())


def default_weights(strategy, aligned=False):
    """What the examples weigh the generator's losses by.

    Args:
        strategy: One of `STRATEGIES`.
        aligned: Whether sketches lie on their photos' lines (`metrics.pair_alignment`). If not, `sigmoid`,
            `fake-class` and `class-and-photo` do not ask for the true sketch.

    Returns:
        A dict of `l1_weight` and `class_weight`.

    Raises:
        ValueError: `strategy` is none of those.

    Example:

    >>> default_weights("class-and-photo"), default_weights("class-and-photo", aligned=True)
    ({'l1_weight': 0.0, 'class_weight': 0.25}, {'l1_weight': 100.0, 'class_weight': 0.5})
    """
    chosen = check_strategy(strategy)
    weights = {"l1_weight": chosen.l1_weight, "class_weight": chosen.class_weight}
    others = {"l1_weight": chosen.unaligned_l1_weight, "class_weight": chosen.unaligned_class_weight}
    return weights | {name: weight for name, weight in others.items() if not aligned and weight is not None}


def default_warp(strategy, aligned=False):
    """How strongly the examples bend photo and sketch together: `PairPipeline`'s `warp`.

    Args:
        strategy, aligned: As `default_weights` takes them.

    Returns:
        A number, 0 for most strategies. Of `class-and-photo`, where pairs do not align: its class loss is
        otherwise met on the training photos alone, by drawings that other photos do not get.

    Raises:
        ValueError: `strategy` is none of those.

    Example:

    >>> dataset = pair_dataset(pairs, (64, 64), batch_size=8, warp=default_warp("class-and-photo"))
    """
    chosen = check_strategy(strategy)
    return 0.0 if aligned else chosen.warp


def photo_weights(strategy, aligned=False, weights=None):
    """The numbers of `photo_options`: what a run that is to be gone on with was begun with.

    Args:
        strategy, aligned: As `photo_options` takes them.
        weights: Some of them by name, to take in place of the strategy's own.

    Returns:
        A dict of the weights of the terms `edges`, `photo_information` and `feature_matching` (by the
        classifier), of `swap_rate` and `swap_weight`; empty for most strategies.

    Raises:
        ValueError: `strategy` is none of those, or has no such weight.

    Example:

    >>> photo_weights("class-and-photo")["edges"], photo_weights("classifier")
    (95.0, {})
    """
    own = PHOTO_WEIGHTS if check_strategy(strategy).photo and not aligned else {}
    if weights and not own:
        raise ValueError(
            "photo weights are of 'class-and-photo', where pairs do not align: leave them out. "
            f"Received: {weights} of {strategy!r}{', where pairs align' * aligned}"
        )
    if not set(weights or {}) <= set(own):
        raise ValueError(f"photo weights must be of {list(own)}. Received: {weights}")
    return own | (weights or {})


def read_photo_weights(text):
    """Some of `photo_weights`, as an option of a program names them.

    Args:
        text: `name=number`, by commas.

    Returns:
        A dict of floats.

    Raises:
        argparse.ArgumentTypeError: A name is none of `PHOTO_WEIGHTS`, or there twice, or what follows it is
            no number of at least 0, of `swap_rate` below 1.

    Example:

    >>> read_photo_weights("feature_matching=100,swap_weight=55")
    {'feature_matching': 100.0, 'swap_weight': 55.0}
    """
    given = [part.partition("=")[::2] for part in text.split(",")]
    try:
        weights = {name.strip(): float(number) for name, number in given}
    except ValueError:
        weights = {}
    are_numbers = all(0 <= weight < math.inf for weight in weights.values())
    are_numbers = are_numbers and weights.get("swap_rate", 0) < 1
    if len(weights) < len(given) or not are_numbers or not set(weights) <= set(PHOTO_WEIGHTS):
        raise argparse.ArgumentTypeError(
            f"must be name=number, by commas, of {', '.join(PHOTO_WEIGHTS)}, each once and at least 0, "
            f"swap_rate below 1. Received: {text!r}"
        )
    return weights


def tower_pairs(pairs, image_size):
    """The true pairs that towers learn from: no more than memory holds.

    Args:
        pairs: A set of pairs, such as `FolderPairs`.
        image_size: `(height, width)` in pixels.

    Returns:
        Photos and sketches as arrays, of at most `TOWER_PIXELS` pixels each, and at least two.

    Example:

    >>> photos, sketches = tower_pairs(pairs, (64, 64))
    """
    height, width = image_size
    photos, _, sketches = pairs.as_arrays(image_size, max(2, TOWER_PIXELS // (height * width)))
    return photos, sketches


def check_strategy(name):
    """The `Strategy` of a name; raises a `ValueError` that lists the names."""
    if name not in STRATEGIES:
        raise ValueError(f"`strategy` must be one of {list(STRATEGIES)}. Received: strategy={name!r}")
    return STRATEGIES[name]
