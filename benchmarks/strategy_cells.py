"""The rows of `strategies.py`: ways of using the labels, what class-and-photo is made of; their models."""

from keras_cgan.strategies import (
    CLASSIFIER_NOISE,
    PHOTO_WEIGHTS,
    STRATEGIES,
    TOWER_STEPS,
    default_warp,
    default_weights,
    photo_weights,
    tower_pairs,
)

PHOTO = "class-and-photo"
BENT = {"warp": STRATEGIES[PHOTO].warp}  # as pairs of class-and-photo are
AVERAGED = {"average_decay": STRATEGIES[PHOTO].average_decay}  # as its generator is
L1 = {"l1_weight": STRATEGIES["pix2pix"].l1_weight}  # of all of the answer's, so that no row has it alone
# Option 2 as README recommends it, where pairs do not align.
OPTION_2 = {"strategy": "fake-class", "label": True, "l1_weight": 0.0, **BENT, **AVERAGED}
CELLS = {
    "L1 only": {"strategy": "pix2pix", "adversarial_weight": 0.0},
    "L1 only + label": {"strategy": "pix2pix", "adversarial_weight": 0.0, "label": True},
    "pix2pix": {"strategy": "pix2pix"},
    "pix2pix + label": {"strategy": "pix2pix", "label": True},
    "sigmoid": {"strategy": "sigmoid", **L1},
    "sigmoid + label": {"strategy": "sigmoid", "label": True, **L1},
    "fake-class": {"strategy": "fake-class", **L1},
    "fake-class + label": {"strategy": "fake-class", "label": True, **L1},
    "two-head": {"strategy": "two-head"},
    "two-head + label": {"strategy": "two-head", "label": True},
    "classifier": {"strategy": "classifier"},
    "classifier + label": {"strategy": "classifier", "label": True},
    "classifier + label at the bottleneck alone": {
        "strategy": "classifier",
        "label": True,
        "label_in": "bottleneck",
    },
    "shared-q": {"strategy": "shared-q"},
    "shared-q + label": {"strategy": "shared-q", "label": True},
    "class-and-photo + label": {"strategy": PHOTO, "label": True},
    # The answer's, on bent pairs.
    **{
        f"{name} + label + bent": {"strategy": name, "label": True, **L1, **BENT}
        for name in ("pix2pix", "fake-class", "classifier")
    },
    # And with all else that class-and-photo has and the answer has not: the moving average, a lighter class.
    "classifier + label + bent + averaged + class weight 10": {
        "strategy": "classifier",
        "label": True,
        **BENT,
        **AVERAGED,
        "class_weight": 10.0,
    },
    # The answer's page has no L1 beside its Options.
    **{
        f"{name} + label + no L1": {"strategy": name, "label": True, "l1_weight": 0.0}
        for name in ("sigmoid", "fake-class", "classifier")
    },
    **{
        f"{name} + label + L1 10": {"strategy": name, "label": True, "l1_weight": 10.0}
        for name in ("fake-class", "classifier")
    },
    "fake-class + label + no L1 + bent + averaged": OPTION_2,
    "fake-class + label + no L1 + bent + averaged + G twice as wide": {**OPTION_2, "g_widening": 2},
    # What class-and-photo asks for, by the discriminator of Option 2: a classifier for other classes alone.
    **{
        f"fake-class + label + no L1 + bent + averaged + edges {edges:g} + swaps": {
            **OPTION_2,
            "edges": edges,
            "swap_rate": PHOTO_WEIGHTS["swap_rate"],
            "class_weight": class_weight,
            "swap_weight": swap_weight,
        }
        for edges, class_weight, swap_weight in ((20.0, 0.1, 65.0), (70.0, 0.01, 800.0))
    },
    # As it is for pairs that align.
    "class-and-photo + label + L1": {"strategy": PHOTO, "label": True, "aligned": True},
}
ABLATION = {
    "class-and-photo": {"strategy": PHOTO, "label": True},
    "no edges": {"strategy": PHOTO, "label": True, "without": "edges"},
    "no photo information": {"strategy": PHOTO, "label": True, "without": "photo_information"},
    "no swapped labels": {"strategy": PHOTO, "label": True, "without": "swaps"},
    "no class loss": {"strategy": PHOTO, "label": True, "class_weight": 0.0},
    "pairs not bent": {"strategy": PHOTO, "label": True, "warp": 0.0},
    "no adversarial loss": {"strategy": PHOTO, "label": True, "adversarial_weight": 0.0},
    "D not augmented": {"strategy": PHOTO, "label": True, "without": "augment"},
    "no moving average": {"strategy": PHOTO, "label": True, "average_decay": None},
    "label at the bottleneck alone": {"strategy": PHOTO, "label": True, "label_in": "bottleneck"},
    "G twice as wide": {"strategy": PHOTO, "label": True, "g_widening": 2},
    "and L1 50": {"strategy": PHOTO, "label": True, "l1_weight": 50.0},
    "and L1 100": {"strategy": PHOTO, "label": True, "l1_weight": 100.0},
    "and blurred L1": {"strategy": PHOTO, "label": True, "blurred_l1": 10.0},
    "and feature matching": {"strategy": PHOTO, "label": True, "feature_matching": {"weight": 10.0}},
    **{
        f"and feature matching by C at {weight}": {
            "strategy": PHOTO,
            "label": True,
            "photo_weights": {"feature_matching": float(weight)},
        }
        for weight in (20, 100, 300)
    },
    "and blurred photos": {"strategy": PHOTO, "label": True, "blur_rate": 0.5},
    "and R1": {"strategy": PHOTO, "label": True, "r1_weight": 1.0},
    "and hinge": {"strategy": PHOTO, "label": True, "adversarial_loss": "hinge"},
    "and hinge + spectral norm": {
        "strategy": PHOTO,
        "label": True,
        "adversarial_loss": "hinge",
        "d_norm": "spectral",
    },
    "and projection": {"strategy": PHOTO, "label": True, "judges": ("sketch",), "projection": True},
    "and a second D of the pair": {"strategy": PHOTO, "label": True, "judges": ("sketch", "pair")},
    "and a second D of the pair + projection": {
        "strategy": PHOTO,
        "label": True,
        "judges": ("sketch", "pair"),
        "projection": True,
    },
    "and a second D at half the size": {"strategy": PHOTO, "label": True, "judges": ("sketch", "half")},
    "and relativistic + R1": {
        "strategy": PHOTO,
        "label": True,
        "adversarial_loss": "relativistic",
        "r1_weight": 1.0,
    },
    "and relativistic + R1 + R2": {
        "strategy": PHOTO,
        "label": True,
        "adversarial_loss": "relativistic",
        "r1_weight": 1.0,
        "r2_weight": 1.0,
    },
    # From the weight as it is, at CelebA's rate: with noise on its input C still loses .7 on real sketches
    # after 1500 of 2385 steps, and .1 less to .1 more on fakes: at a rate of .001 gamma stayed within .04.
    "and equilibrium": {
        "strategy": PHOTO,
        "label": True,
        "equilibrium": {"rate": 0.01, "target": 1.0, "most": 4.0, "start": 1.0},
    },
}
PARTS = {"strategies": CELLS, "ablation": ABLATION}
BATCH_SIZE = 8


