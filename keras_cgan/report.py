"""A trained generator on a set of pairs: every measure in a JSON file, and a page to look at."""

import html
import math
from pathlib import Path

import numpy as np

from keras_cgan import metrics
from keras_cgan.data import write_image
from keras_cgan.evaluate import draw, evaluate, gan_train, mean_by_judges
from keras_cgan.judges import PAIR_BATCH, PAIR_STEPS, train_judge, train_pair_judge
from keras_cgan.pictures import image_grid, sample_grid
from keras_cgan.run_folder import claimed, write_json, write_text

MOST_TRAIN = 3000  # pairs that judges learn from
TRAIN_PIXELS = 2**26  # of these: 1024 pairs at 256 px, a gigabyte
MOST_TEST = 1000  # photos that are measured on
N_SHOWN = 12  # best ones, and worst ones

# What each measure is read against; those that are not here are such a comparison themselves.
_MEANINGS = {
    "class_accuracy": ("drawn sketches that a judge takes for their class", "class_accuracy_real"),
    "class_accuracy_blurred": ("the same, of blurred photos", "class_accuracy_real"),
    "swap_asked": ("asked for another class: drawn", "chance"),
    "swap_photo": ("asked for another class: the photo's own drawn all the same", None),
    "photo_rank_features": (
        "rank of the true sketch in its class, by the judge's features; another judge's differ by some .03",
        "half",
    ),
    "photo_rank_chamfer": ("rank of the true sketch in its class, by chamfer distance", "half"),
    "pair_rank": ("rank of the photo in its class, by a pair judge", "pair_rank_real"),
    "within_class_diversity": ("how much sketches of a class differ", "one"),
    "copying_ratio": (
        "distance to the nearest training sketch, over that of true sketches: near 0 copies; blank or faint "
        "sketches lie below 1 too",
        "copying_ratio_white_paper",
    ),
    "gan_train": ("true sketches known to a judge that learnt from drawn ones", "class_accuracy_real"),
    "fid_phi": ("Frechet distance in the judge's features", "fid_phi_train"),
    "kid_phi": ("kernel distance in the judge's features", None),
    "density": ("how densely true sketches lie around drawn ones", "one"),
    "coverage": ("true sketches that have a drawn one near", "one"),
    "stroke_f1_1px": ("strokes where the true ones are, within 1 px", "one"),
    "stroke_f1_2px": ("the same within 2 px", "one"),
    "ssim": ("structural similarity to the true sketch", "ssim_white_paper"),
    "l1": ("distance to the true sketch", "l1_white_paper"),
}
_COMPARED = {
    "class_accuracy_real": "true sketches {:.2f}",
    "pair_rank_real": "true sketches {:.2f}",
    "fid_phi_train": "training sketches {:.2f}",
    "copying_ratio_white_paper": "true sketches 1, white paper {:.2f}",
    "ssim_white_paper": "white paper {:.3f}",
    "l1_white_paper": "white paper {:.3f}",
    "chance": "chance {:.2f}",
    "half": "chance 0.5, the true sketch itself 1",
    "one": "true sketches 1",
}


