"""Importers on small trees of files of all kinds: an import or an error that says why, and nothing else."""

import contextlib
import io
import json
import os
import re
import tarfile
import tempfile
import warnings
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_tools.check.inspection import inspect
from data_tools.command import main
from data_tools.importers import IMPORTERS
from keras_cgan.data import FolderPairs

SPLITS = ["train", "test", "val", "other"]
CLASSES = ["cat", "hot dog", "bär", "Cat", "photo", "sketch", "train", "con", "a.b", "-1", "=1", "n01440764"]
CLASSES += ["shoe", ".hidden", "__MACOSX", "ba\u0308r", "b\udce4r", "two\nlines", "x" * 240, "Thumbs.db"]
STEMS = ["1", "2", "10", "1-1", "1-2", "1_1", "1_2", "2-1", "1F44B", "1F44B-1F3FB", "A", "a", "a-1", "a_2"]
STEMS += ["東京 1", "e\u0301", "é", "nul", ".1", "-1", "b\udce4r", "new\nline", "y" * 230, "1.5"]
ENDINGS = [".png", ".jpg", ".JPEG", ".txt", ".gif", ".svg", "", ".tar.png"]


def image(extension, *shape, value=90):
    return cv2.imencode(extension, np.full(shape, value, np.uint8))[1].tobytes()


IMAGES = [
    image(".png", 4, 6, 3),
    image(".png", 5, 5),
    image(".jpg", 8, 8, 3),
    image(".png", 3, 8, 4),
    image(".png", 1, 2),
    cv2.imencode(".png", np.full((2, 4), 999, np.uint16))[1].tobytes(),
]
BROKEN = [
    b"",
    b"\xff\xd8\xff\xe0",
    IMAGES[0][:40],
    IMAGES[2][:-9],
    b"<svg xmlns='http://www.w3.org/2000/svg'/>",
]
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M1 1 8 5' stroke='red'/></svg>"
NDJSON = b'{"drawing": [[[0, 9], [5, 0]]]}\n'
CONTENTS = st.one_of(
    st.sampled_from(IMAGES), st.sampled_from(IMAGES), st.sampled_from(BROKEN), st.binary(max_size=40)
)