def make_model(cell, size, n_classes, filters, towers=(), n_photos=None):
    """The compiled model of a cell.

    Args:
        cell: A value of `CELLS` or `ABLATION`.
        size: `(height, width)` in pixels.
        n_classes, filters: As `strategy_networks` takes them.
        towers: Trained towers, for a cell that asks for them; else `()`.
        n_photos: How many photos the training has.

    Returns:
        A `ConditionalGAN`.
    """
    from keras_cgan import (
        ConditionalGAN,
        EdgeLikeness,
        EquilibriumWeight,
        FeatureMatching,
        photo_options,
        resnet_classifier,
        strategy_networks,
    )
    from keras_cgan.discriminators import patch_discriminator
    from keras_cgan.terms import BlurredL1

    strategy, without = cell["strategy"], cell.get("without")
    networks = list(
        strategy_networks(
            strategy,
            (*size, 3),
            n_classes,
            label_input=cell.get("label", False),
            filters=filters,
            d_norm=cell.get("d_norm", "instance"),
            # Of all alike, so that rows differ by the use of the label alone.
            upsampling="resize",
            g_filters=filters * cell.get("g_widening", 1),
            label_in=cell.get("label_in", "norms"),
        )
    )
    if without == "augment":
        networks[1] = patch_discriminator((*size, 1), filters=filters, norm="instance")
    if "judges" in cell:
        told = n_classes if cell.get("projection") else None
        networks[1] = joined_judges(cell["judges"], size, filters, told)
    aligned = cell.get("aligned", False)
    weights = cell.get("photo_weights", {})
    more = photo_options(strategy, aligned, towers, n_photos, weights, n_classes)
    if without == "swaps":
        more |= {"swap_rate": 0.0, "class_weight": mean_class_weight(n_classes, weights)}
    elif more:
        more["terms"] = [term for term in more["terms"] if term.name != without]
    if "edges" in cell:
        more["terms"] = [EdgeLikeness(cell["edges"], own_class_only=True)]
    if "swap_rate" in cell:
        networks[2] = networks[2] or resnet_classifier((*size, 1), n_classes, input_noise=CLASSIFIER_NOISE)
    if "blurred_l1" in cell:
        more["terms"].append(BlurredL1(cell["blurred_l1"]))
    if "feature_matching" in cell:
        more["terms"].append(FeatureMatching(**cell["feature_matching"], name="matching_by_d"))
    if "equilibrium" in cell:
        more["equilibrium"] = EquilibriumWeight(**cell["equilibrium"])  # anew: each model moves its own
    others = ("average_decay", "adversarial_loss", "swap_rate")
    given = {name: cell[name] for name in cell if name.endswith("_weight") or name in others}
    own = default_weights(strategy, aligned) | {"average_decay": STRATEGIES[strategy].average_decay}
    model = ConditionalGAN(*networks, **(own | more | given))  # of networks that no strategy has, too
    model.compile()
    return model


