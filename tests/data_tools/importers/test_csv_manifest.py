"""Tables of photos, sketches and labels."""

import pytest

from data_tools.groups import DataError
from keras_cgan.data import FolderPairs


@pytest.fixture
def table(source, paint):
    """A function that writes a table beside three photos and four sketches, and gives its path."""
    for number in (1, 2, 3):
        paint(source / "p" / f"{number}.jpg", 40 + number)
    for number in (1, 2, 3, 4):
        paint(source / "s" / f"{number}.png", 200 + number)

    def table(*lines, encoding="utf-8"):
        file = source / "pairs.csv"
        file.write_text("\n".join(lines) + "\n", encoding=encoding)
        return file

    return table


@pytest.mark.filterwarnings("ignore:.*classes have no pair")
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_columns_in_any_order_and_several_sketches(run, table, delimiter, encoding):
    rows = [
        ("Split", "note", "LABEL", "Sketch", " photo "),
        ("train", "a", "bär", "s/1.png", "p/1.jpg"),
        ("train", "b", "bär", "s\\2.png", "p/1.jpg"),
        (),
        ("test", "", "-5", "s/3.png", "p/2.jpg"),
        ("test", "", "-5", "s/4.png", "p/2.jpg"),
        ("train", "", "bär", "s/2.png", "p/1.jpg"),
        ("train", "", "bär", "s/4.png", "p/9.jpg"),
    ]
    made = run("csv", table(*map(delimiter.join, rows), encoding=encoding))
    assert made.counts == {"train": {"bär": (1, 2)}, "test": {"-5": (1, 2)}}
    assert made.grey("train/photo/bär/1.png") == 41 and made.grey("train/sketch/bär/1-2.png") == 202
    assert made.left_out == {
        "rows that repeat an earlier one (left out)": ["pairs.csv, row 7"],
        "rows whose files are not there (left out)": ["pairs.csv, row 8: p/9.jpg"],
    }
    assert len(FolderPairs(made.out, "train")) == 2


def test_quoted_cells_and_a_folder_with_one_table(run, table, source):
    table("photo,sketch,label", '"p/1.jpg","s/1.png","bear, big"')
    made = run("csv", source.parent / "set")
    assert made.files == {"photo/bear, big/1.png", "sketch/bear, big/1.png"}


def test_two_tables_in_a_folder(run, table, source):
    table("photo,sketch,label", "p/1.jpg,s/1.png,a")
    (source / "other.CSV").write_text("")
    with pytest.raises(DataError, match="must hold one csv file.*other.CSV, pairs.csv"):
        run("csv", source)


@pytest.mark.parametrize(
    "photo",
    [
        "../outside.jpg",
        "p/../../outside.jpg",
        "/etc/passwd",
        "C:\\x.jpg",
        "\\x.jpg",
        "link.jpg",
        "",
        ".",
        "l/x",
    ],
)
def test_paths_lead_nowhere_else(run, table, source, paint, photo):
    paint(source.parent / "outside.jpg")
    file = table("photo,sketch,label", "p/1.jpg,s/1.png,a", f"{photo},s/2.png,a")
    (source / "link.jpg").symlink_to(source.parent / "outside.jpg")
    (source / "l").symlink_to(source.parent)
    with pytest.raises(DataError, match="pairs.csv, row 3, photo, must be a path below the folder") as error:
        run("csv", file)
    assert f"Received: {photo!r}" in str(error.value)
    assert ("through a link" in str(error.value)) == (photo in ("link.jpg", "l/x"))


def test_where_a_link_leads_out_to_is_said(run, table, source, paint):
    outside = paint(source.parent / "elsewhere" / "1.jpg").parent
    (source / "photos").symlink_to(outside)
    file = table("photo,sketch,label", "p/../photos/1.jpg,s/1.png,a")
    with pytest.raises(DataError, match="must be a path below the folder of the table") as error:
        run("csv", file)
    assert str(error.value).endswith(
        f"Received: 'p/../photos/1.jpg', which leads out through a link, to {outside / '1.jpg'}"
    )


@pytest.mark.parametrize("label", ["", " ", "=1+1", "+a", "@sum", "-a", "-"])
def test_labels_that_are_none(run, table, label):
    file = table("photo,sketch,label", "p/1.jpg,s/1.png,a", f"p/2.jpg,s/2.png,{label}")
    with pytest.raises(DataError, match="pairs.csv, row 3, label, must be .*Received") as error:
        run("csv", file)
    assert repr(label.strip()) in str(error.value)


@pytest.mark.parametrize(
    "split", ["", "../up", "a/b", ".hidden", "photo", "Sketch", "con", "import.json", "Import.JSON"]
)
def test_splits_that_are_none(run, table, split):
    file = table("photo,sketch,label,split", "p/1.jpg,s/1.png,a,train", f"p/2.jpg,s/2.png,a,{split}")
    with pytest.raises(DataError, match="pairs.csv, row 3, split, must be "):
        run("csv", file)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (("Train", "TEST"), {"train", "test"}),
        (("train", "Train"), {"train"}),
        (("train", "val"), {"train", "test"}),
        (("Training", "testing"), {"train", "test"}),
        (("train", "Validation"), {"train", "test"}),
        (("train", "valid", "test"), {"train", "valid", "test"}),
        (("Train", "dev", "val"), {"train", "dev", "test"}),
        (("Fold 1", "fold 2"), {"Fold 1", "fold 2"}),
    ],
)
def test_splits_are_those_that_the_examples_read(run, table, given, made):
    rows = [f"p/{number}.jpg,s/{number}.png,a,{split}" for number, split in enumerate(given, 1)]
    assert set(run("csv", table("photo,sketch,label,split", *rows)).counts) == made


