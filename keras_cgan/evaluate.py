"""One call that measures a generator against real test pairs, or against real images of classes."""

import statistics

import numpy as np

from keras_cgan import metrics
from keras_cgan.data.blur import blurred
from keras_cgan.generators.conditions import takes_label
from keras_cgan.judges import judge_features, pair_distances, train_judge
from keras_cgan.metrics.checked import checked_classes, checked_sketches

_DRAWS = 5  # of training sketches, for their distance


def evaluate(
    generator, judge, photos, labels, sketches, pair_judge=None, train_sketches=None, train_labels=None
):
    """Measures a generator on real test pairs.

    No measure stands alone: class accuracy and label swap are won by one sketch a class for every
    photo, photo ranks by tracing the photo, L1 and SSIM by white paper.

    Args:
        generator: Model from photos, or `{"photo", "label"}`, to sketches.
        judge: An independent classifier, as `train_judge` makes it. With `None`, as for pairs of a single
            class, what it would measure is left out.
        photos: `(n, height, width, channels)` in [-1, 1], each another photo.
        labels: `(n, n_classes)`, one-hot.
        sketches: Their true sketches, `(n, height, width, channels)` in [-1, 1].
        pair_judge: Optional `PairJudge`.
        train_sketches: Optional real training sketches, `(m, height, width, channels)` in [-1, 1].
        train_labels: Optional, theirs, `(m, n_classes)`, one-hot.

    Returns:
        A dict of floats:

        - the class: `class_accuracy` (GAN-test) and, beside it, `class_accuracy_real` (the judge on
          the true sketches: the ceiling); `class_accuracy_blurred`, where the photo is blurred until
          it tells little; with a label input `swap_asked` and `swap_photo`;
        - the photo: `photo_rank_features` and `photo_rank_chamfer` (`metrics.photo_rank` of the true
          sketch: .5 = chance, 1 = always first), with a pair judge `pair_rank` of the photo, and
          `pair_rank_real` on the true sketches;
        - variety: `within_class_diversity` (1 = as the real ones; NaN where no class has two
          sketches), `density`, `coverage`, and with training sketches `copying_ratio` (near 0: copies of
          them; 1: as far from them as the true ones; blank or faint sketches lie below 1 too) and
          `copying_ratio_white_paper`;
        - the distribution, in the judge's features: `fid_phi`, `kid_phi`, with training sketches
          `fid_phi_train`, that of as many of theirs as there are test sketches, and with their labels of
          the same classes: a distance compares with that of another set of the same number alone;
        - likeness to the true sketch: `stroke_f1_1px`, `stroke_f1_2px`, `ssim` and
          `ssim_white_paper`, `l1` and `l1_white_paper`.

    Raises:
        ValueError: Photos, labels and sketches do not belong together, labels are not one-hot, or an
            argument is not as above.

    Example:

    >>> evaluate(generator, judge, photos, labels, sketches)["class_accuracy"]
    0.91
    """
    drawn = draw(generator, photos, labels)
    known = train_sketches, train_labels
    results = evaluate_drawn(drawn, judge, photos, labels, sketches, pair_judge, *known)
    if judge is None:
        return results
    unclear = draw(generator, blurred(photos), labels)
    results["class_accuracy_blurred"] = metrics.class_accuracy(judge, unclear, labels)
    if takes_label(generator):
        swap = metrics.label_swap(generator, judge, photos, labels)
        results |= {"swap_asked": swap["asked"], "swap_photo": swap["photo"]}
    return results


def evaluate_drawn(
    drawn, judge, photos, labels, sketches, pair_judge=None, train_sketches=None, train_labels=None
):
    """What `evaluate` measures of sketches that are there, by whatever drew them.

    Args:
        drawn: The sketches to be measured, one a photo, `(n, height, width, channels)` in [-1, 1].
        judge, photos, labels, sketches, pair_judge, train_sketches, train_labels: As `evaluate` takes them.

    Returns:
        A dict of floats, as `evaluate` gives it but for what asks the generator for more:
        `class_accuracy_blurred` and the label swap.

    Raises:
        ValueError: As `evaluate` does.

    Example:

    >>> evaluate_drawn(np.ones_like(sketches), judge, photos, labels, sketches)["photo_rank_chamfer"]
    0.5
    """
    checked_sketches(paired=True, drawn=drawn, sketches=sketches)
    if len(photos) != len(sketches):
        raise ValueError(f"`photos` must be as many as `sketches`, {len(sketches)}. Received: {len(photos)}")
    results = {
        "photo_rank_chamfer": metrics.photo_rank(metrics.chamfer_distances(drawn, sketches), labels),
        "within_class_diversity": metrics.within_class_diversity(drawn, sketches, labels),
        **_of_the_likeness(drawn, sketches),
    }
    if judge is not None:
        results |= _by_the_judge(judge, drawn, labels, sketches, train_sketches, train_labels)
    if pair_judge is not None:
        for name, judged in {"pair_rank": drawn, "pair_rank_real": sketches}.items():
            results[name] = metrics.photo_rank(pair_distances(pair_judge, photos, judged), labels)
    if train_sketches is not None:
        copying = metrics.nearest_training_distance(drawn, sketches, train_sketches)
        paper = np.ones_like(sketches[:1])
        blank, real = (
            metrics.nearest_training_distance(paper, paper, train_sketches)["drawn"],
            copying["real"],
        )
        results["copying_ratio"] = copying["ratio"]
        results["copying_ratio_white_paper"] = blank / real if real else float("nan")
    return results


