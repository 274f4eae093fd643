"""One call that measures a generator against real test pairs, or against real images of classes."""

import keras
import numpy as np
from keras import layers

from keras_cgan import metrics
from keras_cgan.classifiers import vgg_classifier
from keras_cgan.generators.conditions import takes_label
from keras_cgan.precision import float32


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

    Example:

    >>> judge = train_judge(train_sketches, train_labels)
    >>> metrics.class_accuracy(judge, test_sketches, test_labels)  # the ceiling
    0.84
    """
    keras.utils.set_random_seed(seed)
    with float32():  # whatever the generator was trained in: all are judged alike
        judge = _judge_network(sketches.shape[1:], labels.shape[1])
        augment = _augmentation(seed, mirror, background)
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


def _judge_network(image_shape, n_classes):
    """A small VGG behind a reduction to about 32 pixels."""
    height, width = image_shape[:2]
    pool = max(1, min(height, width) // 32)
    inputs = keras.Input(image_shape, name="sketch")
    small = layers.AveragePooling2D(pool, name="shrink")(inputs)
    network = vgg_classifier(tuple(small.shape[1:]), n_classes, name="vgg")
    return keras.Model(inputs, network(small), name="judge")


def _augmentation(seed, mirror, background):
    """What the judge sees of a sketch while it learns."""
    paper = {"fill_mode": "constant", "fill_value": background}
    flip = [layers.RandomFlip("horizontal", seed=seed)] if mirror else []
    return keras.Sequential(
        [
            *flip,
            layers.RandomRotation(0.03, **paper, seed=seed + 1),
            layers.RandomZoom(0.15, **paper, seed=seed + 2),
            layers.RandomTranslation(0.1, 0.1, **paper, seed=seed + 3),
        ],
        name="augment",
    )


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


def evaluate_images(generator, judge, latent, images, seed=0):
    """Measures a generator of class images against real test images: one is drawn for the label of each.

    Args:
        generator: Model from a dict `{"latent", "label"}` to images.
        judge: An independent classifier, as `train_judge` makes it of training images.
        latent: The `Latent` that it draws from.
        images: Test images, a `ClassImages`.
        seed: Of the latents, an integer.

    Returns:
        A dict of floats: `class_accuracy` and, beside it, `class_accuracy_real` (the judge on the test
        images: the ceiling), `within_class_diversity` (1 = as the real ones), `ms_ssim` and, beside
        it, `ms_ssim_real` (likeness within a class: higher than the real ones' means less variety), of
        `ms_ssim_scales` scales, and `ms_ssim_classes_below`, the share of classes that are no more
        alike than the real ones.

    Example:

    >>> judge = train_judge(train.images, train.labels, mirror=False, background=-1.0)
    >>> evaluate_images(model.generator, judge, model.latent, test)["class_accuracy"]
    0.94

    Source: Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs", section 4.
    """
    labels, real = images.labels, images.images
    drawn = generator.predict({"latent": latent.sample(len(labels), seed), "label": labels}, verbose=0)
    alike, alike_real = (metrics.ms_ssim_within_class(images, labels) for images in (drawn, real))
    both = np.array([alike["classes"], alike_real["classes"]])
    both = both[:, ~np.isnan(both).any(axis=0)]
    return {
        "class_accuracy": metrics.class_accuracy(judge, drawn, labels),
        "class_accuracy_real": metrics.class_accuracy(judge, real, labels),
        "within_class_diversity": metrics.within_class_diversity(drawn, real, labels),
        "ms_ssim": alike["ms_ssim"],
        "ms_ssim_real": alike_real["ms_ssim"],
        "ms_ssim_scales": alike["scales"],
        "ms_ssim_classes_below": float(np.mean(both[0] <= both[1])) if both.size else float("nan"),
    }
