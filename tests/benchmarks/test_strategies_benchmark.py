"""The benchmark of strategies: what its cells are, and a whole run on a few pairs."""

import argparse
import functools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))  # The benchmarks are programs, not a package.

import alarms  # noqa: E402
import strategies  # noqa: E402
import strategy_cells  # noqa: E402
from recipe_cells import CellResults  # noqa: E402

from keras_cgan import STRATEGIES, metrics, photo_towers, strategy_networks  # noqa: E402
from keras_cgan.data import EmbeddedPairs  # noqa: E402

SIZE = (24, 24)


def test_every_strategy_is_there_with_and_without_the_label():
    found = {(cell["strategy"], cell.get("label", False)) for cell in strategy_cells.CELLS.values()}
    wanted = {(strategy, label) for strategy in STRATEGIES for label in (True, False)}
    # Labels are swapped: there must be one.
    assert found == wanted - {("class-and-photo", False)}


def test_cells_can_be_named_by_commas():
    assert not [name for part in strategy_cells.PARTS.values() for name in part if "," in name]


@functools.cache
def settings_of(name):
    """What tells one row of the ablation from another, as its model has it."""
    cell = strategy_cells.ABLATION[name]
    model = strategy_cells.make_model(cell, SIZE, 3, 2, photo_towers((*SIZE, 3)))
    of_d = model.discriminator.layers
    given = ("l1_weight", "class_weight", "adversarial_weight", "adversarial_loss", "r1_weight", "r2_weight")
    return {
        "terms": {term.name for term in model.terms},
        "augment": any(type(layer).__name__ == "DiffAugment" for layer in of_d),
        "swaps": model.swap_rate,
        "projection": model.objectives.d_takes_label,
        "spectral": any(isinstance(layer, keras.layers.SpectralNormalization) for layer in of_d),
        "judges": [layer.inputs[0].shape[1:] for layer in of_d if isinstance(layer, keras.Model)],
        "warp": strategy_cells.warp_of(cell),
        "blur": cell.get("blur_rate", 0.0),
        "average": model.average_decay,
        "maps of G": model.generator.get_layer("down1_conv").filters,
        "norms of the label": sum(layer.name.endswith("_gamma") for layer in model.generator.layers),
        "equilibrium": model.equilibrium is not None,
        **{key: model._given[key] for key in given},
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", strategy_cells.ABLATION)
def test_an_ablation_is_the_whole_but_for_one_thing(name):
    config = [settings_of("class-and-photo"), settings_of(name)]
    assert config[0]["terms"] == {"edges", "photo_information"}
    changed = {key for key in config[0] if config[0][key] != config[1][key]}
    expected = {
        "no edges": {"terms"},
        "and L1 50": {"l1_weight"},
        "and L1 100": {"l1_weight"},
        "and blurred L1": {"terms"},
        "no photo information": {"terms"},
        "no swapped labels": {"swaps", "class_weight"},  # weighed as in the mean of the whole
        "no class loss": {"class_weight"},
        "no adversarial loss": {"adversarial_weight"},
        "D not augmented": {"augment"},
        "pairs not bent": {"warp"},
        "no moving average": {"average"},
        "label at the bottleneck alone": {"norms of the label"},
        "G twice as wide": {"maps of G"},
        "and feature matching": {"terms"},
        **{f"and feature matching by C at {weight}": {"terms"} for weight in (20, 100, 300)},
        "and blurred photos": {"blur"},
        "and R1": {"r1_weight"},
        "and hinge": {"adversarial_loss"},
        "and hinge + spectral norm": {"adversarial_loss", "spectral"},
        "and a second D of the pair": {"judges"},
        "and a second D at half the size": {"judges"},
        "and projection": {"judges", "projection"},
        "and a second D of the pair + projection": {"judges", "projection"},
        "and relativistic + R1": {"adversarial_loss", "r1_weight"},
        "and relativistic + R1 + R2": {"adversarial_loss", "r1_weight", "r2_weight"},
        "and equilibrium": {"equilibrium"},
        "class-and-photo": set(),
    }
    assert changed == expected[name]


@pytest.mark.parametrize(
    ("names", "seen"),
    [(("sketch", "pair"), [(24, 24, 1), (24, 24, 4)]), (("sketch", "half"), [(24, 24, 1), (12, 12, 1)])],
)
def test_several_discriminators_of_one_row_are_augmented_alike(names, seen):
    joined = strategy_cells.joined_judges(names, SIZE, 2)
    judges = [layer for layer in joined.layers if isinstance(layer, keras.Model)]
    assert [judge.input.shape[1:] for judge in judges] == seen
    assert [type(layer).__name__ for layer in joined.layers].count("DiffAugment") == 1
    assert joined.output.shape[-1] == 2


def test_without_swaps_the_class_weighs_what_it_weighed_in_the_mean():
    model = strategy_cells.make_model(strategy_cells.ABLATION["no swapped labels"], SIZE, 6, 2)
    # .4 of the labels are drawn anew, one in six of them the own one again.
    assert model._given["class_weight"] == pytest.approx(0.25 * (2 / 3 + 65 / 3))


def test_rows_of_class_and_photo_can_have_other_weights():
    given = {"edges": 75.0, "swap_weight": 50.0}
    end = ", edges 75, swap_weight 50"
    cells = strategy_cells.weighed({**strategy_cells.CELLS, **strategy_cells.ABLATION}, given)
    assert set(cells) == {f"{name}{end}" for name in ("class-and-photo + label", *strategy_cells.ABLATION)}
    model = strategy_cells.make_model(cells[f"class-and-photo{end}"], SIZE, 3, 2, photo_towers((*SIZE, 3)))
    own = strategy_cells.photo_weights("class-and-photo")
    found = {term.name: term.weight for term in model.terms}
    assert found == {"edges": 75, "photo_information": own["photo_information"]}
    assert (model.swap_weight, model.swap_rate) == (50, own["swap_rate"])
    without = strategy_cells.make_model(cells[f"no swapped labels{end}"], SIZE, 6, 2)
    assert without._given["class_weight"] == pytest.approx(0.25 * (2 / 3 + 50 / 3))


def test_a_row_s_own_weight_stays_and_two_matchings_go_together():
    cells = strategy_cells.weighed(strategy_cells.ABLATION, {"feature_matching": 7.0})
    by_c = cells["and feature matching by C at 20"]  # not named by what it is not trained by
    assert by_c["photo_weights"] == {"feature_matching": 20.0}
    both = strategy_cells.weighed(strategy_cells.ABLATION, {"edges": 75.0, "feature_matching": 7.0})
    assert both["and feature matching by C at 20, edges 75"]["photo_weights"] == {
        "edges": 75.0,
        "feature_matching": 20.0,
    }
    by_d = cells["and feature matching, feature_matching 7"]
    terms = strategy_cells.make_model(by_d, SIZE, 3, 2, photo_towers((*SIZE, 3))).terms
    assert [term.network for term in terms[-2:]] == ["classifier", "discriminator"]
    no_towers = strategy_cells.weighed(strategy_cells.ABLATION, {"photo_information": 0.0})
    assert not any(strategy_cells.asks_for_towers(cell) for cell in no_towers.values())


def test_weights_of_other_cells_are_refused(monkeypatch, capsys):
    options = ["--cells", "pix2pix,class-and-photo + label", "--photo-weights", "edges=75"]
    monkeypatch.setattr(sys, "argv", ["strategies.py", *options])
    with pytest.raises(SystemExit):
        strategies.parse_arguments()
    assert "--photo-weights: not of these cells. Received: --cells pix2pix" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["strategies.py", *options[2:]])  # of all, those that have them
    assert list(strategies.parse_arguments()[1]) == ["class-and-photo + label, edges 75"]


