"""What a strategy is made of: its networks, its towers, its terms, and the engine over all of them."""

from keras_cgan import classifiers, discriminators, generators
from keras_cgan.contrastive import photo_towers
from keras_cgan.diff_augment import DiffAugment
from keras_cgan.feature_matching import FeatureMatching
from keras_cgan.photo_information import QUEUE, PhotoInformation
from keras_cgan.strategies import CLASSIFIER_NOISE, check_strategy, default_weights, photo_weights
from keras_cgan.terms import EdgeLikeness

OTHERS_OF_CLASS = 21  # photos that one is told from, where there are as many: as of six classes in `QUEUE`


def strategy_networks(
    strategy,
    photo_shape,
    n_classes,
    sketch_channels=1,
    label_input=True,
    filters=64,
    n_layers=3,
    norm="instance",
    d_norm="instance",
    upsampling=None,
    g_filters=None,
    label_in="norms",
):
    """Builds the generator, discriminator and classifier of a strategy.

    Args:
        strategy: One of `STRATEGIES`.
        photo_shape: `(height, width, channels)` of a photo, in pixels.
        n_classes: Number of classes.
        sketch_channels: Channels of a sketch.
        label_input: Whether the generator is told the label.
        filters: Maps of the first convolution of G and D.
        n_layers: Number of stride-2 convolutions of D.
        norm: Norm of G: `"batch"`, `"instance"`, `"spectral"` or `None`.
        d_norm: Norm of D, likewise. With `"batch"`, D tells real from fake in their joined
            batch by its statistics, which are not there in the generator's step.
        upsampling: Of G: the paper's `"transpose"`, or `"resize"`, whose strokes are smoother in a
            short training. By default the paper's for the baseline `"pix2pix"`, else `"resize"`.
        g_filters: Maps of the first convolution of G, where it is to have others than D.
        label_in: Where the label goes into G, as `unet_generator` takes it.

    Returns:
        `(generator, discriminator, classifier)`; the classifier is `None` where the
        strategy has none.

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> trainer = ReferenceTrainer(*strategy_networks("classifier", (64, 64, 3), n_classes=6))
    """
    chosen = check_strategy(strategy)
    height, width, photo_channels = photo_shape
    sketch_shape = (height, width, sketch_channels)
    pair_shape = (height, width, photo_channels + sketch_channels)
    options = {"filters": filters, "n_layers": n_layers, "norm": d_norm}

    generator = generators.unet_generator(
        photo_shape,
        sketch_channels,
        n_classes if label_input else None,
        filters if g_filters is None else g_filters,
        norm=norm,
        upsampling=chosen.upsampling if upsampling is None else upsampling,
        label_in=label_in,
    )
    if chosen.outputs == ("classes",):
        discriminator = discriminators.pooled_discriminator(
            sketch_shape, n_classes, chosen.class_head, **options
        )
    elif "classes" in chosen.outputs:
        discriminator = discriminators.two_head_discriminator(pair_shape, n_classes, **options)
    elif "label" in chosen.outputs:
        discriminator = discriminators.shared_q_discriminator(
            pair_shape, n_classes, sketch_channels, **options
        )
    else:
        discriminator = discriminators.patch_discriminator(
            pair_shape if chosen.paired else sketch_shape,
            augment=DiffAugment() if chosen.augment else None,
            **options,
        )
    classifier = None
    if chosen.classifier:
        classifier = classifiers.resnet_classifier(sketch_shape, n_classes, input_noise=CLASSIFIER_NOISE)
    return generator, discriminator, classifier


def strategy_towers(strategy, photo_shape, aligned=False, sketch_channels=1, weights=None):
    """The towers that a strategy looks through, not trained yet.

    Args:
        strategy, aligned, weights: As `photo_options` takes them.
        photo_shape, sketch_channels: As `photo_towers` takes them.

    Returns:
        `photo_towers`; `None` where the strategy has no need of them.

    Example:

    >>> towers = strategy_towers("class-and-photo", (64, 64, 3))
    >>> train_towers(*towers, *tower_pairs(pairs, (64, 64)), steps=TOWER_STEPS)
    """
    if not photo_weights(strategy, aligned, weights).get("photo_information"):
        return None
    return photo_towers(photo_shape, sketch_channels)


