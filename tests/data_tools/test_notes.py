"""What an import says of images that it takes, but changes so that a check no longer sees what was odd."""

import json
import os
import shutil

import numpy as np
import pytest

from data_tools import importing
from data_tools.check.kinds import KINDS
from data_tools.command import main

UNEQUAL, TINY, TWELVE_BIT, CMYK = (
    KINDS[kind].what for kind in ("unequal_proportions", "tiny", "twelve_bit", "cmyk")
)


@pytest.fixture
def draw(tmp_path, encode):
    """A function that writes an image of a height, a width and perhaps a depth, below the set."""

    def draw(name, height, width, dtype=np.uint8):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((height, width), 255 if dtype == np.uint8 else 4095, dtype)
        image[height // 3 : height // 2] = 0
        path.write_bytes(encode(image))
        return path

    return draw


@pytest.fixture
def odd(tmp_path, draw):
    """Pairs of which each is odd in its own way, and one that is not."""
    for name, photo, sketch in (
        ("right", (40, 60), (80, 120)),
        ("unequal", (40, 60), (40, 40)),
        ("tiny", (10, 10), (40, 40)),
        ("deep", (40, 40, np.uint16), (40, 40)),
    ):
        draw(f"A/{name}.png", *photo)
        draw(f"B/{name}.png", *sketch)
    return tmp_path / "set"


@pytest.fixture
def noted(tmp_path):
    """A function that imports pairs, and gives what is noted of them by what a check says of it."""

    def noted(source, *arguments, out="out", command="folders"):
        assert main([command, str(source), "--out", str(tmp_path / out), *map(str, arguments)]) == 0
        found = json.loads((tmp_path / out / "import.json").read_text(encoding="utf-8"))["noted"]
        return {text.partition(" (scaled")[0]: names for text, names in found.items()}

    return noted


def test_what_is_odd_is_noted_and_printed(odd, noted, tmp_path, capsys):
    name = "A/unequal.png & B/unequal.png (60 x 40 px and 40 x 40 px)"
    deep = {TWELVE_BIT: ["A/deep.png"]}
    assert noted(odd, "--size", 32) == {UNEQUAL: [name], TINY: ["A/tiny.png (10 x 10 px)"], **deep}
    said = capsys.readouterr().out
    assert f"warning: 1 {UNEQUAL} (scaled one by one: where they do not align, try" in said
    assert f"--fit stretch or crop, or --size 0 and check): {name}\n" in said
    assert f"warning: 1 {TWELVE_BIT}: A/deep.png\n" in said
    assert noted(odd, "--size", 0, out="same size") == deep  # a check sees the rest in what is written


def test_the_inks_of_a_printer_are_noted(tmp_path, draw, noted):
    pillow = pytest.importorskip("PIL.Image", reason="OpenCV writes no CMYK")
    draw("B/1.png", 40, 40)
    (tmp_path / "set" / "A").mkdir()
    pillow.new("CMYK", (40, 40)).save(tmp_path / "set" / "A" / "1.jpg")
    assert noted(tmp_path / "set") == {CMYK: ["A/1.jpg"]}


def test_each_sketch_of_a_photo_is_a_pair(draw, noted, tmp_path):
    draw("A/1.png", 40, 40)
    for number, width in ((1, 40), (2, 80), (3, 60)):
        draw(f"B/1-{number}.png", 40, width)
    assert noted(tmp_path / "set") == {
        UNEQUAL: [
            "A/1.png & B/1-2.png (40 x 40 px and 80 x 40 px)",
            "A/1.png & B/1-3.png (40 x 40 px and 60 x 40 px)",
        ]
    }


def test_of_what_is_padded_alike_or_drawn_nothing_is_said(draw, noted, tmp_path, capsys):
    for name in "12":
        draw(f"A/{name}.png", 40, 90)
        draw(f"B/{name}.png", 80, 180)
    assert noted(tmp_path / "set") == {}
    assert noted(tmp_path / "set" / "A", command="photos", out="traced") == {}
    (tmp_path / "set" / "cat.ndjson").write_text(json.dumps({"drawing": [[[0, 9], [0, 0]]]}) + "\n")
    assert noted(tmp_path / "set" / "cat.ndjson", command="quickdraw", out="drawn") == {}
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize("archive", [False, True])
def test_killed_anywhere_it_is_all_noted_in_the_end(odd, noted, tmp_path, process, archive):
    source = shutil.make_archive(str(odd), "zip", odd) if archive else odd
    arguments = ["--threads", 1, "--size", 32]
    whole = noted(source, *arguments, out="whole")
    assert len(whole) == 3
    with process() as alive:
        noted(source, *arguments, out="counted")
    for n in range(1, alive.changes, 1 if not archive else 4):
        with process(n):
            noted(source, *arguments, out=f"killed {n}")
        if not (tmp_path / f"killed {n}" / "import.json").exists():
            assert noted(source, *arguments, out=f"killed {n}") == whole, n


def test_what_is_there_is_not_read_again_to_note_it(odd, noted, monkeypatch, tmp_path):
    with monkeypatch.context() as patches:
        patches.setattr(importing, "_counts", stop)
        assert main(["folders", str(odd), "--out", str(tmp_path / "out")]) == 130
    monkeypatch.setattr("data_tools.groups.decode_image", stop)
    assert len(noted(odd)) == 3


def stop(*args):
    """As Ctrl-C does."""
    raise KeyboardInterrupt


def test_what_changed_meanwhile_is_noted_as_it_is_now(draw, noted, monkeypatch, tmp_path):
    """The photo of one pair alone, and the sketch of another."""
    for name in "123":
        draw(f"A/{name}.png", 40, 60)
        draw(f"B/{name}.png", 40, 40)
    with monkeypatch.context() as patches:
        patches.setattr(importing, "_counts", stop)
        assert main(["folders", str(tmp_path / "set"), "--out", str(tmp_path / "out")]) == 130
    with open(tmp_path / "out" / ".partial" / ".notes.jsonl", "a") as file:
        file.write('\n["half a li')
    for path in (draw("A/1.png", 40, 40), draw("B/2.png", 40, 60), draw("A/3.png", 40, 90)):
        os.utime(path, (1e9, 1e9))
    assert noted(tmp_path / "set") == {UNEQUAL: ["A/3.png & B/3.png (90 x 40 px and 40 x 40 px)"]}