def evaluate_pairs(generator, train, test, folder, judge_epochs=None, judges=1, say=None):
    """Measures a generator on a set of pairs, by judges trained on it, and writes a report.

    Args:
        generator: Model from photos, or `{"photo", "label"}`, to sketches.
        train: The training pairs, a `Pairs`: what judges learn from.
        test: The test pairs, a `Pairs` of the same classes.
        folder: A folder that does not exist yet, or is empty. Into it go `results.json`,
            `index.html`, `samples.png`, `best.png` and `worst.png`.
        judge_epochs: Passes over the training sketches that a judge learns by, as `train_judge` takes
            them; the pair judge learns from as many, but from no more than 600 batches.
        judges: How many judges of the class, of the seeds 1000, 1001, ...: the measures are their means.
            Two minutes each; the rank by features is some .03 another by each.
        say: A function that is told, in a line of text, what begins.

    Returns:
        The measures: those of `evaluate`; `gan_train`, by one classifier; `judges`, how many; `ranges`, for
        measures that they differ in the least and the greatest; and `confusion`, a list of rows: for each
        class how many of its sketches the first judge took for each class. The best and worst pictures are
        by the first judge, too.

    Raises:
        FileExistsError: There is something in the folder.
        ValueError: There is no judge, the classes differ, or the generator's label is of another length.

    Example:

    >>> train, test = open_pairs("my_pairs")
    >>> evaluate_pairs(keras.models.load_model("generator.keras"), train, test, "report")
    """
    if judges < 1:
        raise ValueError(f"`judges` must be at least 1. Received: judges={judges}")
    say = say or (lambda line: None)
    folder = Path(folder)
    _check_classes(generator, train, test)
    with claimed(folder, "index.html"):
        image_size = tuple(generator.output.shape[1:3])
        known = train.as_arrays(image_size, _most_train(train, image_size))
        shown = test.as_arrays(image_size, MOST_TEST)
        results, first = _measured(generator, known, shown, judge_epochs, judges, say)
        photos, labels, sketches = shown
        drawn = draw(generator, photos, labels)
        results["confusion"] = metrics.confusion_matrix(first, drawn, labels).tolist()
        write_image(folder / "samples.png", sample_grid(generator, *shown, test.class_names))
        sureness = np.sum(first.predict(drawn, verbose=0) * labels, axis=1)
        _write_extremes(folder, (photos, drawn, sketches), labels, test.class_names, sureness)
        write_json(folder / "results.json", results)
        write_text(folder / "index.html", page(results, test.class_names))
    return results


def _measured(generator, train, test, judge_epochs, judges, say):
    """The measures but for the confusion, and the first judge of the class."""
    train_photos, train_labels, train_sketches = train
    _, labels, sketches = test
    networks = []
    for number in range(judges):
        say(f"judge of the class {number + 1} of {judges}, seed {1000 + number} ...")
        networks.append(train_judge(train_sketches, train_labels, judge_epochs, seed=1000 + number))
    steps = PAIR_STEPS
    if judge_epochs is not None:
        steps = min(steps, judge_epochs * math.ceil(len(train_photos) / PAIR_BATCH))
    say("judge of the photo ...")
    pair_judge = train_pair_judge(train_photos, train_sketches, steps)
    say("measuring ...")
    results, ranges = mean_by_judges(
        networks, lambda judge: evaluate(generator, judge, *test, pair_judge, train_sketches, train_labels)
    )
    say("GAN-train: a classifier that learns from drawn sketches ...")
    results["gan_train"] = gan_train(
        generator, train_photos, train_labels, sketches, labels, epochs=judge_epochs
    )
    return results | {"judges": judges, "ranges": ranges}, networks[0]


def _write_extremes(folder, images, labels, class_names, sureness):
    """The pictures of the drawings that a judge is surest of, and least sure: `best.png`, `worst.png`.

    Args:
        folder: Where they go.
        images: Photos, drawings and true sketches.
        labels: Of each photo, one-hot.
        class_names: The names of the classes.
        sureness: By how much each drawing was taken for its class.
    """
    order = np.argsort(-sureness, kind="stable")
    for name, chosen in {"best": order[:N_SHOWN], "worst": order[::-1][:N_SHOWN]}.items():
        rows = [[kind[i] for kind in images] for i in chosen]
        captions = [class_names[np.argmax(labels[i])] for i in chosen]
        write_image(folder / f"{name}.png", image_grid(rows, ["photo", "generated", "true"], captions))


def count_used(train, test, image_size):
    """How many pairs judges learn from, and how many are measured on, in `evaluate_pairs`.

    Args:
        train, test: As `evaluate_pairs` takes them.
        image_size: `(height, width)` of the generator's sketches, in pixels.

    Returns:
        Two integers: of each set one pair a photo, at most 3000, fewer above 149 px, and 1000.
    """
    most = _most_train(train, image_size)
    return min(train.n_photos, most), min(test.n_photos, MOST_TEST)