# What belongs together, as each importer reads it, by layout: {s}plit, {c}lass, {e} the name's stem.
SCALE = "tx_000000000000"
WHOLE = {
    "sketchy": [
        [f"256x256/photo/{SCALE}/{{c}}/{{e}}.jpg", f"256x256/sketch/{SCALE}/{{c}}/{{e}}-1.png"],
        [f"photo/{SCALE}/{{c}}/{{e}}.jpg", *(f"sketch/{SCALE}/{{c}}/{{e}}-{n}.png" for n in (1, 2))],
    ],
    "qmul": [["{s}B/{e}.png", "{s}A/{e}_1.png"], ["photo/{e}.png", "sketch_png/{e}_1.png"]],
    "sketchycoco": [
        ["data/Object/GT/{s}/{c}/{e}.png", "data/Object/Sketch/{s}/{c}/{e}.png"],
        ["GT/{c}/{e}.png", "Sketch/{c}/{e}.png"],
    ],
    "side-by-side": [["{s}/{c}/{e}.png"], ["{e}.jpg"], ["{c}/{e}.png"]],
    "folders": [
        ["{s}A/{c}/{e}.jpg", "{s}B/{c}/{e}.png"],
        ["A/{s}/{c}/{e}.jpg", "B/{s}/{c}/{e}.png"],
        ["{s}/A/{c}/{e}.jpg", "{s}/B/{c}/{e}.png"],
        ["A/{c}/{e}.png", "B/{c}/{e}.png"],
        ["A/{e}.png", "B/{e}.png"],
    ],
    "csv": [["p/{c}/{e}.png", "s/{e}.png"]],
    "tu-berlin": [["png/{c}/{e}.png"], ["{c}/{e}.png"]],
    "quickdraw": [
        ["{c}.ndjson"],
        ["simplified/{c}.ndjson"],
        ["full/raw/{c}.ndjson", "full/simplified/{c}.ndjson"],
    ],
    "imagenet-sketch": [["sketch/{c}/{e}.JPEG"], ["{c}/{e}.png"]],
    "openmoji": [
        ["color/618x618/{e}.png", "black/618x618/{e}.png"],
        ["color/svg/{e}.svg", "black/svg/{e}.svg"],
    ],
    "photos": [["{s}/{c}/{e}.png"], ["{c}/{e}.jpg"]],
}
# What a layout needs beside, for a class "shoe" and a stem "1F44B".
WITH = {
    "csv": {"pairs.csv": b"photo,sketch,label\np/shoe/1F44B.png,s/1F44B.png,shoe\n"},
    "openmoji": {"data/openmoji.json": b'[{"hexcode": "1F44B", "group": "shoe", "subgroups": "x"}]'},
}
OPTIONS = {
    "sketchy": [[], ["--keep-invalid", "error,pose"], ["--transform", "../.."]],
    "qmul": [[], ["--class-name", "shoe"], ["--class-name", "../x"]],
    "sketchycoco": [[], ["--edges"]],
    "side-by-side": [[], ["--direction", "BtoA"], ["--class-name", "con"]],
    "folders": [[], ["--direction", "BtoA"], ["--photos", "A", "--sketches", "B"], ["--class-name", ""]],
    "quickdraw": [
        [],
        ["--per-class", "1"],
        ["--unrecognized"],
        ["--kind", "simplified"],
        ["--kind", "bitmap"],
    ],
    "imagenet-sketch": [[], ["--class-names", "names.txt"], ["--class-names", "."]],
    "openmoji": [[], ["--by", "subgroup"], ["--one-tone"], ["--only", "cat"], ["--test-share", "0"]],
    "photos": [
        [],
        ["--sketch", "xdog", "--class-name", "thing"],
        ["--sketch", "dodge", "--sketch-side", "1"],
    ],
}
PLAIN = {"qmul": ["--class-name", "shoe"], ("quickdraw", 2): ["--kind", "raw"]}
SOURCES = [".zip", ".tar", "damaged.zip", "damaged.tar", "file"]
COMMON = st.sampled_from([[], ["--fit", "crop"], ["--fit", "stretch", "--threads", "1"]])

texts = st.sampled_from(CLASSES + STEMS) | st.text(st.characters(), max_size=8)
lines = st.lists(st.tuples(texts, texts).map("/".join) | texts, max_size=5).map("\n".join)
as_bytes = lines.map(lambda text: text.encode("utf-8", "surrogateescape" if text.isascii() else "replace"))


def mostly(usual, others):
    """One of the first few, or now and then of all."""
    return st.sampled_from(others[:usual]) | st.sampled_from(others)


@st.composite
def wholes(draw, templates):
    """Files that belong together: a dict of path -> bytes."""
    names = {"s": draw(mostly(2, SPLITS)), "c": draw(mostly(4, CLASSES)), "e": draw(mostly(10, STEMS))}
    contents = st.sampled_from(IMAGES) | st.sampled_from(IMAGES + BROKEN)
    return {template.format(**names): of_ending(template, draw(contents)) for template in templates}


def of_ending(path, content):
    """What a file of such a name holds, where it is no image of pixels; else the content that is given."""
    return {".svg": SVG if content in IMAGES else content, ".ndjson": NDJSON}.get(Path(path).suffix, content)


@st.composite
def strays(draw, templates):
    """The path of a file that is not quite as it should be."""
    path = draw(st.sampled_from(templates))
    path = path if draw(st.booleans()) else f"top/{path}"
    path = path if draw(st.booleans()) else path.partition("/")[2] or path
    names = {
        "s": draw(st.sampled_from(SPLITS)),
        "c": draw(st.sampled_from(CLASSES)),
        "e": draw(st.sampled_from(STEMS)),
    }
    return os.path.splitext(path)[0].format(**names) + draw(st.sampled_from(ENDINGS))


