"""The figures that are printed are those that were measured: tables of the READMEs against the JSON files."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
COLUMNS = {  # the beginning of a column's head: its measure
    "class accuracy": "class_accuracy",
    "of blurred photos": "class_accuracy_blurred",
    "asked for another class": "swap_asked",
    "on demand": "swap_asked",
    "rank by features": "photo_rank_features",
    "rank by chamfer": "photo_rank_chamfer",
    "photo's rank by a pair judge": "pair_rank",
    "diversity": "within_class_diversity",
    "stroke F1, 2 px": "stroke_f1_2px",
    "FID-phi": "fid_phi",
    "GAN-train": "gan_train",
}


def rows_of(page, head):
    """The rows of the one table whose first line begins so, as dicts of head -> text."""
    lines = page.read_text(encoding="utf-8").splitlines()
    (begin,) = [number for number, line in enumerate(lines) if line.startswith(head)]
    heads = [cell.strip() for cell in lines[begin].strip("|").split("|")]
    rows = []
    for line in lines[begin + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(dict(zip(heads, (cell.strip() for cell in line.strip("|").split("|")), strict=True)))
    return rows


def measure_of(head):
    return next(measure for begin, measure in COLUMNS.items() if head.startswith(begin))


def assert_rounded(text, value, where):
    """Whether a printed figure is a value, to as many places as are printed."""
    places = len(text.partition(".")[2])
    assert abs(float(text) - value) <= 0.5 * 10**-places + 1e-9, (
        f"{where}: {text} is printed, {value} measured"
    )


def check_row(row, seeds):
    """Compares what a row prints with its seeds: a mean, a range where they differ, or a figure of each."""
    compared = 0
    for head, text in list(row.items())[1:]:
        where = f"{next(iter(row.values()))}, {head}"
        measure = measure_of(head)
        figures = re.findall(r"\d*\.\d+|\d+", text)
        values = [seed[measure] for seed in seeds if measure in seed]
        if not figures:
            assert not values, f"{where}: is in the file, and not printed"
            continue
        assert len(values) == len(seeds), f"{where}: {text} is printed, and not in the file"
        expected = [sum(values) / len(values)]
        if " to " in text:
            expected += [min(values), max(values)]
        elif "," in text:
            expected = values
        else:
            places = len(text.partition(".")[2])
            alike = len({f"{value:.{places}f}" for value in values}) == 1
            assert alike, f"{where}: {text} is printed without a range, of {values}"
        for figure, value in zip(figures, expected, strict=True):
            assert_rounded(figure, value, where)
            compared += 1
    return compared


def results(file, cell):
    """The measures of a row, one dict a seed."""
    found = json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8"))[cell]
    return [found | KNOWN.get((file, cell), {})] if "class_accuracy" in found else list(found.values())


README, PAGE = ROOT / "README.md", RESULTS / "README.md"
PHOTO, FAKE, BY_C = "class-and-photo + label", "fake-class + label", "classifier + label"
WITHOUT, THREE, LONG, ALL = (
    "no-network-redrawn",
    "strategies-redrawn-3-judges",
    "long-redrawn",
    "strategies-redrawn",
)
EMBEDDED, OPENMOJI, MORE = "strategies-embedded", "strategies-openmoji", "candidates-redrawn"
# Not in the files: each label draws the sketch of its class, whatever the photo.
KNOWN = {(WITHOUT, "one training sketch a class"): {"class_accuracy_blurred": 1.0, "swap_asked": 1.0}}
WIDE = f"{PHOTO}, G of 64 maps"
WEIGHED = f"{PHOTO}, edges 75, information"
TABLES = {  # page and beginning of the table: file and cell of each row, None where it has none
    (README, "| redrawn pairs |"): [
        (WITHOUT, "one training sketch a class"),
        (WITHOUT, "the training sketch of the photo most alike"),
        (WITHOUT, "the photo's edges"),
        (THREE, "pix2pix"),
        (THREE, FAKE),
        (THREE, "fake-class + label + L1 10"),
        (THREE, "fake-class + label + no L1"),
        (THREE, BY_C),
        ("feature-matching-redrawn", "class-and-photo"),
        (LONG, FAKE),
        (LONG, "fake-class + label + no L1"),
        (LONG, "fake-class + label + no L1 + bent + averaged"),
        (LONG, BY_C),
        (LONG, f"{PHOTO}, by the judges of the rows below"),
        (LONG, f"{WIDE}, swaps 55, feature matching 100"),
    ],
    (PAGE, "| redrawn pairs | class accuracy (real sketches .82)"): [
        (THREE, "pix2pix"),
        (THREE, "pix2pix + label + bent"),
        (THREE, FAKE),
        (THREE, "fake-class + label + bent"),
        (THREE, "fake-class + label + L1 10"),
        (THREE, "fake-class + label + no L1"),
        (THREE, "sigmoid + label + no L1"),
        (THREE, BY_C),
        (THREE, "classifier + label + no L1"),
        (THREE, "classifier + label + L1 10"),
        (THREE, "classifier + label + bent + averaged + class weight 10"),
        (THREE, PHOTO),
        (WITHOUT, "one training sketch a class"),
        (WITHOUT, "the training sketch of the photo most alike"),
        (WITHOUT, "the photo's edges"),
        (WITHOUT, "the grey photo"),
        (WITHOUT, "white paper"),
    ],
    (PAGE, "| redrawn pairs | class accuracy (true sketches .82)"): [
        None,
        (LONG, f"{PHOTO}, 6360 steps"),
        (LONG, PHOTO),
        (LONG, f"{PHOTO}, 10600 steps"),
    ],
    (PAGE, "| redrawn pairs, 160 epochs, by the other judges |"): [
        (LONG, "pix2pix"),
        (LONG, FAKE),
        (LONG, "fake-class + label + no L1"),
        (LONG, "fake-class + label + no L1 + bent + averaged"),
        (LONG, "fake-class + label + no L1 + bent + averaged + G twice as wide"),
        *((LONG, f"fake-class + label + no L1 + bent + averaged + edges {n} + swaps") for n in (20, 70)),
        (LONG, "shared-q + label"),
        (LONG, BY_C),
        (LONG, f"{PHOTO}, by the judges of the rows below"),
        (LONG, f"{PHOTO}, by the judges of the rows below, seed 0 trained again"),
        (LONG, f"{PHOTO}, no information"),
        (LONG, f"{PHOTO}, no information, swaps 55"),
        (LONG, f"{WEIGHED} 4, swaps 50"),
        (LONG, f"{WEIGHED} 2, swaps 52"),
        (LONG, f"{WEIGHED} 8, swaps 60"),
        (LONG, f"{WEIGHED} 5, swaps 60, 10600 steps"),
        (LONG, f"{PHOTO}, feature matching 100"),
        (LONG, f"{WIDE}, edges 75, information 4, swaps 50"),
        (LONG, f"{WIDE}, swaps 55"),
        (LONG, f"{WIDE}, swaps 55, feature matching 100"),
    ],
    (PAGE, "| redrawn pairs, with GAN-train |"): [
        ("gan-train-redrawn", cell)
        for cell in (
            "fake-class + label + no L1",
            "fake-class + label + no L1 + bent + averaged",
            PHOTO,
            f"{PHOTO}, 8480 steps",
            "pix2pix, 8480 steps",
        )
    ],
    (PAGE, "| redrawn pairs | class accuracy | asked"): [
        *((ALL, f"{name}{label}") for name, label in (("pix2pix", ""), ("L1 only", " + label"))),
        *((ALL, f"{name} + label") for name in ("sigmoid", "fake-class", "two-head", "shared-q")),
        (ALL, BY_C),
        (ALL, "classifier + label + bent"),
        *((ALL, name) for name in ("L1 only", "sigmoid", "fake-class", "two-head", "shared-q", "classifier")),
        (ALL, "pix2pix + label"),
    ],
    (PAGE, "| one thing less, or one more |"): [
        ("ablation-redrawn", cell)
        for cell in (
            "class-and-photo",
            "no edges",
            "no photo information",
            "no swapped labels",
            "no class loss",
            "no adversarial loss",
            "pairs not bent",
            "D not augmented",
            "no moving average",
            "and projection",
            "and a second D of the pair",
            "and a second D of the pair + projection",
            "and a second D at half the size",
            "and equilibrium",
            "and relativistic + R1",
            "and L1 50",
            "and L1 100",
        )
    ],
    (PAGE, "| at other weights |"): [
        (MORE, cell)
        for cell in (
            "class-and-photo",
            "no edges",
            "no photo information",
            "and blurred photos",
            "and feature matching",
            "and hinge",
        )
    ],
    (PAGE, "| where the label goes in |"): [
        ("feature-matching-redrawn", "class-and-photo"),
        ("conditional-norms-redrawn", "label at the bottleneck alone"),
    ],
    (PAGE, "| feature matching by the classifier |"): [
        ("feature-matching-redrawn", cell)
        for cell in (
            "class-and-photo",
            *(f"and feature matching by C at {weight}" for weight in (20, 100, 300)),
            "G twice as wide",
        )
    ],
    **{
        (PAGE, f"| embedded pairs, `--misalignment {amount}`"): [
            (file, cell) for cell in ("pix2pix", FAKE, "fake-class + label + no L1", BY_C, PHOTO)
        ]
        for amount, file in (("0.7", EMBEDDED), ("0.4", f"{EMBEDDED}-default"))
    },
    (PAGE, "| embedded pairs, `--misalignment 0` |"): [
        ("strategies-embedded-aligned", cell) for cell in ("pix2pix", FAKE, BY_C, f"{PHOTO} + L1")
    ],
    (PAGE, "| OpenMoji |"): [(OPENMOJI, cell) for cell in ("pix2pix", FAKE, BY_C, f"{PHOTO} + L1")],
}


@pytest.mark.parametrize(("page", "head"), TABLES, ids=lambda part: str(part)[-20:])
def test_what_is_printed_was_measured(page, head):
    rows = rows_of(page, head)
    for row, cell in zip(rows, TABLES[page, head], strict=True):
        assert cell is None or check_row(row, results(*cell)) >= 4


def test_seeds_that_differ_need_a_range_or_one_figure_each():
    seeds = [{"fid_phi": 8.3, "stroke_f1_2px": 0.601}, {"fid_phi": 10.5, "stroke_f1_2px": 0.599}]
    row = {"": "classifier", "stroke F1, 2 px": ".60"}  # alike, as printed
    for text in ("9.4 (8.3 to 10.5)", "8.3, 10.5"):
        assert check_row({**row, "FID-phi": text}, seeds)
    with pytest.raises(AssertionError, match="classifier, FID-phi: 9.4 is printed without a range"):
        check_row({**row, "FID-phi": "9.4"}, seeds)
    assert check_row({**row, "FID-phi": "8.3"}, seeds[:1]) == 2


def test_what_is_printed_and_not_in_the_file_is_found_and_what_is_left_out():
    seeds = [{"fid_phi": 8.3}, {"fid_phi": 10.5, "pair_rank": 0.9}]
    row = {"": "classifier", "FID-phi": "8.3, 10.5"}
    for head in ("diversity", "photo's rank by a pair judge"):  # of no seed, and of one of two
        with pytest.raises(AssertionError, match=f"classifier, {head}: .9 is printed, and not in the file"):
            check_row({**row, head: ".9"}, seeds)
    with pytest.raises(AssertionError, match="classifier, FID-phi: is in the file, and not printed"):
        check_row({**row, "FID-phi": ""}, seeds)
    assert check_row({**row, "diversity": "", "asked for another class": "no label input"}, seeds) == 2


def test_a_figure_that_was_not_measured_is_found():
    seeds = results(LONG, PHOTO)
    row = {"": "class-and-photo", "class accuracy": ".86 (.84 to .88)", "FID-phi": "4.3, 4.5"}
    assert check_row(row, seeds) == 5
    for head, text in {"class accuracy": ".87 (.84 to .88)", "FID-phi": "4.3, 4.4"}.items():
        with pytest.raises(AssertionError, match="is printed"):
            check_row({**row, head: text}, seeds)


def spreads_of_seeds(rows):
    """By how much seeds of one row differ at most, by measure; a second training of a seed is none."""
    spreads = {}
    for seeds in rows:
        seeds = [found for seed, found in seeds.items() if seed.isdecimal()]
        for measure in set(COLUMNS.values()):
            values = [seed[measure] for seed in seeds if measure in seed] or [0]
            spreads[measure] = max(spreads.get(measure, 0), max(values) - min(values))
    return spreads


def test_what_is_chance_between_seeds_is_what_the_files_have():
    files = [json.loads(file.read_text(encoding="utf-8")) for file in RESULTS.glob("*.json")]
    spreads = spreads_of_seeds(
        [seeds for rows in files for name, seeds in rows.items() if name.startswith("class-and-photo")]
    )
    number = r"(\d*\.\d+)"
    said = re.search(
        f"two seeds of one row of `class-and-photo` differ by up to {number} in class accuracy, {number} on "
        f"demand, {number} in a rank, {number} in diversity, {number} in FID-phi and {number} of blurred "
        "photos, in all files here",
        " ".join(PAGE.read_text(encoding="utf-8").split()),
    )
    assert said, "the page does not say what is chance"
    found = (
        spreads["class_accuracy"],
        spreads["swap_asked"],
        max(spreads[rank] for rank in ("photo_rank_features", "photo_rank_chamfer", "pair_rank")),
        *(spreads[measure] for measure in ("within_class_diversity", "fid_phi", "class_accuracy_blurred")),
    )
    for text, value in zip(said.groups(), found, strict=True):
        assert_rounded(text, value, said[0])


def test_a_second_training_of_a_seed_is_no_seed():
    seeds = {"0": {"fid_phi": 4.0}, "0, trained again": {"fid_phi": 9.0}, "1": {"fid_phi": 4.5}}
    assert spreads_of_seeds([seeds])["fid_phi"] == 0.5
    assert spreads_of_seeds([{"0": {"fid_phi": 4.0}}])["fid_phi"] == 0