def _most_train(train, image_size):
    """How many pairs judges learn from: as many as memory holds, and at least four a class."""
    height, width = image_size
    return min(MOST_TRAIN, max(4 * train.n_classes, TRAIN_PIXELS // (height * width)))


def page(results, class_names):
    """The report as a page of HTML, beside its pictures.

    Args:
        results: What `evaluate_pairs` returns.
        class_names: One name a class.

    Returns:
        A string.
    """
    rows = [
        f"<tr><th>{name}<td>{value:.3f}{spread and f' ({spread})'}<td>{compared}<td>{meaning}"
        for name, value, spread, compared, meaning in _rows(results, len(class_names))
    ]
    several = results.get("judges", 1) > 1
    return _PAGE.format(
        measures="\n".join(rows),
        confusion=_confusion(results["confusion"], class_names),
        judges=f"\n<p>{_several(results)}" if several else "",
        first=" (by the first judge)" if several else "",
    )


def summary(results, n_classes):
    """The measures as lines of text, each beside what it is read against.

    Args:
        results: What `evaluate_pairs` returns.
        n_classes: Number of classes, for what chance is.

    Returns:
        Text.

    Example:

    >>> print(summary(evaluate_pairs(generator, train, test, "runs/report-1"), test.n_classes))
    """
    lines = [_several(results)] if results.get("judges", 1) > 1 else []
    for name, value, spread, compared, meaning in _rows(results, n_classes):
        beside = f"({spread})  " * bool(spread) + f"{compared}: " * bool(compared)
        lines.append(f"{name:23} {value:7.3f}  {beside}{meaning}")
    return "\n".join(lines)


def _several(results):
    return (
        f"Means of {results['judges']} judges, with from which to which they range; the confusion of "
        "classes, and which sketches are best and worst, by the first judge; GAN-train by one classifier."
    )


def _rows(results, n_classes):
    """Name, value, from which to which judges range, what it is read against, and meaning of each measure."""
    known = {**results, "chance": 1 / n_classes}
    spread = {
        name: f"{least:.3f} to {greatest:.3f}"
        for name, (least, greatest) in results.get("ranges", {}).items()
    }
    return [
        (
            name,
            results[name],
            spread.get(name, ""),
            _COMPARED[beside].format(known.get(beside, 0)) if beside else "",
            meaning,
        )
        for name, (meaning, beside) in _MEANINGS.items()
        if name in results
    ]


def _confusion(counts, class_names):
    names = [html.escape(name) for name in class_names]
    lines = ["<tr><th>drawn as \\ taken for" + "".join(f"<th>{name}" for name in names)]
    for name, row in zip(names, counts):
        shares = [count / max(1, sum(row)) for count in row]
        cells = [
            f'<td style="background:rgba(70,130,180,{share:.2f})">{count}'
            for share, count in zip(shares, row)
        ]
        lines.append(f"<tr><th>{name}" + "".join(cells))
    return "\n".join(lines)


def _check_classes(generator, train, test):
    if train.class_names != test.class_names:
        raise ValueError(
            f"`test` must be of the classes of `train`, {list(train.class_names)}. "
            f"Received: {list(test.class_names)}"
        )
    inputs = generator.input if isinstance(generator.input, dict) else {}
    if "label" in inputs and inputs["label"].shape[-1] != train.n_classes:
        raise ValueError(
            f"`generator` must take labels of {train.n_classes} classes. "
            f"Received: a generator of {inputs['label'].shape[-1]} classes"
        )


_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>keras_cgan: evaluation</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }}
table {{ border-collapse: collapse; margin: 1em 0; }}
th, td {{ padding: .2em .7em; border-bottom: 1px solid #ddd; text-align: left; }}
img {{ max-width: 100%; }}
</style>
<h1>Evaluation</h1>
<p>No measure stands alone: the class is won by one sketch a class, the photo by tracing it, likeness
by white paper.{judges}
<table>
{measures}
</table>
<h2>Which class is drawn{first}</h2>
<table>
{confusion}
</table>
<h2>Test photos</h2>
<img src="samples.png" alt="photo, generated, true; and the same photos as every class">
<h2>Surest of their class{first}</h2>
<img src="best.png" alt="photo, generated, true">
<h2>Least sure{first}</h2>
<img src="worst.png" alt="photo, generated, true">
"""
