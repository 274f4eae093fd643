"""The folder that is written: gone on with from wherever a process was killed, and nothing else touched."""

import contextlib
import errno
import json
import os
import stat
import subprocess
import sys
import threading

import pytest

from data_tools import target as target_module
from data_tools.command import main
from data_tools.groups import DataError
from data_tools.importing import explain
from data_tools.target import PART, REPORT, Target, check_apart, write_json


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def make(out, content, force=False, names=("photo", "sketch"), **settings):
    """An import of a file in each of two folders, of which those that are there are kept."""
    with Target(out, {"content": content, **settings}, force) as target:
        if not target.is_moving():
            for name in names:
                file = target.part / name / "a" / "1.png"
                if not file.exists():
                    file.parent.mkdir(parents=True, exist_ok=True)
                    write_json(file, content)
        target.finish({"counts": content})
        return target.report()


def contents(out):
    """What is in the files in place."""
    return {path.parts[-3]: json.loads(path.read_text()) for path in out.glob("*/a/1.png")}


def assert_made(out, content, names=("photo", "sketch")):
    assert {path.name for path in out.iterdir()} == {*names, REPORT}
    assert contents(out) == dict.fromkeys(names, content)
    assert json.loads((out / REPORT).read_text()) == {"counts": content, "folders": sorted(names)}


def test_a_folder_is_made_whole(out):
    with Target(out, {"size": 3}) as target:
        (target.part / "photo").mkdir()
        (target.part / ".hidden").mkdir()
        assert {path.name for path in out.iterdir()} == {PART} and not target.is_moving()
        target.finish({"counts": 1})
        assert target.report() == {"counts": 1, "folders": ["photo"]}
    assert {path.name for path in out.iterdir()} == {"photo", REPORT}


def test_killed_anywhere_the_same_command_goes_on(out, process):
    with process() as whole:
        make(out / "whole", "new")
    assert whole.changes > 10
    for n in range(1, whole.changes + 1):
        folder = out / str(n)
        with process(n):
            make(folder, "new")
        for again in (1, 2, 3, None):  # killed soon after, too
            with process(again), contextlib.suppress(DataError):  # it may have ended
                make(folder, "new")
        assert_made(folder, "new")


@pytest.mark.parametrize("names", [("photo", "sketch"), ("train", "test"), ("photo", "test")])
def test_killed_anywhere_an_earlier_import_is_whole_or_replaced(out, process, names):
    def begin(folder):
        make(folder, "old")
        return folder

    begin(out / "whole")
    with process() as whole:
        make(out / "whole", "new", force=True, names=names)
    for n in range(1, whole.changes + 1):
        folder = begin(out / str(n))
        with process(n):
            make(folder, "new", force=True, names=names)
        with Target(folder, {"content": "new"}, force=True) as target:
            if not target.is_moving() and target.report()["counts"] == "old":
                assert contents(folder) == {"photo": "old", "sketch": "old"}
        make(folder, "new", force=True, names=names)
        assert_made(folder, "new", names)


@pytest.mark.parametrize("earlier", [False, True])
def test_killed_anywhere_force_may_begin_with_other_settings(out, process, earlier):
    def begin(folder):
        if earlier:
            make(folder, "old", names=("photo", "old"))
        return folder

    begin(out / "whole")
    with process() as whole:
        make(out / "whole", "new", force=True)
    for n in range(1, whole.changes + 1):
        folder = begin(out / str(n))
        with process(n):
            make(folder, "new", force=True)
        with process(n % 7 + 1):
            make(folder, "other", force=True, names=("x", "photo"))
        make(folder, "other", force=True, names=("x", "photo"))
        assert_made(folder, "other", ("x", "photo"))


def test_a_process_killed_at_its_very_end_loses_nothing(out, process):
    make(out, "whole")
    state = {"settings": {"content": "whole"}, "stage": "moving"}
    for force in (False, True):
        (out / PART).mkdir()
        write_json(out / PART / "state.json", state)
        assert make(out, "whole", force=force)["counts"] == "whole"
        assert_made(out, "whole")


def test_giving_up_can_be_killed_as_well(out, process):
    def give_up(folder):
        with Target(folder, {"a": 1}) as target:
            (target.part / ".unpacked" / "x").mkdir(parents=True)
            target.give_up()

    with process() as whole:
        give_up(out / "whole")
    assert not (out / "whole").exists()
    for n in range(1, whole.changes + 1):
        with process(n):
            give_up(out / str(n))
        make(out / str(n), "new", force=True)
        assert_made(out / str(n), "new")


def test_a_folder_that_was_there_is_not_given_up(out):
    """A private one stays private: it is not removed and made again."""
    out.mkdir(mode=stat.S_IRWXU)
    before = out.stat()
    for _ in range(2):
        with Target(out, {"a": 1}) as target:
            target.give_up()
        assert not list(out.iterdir())
    make(out, "whole")
    assert_made(out, "whole")
    assert (out.stat().st_ino, out.stat().st_mode) == (before.st_ino, before.st_mode)