@st.composite
def tables(draw, files):
    """A csv whose rows name files that are there, and others."""
    if draw(st.booleans()):
        pairs = zip(*([name for name in files if name.startswith(side)] for side in "ps"))
        return "\n".join(
            ["photo,sketch,label", *(f'"{photo}","{sketch}",cat' for photo, sketch in pairs)]
        ).encode("utf-8", "replace")
    columns = draw(st.permutations(["photo", "sketch", "label", "split"]))
    columns = columns if draw(st.integers(0, 4)) else columns[:3]
    cell = st.sampled_from([*files, "../secret.png", "/etc/passwd", "C:\\x", "p"]) if files else texts
    cells = {
        "photo": cell,
        "sketch": cell,
        "label": texts,
        "split": st.sampled_from(["", "train", "test", "x/y"]),
    }
    split = draw(st.sampled_from(["", "train", None]))
    rows = [columns]
    for _ in range(draw(st.integers(0, 5))):
        row = {name: draw(strategy) for name, strategy in cells.items()}
        row |= {"label": draw(st.sampled_from(["cat", "dog"]))} if draw(st.booleans()) else {}
        row |= {} if split is None else {"split": split}
        rows.append([f'"{row[name]}"' for name in columns])
    return "\n".join(map(",".join, rows)).encode("utf-8", "replace")


numbers = st.one_of(
    st.integers(0, 255),
    st.floats(),
    st.integers(),
    st.none(),
    st.text(max_size=2),
    st.lists(st.integers(), max_size=1),
)
axis = st.lists(st.integers(0, 255), max_size=4) | st.lists(numbers, max_size=3)
strokes = st.lists(st.lists(axis, max_size=3), max_size=3)
points = st.lists(st.integers(0, 255), min_size=2, max_size=2)
good = st.lists(st.lists(points, min_size=2, max_size=3), min_size=1, max_size=2)
drawings = st.one_of(good, good, strokes, numbers).map(
    lambda drawing: {"drawing": drawing, "recognized": True}
)
rows = st.lists(drawings.map(json.dumps) | drawings.map(json.dumps) | st.text(max_size=9), max_size=4)
ndjson = rows.map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))


@st.composite
def bitmaps(draw):
    file = io.BytesIO()
    shape = draw(st.sampled_from([(2, 784), (1, 28, 28), (0, 784), (784,), (2, 3), ()]))
    np.save(file, np.ones(shape, draw(st.sampled_from(["u1", "u1", "f4"]))))
    data = file.getvalue()
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


entries = st.fixed_dictionaries(
    {
        "hexcode": st.sampled_from(STEMS[:10]) | texts,
        "group": st.sampled_from(CLASSES) | texts,
        "subgroups": st.sampled_from(CLASSES),
    },
    optional={"skintone_base_hexcode": st.sampled_from(STEMS) | numbers, "skintone": numbers},
)


@st.composite
def openmoji_table(draw, files):
    """A table of the drawings that are there, or of anything."""
    stems = sorted({Path(name).stem for name in files if "618x618" in name or "svg" in name})
    stems = (
        [stem for stem in stems if re.fullmatch("[0-9A-Fa-f-]+", stem)] if draw(st.integers(0, 3)) else stems
    )
    tone = draw(st.sampled_from([{}, {}, {"skintone_base_hexcode": draw(st.sampled_from(STEMS) | numbers)}]))
    group = draw(mostly(2, CLASSES))
    table = [{"hexcode": stem, "group": group, "subgroups": "cat", **tone} for stem in stems]
    others = st.lists(entries, max_size=5).map(json.dumps) | numbers.map(json.dumps) | lines
    text = draw(st.sampled_from([json.dumps(table)] * 4 + [draw(others), "[" * 10_000]))
    return text.encode("utf-8", "replace")


