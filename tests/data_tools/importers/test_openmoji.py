"""OpenMoji: SVG or PNG by hexcode, classes by group or subgroup, all skin tones of a design on one side."""

import base64
import json
import sys

import numpy as np
import pytest

from data_tools.command import main
from data_tools.groups import DataError
from data_tools.importers import openmoji
from keras_cgan.data import FolderPairs, ImageError, write_image

TONES = ("1F3FB", "1F3FD", "1F3FF")
HANDS = [f"1F44{n}" for n in range(8)]
BIRDS = [f"1F42{n}" for n in range(6)]


def entry(code, group, subgroup, base=""):
    return {
        "hexcode": code,
        "group": group,
        "subgroups": subgroup,
        "annotation": f"emoji {code}",
        "skintone_base_hexcode": base,
    }


@pytest.fixture
def table():
    """Hands with three skin tones each, birds, and one handshake whose tones are built of other codes."""
    entries = [entry(code, "people-body", "hand-fingers-open") for code in HANDS]
    entries += [
        entry(f"{code}-{tone}", "people-body", "hand-fingers-open") for code in HANDS for tone in TONES
    ]
    entries += [entry(code, "animals-nature", "animal-bird") for code in BIRDS]
    entries += [entry("1F91D", "people-body", "hands")]
    entries += [entry("1FAF1-1F3FB-200D-1FAF2-1F3FC", "people-body", "hands", base="1F91D")]
    return entries


@pytest.fixture
def moji(source, table):
    """A function `(write, ending)` that lays the set out as the npm package does, with a drawing each."""

    def moji(write, ending):
        (source / "package" / "data").mkdir(parents=True)
        (source / "package" / "data" / "openmoji.json").write_text(json.dumps(table))
        for number, each in enumerate(table):
            for side, grey in (("color", 40 + number), ("black", 100 + number)):
                write(source / "package" / side / ending.format(each["hexcode"]), grey)
        return source

    return moji


def write_svg(path, grey):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
        f'<rect x="18" y="0" width="36" height="36" fill="rgb({grey},0,0)"/></svg>'
    )


@pytest.fixture
def pngs(moji, paint):
    return moji(paint, "618x618/{}.png")