def test_pairs_are_bent_for_class_and_photo_where_they_do_not_align_and_where_a_row_says_so():
    bent = {name for name, cell in strategy_cells.CELLS.items() if strategy_cells.warp_of(cell)}
    of_answer = {f"{name} + label + bent" for name in ("pix2pix", "fake-class", "classifier")}
    of_answer.add("classifier + label + bent + averaged + class weight 10")
    of_option_2 = "fake-class + label + no L1 + bent + averaged"
    of_answer |= {of_option_2, f"{of_option_2} + G twice as wide"}
    of_answer |= {f"{of_option_2} + edges {edges} + swaps" for edges in (20, 70)}
    assert bent == {"class-and-photo + label"} | of_answer
    assert len({strategy_cells.warp_of(strategy_cells.CELLS[name]) for name in bent}) == 1


@pytest.mark.parametrize(("edges", "weight"), [(20, 0.1), (70, 0.01)])
def test_option_2_can_be_asked_for_edges_and_other_classes(edges, weight):
    name = f"fake-class + label + no L1 + bent + averaged + edges {edges} + swaps"
    model = strategy_cells.make_model(strategy_cells.CELLS[name], SIZE, 3, 2)
    assert [(term.name, term.weight, term.own_class_only) for term in model.terms] == [("edges", edges, True)]
    assert (model.swap_rate, model._given["class_weight"], model._given["l1_weight"]) == (0.4, weight, 0)
    assert model.discriminator.output_shape == (None, 4) and model.classifier.output_shape == (None, 3)
    assert model.average_decay == STRATEGIES["class-and-photo"].average_decay


