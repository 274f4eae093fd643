"""Every way of using the labels, with and without the label as the generator's input, on one set.

    python benchmarks/strategies.py --data my_pairs --out runs/strategies-my_pairs
    # The embedded pairs, traced:
    python benchmarks/strategies.py --misalignment 0 --out runs/strategies-aligned
    # class-and-photo, less one thing at a time:
    python benchmarks/strategies.py --part ablation --data my_pairs --out runs/ablation

Each of these trains some thirty cells by three seeds, 3 to 12 minutes of a core each: half a day. `--cells`
and `--seeds` choose fewer: `--seeds 1 --cells "pix2pix,classifier + label"`. Each has a folder of its own.

Each cell is trained for as many steps as all others, class-and-photo's towers for 600 more before it, and
measured on test pairs by three classifiers that none was trained with: the rank by features depends on
who looks, so it is the mean of theirs. Two more networks say which photo a sketch is of, which a tracing
passes as well as the true sketch. No column stands alone: see keras_cgan/evaluate.py. A killed run goes
on: the same command; what is in `generators` is not trained again, and not taken for a cell that has been
changed since (cells.json), as by `--photo-weights`, which lays others over those of class-and-photo. At the
end there is a table, and strategies.png with the same photos through every cell of seed 0.
"""

import json

from recipe_cells import CellResults, add_precision, chosen_cells, fixed_rows, parser_of, save_whole
from side_by_side import say, start
from strategy_cells import PARTS, prepared, trained_by, weighed

from keras_cgan.recipe_run import run_program
from keras_cgan.run_folder import write_text
from keras_cgan.strategies import PHOTO_WEIGHTS, read_photo_weights

COLUMNS = {
    "class_accuracy": "class accuracy",
    "class_accuracy_blurred": "of blurred photos",
    "swap_asked": "asked for another class",
    "photo_rank_features": "true sketch's rank, features",
    "photo_rank_chamfer": "true sketch's rank, chamfer",
    "pair_rank": "photo's rank by a pair judge",
    "within_class_diversity": "diversity within a class",
    "stroke_f1_2px": "stroke F1, 2 px",
    "copying_ratio": "distance to training sketches",
    "fid_phi": "FID-phi",
    "gan_train": "GAN-train",
    "l1": "L1",
    "seconds": "s",
}
JUDGE_SEEDS = (1000, 1001, 1002)
SHOWN = 8  # photos in the picture


def without_network(photos, labels, train):
    """Drawings that copy, the photo or training sketches: what columns say of them, none may say alone.

    Args:
        photos, labels: Of the test pairs.
        train: Photos, labels and sketches of the training pairs.

    Returns:
        A dict of name -> sketches `(n, height, width, 1)` in [-1, 1].
    """
    import numpy as np

    from keras_cgan.metrics import feature_distances
    from keras_cgan.terms import blur, photo_edges

    lines = 2 * np.asarray(blur(photo_edges(photos), 0.7))  # about two pixels wide
    grey = np.mean(photos, axis=-1, keepdims=True)
    first_of_class = np.argmax(train[1], axis=0)  # each class has training pairs
    seen, known = (
        np.asarray(blur(each, each.shape[1] / 32)).reshape(len(each), -1) for each in (photos, train[0])
    )
    most_alike = np.argmin(feature_distances(seen, known), axis=1)
    return {
        "the photo's edges": 1 - 2 * np.clip(lines, 0, 1),
        "the grey photo": grey,
        "one training sketch a class": train[2][first_of_class[np.argmax(labels, axis=1)]],
        "the training sketch of the photo most alike": train[2][most_alike],
    }


def row_of(generator, test):
    """Some test photos of all classes, their true sketches, and what a generator draws of them."""
    import numpy as np

    from keras_cgan.evaluate import draw

    by_class = np.argsort(np.argmax(test[1], axis=1), kind="stable")
    chosen = by_class[np.linspace(0, len(by_class) - 1, min(SHOWN, len(by_class))).astype(int)]
    photos, labels, sketches = (part[chosen] for part in test)
    return photos, sketches, draw(generator, photos, labels)


def parse_arguments():
    parser = parser_of(__doc__, steps=3000, image_size=64, out="runs/strategies")
    parser.add_argument("--data", help="folder of photo/sketch pairs (default: the embedded set)")
    parser.add_argument("--misalignment", type=float, default=0.4, help="of the embedded set (default: 0.4)")
    parser.add_argument("--filters", type=int, default=32, help="of G and D (default: %(default)s)")
    add_precision(parser)
    parser.add_argument("--part", choices=PARTS, default="strategies", help="(default: %(default)s)")
    parser.add_argument(
        "--gan-train",
        action="store_true",
        help="also train a classifier on what each row draws, those there are too: a minute each",
    )
    parser.add_argument(
        "--photo-weights",
        type=read_photo_weights,
        metavar="NAME=NUMBER,...",
        help="train the cells of class-and-photo alone, at other weights than its own: "
        + ", ".join(f"{name}={weight:g}" for name, weight in PHOTO_WEIGHTS.items()),
    )
    options = parser.parse_args()
    cells = chosen_cells(parser, options, PARTS[options.part])
    if options.photo_weights:
        others = [name for name in cells if not weighed({name: cells[name]}, options.photo_weights)]
        if options.cells and others:
            parser.error(
                f"argument --photo-weights: not of these cells. Received: --cells {','.join(others)}"
            )
        cells = weighed(cells, options.photo_weights)
    return options, cells