def test_an_import_with_images_is_not_given_up(out):
    with Target(out, {"a": 1}) as target:
        (target.part / "photo").mkdir()
        (target.part / "photo" / "1.png").write_text("1")
        target.give_up()
    assert (out / PART / "photo" / "1.png").exists()


# ---- force, and settings


def test_a_finished_import_is_replaced_by_force_alone(out):
    make(out, "old", names=("photo", "old"))
    for content in ("old", "new"):
        with pytest.raises(DataError, match=f"{out} holds a finished import: .*--force to replace it"):
            make(out, content)
    assert_made(out, "old", ("photo", "old"))
    make(out, "new", force=True)
    assert_made(out, "new")


def test_an_import_in_the_making_is_gone_on_with_its_settings_alone(out):
    with Target(out, {"content": "new", "size": 1, "old": 2}) as target:
        (target.part / "photo" / "a").mkdir(parents=True)
        write_json(target.part / "photo" / "a" / "1.png", "kept")
    with pytest.raises(DataError, match=r"other settings \(new, old, size\): .*--force to begin anew"):
        make(out, "new", size=2, new=3)
    make(out, "new", size=1, old=2)
    assert contents(out) == {"photo": "kept", "sketch": "new"}


def test_force_begins_anew_with_other_settings_only(out):
    for settings, kept in (({"content": "new", "size": 1}, True), ({"content": "new", "size": 2}, False)):
        with Target(out, settings, force=True) as target:
            there = (target.part / "photo" / "1.png").exists()
            (target.part / "photo").mkdir(exist_ok=True)
            (target.part / "photo" / "1.png").write_text("1")
        if kept:
            with Target(out, settings, force=True) as target:
                assert (target.part / "photo" / "1.png").exists()
        assert not there


# ---- what is not ours


@pytest.mark.parametrize("name", ["mine.txt", "photo", ".git", "import.json.bak", ".import.json.7"])
@pytest.mark.parametrize("force", [False, True])
def test_folders_with_something_else_are_refused(out, tree, name, force):
    (out / name).mkdir(parents=True)
    (out / name / "1.png").write_text("mine")
    before = tree(out)
    with pytest.raises(DataError, match="--out must be a new or empty folder, .*Received: .*with ") as error:
        make(out, "new", force)
    assert str(error.value).endswith(name) and tree(out) == before


def test_a_finished_import_with_something_else_in_it_is_refused(out, tree):
    make(out, "old")
    (out / "notes.txt").write_text("mine")
    before = tree(out)
    with pytest.raises(DataError, match="with notes.txt"):
        make(out, "new", force=True)
    assert tree(out) == before


@pytest.mark.parametrize("text", ["", "{}", "[]", "3", '{"folders": 4}', '{"folders": [4]}', "{\xff"])
def test_a_report_of_something_else_is_refused(out, tree, text):
    out.mkdir()
    (out / REPORT).write_bytes(text.encode("latin1"))
    (out / "photo").mkdir()
    before = tree(out)
    for force in (False, True):
        with pytest.raises(DataError, match="import.json is not of an import. Choose another folder"):
            make(out, "new", force)
    assert tree(out) == before


def test_a_report_that_names_folders_elsewhere_or_files(out, tmp_path, tree):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.txt").write_text("mine")
    make(out, "old")
    (out / "link").symlink_to(tmp_path / "mine")
    (out / "file").write_text("mine")
    names = ["photo", "sketch", "../mine", str(tmp_path / "mine"), ".", "..", "", "link", "file"]
    (out / REPORT).write_text(json.dumps({"folders": names}))
    before = tree(tmp_path)
    with pytest.raises(DataError, match="with file, link"):
        make(out, "new", force=True)
    assert tree(tmp_path) == before
    (out / "link").unlink()
    (out / "file").unlink()
    make(out, "new", force=True)
    assert_made(out, "new")
    assert (tmp_path / "mine" / "1.txt").read_text() == "mine"


@pytest.mark.parametrize("kind", ["file", "link", "folder", "state"])
def test_a_part_of_something_else_is_refused(out, tmp_path, tree, kind):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "1.txt").write_text("mine")
    out.mkdir()
    if kind == "file":
        (out / PART).write_text("mine")
    elif kind == "link":
        (out / PART).symlink_to(tmp_path / "mine")
    else:
        (out / PART).mkdir()
        (out / PART / ("1.txt" if kind == "folder" else "state.json")).write_text("{}")
    before = tree(tmp_path)
    with pytest.raises(DataError, match=f"{PART} is not of an import. Choose another folder"):
        make(out, "new", force=True)
    assert tree(tmp_path) == before


def test_out_is_a_folder(out, tmp_path):
    out.write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for path in (out, tmp_path / "nowhere"):
        with pytest.raises(DataError, match=f"--out must be a folder. Received: {path}"):
            make(path, "new", force=True)
    with pytest.raises(OSError) as error:
        make(out / "inner", "new")
    assert str(out) in explain(error.value, out / "inner")
    assert out.read_text() == "mine" and not (tmp_path / "gone").exists()


