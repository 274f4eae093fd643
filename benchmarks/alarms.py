"""Which alarms trainings raise: the ways of using the labels, and some that are made to go wrong.

    python benchmarks/alarms.py --data my_pairs --out runs/alarms

Each row is trained for as many whole epochs as `--steps` has, with `CollapseAlarm` beside it, which looks
after each. The table has the epoch in which a kind of collapse was first said, of the seeds that it was said
of: "12 (1 of 3)". What was said goes to the error stream as it comes, and a picture of each row into the
folder. A killed run goes on: the same command.
"""

import warnings

import strategy_cells
from recipe_cells import CellResults, add_precision, chosen_cells, parser_of
from side_by_side import say, start

from keras_cgan.recipe_run import run_program

TRAINED = (
    "L1 only",
    "L1 only + label",
    "pix2pix",
    "sigmoid + label",
    "sigmoid + label + no L1",
    "fake-class + label",
    "fake-class + label + no L1",
    "two-head + label",
    "classifier + label",
    "shared-q + label",
    "class-and-photo + label",
)
CLASSIFIER = {"strategy": "classifier", "label": True}
WRONG = {  # beside what `strategy_cells.make_model` knows: learning rates, usually 2e-4, and noise before C
    "classifier that sees no noise": {**CLASSIFIER, "noise": 0.0},
    "classifier with class weight 1000": {**CLASSIFIER, "class_weight": 1000.0},
    "D learns 50 times as fast": {**CLASSIFIER, "rates": {"d": 0.01}},
    "G does not learn": {**CLASSIFIER, "rates": {"g": 0.0}},
    "G and D learn 1000 times as fast": {**CLASSIFIER, "rates": {"d": 0.2, "g": 0.2}},
    "G learns until it is infinite": {**CLASSIFIER, "rates": {"g": 1e38}},
}
CELLS = {name: strategy_cells.CELLS[name] for name in TRAINED} | WRONG
KINDS = ("not finite", "frozen", "d wins", "identical", "one a class", "one class")


def make_model(cell, *arguments):
    """The compiled model of a cell, as `strategy_cells.make_model` has it but for noise and rates."""
    import keras

    from keras_cgan import FusedAdam

    own = {name: value for name, value in cell.items() if name not in ("noise", "rates")}
    model = strategy_cells.make_model(own, *arguments)
    if "noise" in cell:
        (layer,) = [each for each in model.classifier.layers if isinstance(each, keras.layers.GaussianNoise)]
        layer.stddev = cell["noise"]
    if "rates" in cell:
        rates = cell["rates"].items()
        model.compile(**{f"{player}_optimizer": FusedAdam(rate, beta_1=0.5) for player, rate in rates})
    return model


def settings_of(options):
    """What results depend on: a folder begun with others is not gone on with."""
    names = ("steps", "image_size", "data", "filters", "precision")
    return {name: getattr(options, name) for name in names} | strategy_cells.trained_by()


def main():
    parser = parser_of(__doc__, steps=2385, image_size=64, out="runs/alarms", judged=False)
    parser.add_argument("--data", help="folder of photo/sketch pairs (default: the embedded set)")
    parser.add_argument("--filters", type=int, default=32, help="of G and D (default: %(default)s)")
    add_precision(parser)
    parser.set_defaults(seeds=1)
    options = parser.parse_args()
    cells = chosen_cells(parser, options, CELLS)
    start(options.threads)
    import keras
    import numpy as np

    from keras_cgan.callbacks import CollapseAlarm, CollapseWarning
    from keras_cgan.data import open_pairs
    from keras_cgan.pictures import sample_grid

    results = CellResults(options.out, settings_of(options))
    pairs, test_pairs = open_pairs(options.data)
    test = test_pairs.as_arrays((options.image_size,) * 2)
    warnings.simplefilter("ignore", CollapseWarning)  # they are said below

    def raised(name, cell, seed):
        model, pipeline = strategy_cells.prepared(cell, seed, pairs, options, make_model)
        steps = min(options.steps, pipeline.steps_per_epoch)
        alarm = CollapseAlarm(*test)
        epochs = options.steps // steps
        model.fit(pipeline.batches(), steps_per_epoch=steps, epochs=epochs, verbose=0, callbacks=[alarm])
        keras.config.set_dtype_policy("float32")
        for _, kind, message in alarm.raised:
            say(f"{name}, {kind}: {message}")
        if any(kind == "not finite" for _, kind, _ in alarm.raised):
            model.set_weights([np.nan_to_num(weight) for weight in model.get_weights()])  # for the picture
        first = {kind: float(epoch) for epoch, kind, _ in reversed(alarm.raised)}
        return first, sample_grid(model.kept_generator(), *test, pairs.class_names)

    results.run(cells, options.seeds, raised)
    print(results.table(cells, dict(zip(KINDS, KINDS, strict=True)), places=0, counted=True))
    print(f"pictures: {results.path / 'samples'}")


if __name__ == "__main__":
    run_program(main)