def joined_judges(names, size, filters, n_classes=None):
    """Several discriminators as one, augmented as that of class-and-photo.

    Args:
        names: What each sees: `"sketch"`, the `"pair"`, or the sketch at `"half"` its size.
        size, filters: As `make_model` takes them.
        n_classes: Where they are told the class, by projection.

    Returns:
        A `keras.Model`, as `joined_discriminator` makes it.
    """
    from keras_cgan import DiffAugment, joined_discriminator
    from keras_cgan.discriminators import patch_discriminator

    height, width = size
    shapes = {"sketch": (*size, 1), "pair": (*size, 4), "half": (height // 2, width // 2, 1)}
    layers = {"sketch": 3, "pair": 3, "half": 2}  # at 64 pixels, all see the whole image
    judges = [
        patch_discriminator(
            shapes[name], filters, layers[name], norm="instance", n_classes=n_classes, name=name
        )
        for name in names
    ]
    channels = max(shapes[name][-1] for name in names)
    return joined_discriminator((*size, channels), judges, augment=DiffAugment())


def mean_class_weight(n_classes, weights):
    """The weight of the class in class-and-photo, in the mean over own and other classes."""
    photo = photo_weights(PHOTO, weights=weights)
    others = photo["swap_rate"] * (1 - 1 / n_classes)  # a class is asked for at random, own or other
    return default_weights(PHOTO)["class_weight"] * (1 - others + others * photo["swap_weight"])


def weighed(cells, weights):
    """Cells, those of class-and-photo where pairs do not align at other weights, and named by these.

    What a cell weighs itself stays as it is, and out of the name.
    """
    found = {}
    for name, cell in cells.items():
        if photo_weights(cell["strategy"], cell.get("aligned", False)):
            own = cell.get("photo_weights", {})
            named = [f", {each} {weight:g}" for each, weight in weights.items() if each not in own]
            found[name + "".join(named)] = cell | {"photo_weights": weights | own}
    return found


def trained_by():
    """What the rows of a program are trained by beside its options, to be kept with its settings."""
    weights = {
        f"weights{' of pairs that align' * aligned}": {
            strategy: default_weights(strategy, aligned)
            | photo_weights(strategy, aligned)
            | {"warp": default_warp(strategy, aligned), "average_decay": STRATEGIES[strategy].average_decay}
            for strategy in STRATEGIES
        }
        for aligned in (False, True)
    }
    constants = {
        "tower_steps": TOWER_STEPS,
        "classifier_noise": CLASSIFIER_NOISE,
        "batch_size": BATCH_SIZE,
    }
    return constants | weights


def warp_of(cell):
    """How strongly the pairs that a cell is trained on are bent."""
    return cell.get("warp", default_warp(cell["strategy"], cell.get("aligned", False)))


def asks_for_towers(cell):
    """Whether a cell asks that the photo be told from the sketch by towers."""
    asked = photo_weights(cell["strategy"], cell.get("aligned", False), cell.get("photo_weights"))
    return asked.get("photo_information", 0) > 0 and cell.get("without") != "photo_information"


def trained_towers(pairs, size, steps):
    """Two towers that have learnt which sketch is of which photo, for no longer than the generator."""
    from keras_cgan import photo_towers, train_towers

    towers = photo_towers((*size, 3))
    train_towers(*towers, *tower_pairs(pairs, size), steps=min(TOWER_STEPS, steps))
    return towers


def prepared(cell, seed, pairs, options, make=make_model):
    """What a cell is trained by.

    Args:
        cell, seed: Of it.
        pairs: The training pairs.
        options: `image_size`, `steps`, `filters` and `precision`, which becomes Keras' policy.
        make: What makes the model, as `make_model` does.

    Returns:
        The compiled model, its towers trained where it asks for them, and a `PairPipeline`.
    """
    import keras

    from keras_cgan.data import PairPipeline

    size = (options.image_size,) * 2
    keras.utils.set_random_seed(seed)
    keras.config.set_dtype_policy(options.precision)
    towers = trained_towers(pairs, size, options.steps) if asks_for_towers(cell) else ()
    keras.utils.set_random_seed(seed)  # G and D begin alike with towers and without
    model = make(cell, size, pairs.n_classes, options.filters, towers, pairs.n_photos)
    pipeline = PairPipeline(
        pairs,
        size,
        BATCH_SIZE,
        seed=seed,
        drop_remainder=True,
        warp=warp_of(cell),
        blur_rate=cell.get("blur_rate", 0.0),
    )
    return model, pipeline