def test_towers_are_trained_for_cells_that_ask_for_them():
    of_ablation = {
        name for name, cell in strategy_cells.ABLATION.items() if strategy_cells.asks_for_towers(cell)
    }
    assert of_ablation == set(strategy_cells.ABLATION) - {"no photo information"}
    of_cells = {name for name, cell in strategy_cells.CELLS.items() if strategy_cells.asks_for_towers(cell)}
    assert of_cells == {"class-and-photo + label"}


def test_drawings_without_a_network_copy_the_photo_or_training_sketches():
    photos, labels, sketches = EmbeddedPairs(24, misalignment=0.0).as_arrays((32, 32))
    known = EmbeddedPairs(48, seed=1, misalignment=0.0).as_arrays((32, 32))
    copies = strategies.without_network(photos, labels, known)
    assert all(
        drawn.shape == sketches.shape and -1 <= drawn.min() < 0 < drawn.max() <= 1
        for drawn in copies.values()
    )
    rank = {
        name: metrics.photo_rank(metrics.chamfer_distances(drawn, sketches), labels)
        for name, drawn in copies.items()
    }
    assert rank["the photo's edges"] > 0.7 and rank["the grey photo"] > 0.7
    assert rank["one training sketch a class"] == pytest.approx(0.5)
    one_a_class = copies["one training sketch a class"]
    assert metrics.within_class_diversity(one_a_class, sketches, labels) == pytest.approx(0, abs=1e-3)
    for name in ("one training sketch a class", "the training sketch of the photo most alike"):
        of = [np.flatnonzero((known[2] == drawn).all(axis=(1, 2, 3)))[0] for drawn in copies[name]]
        if name.startswith("one"):
            assert (known[1][of] == labels).all()
    # A photo that is known gives its own sketch.
    again = strategies.without_network(known[0], known[1], known)[
        "the training sketch of the photo most alike"
    ]
    assert (again == known[2]).all()


OPTIONS = argparse.Namespace(
    steps=2,
    image_size=24,
    judge_epochs=1,
    data=None,
    misalignment=0.4,
    filters=2,
    precision="float32",
    part="strategies",
    gan_train=False,
)


def test_the_settings_hold_who_judges(monkeypatch):
    before = strategies.settings_of(OPTIONS)
    assert before == strategies.settings_of(OPTIONS)
    monkeypatch.setattr(strategies, "JUDGE_SEEDS", (1, 2, 3))
    assert strategies.settings_of(OPTIONS) != before


