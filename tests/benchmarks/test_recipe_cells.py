"""The benchmarks of recipes: cells that are done are not done again, their table, and short whole runs."""

import argparse
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_cgan

ROOT = Path(keras_cgan.__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))  # The benchmarks are programs, not a package.

import side_by_side  # noqa: E402
from recipe_cells import CellResults, chosen_cells, fixed_rows, parser_of, save_whole  # noqa: E402

from keras_cgan import vgg_classifier  # noqa: E402
from keras_cgan.data import EmbeddedPairs  # noqa: E402
from keras_cgan.evaluate import evaluate_drawn  # noqa: E402

CELLS = {"one": {"weight": 1.0}, "no L1": {"weight": 0.0}}
PICTURE = np.zeros((8, 8, 3), "uint8")


class Stopped(Exception):
    pass


def trainer(done, stop_at=None):
    """Figures by hand: the weight plus the seed."""

    def train(name, options, seed):
        if len(done) == stop_at:
            raise Stopped
        done.append((options["weight"], seed))
        return {"l1": options["weight"] + seed}, PICTURE

    return train


def test_a_stopped_run_goes_on_with_what_is_missing(tmp_path):
    done = []
    with pytest.raises(Stopped):
        CellResults(tmp_path / "run", {"steps": 3}).run(CELLS, 2, trainer(done, stop_at=3))
    assert done == [(1.0, 0), (0.0, 0), (1.0, 1)]  # all rows of a seed first
    results = CellResults(tmp_path / "run", {"steps": 3})
    results.run(CELLS, 2, trainer(done))
    assert done == [(1.0, 0), (0.0, 0), (1.0, 1), (0.0, 1)]
    kept = json.loads((tmp_path / "run" / "results.json").read_text())
    assert kept["no L1"]["1"]["l1"] == 1.0 and kept["one"]["0"]["seconds"] >= 0
    assert (tmp_path / "run" / "samples" / "no-L1-1.png").stat().st_size
    with pytest.raises(ValueError, match="steps"):
        CellResults(tmp_path / "run", {"steps": 4})


def test_a_row_of_another_cell_is_refused_before_anything_is_trained(tmp_path):
    CellResults(tmp_path / "run", {}).run(CELLS, 1, trainer([]))
    done, heavier = [], {"two": {"weight": 2.0}, **CELLS, "no L1": {"weight": 50.0}}
    with pytest.raises(ValueError, match="'no L1' of seed 0 .*'weight': 0.0.*another name.*'weight': 50.0"):
        CellResults(tmp_path / "run", {}).run(heavier, 1, trainer(done))
    assert not done


@pytest.mark.parametrize("cell", [None, {"judges": ("sketch", "pair")}])
def test_a_cell_is_the_one_that_was_kept(cell, tmp_path):
    CellResults(tmp_path / "run", {}).keep_cell("one", cell, 0)
    results = CellResults(tmp_path / "run", {})
    results.check_cell("one", cell, 0)
    results.check_cell("one", {"judges": ("half",)}, 1)  # of which nothing is kept
    with pytest.raises(ValueError, match="'one' of seed 0"):
        results.check_cell("one", {"judges": ("half",)}, 0)


def test_rows_from_before_cells_were_kept_go_on(tmp_path):
    CellResults(tmp_path / "run", {}).run(CELLS, 1, trainer([]))
    (tmp_path / "run" / "cells.json").unlink()
    done = []
    CellResults(tmp_path / "run", {}).run({"one": {"weight": 2.0}}, 2, trainer(done))
    assert done == [(2.0, 1)]
    assert json.loads((tmp_path / "run" / "cells.json").read_text()) == {"one": {"1": {"weight": 2.0}}}


