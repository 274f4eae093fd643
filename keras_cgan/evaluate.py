"""One call that measures a generator against real test pairs."""

import keras
import numpy as np
from keras import layers

from keras_cgan import metrics
from keras_cgan.classifiers import vgg_classifier
from keras_cgan.generators.conditions import takes_label
from keras_cgan.precision import float32


def train_judge(sketches, labels, epochs=None, batch_size=32, seed=1000, verbose=0):
    """Trains an independent classifier on real sketches, to judge drawn ones by.

    It is a small VGG, of other architecture and seed than the classifier that the
    generator is trained with. It looks at sketches shrunk to about 32 pixels, and learns from
    shifted, scaled, turned and mirrored ones.

    Args:
        sketches: Real training sketches, `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.
        epochs: Passes over the sketches; by default 60, and fewer where that would be more
            than 3000 steps.
        batch_size: Sketches a step.
        seed: Seed of the weights and of the augmentation; it becomes Keras' global seed.
        verbose: As in `keras.Model.fit`.

    Returns:
        A `keras.Model` from sketches to `(batch, n_classes)` probabilities.

    Example:

    >>> judge = train_judge(train_sketches, train_labels)
    >>> metrics.class_accuracy(judge, test_sketches, test_labels)  # the ceiling
    0.84
    """
    keras.utils.set_random_seed(seed)
    with float32():  # whatever the generator was trained in: all are judged alike
        judge, trained = _judge_networks(sketches.shape[1:], labels.shape[1], seed)
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


def _judge_networks(image_shape, n_classes, seed):
    """The judge, and the judge behind an augmentation, to be trained."""
    height, width = image_shape[:2]
    pool = max(1, min(height, width) // 32)
    inputs = keras.Input(image_shape, name="sketch")
    small = layers.AveragePooling2D(pool, name="shrink")(inputs)
    network = vgg_classifier(tuple(small.shape[1:]), n_classes, name="vgg")
    judge = keras.Model(inputs, network(small), name="judge")

    paper = {"fill_mode": "constant", "fill_value": 1.0}
    augment = keras.Sequential(
        [
            layers.RandomFlip("horizontal", seed=seed),
            layers.RandomRotation(0.03, **paper, seed=seed + 1),
            layers.RandomZoom(0.15, **paper, seed=seed + 2),
            layers.RandomTranslation(0.1, 0.1, **paper, seed=seed + 3),
        ],
        name="augment",
    )
    return judge, keras.Model(inputs, judge(augment(inputs)))


def evaluate(generator, judge, photos, labels, sketches):
    """Measures a generator on real test pairs.

    Args:
        generator: Model from photos, or `{"photo", "label"}`, to sketches.
        judge: An independent classifier, as `train_judge` makes it.
        photos: `(n, height, width, channels)` in [-1, 1], each another photo.
        labels: `(n, n_classes)`, one-hot.
        sketches: Their true sketches, `(n, height, width, channels)` in [-1, 1].

    Returns:
        A dict of floats: `class_accuracy` and, beside it, `class_accuracy_real` (the judge
        on the true sketches: the ceiling), `swap_asked` and `swap_photo` (only where the
        generator has a label input), `within_class_diversity` (1 = as the real ones; NaN where no
        class has two sketches), `l1` and, beside it, `l1_white_paper`.

    Example:

    >>> evaluate(generator, judge, photos, labels, sketches)["class_accuracy"]
    0.91
    """
    has_label = takes_label(generator)
    conditions = {"photo": photos, "label": labels} if has_label else photos
    drawn = generator.predict(conditions, verbose=0)
    results = {
        "class_accuracy": metrics.class_accuracy(judge, drawn, labels),
        "class_accuracy_real": metrics.class_accuracy(judge, sketches, labels),
    }
    if has_label:
        swap = metrics.label_swap(generator, judge, photos, labels)
        results |= {"swap_asked": swap["asked"], "swap_photo": swap["photo"]}
    return results | {
        "within_class_diversity": metrics.within_class_diversity(drawn, sketches, labels),
        "l1": metrics.l1_distance(drawn, sketches),
        "l1_white_paper": metrics.l1_distance(np.ones_like(sketches), sketches),
    }
