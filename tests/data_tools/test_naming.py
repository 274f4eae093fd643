"""Names of files: any system takes them, no two things share them, and the reader matches them."""

import unicodedata
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_tools.command import main
from data_tools.groups import DataError
from data_tools.naming import MOST_BYTES, Names, folded, printable, safe_name
from keras_cgan.data import FolderPairs
from keras_cgan.data.images import decode_image

NFC, NFD = (unicodedata.normalize(form, "bär") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0007", "0007"),
        ("straße 1", "straße 1"),
        ("東京 タワー", "東京 タワー"),
        ("🐻", "🐻"),
        (" two  spaces ", "two  spaces"),
        (NFC, NFC),
        (NFD, NFC),
        ('a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j"),
        ("../../etc", "_._.._etc"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("   ", "_"),
        (".hidden", "_hidden"),
        ("ends. . ", "ends"),
        ("tab\tnew\nline\x00\x7f", "tab_new_line__"),
        ("b\udce4r", "b_r"),
        ("con", "con_"),
        ("CON", "CON_"),
        ("nul.txt", "nul_.txt"),
        ("com1", "com1_"),
        ("Lpt9.a.b", "Lpt9_.a.b"),
        ("com¹", "com¹_"),
        ("aux .x", "aux_ .x"),
        ("conin$", "conin$_"),
        ("console", "console"),
        ("com10", "com10"),
        ("Thumbs.db", "Thumbs.db_"),
        ("__MACOSX", "__MACOSX_"),
    ],
)
def test_names(text, name):
    assert safe_name(text) == name


@settings(max_examples=300)
@given(st.text(st.characters(), max_size=80) | st.text("con.aux1 \u3000/ä🐻", max_size=400))
@example("con" + " " * 200 + "x")
@example("a" * 149 + "🐻")
@example("nul." + "x" * 150)
@example("a" * 148 + " . b")
@example("." + "\u3000." * 60)
def test_every_name_is_one(text):
    name = safe_name(text)
    assert name and len(name.encode()) <= MOST_BYTES + 1
    assert not set(name) & set('<>:"/\\|?*\0') and name[0] != "." and name[-1] not in ". "
    assert name.split(".")[0].strip().lower() not in ("con", "prn", "aux", "nul", "com1", "lpt1")
    assert unicodedata.is_normalized("NFC", name)
    assert safe_name(name) == name


def test_long_names_leave_room_for_what_comes_on_top():
    for text in ("x" * 1000, "東" * 1000, "🐻" * 1000):
        name = safe_name(text)
        assert MOST_BYTES - 4 < len(name.encode()) <= MOST_BYTES
        assert len(f".{name}_99999-99999.png.4194304".encode()) < 255


def test_text_that_is_printed():
    assert printable("bär 東京") == "bär 東京"
    assert printable("a\nb\x1b[2J\u202ec\udce4\x9b") == "a\\nb\\x1b[2J\\u202ec\\udce4\\x9b"
    printable("\ud800").encode("utf-8")


# ---- classes


def test_classes_keep_their_names():
    names = Names()
    assert [names.of_class(text) for text in ("ant", NFC, "hot dog", "ant")] == [
        "ant",
        "bär",
        "hot dog",
        "ant",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Ant", "ant"),
        (NFC, NFD),
        ("STRASSE", "straße"),
        ("a/b", "a\\b"),
        ("a", "a."),
        ("con", "con_"),
        ("x" * 300, "x" * 301),
    ],
)
def test_classes_that_would_share_a_folder(first, second):
    names = Names()
    names.of_class(first)
    with pytest.raises(DataError, match="classes must differ by more than case .*Received: ") as error:
        names.of_class(second)
    assert repr(first) in str(error.value) and repr(second) in str(error.value)


@pytest.mark.parametrize("text", ["photo", "sketch", "Photo", "SKETCH"])
def test_classes_named_as_the_sides_of_a_pair(text):
    names = Names()
    assert names.of_class(text) == f"{text}_"
    with pytest.raises(DataError, match="classes must differ"):
        names.of_class(f"{text}_")


# ---- groups


def given_names(*groups, folder=("train", "a")):
    names = Names()
    return [names.of_group(folder, text, sketches) for text, sketches in groups]


def test_one_sketch_or_several():
    assert given_names(("a", 1), ("b", 3)) == [("a", ["a"]), ("b", ["b-1", "b-2", "b-3"])]


