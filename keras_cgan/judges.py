"""Independent networks that drawn sketches are judged by: which class, and which photo."""

from typing import Any, NamedTuple

import keras
import numpy as np

from keras_cgan.checks import check_at_least
from keras_cgan.classifiers import vgg_classifier
from keras_cgan.contrastive import embedding_output, small_changes, train_towers
from keras_cgan.metrics import feature_distances
from keras_cgan.metrics.checked import checked_classes, checked_sketches
from keras_cgan.precision import float32

JUDGE_SIZE = 32  # px: judges look at sketches shrunk to about this
PAIR_STEPS, PAIR_BATCH = 600, 64  # that a pair judge learns by


class PairJudge(NamedTuple):
    """Two towers that tell which photo a sketch is of.

    Attributes:
        photo: A `keras.Model` from photos to embeddings of length 1, `(batch, size)`.
        sketch: Likewise from sketches.
    """

    photo: Any
    sketch: Any


def train_judge(
    sketches, labels, epochs=None, batch_size=32, seed=1000, mirror=True, background=1.0, verbose=0
):
    """Trains an independent classifier on real sketches, to judge drawn ones by.

    It is a small VGG, of other architecture and seed than the classifier that the
    generator is trained with. It looks at sketches shrunk to about 32 pixels, and learns from
    shifted, scaled, turned and, where that makes no other class of them, mirrored ones.

    Args:
        sketches: Real training sketches or other images, `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.
        epochs: Passes over the sketches; by default 60, and fewer where that would be more
            than 3000 steps.
        batch_size: Sketches a step.
        seed: Seed of the weights and of the augmentation; it becomes Keras' global seed.
        mirror: Whether a mirrored sketch still shows its class: not so for digits.
        background: What a shifted sketch leaves free, in [-1, 1]: 1 for paper, -1 for white on black.
        verbose: As in `keras.Model.fit`.

    Returns:
        A `keras.Model` from sketches to `(batch, n_classes)` probabilities.

    Raises:
        ValueError: Sketches or labels are not of these shapes or ranges, or a number is below 1.

    Example:

    >>> judge = train_judge(train_sketches, train_labels)
    >>> metrics.class_accuracy(judge, test_sketches, test_labels)  # the ceiling
    0.84

    Source: Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image
    recognition", section 2.1, made small; Shmelkov et al. 2018, "How good is my GAN?", section 3: GAN-test.
    """
    sketches, labels = *checked_sketches(sketches=sketches), np.asarray(labels)
    checked_classes(labels, len(sketches))
    check_at_least(1, batch_size=batch_size, **({} if epochs is None else {"epochs": epochs}))
    keras.utils.set_random_seed(seed)
    with float32():  # whatever the generator was trained in: all are judged alike
        judge = _network(sketches.shape[1:], labels.shape[1])
        augment = small_changes(seed, mirror, background)
        trained = keras.Model(judge.input, judge(augment(judge.input)))
    steps_per_epoch = -(-len(sketches) // batch_size)
    if epochs is None:
        epochs = max(1, min(60, 3000 // steps_per_epoch))
    steps = steps_per_epoch * epochs
    trained.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    )
    trained.fit(sketches, labels, batch_size=batch_size, epochs=epochs, verbose=verbose)
    return judge


def judge_features(judge, sketches):
    """A judge's penultimate features, phi: what likeness and distributions are measured on.

    Args:
        judge: As `train_judge` makes it, or a classifier of this package.
        sketches: `(n, height, width, channels)` in [-1, 1].

    Returns:
        An array `(n, n_features)`.

    Raises:
        ValueError: The network has no layer `features`.

    Example:

    >>> frechet_distance(judge_features(judge, drawn), judge_features(judge, test_sketches))
    """
    if "features" not in {layer.name for layer in judge.layers}:
        raise ValueError(
            "`judge` must have a layer 'features', as classifiers of this package do. "
            f"Received: {judge.name!r} with layers {[layer.name for layer in judge.layers]}"
        )
    return keras.Model(judge.input, judge.get_layer("features").output).predict(sketches, verbose=0)


def train_pair_judge(photos, sketches, steps=PAIR_STEPS, seed=2000, mirror=True, background=1.0, verbose=0):
    """Trains two towers on real pairs, to judge whether the photo can be read from a drawn sketch.

    Their architecture and seed are others than those of `image_tower`, which a generator may be
    trained through. A photo traced is read as well as its true sketch is: so the judge does not
    stand alone; see `photo_rank`.

    Args:
        photos: Real training photos, `(n, height, width, channels)` in [-1, 1].
        sketches: Their sketches, `(n, height, width, channels)` in [-1, 1].
        steps: Batches of 64 pairs to learn from.
        seed: Seed of the weights and of the augmentation; it becomes Keras' global seed.
        mirror: Whether pairs are mirrored too.
        background: What a shifted pair leaves free, in [-1, 1]: 1 for paper.
        verbose: As in `keras.Model.fit`.

    Returns:
        A `PairJudge`.

    Raises:
        ValueError: Photos and sketches are not two or more pairs, or `steps` is below 1.

    Example:

    >>> pair_judge = train_pair_judge(train_photos, train_sketches)
    >>> metrics.photo_rank(pair_distances(pair_judge, test_photos, test_sketches), labels)  # the ceiling
    0.81

    Source: Radford et al. 2021, "Learning transferable visual models from natural language supervision",
    section 2.3: the loss of two towers.
    """
    keras.utils.set_random_seed(seed)
    with float32():
        judge = PairJudge(_tower(photos.shape[1:], "photo_judge"), _tower(sketches.shape[1:], "sketch_judge"))
        augment = small_changes(seed, mirror, background)
        train_towers(*judge, photos, sketches, steps, PAIR_BATCH, augment, verbose=verbose)
    return judge


def pair_distances(pair_judge, photos, sketches):
    """How far each sketch is from each photo by a pair judge, for `photo_rank`.

    Args:
        pair_judge: A `PairJudge`.
        photos: `(m, height, width, channels)` in [-1, 1].
        sketches: `(n, height, width, channels)` in [-1, 1].

    Returns:
        Cosine distances in [0, 2], `(n, m)`.

    Raises:
        ValueError: Photos or sketches are of another size than the judge's.

    Example:

    >>> pair_distances(pair_judge, photos, generator.predict(photos)).argmin(axis=1)
    """
    drawn, of_photos = (
        pair_judge.sketch.predict(sketches, verbose=0),
        pair_judge.photo.predict(photos, verbose=0),
    )
    return feature_distances(drawn, of_photos)


def _network(image_shape, n_classes=2):
    """A small VGG that sees about 32 pixels a side."""
    shrink = max(1, min(image_shape[:2]) // JUDGE_SIZE)
    return vgg_classifier(tuple(image_shape), n_classes, shrink=shrink, name="judge")


def _tower(image_shape, name):
    """The convolutions of the same, to an embedding."""
    network = _network(image_shape)
    maps = network.get_layer("features").input
    return keras.Model(network.input, embedding_output(maps, size=64, dropout=0.3), name=name)