def test_out_may_be_a_link_to_a_folder(out, tmp_path):
    (tmp_path / "disk").mkdir()
    out.symlink_to(tmp_path / "disk")
    make(out, "old")
    make(out, "new", force=True)
    assert out.is_symlink()
    assert_made(tmp_path / "disk", "new")


def test_source_and_out_are_apart(tmp_path):
    source = tmp_path / "set"
    source.mkdir()
    (tmp_path / "link").symlink_to(source)
    for out in (
        source,
        source / "a" / "b",
        tmp_path / "link",
        tmp_path / "link" / "a",
        source / ".." / "set",
    ):
        with pytest.raises(
            DataError, match=f"--out must not be in the data that is read. Received: --out {out}"
        ):
            check_apart(source, out)
    for out in (tmp_path, tmp_path.parent, tmp_path / "link" / ".."):
        with pytest.raises(DataError, match="--out must not hold the data that is read. Received: --out "):
            check_apart(source, out)
    for out in (tmp_path / "set2", tmp_path / "other" / "set", tmp_path / "se"):
        check_apart(source, out)


def test_an_import_never_replaces_its_own_source(tmp_path, paint, tree, capsys):
    for side in "AB":
        for split in ("train", "test"):
            paint(tmp_path / "set" / f"{split}{side}" / "1.png")
    out = tmp_path / "out"
    assert main(["folders", str(tmp_path / "set"), "--out", str(out)]) == 0
    before = tree(tmp_path)
    arguments = ["folders", str(out / "train"), "--photos", "photo", "--sketches", "sketch"]
    for inner in (out, out / "train", out / "train" / "new"):
        assert main([*arguments, "--out", str(inner), "--force"]) == 2
        assert "error: --out must not " in capsys.readouterr().err
    assert tree(tmp_path) == before


# ---- other processes, and what may not be written


@pytest.mark.skipif(target_module.fcntl is None, reason="no lock on this system")
def test_a_second_process_waits_its_turn(out):
    code = "import sys; from data_tools.target import Target; Target(sys.argv[1], {'content': 'new'}, True)"
    root = os.path.dirname(os.path.dirname(target_module.__file__))

    def other():
        done = subprocess.run(
            [sys.executable, "-c", code, out],
            env={**os.environ, "PYTHONPATH": root},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stderr

    with Target(out, {"content": "new"}) as target:
        (target.part / "photo").mkdir()
        code_there, said = other()
        assert code_there == 1 and f"another process is writing {out}: wait for it" in said
        with pytest.raises(DataError, match="another process is writing"):
            make(out, "new", force=True)
        target.finish({"counts": "new"})
    assert other() == (0, "")


def test_many_at_once_make_one(out):
    said, made = [], []

    def one():
        try:
            made.append(make(out, "new"))
        except DataError as error:
            said.append(str(error))

    threads = [threading.Thread(target=one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(said) == 11
    assert all("another process is writing" in text or "holds a finished import" in text for text in said)
    assert_made(out, "new")


def test_without_locks_it_works_too(out, monkeypatch):
    with monkeypatch.context() as patches:
        patches.setattr(target_module, "fcntl", None)
        make(out, "old")

    def unlockable(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    if target_module.fcntl is not None:
        monkeypatch.setattr(target_module.fcntl, "flock", unlockable)
    make(out, "new", force=True)
    assert_made(out, "new")


def test_an_error_frees_the_folder(out):
    with pytest.raises(RuntimeError):
        with Target(out, {"content": "new"}):
            raise RuntimeError
    make(out, "new")
    for _ in range(3):
        with pytest.raises(DataError, match="finished"):
            make(out, "new")
    make(out, "newer", force=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything may be written by root")
def test_a_folder_that_may_not_be_written(out):
    out.mkdir()
    out.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(PermissionError) as error:
            make(out, "new")
        assert explain(error.value, out).startswith(f"cannot read or write {out / PART}: Permission denied")
    finally:
        out.chmod(stat.S_IRWXU)
    make(out, "new")
    assert_made(out, "new")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_disk_that_may_not_be_written_is_said(tmp_path, paint, monkeypatch, capsys, number):
    paint(tmp_path / "set" / "a" / "1.png")
    mkdir = os.mkdir

    def refusing(path, *args, **kwargs):
        if str(path).startswith(str(tmp_path / "out")):
            raise OSError(number, os.strerror(number), str(path))
        return mkdir(path, *args, **kwargs)

    arguments = ["tu-berlin", str(tmp_path / "set"), "--out", str(tmp_path / "out")]
    with monkeypatch.context() as patches:
        patches.setattr(os, "mkdir", refusing)
        assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said == f"error: cannot read or write {tmp_path / 'out'}: {os.strerror(number)}\n"
    assert main(arguments) == 0


def test_json_is_whole_or_not_there_and_holds_any_name(tmp_path):
    file = tmp_path / "a.json"
    value = {"name": "bär \udce4 \n", "number": 1}
    write_json(file, value)
    assert json.loads(file.read_text(encoding="utf-8")) == value and "bär" in file.read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert json.loads(file.read_text(encoding="utf-8")) == value
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