def test_a_measure_is_added_to_rows_that_lack_it(tmp_path):
    CellResults(tmp_path / "run", {}).run({"one": CELLS["one"]}, 1, trainer([]))
    trained, measured = [], []

    def add(name, seed):
        measured.append((name, seed))
        return None if seed else 0.5  # as of a row whose generator is not there

    for _ in range(2):
        CellResults(tmp_path / "run", {}).run(CELLS, 2, trainer(trained), {"known": add})
    assert trained == [(0.0, 0), (1.0, 1), (0.0, 1)]
    assert measured[:4] == [("one", 0), ("no L1", 0), ("one", 1), ("no L1", 1)]
    assert measured[4:] == [("one", 1), ("no L1", 1)]  # what is there is not measured again
    kept = json.loads((tmp_path / "run" / "results.json").read_text())
    assert kept["one"]["0"].keys() == {"l1", "seconds", "known"} and kept["one"]["0"]["known"] == 0.5
    assert kept["one"]["1"].keys() == {"l1", "seconds"}


def test_the_table_by_hand(tmp_path):
    results = CellResults(tmp_path / "run", {})
    results.run({"one": CELLS["one"]}, 3, trainer([]))
    lines = results.table(CELLS, {"l1": "L1"}, {"white paper": {"l1": 0.25, "else": 1.0}}).splitlines()
    assert lines == [
        "|  | L1 |",
        "| --- | --: |",
        "| white paper | 0.250 |",
        "| one | 2.000 (1.000 to 3.000) |",
        "| no L1 |  |",
    ]


def test_a_measure_that_a_row_has_not_is_left_empty(tmp_path):
    results = CellResults(tmp_path / "run", {})
    results.run({"one": CELLS["one"]}, 1, trainer([]))
    assert results.table(["one"], {"l1": "L1", "back": "back"}).splitlines()[-1] == "| one | 1.000 |  |"


def test_what_some_seeds_have_is_said_to_be_of_so_many(tmp_path):
    results = CellResults(tmp_path / "run", {})
    found = [
        {"identical": 12.0, "frozen": 1.0, "d wins": 2.0},
        {"frozen": 3.0, "d wins": 4.0},
        {"d wins": 6.0},
    ]
    results.run({"one": CELLS["one"]}, 3, lambda name, cell, seed: (found[seed], PICTURE))
    columns = {kind: kind for kind in ("identical", "frozen", "d wins", "one class")}
    fixed = {"by hand": {"identical": 5.0}}
    lines = results.table(["one"], columns, fixed, places=0, counted=True).splitlines()
    assert lines[-2] == "| by hand | 5 |  |  |  |"
    assert lines[-1] == "| one | 12 (1 of 3) | 2 (1 to 3; 2 of 3) | 4 (2 to 6) |  |"
    assert (
        results.table(["one"], columns, places=0).splitlines()[-1]
        == "| one | 12 | 2 (1 to 3) | 4 (2 to 6) |  |"
    )


def test_rows_that_are_not_trained():
    photos, labels, sketches = EmbeddedPairs(12, 0.3).as_arrays((16, 16))
    judge = vgg_classifier((16, 16, 1), 6, filters=2, blocks=2)
    rows = fixed_rows([judge], (photos, labels, sketches), {"black": -np.ones_like(sketches)})
    assert list(rows) == ["true sketches", "white paper", "black"]
    assert rows["true sketches"]["l1"] == 0 and rows["true sketches"]["photo_rank_chamfer"] == 1
    assert rows["white paper"]["within_class_diversity"] == 0
    assert rows["white paper"]["l1"] == pytest.approx(np.mean(1 - sketches) / 2, rel=1e-4)
    assert rows["black"] == evaluate_drawn(-np.ones_like(sketches), judge, photos, labels, sketches)


def test_rows_of_several_judges_are_means():
    test = EmbeddedPairs(12, 0.3).as_arrays((16, 16))
    judges = [vgg_classifier((16, 16, 1), 6, filters=2, blocks=2) for _ in range(2)]
    both, *each = (fixed_rows(some, test)["white paper"] for some in (judges, judges[:1], judges[1:]))
    assert each[0]["fid_phi"] != each[1]["fid_phi"] and each[0]["l1"] == each[1]["l1"] == both["l1"]
    assert both["fid_phi"] == pytest.approx((each[0]["fid_phi"] + each[1]["fid_phi"]) / 2)