def settings_of(options):
    """What results depend on: a folder begun with others is not gone on with."""
    names = ("steps", "image_size", "judge_epochs", "data", "misalignment", "filters", "precision", "part")
    return {name: getattr(options, name) for name in names} | {"judge_seeds": JUDGE_SEEDS} | trained_by()


def trained_generator(cell, seed, pairs, options):
    """The generator of a cell after its steps, in float32."""
    import keras

    from keras_cgan.precision import to_float32

    model, pipeline = prepared(cell, seed, pairs, options)
    model.fit(pipeline.batches(), steps_per_epoch=options.steps, verbose=0)
    keras.config.set_dtype_policy("float32")  # of what measures
    return to_float32(model.kept_generator())


def generator_file(folder, name, seed=0):
    """Where the generator of a cell is kept."""
    return folder / "generators" / f"{name.replace(' ', '-')}-{seed}.keras"


def kept_generator(results, name, cell, seed, train):
    """The file of a cell's generator, which is trained where it is not there.

    Args:
        results: The `CellResults` of its folder.
        name, cell, seed: Of the cell.
        train: A function without arguments that gives the generator.

    Returns:
        A `Path`.

    Raises:
        ValueError: The generator that is there is of another cell.
    """
    file = generator_file(results.path, name, seed)
    if file.exists():
        results.check_cell(name, cell, seed)
    else:
        generator = train()
        results.keep_cell(name, cell, seed)  # first: no generator without it
        save_whole(generator, file)
    return file


def draw_picture(file, test, generators):
    """The same photos through several generators, as an image file.

    Args:
        file: Where it goes.
        test: Photos, labels and true sketches.
        generators: A dict of name -> file of a generator, at least one.
    """
    import keras

    from keras_cgan.data import write_image
    from keras_cgan.pictures import image_grid

    rows = []
    for generator in generators.values():
        photos, sketches, drawn = row_of(keras.saving.load_model(generator), test)
        rows = rows or [list(photos), list(sketches)]
        rows.append(list(drawn))
    write_image(file, image_grid(rows, [""] * len(rows[0]), ["photo", "true", *generators]))


def main():
    options, cells = parse_arguments()
    start(options.threads)
    import keras

    from keras_cgan.data import open_pairs
    from keras_cgan.evaluate import evaluate, gan_train, mean_by_judges
    from keras_cgan.pictures import sample_grid

    results = CellResults(options.out, settings_of(options))
    pairs, test_pairs = open_pairs(options.data, options.misalignment)
    size = (options.image_size,) * 2
    test, known = test_pairs.as_arrays(size), pairs.as_arrays(size)
    judges = [results.judge(pairs, options.image_size, options.judge_epochs, seed) for seed in JUDGE_SEEDS]
    pair_judge = results.pair_judge(pairs, options.image_size, options.judge_epochs)
    true_train = known[2], known[1]
    fixed = fixed_rows(judges, test, without_network(*test[:2], known), pair_judge, true_train)
    # The second is finer: an accuracy is of some hundreds of sketches.
    results.check_judged_alike(fixed["true sketches"], "class_accuracy_real", "fid_phi_train")
    write_text(results.path / "fixed_rows.json", json.dumps(fixed, indent=2) + "\n")
    (results.path / "generators").mkdir(exist_ok=True)

    def measure(name, cell, seed):
        def train():
            return trained_generator(cell, seed, pairs, options)

        generator = keras.saving.load_model(kept_generator(results, name, cell, seed, train))
        measures, ranges = mean_by_judges(
            judges, lambda judge: evaluate(generator, judge, *test, pair_judge, *true_train)
        )
        return {**measures, "ranges": ranges}, sample_grid(generator, *test, pairs.class_names)

    def gan_train_of(name, seed):
        file = generator_file(results.path, name, seed)
        if not file.exists():
            return say(f"{name}, seed {seed}: no GAN-train, its generator is not there")
        generator = keras.saving.load_model(file)
        return gan_train(generator, *known[:2], test[2], test[1], epochs=options.judge_epochs)

    results.run(cells, options.seeds, measure, {"gan_train": gan_train_of} if options.gan_train else None)
    files = {name: generator_file(results.path, name) for name in cells}
    kept = {name: file for name, file in files.items() if file.exists()}  # not those of a copied results.json
    if kept:
        draw_picture(results.path / "strategies.png", test, kept)
    print(results.table(cells, COLUMNS, fixed))
    print(f"results: {results.path}" + (", with strategies.png" if kept else ""))


if __name__ == "__main__":
    run_program(main)