def test_png_folders_need_no_extra(run, pngs, monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    made = run("openmoji", pngs)
    assert set(made.counts) == {"train", "test"}
    assert {name for split in made.counts.values() for name in split} == {"people-body", "animals-nature"}
    assert (
        sum(each[0] for split in made.counts.values() for each in split.values()) == len(made.files) / 2 == 40
    )
    assert (
        made.grey(next(name for name in made.files if name.endswith(f"photo/people-body/{HANDS[3]}.png")))
        == 43
    )
    assert made.left_out == {}
    train, test = (FolderPairs(made.out, split) for split in ("train", "test"))
    assert len(train) + len(test) == 40 and test.n_classes == 2


def test_all_skin_tones_of_a_design_are_on_one_side(run, pngs):
    made = run("openmoji", pngs, "--test-share", 0.5)
    splits = {}
    for name in made.files:
        split, _, _, file = name.split("/")
        design = "1F91D" if "1FAF1" in file else file.removesuffix(".png").split("-")[0]
        splits.setdefault(design, set()).add(split)
    assert {len(each) for each in splits.values()} == {1}
    assert sorted(design for design, each in splits.items() if each == {"test"}) != []
    hands = [design for design in HANDS if splits[design] == {"test"}]
    assert 2 <= len(hands) <= 6
    assert run("openmoji", pngs, "--test-share", 0.5, out="again").files == made.files


def test_what_has_the_same_drawing_is_on_one_side(run, pngs, paint):
    def sides():
        made = run("openmoji", pngs, "--test-share", 0.5, force=True)
        return {name.split("/")[0] for name in made.files if "/photo/animals-nature/" in name}

    assert sides() == {"train", "test"}
    for code in BIRDS:
        paint(pngs / "package" / "black" / "618x618" / f"{code}.png", 99)
    assert sides() == {"train"}  # a class with a single design has nothing to hold out


def test_without_a_test(run, pngs):
    assert set(run("openmoji", pngs, "--test-share", 0).counts) == {"train"}


def test_classes_by_subgroup_and_some_of_them(run, pngs):
    made = run("openmoji", pngs, "--by", "subgroup", "--only", "animal-bird", "hands")
    classes = {name for split in made.counts.values() for name in split}
    assert classes == {"animal-bird", "hands"}
    with pytest.raises(
        DataError, match="--only must be of the classes by group: animals-nature.*Received: hands"
    ):
        run("openmoji", pngs, "--only", "hands", out="other")


def test_one_tone(run, pngs):
    made = run("openmoji", pngs, "--one-tone")
    assert not [name for name in made.files if "1F3F" in name]
    assert len(made.left_out["skin tones (left out)"]) == 25 and len(made.files) == 30


def test_what_is_not_there_in_both(run, pngs):
    (pngs / "package" / "black" / "618x618" / f"{BIRDS[0]}.png").unlink()
    (pngs / "package" / "color" / "618x618" / f"{BIRDS[1]}.png").write_bytes(b"no image")
    made = run("openmoji", pngs)
    assert made.left_out["emoji that are not there in colour and in black (left out)"] == [BIRDS[0]]
    assert len(made.left_out["images cannot be read (left out)"]) == 1


def test_names_of_classes_are_safe_for_files(run, pngs, table):
    table += [entry(f"E00{n}", "extras: a/b?", "x") for n in range(2)]
    (pngs / "package" / "data" / "openmoji.json").write_text(json.dumps(table))
    for number in range(2):
        for side in ("color", "black"):
            write_image(
                pngs / "package" / side / "618x618" / f"E00{number}.png", np.full((8, 8, 3), 9, np.uint8)
            )
    made = run("openmoji", pngs)
    assert {name for split in made.counts.values() for name in split if "extras" in name} == {"extras_ a_b_"}


def test_svg_without_the_extra_says_what_to_install(run, moji, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(DataError, match=r"pip install 'keras_cgan\[openmoji\]'"):
        run("openmoji", moji(write_svg, "svg/{}.svg"))
    assert not (tmp_path / "out").exists()


def test_svg_is_drawn_on_white(run, moji):
    pytest.importorskip("resvg_py")
    source = moji(write_svg, "svg/{}.svg")
    (source / "package" / "black" / "svg" / f"{BIRDS[2]}.svg").write_text("<svg")
    made = run("openmoji", source, "--svg-size", 96)
    image = made.image(next(name for name in made.files if f"photo/people-body/{HANDS[0]}.png" in name))
    assert image.shape == (96, 96, 3)
    assert (
        (image[:46, 26:70] == (40, 0, 0)).all() and (image[50:] == 255).all() and (image[:, :22] == 255).all()
    )
    (problem,) = made.left_out["images cannot be read (left out)"]
    assert "Cannot draw" in problem and BIRDS[2] in problem
    assert len(made.files) == 2 * 39


LINKED = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" viewBox="0 0 72 72">'
    "{}</svg>"
)


@pytest.mark.parametrize(
    ("drawing", "link"),
    [
        ("<image href='{}' width='72' height='72'/>", "{}"),
        ("<image x:href=' {}' width='72' height='72'/>", " {}"),
        ("<use href='file://{}#a'/>", "file://{}#a"),
        ("<image href='other.png'/>", "other.png"),
        ("<image href='&#47;x.png'/>", "/x.png"),
    ],
)
def test_svg_that_would_pull_in_another_file(tmp_path, paint, drawing, link):
    pytest.importorskip("resvg_py")
    secret, svg = paint(tmp_path / "secret.png", 7), tmp_path / "1.svg"
    svg.write_text(LINKED.format(drawing.format(secret)))
    with pytest.raises(ImageError, match="Cannot draw .*1.svg.*: href must begin with # or data:") as error:
        openmoji.Drawing(svg, 24).load()
    assert str(error.value).endswith(f"Received: {link.format(secret)!r}")


def test_svg_that_links_to_itself_is_drawn(tmp_path, encode):
    pytest.importorskip("resvg_py")
    data = base64.b64encode(encode(np.full((8, 8), 7, np.uint8))).decode()
    square = "<rect id='a' width='36' height='36' fill='#090000'/><use href='#a' x='36'/>"
    image = f"<image x:href='data:image/png;base64,{data}' y='36' width='72' height='36'/>"
    (tmp_path / "1.svg").write_text(LINKED.format(square + image))
    drawn = openmoji.Drawing(tmp_path / "1.svg", 24).load()
    assert (drawn[:11] == (9, 0, 0)).all() and (drawn[13:, 8:16] == 7).all()


def chain(count, link):
    """Elements of which each links to the next."""
    return "".join(link.format(number, number + 1) for number in range(count))


DEEP = {  # each would end the whole process
    "nested": lambda count: "<g>" * count + "</g>" * count,
    "used": lambda count: chain(count, "<g id='a{}'><use x:href='#a{}'/></g>"),
    "masked": lambda count: chain(count, "<mask id='a{}'><g mask=' url( \"#a{}\")'/></mask>"),
    "painted": lambda count: chain(count, "<pattern id='a{}'><rect style='fill:url(#a{})'/></pattern>"),
    "styled": lambda count: chain(
        count, "<style>.a{0} {{fill: url(#a{0})}}</style><pattern id='a{0}'><rect class='a{1}'/></pattern>"
    ),
    "all": lambda count: (
        "<g>" * (count // 2) + chain(count // 4, "<g id='a{}'><use href='#a{}'/></g>") + "</g>" * (count // 2)
    ),
    "mutual": lambda count: "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>",
}


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("count", [100, 500, 5000])
def test_svg_that_is_too_deep_is_not_drawn(tmp_path, monkeypatch, kind, count):
    drawn = []
    monkeypatch.setattr(openmoji, "_renderer", lambda: lambda **settings: drawn.append(settings))
    (tmp_path / "1.svg").write_text(LINKED.format(DEEP[kind](count)))
    with pytest.raises(ImageError, match="Cannot draw .*1.svg.*: elements must be at most 64 deep"):
        openmoji.Drawing(tmp_path / "1.svg", 24).load()
    assert not drawn


def test_svg_in_svg_is_not_drawn(tmp_path):
    pytest.importorskip("resvg_py")
    data = base64.b64encode(LINKED.format(DEEP["nested"](500)).encode()).decode()
    (tmp_path / "1.svg").write_text(LINKED.format(f"<image href='data:image/svg+xml;base64,{data}'/>"))
    with pytest.raises(ImageError, match="href must begin with # or data: of an image"):
        openmoji.Drawing(tmp_path / "1.svg", 24).load()


@pytest.mark.parametrize("kind", ["nested", "used", "masked", "painted", "styled", "all"])
def test_svg_that_is_not_too_deep_is_drawn(tmp_path, kind):
    pytest.importorskip("resvg_py")
    square = "<rect width='72' height='72' fill='#090000'/>"
    (tmp_path / "1.svg").write_text(LINKED.format(DEEP[kind](12) + square))
    assert (openmoji.Drawing(tmp_path / "1.svg", 24).load() == (9, 0, 0)).all()


def test_many_links_to_one_another_take_no_time(tmp_path):
    """As each of them twice to the next: 2 to the power of 30 ways."""
    links = chain(30, "<g id='a{0}'><use href='#a{1}'/><use href='#a{1}'/></g>")
    openmoji._check_drawing(LINKED.format(links))


def test_gradients_may_link_to_many_and_an_element_to_what_it_is_in():
    gradients = chain(500, "<linearGradient id='a{}' href='#a{}'/>")
    openmoji._check_drawing(LINKED.format(gradients + "<g id='b'><use href='#b'/></g>"))


def test_a_deep_svg_is_left_out_and_counted(run, moji):
    pytest.importorskip("resvg_py")
    source = moji(write_svg, "svg/{}.svg")
    (source / "package" / "color" / "svg" / f"{BIRDS[2]}.svg").write_text(LINKED.format(DEEP["nested"](100)))
    made = run("openmoji", source, "--svg-size", 24)
    (problem,) = made.left_out["images cannot be read (left out)"]
    assert BIRDS[2] in problem and len(made.files) == 2 * 39


def test_the_extra_is_in_the_package_data():
    from configparser import ConfigParser
    from pathlib import Path

    import keras_cgan

    setup = ConfigParser()
    setup.read(Path(keras_cgan.__file__).parents[1] / "setup.cfg")
    assert setup["options.extras_require"]["openmoji"].split() == ["resvg_py"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be a list of objects"),
        ('[{"hexcode": "1F600"}]', "must be a list of objects"),
        ('[{"hexcode": "1F600", "group": "", "subgroups": "a"}]', "must be a list of objects"),
        ('[{"hexcode": "../x", "group": "g", "subgroups": "a"}]', "Received: '../x'"),
    ],
)
def test_tables_that_are_none(run, pngs, text, message):
    (pngs / "package" / "data" / "openmoji.json").write_text(text)
    with pytest.raises(DataError, match=message):
        run("openmoji", pngs)


def test_shares_that_are_none(pngs, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["openmoji", str(pngs), "--out", str(tmp_path / "out"), "--test-share", "1"])
    assert "must be a number in [0, 1). Received: '1'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "base", "design"),
    [
        ("1F44B-1F3FB", "", "1F44B"),
        ("1F3CC-FE0F-200D-2642-FE0F", "", "1F3CC"),
        ("1F3CC-1F3FC-200D-2640-FE0F", "", "1F3CC"),
        ("1F468-1F3FC-200D-1F9B2", "", "1F9D1-1F9B2"),
        ("1FAF1-1F3FB-200D-1FAF2-1F3FC", "1F91D", "1F91D"),
        ("2640", "", "2640"),
        ("1F3FB", "", "1F3FB"),
    ],
)
def test_designs(code, base, design):
    assert openmoji._base_design(entry(code, "g", "s", base)) == design
