"""What the benchmarks of recipes share: cells that a killed run need not train again, and their table."""

import argparse
import json
import math
import statistics
import time

from side_by_side import positive, say
from speed_tables import table

from keras_cgan.run_folder import RunFolder, write_text
from keras_cgan.startup import PRECISIONS


def parser_of(description, steps, image_size, out, judged=True):
    """A parser of the options that all have.

    Args:
        description: The docstring of the program.
        steps, image_size, out: Defaults.
        judged: Whether a classifier reads the drawings.

    Returns:
        An `argparse.ArgumentParser`.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=positive, default=3, help="of each cell (default: %(default)s)")
    parser.add_argument("--steps", type=positive, default=steps, help="of each (default: %(default)s)")
    parser.add_argument(
        "--image-size", type=positive, default=image_size, help="in pixels (default: %(default)s)"
    )
    if judged:
        parser.add_argument(
            "--judge-epochs",
            type=positive,
            default=60,
            help="of the classifier that reads the drawings (default: %(default)s)",
        )
    parser.add_argument("--threads", type=positive, default=1, help="of TensorFlow (default: %(default)s)")
    parser.add_argument("--cells", help="names of rows, by commas (default: all)")
    parser.add_argument(
        "--out", default=out, help="folder: the same command goes on in it (default: %(default)s)"
    )
    return parser


def add_precision(parser):
    """Adds `--precision`. Not "auto": the rows of one folder are of one precision."""
    of_policies = [name for name in PRECISIONS if name != "auto"]
    parser.add_argument("--precision", choices=of_policies, default="float32", help="(default: %(default)s)")


def chosen_cells(parser, options, cells):
    """The cells that `--cells` names, in its order; ends the program where there is no such one."""
    names = [name.strip() for name in options.cells.split(",")] if options.cells else list(cells)
    for name in names:
        if name not in cells:
            parser.error(f"argument --cells: must be of {', '.join(cells)}. Received: {name!r}")
    return {name: cells[name] for name in names}


class CellResults:
    """The results of cells, each of several seeds, in a folder: what is in it is not done again.

    Beside them, in `cells.json`, is what each cell was when it was trained.

    Args:
        folder: A new folder, or that of a run with the same settings.
        settings: A dict that JSON can hold: what the results depend on.

    Raises:
        ValueError: The folder has results of other settings.
    """

    def __init__(self, folder, settings):
        self.path = RunFolder.new_or_same(folder, settings).path
        self._file = self.path / "results.json"
        self._cell_file = self.path / "cells.json"
        self._results, self._cells = (
            json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
            for file in (self._file, self._cell_file)
        )

    def run(self, cells, seeds, train, more=None):
        """Trains what is not there yet.

        Args:
            cells: A dict of name -> the options of its recipe.
            seeds: How many of each: 0, 1, ...
            train: A function of name, options and seed that gives the measures, a dict of floats and
                perhaps `ranges`, a dict by measure, and a picture.
            more: Measures that rows which lack them get, too, a dict of name -> function of a row's name and
                seed; where that gives `None`, the row goes without.

        Raises:
            ValueError: What is there was trained by other options.
        """
        from keras_cgan.data import write_image

        for name, options in cells.items():
            for seed in range(seeds):
                if str(seed) in self._results.get(name, {}):
                    self.check_cell(name, options, seed)
        # Seed by seed: a run that is stopped has all the rows.
        for seed in range(seeds):
            for name, options in cells.items():
                if str(seed) not in self._results.get(name, {}):
                    begin = time.process_time()
                    measures, picture = train(name, options, seed)
                    measures["seconds"] = time.process_time() - begin
                    write_image(self.path / "samples" / f"{name.replace(' ', '-')}-{seed}.png", picture)
                    self.keep_cell(name, options, seed)
                    self._add(name, seed, measures)
                found = self._results[name][str(seed)]
                for measure, function in (more or {}).items():
                    value = None if measure in found else function(name, seed)
                    if value is not None:
                        self._add(name, seed, {measure: value})

    def _add(self, name, seed, measures):
        self._results.setdefault(name, {}).setdefault(str(seed), {}).update(measures)
        write_text(self._file, json.dumps(self._results, indent=2) + "\n")
        figures = {measure: value for measure, value in measures.items() if measure != "ranges"}
        say(f"{name}, seed {seed}: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))

    def keep_cell(self, name, options, seed):
        """Notes by which options a cell was trained, for `check_cell`."""
        self._cells.setdefault(name, {})[str(seed)] = options
        write_text(self._cell_file, json.dumps(self._cells, indent=2) + "\n")

    def check_cell(self, name, options, seed):
        """Raises a `ValueError` where a cell was trained by other options, as far as `keep_cell` was told."""
        kept = self._cells.get(name, {})
        options = json.loads(json.dumps(options))  # as JSON gives them back: a tuple is a list there
        if str(seed) in kept and kept[str(seed)] != options:
            raise ValueError(
                f"{self.path} holds {name!r} of seed {seed} trained by {kept[str(seed)]}: give the changed "
                f"cell another name, or choose another folder. Received: {options}"
            )

    def table(self, cells, columns, fixed=None, places=3, counted=False):
        """The means, and the least and the greatest of the seeds, as Markdown.

        Args:
            cells: Names of rows.
            columns: A dict of measure -> head.
            fixed: Rows that are not trained: a dict of name -> measures.
            places: Behind the decimal point.
            counted: Whether to say of how many seeds a figure is, where others of its row have none.

        Returns:
            The table, text.
        """
        results = {name: [measures] for name, measures in (fixed or {}).items()}
        results |= {name: list(self._results.get(name, {}).values()) for name in cells}

        def cell(seeds, measure):
            values = [each[measure] for each in seeds if measure in each]
            return _figures(values, places, len(seeds) if counted else len(values))

        rows = [[name, *(cell(seeds, each) for each in columns)] for name, seeds in results.items()]
        return table(["", *columns.values()], rows)

    def judge(self, train, image_size, epochs, seed=1000):
        """An independent classifier of sketches, trained once, on those of the training pairs."""
        import keras

        from keras_cgan.judges import train_judge

        file = self.path / f"judge-{seed}.keras"
        if not file.exists():
            say("training an independent classifier on the real sketches, as a judge")
            _, labels, sketches = train.as_arrays((image_size, image_size))
            save_whole(train_judge(sketches, labels, epochs=epochs, seed=seed), file)
        return keras.saving.load_model(file)

    def pair_judge(self, train, image_size, epochs):
        """An independent judge of which photo a sketch is of, trained once: 10 batches for each epoch."""
        import keras

        from keras_cgan.judges import PairJudge, train_pair_judge

        files = [self.path / f"{part}-judge.keras" for part in PairJudge._fields]
        if not all(file.exists() for file in files):
            say("training two networks to tell which real sketch is of which photo, as a judge")
            photos, _, sketches = train.as_arrays((image_size, image_size))
            for tower, file in zip(train_pair_judge(photos, sketches, 10 * epochs), files, strict=True):
                save_whole(tower, file)
        return PairJudge(*(keras.saving.load_model(file) for file in files))

    def check_judged_alike(self, true, *names):
        """Raises a `ValueError` where a cell, as of a file from elsewhere, was measured by other judges.

        Args:
            true: What this folder's judges measure of the true sketches, a dict of floats.
            *names: Of measures that are then the same in all rows, but for rounding.
        """
        for row, seeds in self._results.items():
            for found in seeds.values():
                for name in names:
                    value = found.get(name, math.nan)
                    if not math.isclose(value, true[name], rel_tol=1e-3):
                        raise ValueError(
                            f"{self._file} must be of this folder's judges, whose {name} is {true[name]}: "
                            f"begin a new folder. Received: {value} of {row}"
                        )


def save_whole(network, file):
    """Saves a network so that its file is complete or not there.

    Raises:
        ValueError: A weight of it is not finite: loaded again, it would end each further run.
    """
    import numpy as np

    if not all(np.isfinite(weight).all() for weight in network.get_weights()):
        raise ValueError(f"{network.name!r} must have finite weights to be saved as {file}. Received: NaN")
    part = file.with_name(f"part-{file.name}")
    network.save(part)
    part.replace(file)


def fixed_rows(judges, test, others=None, pair_judge=None, train=(None, None)):
    """What the measures say of drawings that no network made: the true sketches, white paper, and others.

    Args:
        judges: A list of what `train_judge` makes; the rows are their means.
        test: Photos, labels and true sketches.
        others: More drawings by name, of the shape of the sketches.
        pair_judge: Optional, as `train_pair_judge` makes it.
        train: Optional real training sketches, and their labels.

    Returns:
        A dict of name -> measures, as `evaluate_drawn` gives them.
    """
    import numpy as np

    from keras_cgan.evaluate import evaluate_drawn, mean_by_judges

    drawings = {"true sketches": test[2], "white paper": np.ones_like(test[2]), **(others or {})}

    def measures(drawn):
        means, _ = mean_by_judges(
            judges, lambda judge: evaluate_drawn(drawn, judge, *test, pair_judge, *train)
        )
        return means

    return {name: measures(drawn) for name, drawn in drawings.items()}


def _figures(values, places, seeds):
    """The mean of some values, and in brackets from where to where, and of how many seeds, if not of all."""
    if not values:
        return ""
    of = f".{places}f"
    spread = [f"{min(values):{of}} to {max(values):{of}}"] if len(values) > 1 else []
    count = [f"{len(values)} of {seeds}"] if len(values) < seeds else []
    notes = "; ".join(spread + count)
    return f"{statistics.mean(values):{of}}" + (f" ({notes})" if notes else "")