@pytest.mark.parametrize("program", [strategies, alarms])
def test_the_settings_hold_the_weights_also_of_pairs_that_align(program, monkeypatch):
    before = program.settings_of(OPTIONS)
    assert before == program.settings_of(OPTIONS) and before["batch_size"] == strategy_cells.BATCH_SIZE
    for name in ("default_weights", "photo_weights", "default_warp"):
        own = getattr(strategy_cells, name)
        other = 0.125 if name == "default_warp" else {"l1_weight": 0.125}
        for changes in (False, True):  # of pairs that do not align, of those that do
            with monkeypatch.context() as changed:
                changed.setattr(
                    strategy_cells,
                    name,
                    lambda strategy, aligned=False, own=own, other=other, changes=changes: (
                        other if aligned == changes else own(strategy, aligned)
                    ),
                )
                assert program.settings_of(OPTIONS) != before, (name, changes)


def test_a_measure_that_is_asked_for_later_is_not_another_run():
    asked = argparse.Namespace(**{**vars(OPTIONS), "gan_train": True})
    assert strategies.settings_of(asked) == strategies.settings_of(OPTIONS)


def test_a_generator_of_another_cell_is_not_taken_for_this_one(tmp_path):
    (tmp_path / "run" / "generators").mkdir(parents=True)
    (tmp_path / "run" / "settings.json").write_text("{}")
    trained = []

    def train():
        trained.append(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
        return trained[-1]

    for _ in range(2):  # the second finds it
        results = CellResults(tmp_path / "run", {})
        file = strategies.kept_generator(results, "and R1", {"r1_weight": 1.0}, 0, train)
        assert file.stat().st_size and len(trained) == 1
    with pytest.raises(ValueError, match="'and R1' of seed 0 .*50.0"):
        strategies.kept_generator(results, "and R1", {"r1_weight": 50.0}, 0, train)
    file.unlink()  # nothing is left of the old one
    strategies.kept_generator(results, "and R1", {"r1_weight": 50.0}, 0, train)
    assert len(trained) == 2
    strategies.kept_generator(CellResults(tmp_path / "run", {}), "and R1", {"r1_weight": 50.0}, 0, train)


@pytest.mark.slow
def test_a_run_and_its_end(tmp_path):
    tiny = "--steps 2 --seeds 1 --image-size 24 --judge-epochs 1 --filters 2".split()
    cells = ["--part", "ablation", "--cells", "no edges,class-and-photo", "--out", str(tmp_path / "run")]
    run = [sys.executable, str(ROOT / "benchmarks" / "strategies.py"), *tiny, *cells]
    first = subprocess.run(run, capture_output=True, text=True, timeout=600)
    assert first.returncode == 0, first.stderr
    assert "| no edges |" in first.stdout and "| the photo's edges |" in first.stdout
    assert (tmp_path / "run" / "strategies.png").stat().st_size
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert set(results) == {"no edges", "class-and-photo"}
    assert all(0 <= found["0"]["pair_rank"] <= 1 for found in results.values())
    assert not any("gan_train" in found["0"] for found in results.values())
    for row in (found["0"] for found in results.values()):
        for measure, (least, greatest) in row["ranges"].items():  # what the three judges differ in
            assert least <= row[measure] <= greatest
    networks = {file: file.stat().st_mtime_ns for file in (tmp_path / "run").rglob("*.keras")}
    assert len(networks) == 5 + 2  # judges, generators
    again = subprocess.run([*run, "--gan-train"], capture_output=True, text=True, timeout=600)
    assert again.returncode == 0, again.stderr
    added = json.loads((tmp_path / "run" / "results.json").read_text())
    assert all(0 <= found["0"].pop("gan_train") <= 1 for found in added.values()) and added == results
    assert networks == {file: file.stat().st_mtime_ns for file in (tmp_path / "run").rglob("*.keras")}


def test_the_picture_has_photos_of_all_classes():
    """Also where classes take turns in the set."""
    labels = np.tile(np.eye(6, dtype="float32"), (20, 1))
    photos = labels.argmax(axis=1)[:, None, None, None] * np.ones((1, *SIZE, 3), "float32") / 6
    generator = strategy_networks("pix2pix", (*SIZE, 3), 6, label_input=False, filters=2)[0]
    shown, sketches, drawn = strategies.row_of(generator, (photos, labels, photos[..., :1]))
    assert len(np.unique(shown)) == 6 and len(shown) == len(drawn) == strategies.SHOWN
    np.testing.assert_array_equal(shown[..., :1], sketches)