LISTS = {
    "sketchy": ["info/testset.txt", "info/invalid-error.txt"],
    "qmul": ["photo_train.txt", "photo_test.txt", "sketch_test.txt"],
    "sketchycoco": ["notes.txt"],
}


@st.composite
def trees(draw, command):
    """Files of a set, more or less as the importer reads it: path -> bytes, or where a link leads."""
    files = {}
    templates = draw(st.sampled_from(WHOLE[command]))
    for whole in draw(st.lists(wholes(templates), max_size=5)):
        files |= whole
    everywhere = sum(WHOLE[command], [])
    files |= draw(st.just({}) | st.dictionaries(strays(templates) | strays(everywhere), CONTENTS, max_size=5))
    if command == "csv":
        files["pairs.csv"] = draw(tables(list(files)) | tables(list(files)) | as_bytes)
    elif command == "openmoji":
        files["data/openmoji.json"] = draw(openmoji_table(files))
    elif command == "quickdraw":
        files = {name: draw(ndjson) if name.endswith("ndjson") else data for name, data in files.items()}
        for place in draw(st.lists(st.sampled_from(["", "full/numpy_bitmap/"]), max_size=1)):
            files[f"{place}{draw(st.sampled_from(CLASSES))}.npy"] = draw(bitmaps())
    for name in draw(st.just([]) | st.lists(st.sampled_from(LISTS.get(command, ["a.txt"])), max_size=2)):
        files[name] = draw(as_bytes)
    if draw(st.integers(0, 9)) == 0:
        files[draw(strays(everywhere))] = draw(
            st.sampled_from(["..", ".", "../secret.png", "gone", "/dev/null"])
        )
    return files


def plant(folder, files):
    """Writes a tree, but for what this system does not take: too long, or below a file."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        with contextlib.suppress(OSError, UnicodeError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.symlink_to(content)
            elif not path.is_symlink():
                path.write_bytes(content)


def source_of(folder, files, ending):
    """What is given to the command: the tree, one of its files, an archive of it, or a damaged one."""
    if ending == "file":
        paths = [path for path in sorted(map(folder.joinpath, files), key=str) if path.is_file()]
        return paths[0] if paths else folder
    if ending.startswith("damaged"):
        archive = packed(folder, ending.removeprefix("damaged"))
        archive.write_bytes(archive.read_bytes()[:-600])
        return archive
    return packed(folder, ending) if ending else folder


def packed(folder, ending):
    """An archive of a tree, without links and without names that it cannot hold."""
    archive = folder.with_name(f"set{ending}")
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    if ending == ".zip":
        with zipfile.ZipFile(archive, "w") as opened:
            for path in paths:
                with contextlib.suppress(UnicodeError):
                    opened.write(path, path.relative_to(folder))
    else:
        with tarfile.open(archive, "w") as opened:
            for path in paths:
                opened.add(path, path.relative_to(folder))
    return archive


def snapshot(folder, without=None):
    """What is in a folder, but for a folder in it: bytes, rights and times, or where a link leads."""
    found = {}
    for base, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if Path(base, name) != without]
        for name in (*folders, *files):
            path = os.path.join(base, name)
            if os.path.islink(path):
                found[path] = os.readlink(path)
            else:
                data, status = None, os.lstat(path)
                if os.path.isfile(path):
                    data = status.st_mtime_ns, Path(path).read_bytes()
                found[path] = status.st_mode, data
    return found


def run(arguments):
    """Runs the command; returns its exit code, and what it says to a terminal that takes text alone."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", errors) for errors in ("strict", "backslashreplace")]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        code = main(arguments)
    for stream in streams:
        stream.flush()
    return code, *(stream.buffer.getvalue().decode() for stream in streams)