def test_names_that_differ_by_case_or_by_what_is_forbidden():
    stems = [
        stem for stem, _ in given_names(("a", 1), ("A", 1), ("?", 1), ("*", 1), (NFC, 1), (NFD.upper(), 1))
    ]
    assert stems == ["a", "A_2", "_", "__2", "bär", "BÄR_2"]


def test_names_of_other_folders_do_not_matter():
    names = Names()
    for folder in (("train", "a"), ("test", "a"), ("train", "b"), (None, "a")):
        assert names.of_group(folder, "1", 1) == ("1", ["1"])


@pytest.mark.parametrize(
    ("groups", "stems"),
    [
        ([("a", 2), ("a-1", 1)], ["a", "a-1_2"]),
        ([("a-1", 1), ("a", 2)], ["a-1", "a_2"]),
        ([("a", 1), ("a-1", 1)], ["a", "a-1"]),
        ([("a", 2), ("a-3", 1)], ["a", "a-3"]),
        ([("a", 2), ("A-2", 3)], ["a", "A-2_2"]),
        ([("a", 1), ("a", 1), ("a", 2), ("a_2", 1)], ["a", "a_2", "a_3", "a_2_2"]),
        ([("a-1", 2), ("a", 1)], ["a-1", "a"]),
    ],
)
def test_a_number_may_be_of_a_photo_or_of_a_sketch(groups, stems):
    assert [stem for stem, _ in given_names(*groups)] == stems


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "A", "a-1", "a-2", "a_2", "a_2-1", "a-1-1", "", "?", NFD]),
            st.integers(1, 3),
        ),
        max_size=12,
    )
)
def test_each_sketch_is_matched_to_its_own_photo(groups):
    named = given_names(*groups)
    photos = [stem for stem, _ in named]
    all_sketches = [name for _, stems in named for name in stems]
    assert len({folded(stem) for stem in photos}) == len(photos)
    assert len({folded(name) for name in all_sketches}) == len(all_sketches)
    for stem, stems in named:
        for name in stems:
            key, _, number = name.rpartition("-")
            found = name if name in photos else key if number.isdecimal() and key in photos else None
            assert found == stem


def test_thousands_of_one_name_take_no_time():
    stems = [stem for stem, _ in given_names(*[("photo", 1)] * 20_000)]
    assert stems[0] == "photo" and stems[-1] == "photo_20000" and len(set(stems)) == 20_000


# ---- the same through a whole import


def test_names_of_all_kinds_are_imported_and_read(tmp_path, paint):
    stems = ["a", "a-1", "a-2", "b", "A", "con", "x" * 200, "東京 1", NFD, "dot.", "two  spaces", "-1", "1"]
    greys = {}
    for number, stem in enumerate(stems):
        for side, grey in (("pictures", 10 * number), ("drawings", 10 * number + 5)):
            paint(tmp_path / "set" / side / f"{number}" / f"{stem}.png", grey)
    rows = ["photo,sketch,label"]
    for number, stem in enumerate(stems):
        rows.append(f"pictures/{number}/{stem}.png,drawings/{number}/{stem}.png,ant")
        greys[10 * number] = {10 * number + 5}
    for sketch in (1, 2):  # as second and third sketches of "b"
        rows.append(f"pictures/3/b.png,drawings/{sketch}/{stems[sketch]}.png,ant")
        greys[30].add(10 * sketch + 5)
    (tmp_path / "set" / "pairs.csv").write_text("\n".join(rows), encoding="utf-8")
    assert (
        main(["csv", str(tmp_path / "set" / "pairs.csv"), "--out", str(tmp_path / "out"), "--size", "8"]) == 0
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("error")
        pairs = FolderPairs(tmp_path / "out", test_share=0)
    read = {}
    for photo, sketch in zip(pairs.photo_paths, pairs.sketch_paths):
        read.setdefault(decode_image(photo).max(), set()).add(decode_image(sketch).max())
    assert read == greys


def test_a_class_named_photo_does_not_make_a_split(tmp_path, paint):
    for class_name in ("photo", "sketch", "ant"):
        for side in "AB":
            paint(tmp_path / "set" / side / class_name / "1.png")
    assert main(["folders", str(tmp_path / "set"), "--out", str(tmp_path / "out"), "--size", "8"]) == 0
    pairs = FolderPairs(tmp_path / "out", test_share=0)
    assert pairs.class_names == ("ant", "photo_", "sketch_")