def test_a_network_of_nan_is_not_kept(tmp_path):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="last")], name="spoiled")
    save_whole(network, tmp_path / "kept.keras")
    network.get_layer("last").bias.assign([np.nan])
    with pytest.raises(ValueError, match="'spoiled' must have finite weights.*Received: NaN"):
        save_whole(network, tmp_path / "spoiled.keras")
    assert [file.name for file in tmp_path.iterdir()] == ["kept.keras"]


def test_results_of_other_judges_are_refused(tmp_path):
    results = CellResults(tmp_path / "run", {})
    results.run({"one": CELLS["one"]}, 1, lambda *_: ({"accuracy": 0.75, "fid": 2.0}, PICTURE))
    results.check_judged_alike({"accuracy": 0.75, "fid": 2.0 + 1e-6, "else": 1.0}, "accuracy", "fid")
    begin = "results.json must be of this folder's judges"
    with pytest.raises(ValueError, match=f"{begin}, whose accuracy is 0.5: .*Received: 0.75 of one"):
        results.check_judged_alike({"accuracy": 0.5, "fid": 2.0}, "accuracy", "fid")
    with pytest.raises(ValueError, match=f"{begin}, whose fid is 2.1: .*Received: 2.0 of one"):
        results.check_judged_alike({"accuracy": 0.75, "fid": 2.1}, "accuracy", "fid")
    with pytest.raises(ValueError, match=f"{begin}, whose else is 1.0: .*Received: nan of one"):
        results.check_judged_alike({"else": 1.0}, "else")


def test_cells_by_name(capsys):
    parser = parser_of("What it is.", steps=5, image_size=16, out="runs/x")
    assert list(chosen_cells(parser, parser.parse_args([]), CELLS)) == ["one", "no L1"]
    assert chosen_cells(parser, argparse.Namespace(cells="no L1"), CELLS) == {"no L1": {"weight": 0.0}}
    with pytest.raises(SystemExit):
        chosen_cells(parser, parser.parse_args(["--cells", "two"]), CELLS)
    assert "argument --cells: must be of one, no L1. Received: 'two'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["strategies", "alarms", "pix2pix_losses", "cyclegan_terms"])
def test_a_folder_of_other_settings_is_refused_in_a_line(name, tmp_path, monkeypatch):
    (tmp_path / "settings.json").write_text('{"steps": 1}')
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--out", str(tmp_path)])
    monkeypatch.setattr(side_by_side, "start", lambda threads: None)  # TensorFlow is there in tests
    with pytest.raises(SystemExit, match="error: .*steps"):
        runpy.run_path(str(ROOT / "benchmarks" / f"{name}.py"), run_name="__main__")
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]


def run(name, *arguments):
    """Runs a benchmark as a program; returns stdout and stderr."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / f"{name}.py", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, cells, fixed, columns",
    [
        ("pix2pix_losses", ["L1", "L1+cGAN patch 1"], [], 5),
        ("cyclegan_terms", ["GAN alone", "CycleGAN", "pix2pix (pairs)"], ["photos"], 7),
    ],
)
def test_short_runs(name, cells, fixed, columns, tmp_path):
    out = tmp_path / "run"
    options = ("--steps", 2, "--seeds", 1, "--judge-epochs", 1, "--cells", ",".join(cells), "--out", out)
    stdout, stderr = run(name, *options)
    rows = [line.strip("| ").split(" |") for line in stdout.splitlines()]
    assert [row[0] for row in rows[2:]] == ["true sketches", "white paper", *fixed, *cells]
    assert {len(line.split("|")) - 2 for line in stdout.splitlines()} == {columns}
    said = [line.split(", seed 0: ") for line in stderr.splitlines() if ", seed 0: " in line]
    assert [name for name, _ in said] == cells and all("class_accuracy 0." in rest for _, rest in said)
    assert len(list((out / "samples").glob("*.png"))) == len(cells)
    again, stderr = run(name, *options)
    assert again == stdout and "seed 0" not in stderr