def mean_by_judges(judges, measure):
    """The means of what several judges measure: the rank by features depends on who looks.

    Args:
        judges: A list of what `train_judge` makes, of several seeds.
        measure: A function of a judge that gives a dict of floats, as `evaluate` does.

    Returns:
        Two dicts by name: the means, and for measures that judges differ in, the least and the greatest.

    Raises:
        ValueError: There is no judge.

    Example:

    >>> means, ranges = mean_by_judges(judges, lambda judge: evaluate(generator, judge, *test))
    >>> means["photo_rank_features"], ranges["photo_rank_features"]
    (0.68, (0.65, 0.71))
    """
    if not judges:
        raise ValueError("`judges` must be a list of at least one. Received: none")
    found = [measure(judge) for judge in judges]
    by_name = {name: [each[name] for each in found] for name in found[0]}
    means = {name: statistics.fmean(values) for name, values in by_name.items()}
    ranges = {name: (min(values), max(values)) for name, values in by_name.items()}
    # Of NaN, too, there is none.
    differ = {name: ends for name, ends in ranges.items() if ends[0] < ends[1] and means[name] == means[name]}
    return means, differ


def _by_the_judge(judge, drawn, labels, sketches, train_sketches, train_labels):
    """What is measured by a classifier's answers, and by its features."""
    phi, phi_real = judge_features(judge, drawn), judge_features(judge, sketches)
    results = {
        "class_accuracy": metrics.class_accuracy(judge, drawn, labels),
        "class_accuracy_real": metrics.class_accuracy(judge, sketches, labels),
        "photo_rank_features": metrics.photo_rank(metrics.feature_distances(phi, phi_real), labels),
        **_of_the_distribution(phi, phi_real),
    }
    if train_sketches is not None:
        phi_train = judge_features(judge, train_sketches)
        results["fid_phi_train"] = _distance_of_training(phi_train, train_labels, phi_real, labels)
    return results


def _distance_of_training(phi, train_labels, phi_real, labels):
    """The mean Frechet distance of draws of training sketches, as many as test ones and of their classes."""
    pools = [(np.arange(len(phi)), len(labels))]
    if train_labels is not None:
        classes = checked_classes(train_labels, len(phi), "train_labels")
        if np.shape(train_labels)[1] != np.shape(labels)[1]:
            raise ValueError(
                f"`train_labels` must be of the {np.shape(labels)[1]} classes of `labels`. "
                f"Received: {np.shape(train_labels)[1]} classes"
            )
        wanted = np.sum(labels, axis=0).astype(int)
        pools = [(np.flatnonzero(classes == c), count) for c, count in enumerate(wanted)]
    random = np.random.default_rng(0)
    draws = [
        np.concatenate([random.permutation(pool)[:count] for pool, count in pools]) for _ in range(_DRAWS)
    ]
    if min(len(phi_real), len(draws[0])) < 2:
        return float("nan")
    return float(np.mean([metrics.frechet_distance(phi[chosen], phi_real) for chosen in draws]))


def draw(generator, photos, labels):
    """What a generator draws of photos, each for its label where it takes one.

    Args:
        generator: Model from photos, or `{"photo", "label"}`, to sketches.
        photos: `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.

    Returns:
        Sketches `(n, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: Labels are not one-hot, or not as many as photos.

    Example:

    >>> evaluate_drawn(draw(generator, photos, labels), judge, photos, labels, sketches)
    """
    checked_classes(labels, len(photos))
    conditions = {"photo": photos, "label": labels} if takes_label(generator) else photos
    return generator.predict(conditions, verbose=0)


def gan_train(generator, photos, labels, test_sketches, test_labels, **options):
    """GAN-train: how well real sketches are classified by a judge that learnt from drawn ones alone.

    Compare with `class_accuracy_real`, by a judge that learnt from as many real sketches. It is low
    where sketches are poor, and where they are all alike.

    Args:
        generator: Model from photos, or `{"photo", "label"}`, to sketches.
        photos: Training photos, `(n, height, width, channels)` in [-1, 1].
        labels: `(n, n_classes)`, one-hot.
        test_sketches: Real test sketches, `(m, height, width, channels)` in [-1, 1].
        test_labels: `(m, n_classes)`, one-hot.
        **options: As `train_judge` takes them.

    Returns:
        A float in [0, 1].

    Raises:
        ValueError: Photos and labels, or test sketches and theirs, do not belong together.

    Example:

    >>> gan_train(generator, train_photos, train_labels, test_sketches, test_labels)
    0.61

    Source: Shmelkov et al. 2018, "How good is my GAN?", section 3; Ravuri and Vinyals 2019,
    "Classification accuracy score for conditional generative models".
    """
    judge = train_judge(draw(generator, photos, labels), labels, **options)
    return metrics.class_accuracy(judge, test_sketches, test_labels)


def _of_the_distribution(phi, phi_real):
    # Two are the least that has a variance, and more than one neighbour.
    if len(phi) < 2:
        return dict.fromkeys(("fid_phi", "kid_phi", "density", "coverage"), float("nan"))
    return {
        "fid_phi": metrics.frechet_distance(phi, phi_real),
        "kid_phi": metrics.kernel_distance(phi, phi_real),
        **metrics.density_and_coverage(phi, phi_real, k=min(5, len(phi) - 1)),
    }


def _of_the_likeness(drawn, sketches):
    paper = np.ones_like(sketches)
    return {
        "stroke_f1_1px": metrics.stroke_f1(drawn, sketches, tolerance=1),
        "stroke_f1_2px": metrics.stroke_f1(drawn, sketches, tolerance=2),
        "ssim": metrics.structural_similarity(drawn, sketches),
        "ssim_white_paper": metrics.structural_similarity(paper, sketches),
        "l1": metrics.l1_distance(drawn, sketches),
        "l1_white_paper": metrics.l1_distance(paper, sketches),
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