def check_result(out):
    """The reader takes all that the import counts, and warns of nothing that the import could have told."""
    report = json.loads((out / "import.json").read_text(encoding="utf-8"))
    there = {path.name for path in out.iterdir()}
    splits = set(report["counts"]) - {"all"}
    assert there == {"import.json", *report["folders"]} and there - {"import.json"} == (
        splits or there & {"photo", "sketch"}
    )
    files = [path for path in out.rglob("*") if path.is_file() and path.name != "import.json"]
    assert not [path for path in out.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert sum(
        sum(each.values()) for classes in report["counts"].values() for each in classes.values()
    ) == len(files)
    for split, classes in report["counts"].items():
        base = out if split == "all" else out / split
        if not (base / "photo").exists():
            assert all(each["photos"] == 0 for each in classes.values())
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pairs = FolderPairs(
                out, "train" if split == "all" else split, test_share=0 if split in ("all", "train") else 0.2
            )
        for each in caught:
            assert re.search(
                "classes have no pair in|are grey|are coloured|no test split of its own", str(each.message)
            )
        sketches = {name: each["sketches"] for name, each in classes.items()}
        assert {name: list(pairs.labels).count(label) for label, name in enumerate(pairs.class_names)} == {
            name: sketches.get(name, 0) for name in pairs.class_names
        }
        assert len(set(pairs.photo_ids)) == sum(each["photos"] for each in classes.values())


@contextlib.contextmanager
def sandbox():
    """A folder to work in, with others around it in which nothing may be made."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve() / "around" / "place"
        place.mkdir(parents=True)
        (place / "secret.png").write_bytes(IMAGES[0])
        (place / "names.txt").write_text(NAMES, encoding="utf-8")
        with contextlib.chdir(place):
            yield place


NAMES = "cat tabby, house cat\nn01440764 tench\nCat tabby\n"


def check_import(command, files, options, common, size, ending):
    with sandbox() as place:
        source, out = place / "set", place / "out"
        plant(source, files)
        source = source_of(source, files, ending)
        arguments = [
            command,
            str(source.relative_to(place)),
            "--out",
            "out",
            "--size",
            str(size),
            *common,
            *options,
        ]
        before = snapshot(place.parents[1], out)
        code, stdout, stderr = run(arguments)
        assert code in (0, 2)
        assert snapshot(place.parents[1], out) == before
        if code == 0:
            assert "made out" in stdout
            check_result(out)
            made = contents(out)
            assert run(arguments)[0] == 2 and run([*arguments, "--force"])[0] == 0
            assert contents(out) == made
        else:
            assert stderr.rpartition("error: ")[2] and not out.exists()
    return code


def contents(folder):
    """The bytes of all files in a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_any(command, data):
    files = data.draw(trees(command))
    options = data.draw(st.sampled_from(OPTIONS.get(command, [[]])))
    size, ending = (
        data.draw(st.sampled_from([8, 0])),
        data.draw(st.sampled_from(["", "", "", "", *SOURCES])),
    )
    return check_import(command, files, options, data.draw(COMMON), size, ending)


QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def fuzz(check, *args, examples):
    """Runs a check that draws its own data."""

    @settings(max_examples=examples, suppress_health_check=QUIET)
    @given(st.data())
    def one(data):
        check(*args, data)

    one()


@pytest.mark.parametrize("command", IMPORTERS)
def test_an_import_or_an_error(command):
    fuzz(check_any, command, examples=15)


@pytest.mark.slow
@pytest.mark.parametrize("command", IMPORTERS)
def test_an_import_or_an_error_of_many(command):
    fuzz(check_any, command, examples=60)


@pytest.mark.parametrize(
    ("command", "layout"), [(command, n) for command in IMPORTERS for n in range(len(WHOLE[command]))]
)
def test_each_layout_is_one_that_its_importer_takes(command, layout):
    """Or the trees above would not be what they are meant to be."""
    names = {"s": "train", "c": "shoe", "e": "1F44B"}
    files = {path.format(**names): of_ending(path, IMAGES[0]) for path in WHOLE[command][layout]}
    files |= WITH.get(command, {})
    options = PLAIN.get((command, layout), PLAIN.get(command, []))
    assert check_import(command, files, options, [], 8, "") == 0


def test_each_importer_has_its_own_trees():
    assert set(WHOLE) == set(IMPORTERS) and set(OPTIONS) <= set(IMPORTERS)


# ---- check, on the layout that all importers write


def drawing(number, *shape, paper=255, ink=0):
    """Lines on paper, other ones for each number."""
    image = np.full(shape, paper, np.uint8)
    for end in np.random.default_rng(number).integers(0, min(shape[:2]), (4, 2)):
        cv2.line(image, (1, 1), end.tolist(), (ink,) * 3, 1)
    return image


def encoded(image, extension=".png"):
    return cv2.imencode(extension, image)[1].tobytes()


DRAWINGS = [encoded(drawing(number, 40, 40)) for number in range(8)]
PHOTOS = [encoded(drawing(n, 40, 48, 3) | np.array([0, 0, 255], np.uint8)) for n in range(8, 16)]  # red lines
OWN = {"photo": PHOTOS, "sketch": DRAWINGS}
ODD = [
    encoded(drawing(0, 40, 40), ".jpg"),
    *(encoded(drawing(number, 40, 40, paper=0, ink=255)) for number in (0, 20, 21)),
    encoded(drawing(1, 40, 40, paper=250)),
    encoded(np.dstack([drawing(2, 40, 40, 3), drawing(3, 40, 40)])),
    encoded(drawing(4, 40, 40).astype(np.uint16) * 257),
    encoded(drawing(5, 5, 80)),
    encoded(drawing(6, 40, 48, 3), ".bmp"),
    encoded(drawing(7, 40, 48, 3), ".jpg"),
    DRAWINGS[0][:-30],
    *IMAGES,
    *BROKEN,
]
FOLDERS = ["", "", "train/", "train/", "test/", "val/", "b\udce4r\x1b/", "other/"]
# What a cleaned copy is without. Near copies within a split stay, and so do odd sizes.
MENDED = """same_stem alike_class_names unreadable truncated blank_sketch inverted_sketch photo_in_two_classes
    sketch_in_two_classes leaked_photo leaked_sketch nearly_leaked_photo nearly_leaked_sketch duplicate_photo
    unpaired_photo unpaired_sketch wrong_extension outside nested_folder other_folder no_image alpha
    sixteen_bit""".split()


@st.composite
def pair_folders(draw):
    """Files as the examples read them, more or less: path -> bytes."""
    usual = [[""], ["train/"], ["train/", "test/"]]
    bases = draw(st.sampled_from(usual) | st.sampled_from(usual + [["val/", "test/"], FOLDERS]))
    sides = draw(st.sampled_from([["photo", "sketch"]] * 8 + [["sketch"], ["photo"]]))
    files = {}
    for number in range(8 - draw(st.integers(0, 8))):
        base = draw(st.sampled_from(bases))
        class_name = draw(st.sampled_from(["cat", "hot dog"] * 8 + CLASSES))
        stem = draw(st.sampled_from([str(number)] * len(STEMS) + STEMS))
        for side in sides:
            ending = draw(st.sampled_from(["", "", "", "-1", "-2"])) if side == "sketch" else ""
            ending += draw(st.sampled_from([".png", ".jpg"] * 4 + ENDINGS))
            own = OWN[side]
            files[f"{base}{side}/{class_name}/{stem}{ending}"] = draw(
                st.sampled_from([own[number - 1]] * 8 * len(own) + own * 3 + ODD * 2)
            )
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 3]))):
        parts = draw(st.lists(st.sampled_from([*FOLDERS, "photo/", "sketch/", "cat/"]), max_size=4))
        name = draw(st.sampled_from(STEMS)) + draw(st.sampled_from(ENDINGS))
        files["".join([*parts, name])] = draw(CONTENTS | st.sampled_from(["..", "gone", "/dev/null"]))
    return files


