"""Measures a trained generator on labelled pairs, by judges that learn from the training pairs.

    python examples/evaluate_sketches.py runs/classifier-1/generator.keras
    python examples/evaluate_sketches.py generator.keras --data my_pairs --out report

By default it is measured on the pairs of the run, where the run's settings.json lies beside the
generator, else on the embedded set. Writes every measure (results.json), and a page with them, the
confusion of the classes, and the best and worst sketches (index.html).

The rank by features depends on who looks: --judges 3 gives the means of three judges, and from which to
which they range.
"""

import argparse
import functools
from pathlib import Path

from keras_cgan.data.images import FITS
from keras_cgan.recipe_run import run_program
from keras_cgan.run_folder import RunFolder, check_new
from keras_cgan.sketch_settings import check_classes
from keras_cgan.startup import start_tensorflow

DEFAULTS = {"data": None, "misalignment": 0.4, "fit": "pad"}  # of a generator without its run


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description="Measures a generator of sketches on labelled pairs.")
    parser.add_argument("generator", help="generator.keras, as examples/train_sketches.py saves it")
    parser.add_argument(
        "--data",
        help="folder of photo/sketch pairs, '' for the embedded set (default: that of the run, or '')",
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how images that are not square are brought to size (default: as the run did, or pad)",
    )
    parser.add_argument(
        "--misalignment", type=float, help="of the embedded set (default: that of the run, or 0.4)"
    )
    parser.add_argument(
        "--judge-epochs",
        type=int,
        help="passes over the true sketches that each judge learns by (default: 60, fewer of many)",
    )
    parser.add_argument(
        "--judges",
        type=int,
        default=1,
        help="how many judges of the class: measures are their means, with from which to which they range; "
        "the confusion and the best and worst sketches are by the first; two minutes of one core each, "
        "3 for figures that compare with the README's tables (default: %(default)s)",
    )
    parser.add_argument("--out", help="new folder for the report (default: runs/report-<number>)")
    return parser.parse_args(arguments)


def load_generator(path):
    """The generator of a file; raises a `ValueError` that names the file where it is none."""
    import keras

    if not Path(path).is_file():
        raise ValueError(
            f"`generator` must be a file of a saved generator. Received: {path}, where there is none"
        )
    generator = keras.models.load_model(path)
    named = isinstance(generator.input, dict)
    inputs = generator.input if named else dict(zip(["photo", "another"], generator.inputs))
    is_known = "photo" in inputs and set(inputs) <= {"photo", "label"}
    photo, drawn = inputs["photo"].shape if is_known else (), generator.output_shape
    # A discriminator, too, makes images: matrices of patches, of photo and sketch stacked.
    draws = len(drawn) == len(photo) == 4 and photo[1:3] == drawn[1:3] and (photo[3], drawn[3]) == (3, 1)
    if not draws or None in drawn[1:3]:
        given = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in inputs.items())
        raise ValueError(
            f"{path} must be a generator from colour photos of one size, and perhaps labels, to grey "
            "sketches of that size. "
            f"Received: a model from {given} to {drawn}"
        )
    return generator


def settings_beside(path):
    """Those of the run that a generator is of, empty where its file is elsewhere, and their file."""
    file = Path(path).parent / "settings.json"
    return (RunFolder.open(file.parent).settings if file.is_file() else {}), file


def choose_pairs(options, of_run, file):
    """Which pairs to measure on: what was asked for, else what the run says whose settings are in `file`."""
    asked = {name: value for name, value in vars(options).items() if value is not None}
    chosen = {name: {**DEFAULTS, **of_run, **asked}[name] for name in DEFAULTS}
    data, is_of_run = chosen["data"], "data" in of_run and not set(DEFAULTS) & set(asked)
    if data and not Path(data).is_dir():
        where = f", which {file} names: say where it is now" if "data" not in asked else ""
        raise ValueError(f"--data must be a folder of pairs. Received: {data}, where there is none{where}")
    embedded = f"the embedded set, misalignment {chosen['misalignment']}"
    named = f"{data}, fit {chosen['fit']}" if data else embedded
    print(f"measuring on {named}" + (f", as in {file}" if is_of_run else ""))
    return data or None, chosen["misalignment"], chosen["fit"]


def main(arguments=None):
    options = parse_arguments(arguments)
    if options.out:
        check_new(options.out)  # before minutes are spent
    for name, count in {"--judge-epochs": options.judge_epochs, "--judges": options.judges}.items():
        if count is not None and count < 1:
            raise ValueError(f"{name} must be at least 1. Received: {count}")
    start_tensorflow()
    from keras_cgan.data import open_pairs
    from keras_cgan.report import count_used, evaluate_pairs, summary

    generator = load_generator(options.generator)
    of_run, file = settings_beside(options.generator)
    train, test = open_pairs(*choose_pairs(options, of_run, file))
    check_classes(of_run, test.class_names)
    learnt, measured = count_used(train, test, generator.output_shape[1:3])
    used = f"{learnt} of {len(train)} pairs and measuring on {measured} of {len(test)}, one a photo"
    print(
        f"training judges, {options.judges + 1} of the class and one of the photo, on {used} ...", flush=True
    )
    say = functools.partial(print, flush=True)
    out = Path(options.out) if options.out else RunFolder.next_free("runs", "report")
    results = evaluate_pairs(generator, train, test, out, options.judge_epochs, options.judges, say)
    print(summary(results, test.n_classes))
    print(f"page:      {out / 'index.html'}\nmeasures:  {out / 'results.json'}")


if __name__ == "__main__":
    run_program(main)