def photo_options(strategy, aligned=False, towers=None, n_photos=None, weights=None, n_classes=None):
    """What `ConditionalGAN` is given beside networks and weights, for the photo to be readable too.

    Args:
        strategy: One of `STRATEGIES`.
        aligned: As `default_weights` takes it: the true sketch then says where lines go, and no label
            is swapped, for a sketch that lies on its photo's lines cannot be of another class.
        towers: `photo_towers`, trained by `train_towers` before the generator is, for `PhotoInformation`:
            the sketch has to tell its photo from others of its class. `()` does without; strategies that
            look through none do not mind.
        n_photos: How many photos the training has. Of few, fewer of the last ones are told from
            (`PhotoInformation`'s `queue`), or a photo would be told from itself, bent otherwise.
        weights: Some of `photo_weights` by name, to take in place of the strategy's own.
        n_classes: How many classes there are. Of more than six, more of the last photos are told from: a
            photo is told from those of its class.

    Returns:
        Arguments by name: `terms` and those of swapped labels; none for most strategies.

    Raises:
        ValueError: `strategy` is not one of those, it looks through towers and has none, or a weight is
            none that it has.

    Example:

    >>> networks = strategy_networks("class-and-photo", (64, 64, 3), n_classes=6)
    >>> towers = photo_towers((64, 64, 3))
    >>> train_towers(*towers, photos, sketches)
    >>> more = default_weights("class-and-photo") | photo_options("class-and-photo", towers=towers)
    >>> gan = ConditionalGAN(*networks, **more)
    """
    chosen = photo_weights(strategy, aligned, weights)
    if not chosen:
        return {}
    terms = [EdgeLikeness(chosen.pop("edges"), own_class_only=True)]
    information, matching = chosen.pop("photo_information"), chosen.pop("feature_matching")
    if information and towers is None:
        raise ValueError(
            f"`towers` must be trained ones for {strategy!r}, where pairs do not align: `photo_towers` after "
            "`train_towers`; or (), to do without. Received: towers=None"
        )
    if information and towers:
        queue = max(QUEUE, OTHERS_OF_CLASS * (n_classes or 1))
        queue = queue if n_photos is None else min(queue, n_photos // 3)
        terms.append(PhotoInformation(*towers, weight=information, queue=queue))
    if matching:
        terms.append(FeatureMatching("classifier", matching))
    return {**chosen, "terms": terms}


def strategy_model(strategy, networks, aligned=False, towers=None, n_photos=None, weights=None, **options):
    """The engine over the networks of a strategy, with what suits it, compiled.

    Compile it anew for other optimizers than the default ones.

    Args:
        strategy: One of `STRATEGIES`.
        networks: Generator, discriminator and classifier, as `strategy_networks` returns them.
        aligned: As `default_weights` takes it.
        towers, n_photos, weights: As `photo_options` takes them.
        **options: More arguments of `ConditionalGAN`, in place of the strategy's own weights, terms
            and moving average too.

    Returns:
        A `ConditionalGAN`.

    Raises:
        ValueError: As `photo_options` and `ConditionalGAN` do.

    Example:

    >>> networks = strategy_networks("class-and-photo", (64, 64, 3), n_classes=6)
    >>> towers = photo_towers((64, 64, 3))
    >>> train_towers(*towers, photos, sketches)
    >>> gan = strategy_model("class-and-photo", networks, towers=towers)
    >>> gan.fit(dataset, epochs=50)
    """
    from keras_cgan.training import ConditionalGAN  # Here, so that networks can be built under any backend.

    chosen = check_strategy(strategy)
    n_classes = None if networks[2] is None else networks[2].output_shape[-1]
    more = photo_options(strategy, aligned, towers, n_photos, weights, n_classes)
    own = default_weights(strategy, aligned) | more
    own["average_decay"] = chosen.average_decay
    gan = ConditionalGAN(*networks, strategy, **(own | options))
    gan.compile()
    return gan