def check_check(data):
    files = data.draw(pair_folders())
    options = data.draw(st.sampled_from([[], ["--fit", "crop"], ["--threads", "1", "--fit", "stretch"]]))
    reports = data.draw(st.sampled_from([[], ["--json", "report.json"], ["--json", "-"]]))
    reports += data.draw(st.sampled_from([[], ["--sheet", "sheet.png"]]))
    with sandbox() as place:
        plant(place / "set", files)
        before, out = snapshot(place.parents[1]), place / "out"
        arguments = ["check", "set", "--no-alignment", *options]
        code, stdout, stderr = run([*arguments, *reports])
        assert code in (0, 1, 2)
        assert (code == 2) == ("error: " in stderr) and bool(stdout) == (code != 2)
        after = snapshot(place.parents[1])
        for name in ("report.json", "sheet.png"):
            assert (after.pop(str(place / name), None) is not None) == (name in reports and code != 2)
        assert_unchanged(before, after, place)
        if code == 2:
            return
        fixed, stdout, stderr = run([*arguments, "--fix", "out"])
        after = snapshot(place.parents[1], out)
        for name in ("report.json", "sheet.png"):
            after.pop(str(place / name), None)
        assert_unchanged(before, after, place)
        if fixed == 2:
            assert "error: " in stderr and not out.exists()
        else:
            assert fixed == code and "made out" in stdout
            check_copy(out)