def test_splits_that_differ_by_case_alone(run, table):
    rows = [f"p/{number}.jpg,s/{number}.png,a,{split}" for number, split in enumerate(["old", "Old"], 1)]
    with pytest.raises(DataError, match="names that differ by more than case. Received: 'Old' and 'old'"):
        run("csv", table("photo,sketch,label,split", *rows))


def test_empty_splits_are_no_splits(run, table):
    made = run("csv", table("photo,sketch,label,split", "p/1.jpg,s/1.png,a,", "p/2.jpg,s/2.png,a"))
    assert made.counts == {"all": {"a": (2, 2)}}
    with pytest.raises(DataError, match="row 3, split, must be given in every row or in none"):
        run("csv", table("photo,sketch,label,split", "p/1.jpg,s/1.png,a,", "p/2.jpg,s/2.png,a,test"), out="o")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "must begin with a row that names the columns"),
        (b"photo,sketch\np/1.jpg,s/1.png\n", "must begin with a row that names the columns"),
        (b"photo,sketch,label,photo\n", "each once"),
        (b"photo,sketch,label\np/1.jpg,s/1.png,a,b\n", "row 2, must have a cell for each of the 3 columns"),
        (b"photo,sketch,label\np/1.jpg,s/1.png\n", "row 2, label, must be"),
        (b"photo,sketch,label\np/1.jpg,s/1.png,b\xe4r\n", "must be text in UTF-8: save it as CSV UTF-8"),
        ("photo,sketch,label\n".encode("utf-16"), "save it as CSV UTF-8. Received: text in UTF-16"),
        (b"PK\x03\x04\x14\0", "save it as CSV UTF-8. Received: a spreadsheet or an archive"),
        (b"\xd0\xcf\x11\xe0\xa1", "save it as CSV UTF-8. Received: a spreadsheet"),
        (b'photo,sketch,label\np/1.jpg,s/1.png,"a"b\n', "is no table: .*line 2"),
        (b"photo,sketch,label\np/1.jpg,s/1.png\0,a\n", "row 2, sketch, must be a path|is no table"),
        (b"photo,sketch,label\n", "there are no images for csv"),
    ],
)
def test_files_that_are_no_tables(run, table, text, message):
    file = table("")
    file.write_bytes(text)
    with pytest.raises(DataError, match=message):
        run("csv", file)


def test_names_in_another_unicode_form(run, source, paint):
    """A letter with its accent is one character or two: tables and files often differ in that."""
    composed, parted = "2 \u00fc", "2 u\u0308"
    paint(source / f"p {composed}" / f"{composed}.jpg", 40)
    paint(source / "s" / f"{parted}.png", 200)
    (source / "pairs.csv").write_text(
        f"photo,sketch,label\np {parted}/{parted}.jpg,s/{composed}.png,a\n"
        f"p {composed}/{composed}.jpg,s/{parted}.png,a\n",
        encoding="utf-8",
    )
    made = run("csv", source)
    assert made.counts == {"all": {"a": (1, 1)}} and made.grey(f"photo/a/{composed}.png") == 40
    assert made.left_out == {"rows that repeat an earlier one (left out)": ["pairs.csv, row 3"]}


def test_another_unicode_form_that_two_files_have(run, table, source, paint):
    forms = ("\u1e69", "s\u0323\u0307")  # composed, and parted; the table has neither
    try:
        for grey, form in enumerate(forms):
            paint(source / "p" / f"{form}.jpg", grey)
    except OSError:
        pytest.skip("this file system takes the forms as one")
    made = run("csv", table("photo,sketch,label", "p/s\u0307\u0323.jpg,s/1.png,a", "p/1.jpg,s/1.png,a"))
    assert made.counts == {"all": {"a": (1, 1)}}
    (said,) = made.left_out["rows whose files are not there (left out)"]
    assert all(f"{form}.jpg" in said.partition("Unicode form: ")[2] for form in forms)


def test_names_in_another_case_are_said(run, table):
    rows = ("p/1.JPG,S/1.png,a", "p/1.jpg,s/1.png,a", "p/1.jpg,s,a")
    made = run("csv", table("photo,sketch,label", *rows))
    assert made.left_out == {
        "rows whose files are not there (left out)": [
            "pairs.csv, row 2: p/1.JPG (in other case or Unicode form: 1.jpg), "
            "S/1.png (in other case or Unicode form: s)",
            "pairs.csv, row 4: s",
        ]
    }


@pytest.mark.parametrize("cell", ["u\u0308/1.jpg", "../se\u0301t/1.jpg"])
def test_another_unicode_form_leads_out_no_more_than_the_same(run, table, source, tmp_path, paint, cell):
    paint(tmp_path / "s\u00e9t" / "1.jpg")
    (source / "\u00fc").symlink_to(tmp_path / "s\u00e9t")
    with pytest.raises(DataError, match="must be a path below the folder of the table"):
        run("csv", table("photo,sketch,label", f"{cell},s/1.png,a"))