def assert_unchanged(before, after, place):
    """But for the times of the folder in which reports were written."""
    assert after == before
    assert set(os.listdir(place)) <= {"set", "secret.png", "names.txt", "report.json", "sheet.png", "out"}


def check_copy(out):
    check_result(out)
    mended = inspect(out, alignment=False).findings
    assert not [(kind, str(found)) for kind, found in mended.items() if kind in MENDED]


def test_a_check_or_an_error():
    fuzz(check_check, examples=40)


@pytest.mark.slow
def test_a_check_or_an_error_of_many():
    fuzz(check_check, examples=200)


# ---- what such trees have found


def test_sketches_with_and_without_splits_are_an_error_of_the_layout():
    files = {f"{base}sketch/{name}/1.png": DRAWINGS[0] for base in ("", "train/") for name in ("cat", "dog")}
    with sandbox() as place:
        plant(place / "set", files)
        code, stdout, _ = run(["check", "set"])
        assert code == 1 and "error: 1 reasons why the reader refuses the folder" in stdout
        code, _, stderr = run(["check", "set", "--fix", "out"])
        assert code == 2 and "error: --fix cannot mend the layout of set" in stderr
        assert not (place / "out").exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"skintone_base_hexcode": 5},
        {"skintone_base_hexcode": ["1F44B"]},
        {"group": "a\ud83d"},
        {"skintone_base_hexcode": "a\ud83d"},
        {"skintone_base_hexcode": "a/b"},
    ],
)
def test_a_table_of_emoji_with_what_is_no_code(entry):
    table = [{**EMOJI, "hexcode": "1F44B", **entry}, {**EMOJI, "hexcode": "1F44C"}]
    files = {f"{side}/618x618/1F44{n}.png": IMAGES[0] for side in ("color", "black") for n in "BC"}
    files["data/openmoji.json"] = json.dumps(table).encode()
    assert check_import("openmoji", files, [], [], 8, "") == 0


EMOJI = {"group": "shoe", "subgroups": "x"}


def test_a_table_of_emoji_that_is_nested_without_end():
    assert check_import("openmoji", {"data/openmoji.json": b"[" * 100_000}, [], [], 8, "") == 2


def test_an_earlier_report_that_is_nested_without_end(tmp_path):
    plant(tmp_path / "set", {"cat/1.png": IMAGES[0]})
    plant(tmp_path / "out", {"import.json": b"[" * 100_000})
    code, _, stderr = run(["tu-berlin", str(tmp_path / "set"), "--out", str(tmp_path / "out")])
    assert code == 2 and "import.json is not of an import" in stderr
