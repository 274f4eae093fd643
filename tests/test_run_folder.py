"""A run on disk: nothing is overwritten, nothing is half written."""

import json

import pytest

from keras_cgan import run_folder
from keras_cgan.run_folder import RunFolder, check_new, claimed, write_json, write_text

SETTINGS = {"strategy": "classifier", "epochs": 3, "data": None, "label_input": True}


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_new_run_has_its_settings(tmp_path):
    run = RunFolder.new(tmp_path / "runs" / "one", SETTINGS)
    assert files(run.path) == ["samples", "settings.json"]
    assert json.loads((run.path / "settings.json").read_text()) == SETTINGS == run.settings


def test_a_run_is_opened_as_it_was_made(tmp_path):
    made = RunFolder.new(tmp_path / "one", SETTINGS)
    opened = RunFolder.open(str(tmp_path / "one"))
    assert (opened.path, opened.settings) == (made.path, SETTINGS)


def test_an_empty_folder_will_do(tmp_path):
    assert RunFolder.new(tmp_path, SETTINGS).settings == SETTINGS


def test_a_run_is_not_overwritten(tmp_path):
    RunFolder.new(tmp_path / "one", SETTINGS)
    with pytest.raises(FileExistsError, match="new or empty.*one"):
        RunFolder.new(tmp_path / "one", {**SETTINGS, "epochs": 9})
    assert RunFolder.open(tmp_path / "one").settings == SETTINGS


def test_a_file_is_no_place_for_a_run(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="notes.txt"):
        RunFolder.new(tmp_path / "notes.txt", SETTINGS)
    with pytest.raises(FileExistsError, match="new or empty"):
        RunFolder.new(tmp_path, SETTINGS)
    assert files(tmp_path) == ["notes.txt"]


def test_checking_a_place_makes_nothing(tmp_path):
    check_new(tmp_path / "one")
    check_new(tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["", "missing"])
def test_what_is_no_run_is_not_opened(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="settings.json. Received"):
        RunFolder.open(tmp_path / name)
    assert files(tmp_path) == []


def test_settings_can_be_changed(tmp_path):
    run = RunFolder.new(tmp_path / "one", SETTINGS)
    run.change_settings({**SETTINGS, "epochs": 9})
    assert run.settings["epochs"] == RunFolder.open(run.path).settings["epochs"] == 9


def test_the_next_free_name(tmp_path):
    assert RunFolder.next_free(tmp_path / "runs", "gan") == tmp_path / "runs" / "gan-1"
    for name in ("gan-1", "gan-3"):
        RunFolder.new(tmp_path / name, SETTINGS)
    (tmp_path / "gan-2").write_text("a file has the name, too")
    assert RunFolder.next_free(tmp_path, "gan") == tmp_path / "gan-4"
    assert RunFolder.next_free(tmp_path, "g") == tmp_path / "g-1"


def add(run, *steps):
    for step in steps:
        run.add_losses(step, {"d_loss": step / 4, "g_loss": 2.0})


def test_losses_are_rows_below_their_names(tmp_path):
    run = RunFolder.new(tmp_path, SETTINGS)
    add(run, 1, 2)
    run.add_losses(3, {"d_loss": 1.23456789e-5, "g_loss": float("nan")})
    assert (tmp_path / "losses.csv").read_text() == (
        "step,d_loss,g_loss\n1,0.25,2\n2,0.5,2\n3,1.23457e-05,nan\n"
    )


def test_a_resumed_file_of_losses_is_the_same_to_the_byte(tmp_path):
    through, resumed = (RunFolder.new(tmp_path / name, SETTINGS) for name in ("through", "resumed"))
    add(through, 1, 2, 3, 4, 5)
    add(resumed, 1, 2, 3, 4)
    resumed.keep_losses(2)
    add(RunFolder.open(resumed.path), 3, 4, 5)
    assert (through.path / "losses.csv").read_bytes() == (resumed.path / "losses.csv").read_bytes()


def test_a_row_cut_off_by_a_crash_goes(tmp_path):
    run = RunFolder.new(tmp_path, SETTINGS)
    add(run, 1, 2)
    with (tmp_path / "losses.csv").open("a") as file:
        file.write("3,0.7")
    run.keep_losses(2)
    add(run, 3)
    assert (tmp_path / "losses.csv").read_text().splitlines()[1:] == ["1,0.25,2", "2,0.5,2", "3,0.75,2"]


def test_keeping_no_losses(tmp_path):
    run = RunFolder.new(tmp_path, SETTINGS)
    run.keep_losses(0)
    assert not (tmp_path / "losses.csv").exists()
    add(run, 1)
    run.keep_losses(0)
    add(run, 1)
    assert (tmp_path / "losses.csv").read_text() == "step,d_loss,g_loss\n1,0.25,2\n"


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "results.json"
    write_json(file, {"a": 1})

    def no_space(part, file):
        raise OSError("No space left on device")

    monkeypatch.setattr(run_folder.os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        write_json(file, {"a": 2})
    assert json.loads(file.read_text()) == {"a": 1}
    assert files(tmp_path) == ["results.json"]


def test_a_value_that_json_cannot_hold_leaves_the_old_file(tmp_path):
    file = tmp_path / "results.json"
    write_json(file, {"a": 1})
    for value in (object(), float("inf")):
        with pytest.raises((TypeError, ValueError)):
            write_json(file, {"a": value})
    assert json.loads(file.read_text()) == {"a": 1}
    assert files(tmp_path) == ["results.json"]


def test_text_that_cannot_be_encoded_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "notes.txt", "Bäume\n")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "notes.txt", "half \ud800")
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "Bäume\n"
    assert files(tmp_path) == ["notes.txt"]


def test_not_a_number_is_null_in_json(tmp_path):
    write_json(tmp_path / "results.json", {"diversity": float("nan"), "accuracy": 0.5, "data": None})
    assert json.loads((tmp_path / "results.json").read_text(), parse_constant=pytest.fail) == {
        "diversity": None,
        "accuracy": 0.5,
        "data": None,
    }


def test_the_same_settings_go_on_though_json_has_no_tuples(tmp_path):
    settings = {"rates": (1e-3, 2e-4), "recipe": {"widths": (8, 16)}}
    run = RunFolder.new_or_same(tmp_path / "run", settings)
    assert RunFolder.new_or_same(tmp_path / "run", settings).path == run.path
    with pytest.raises(ValueError, match="holds a run with rates=.*Received: rates="):
        RunFolder.new_or_same(tmp_path / "run", {"rates": (1e-3, 1e-3)})


def test_a_run_from_before_a_setting_was_there(tmp_path):
    RunFolder.new(tmp_path / "run", {"seed": 0})
    with pytest.raises(ValueError, match="a run of an earlier version, which had no warp: choose another f"):
        RunFolder.new_or_same(tmp_path / "run", {"seed": 0, "warp": 0.5})


def test_of_two_that_choose_a_folder_the_second_is_refused(tmp_path):
    folder = tmp_path / "runs" / "report-1"
    with claimed(folder, "page"):
        with pytest.raises(FileExistsError, match="report-1"), claimed(folder, "page"):
            pass
        write_text(folder / "page", "done")
    assert files(folder) == ["page"] and (folder / "page").read_text() == "done"


@pytest.mark.parametrize("is_new", [True, False])
def test_a_claim_that_fails_leaves_the_folder_as_it_was(is_new, tmp_path):
    folder = tmp_path / "report"
    if not is_new:
        folder.mkdir()
    with pytest.raises(KeyboardInterrupt), claimed(folder, "page"):
        raise KeyboardInterrupt
    assert folder.exists() != is_new and files(tmp_path) == ["report"] * (not is_new)
    with pytest.raises(KeyboardInterrupt), claimed(folder, "page"):
        write_text(folder / "picture", "made")
        raise KeyboardInterrupt
    assert files(folder) == ["picture"]


def test_a_folder_that_has_moved_is_noted(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    settings = {**SETTINGS, "data": str(old)}
    RunFolder.new(tmp_path / "run", settings)
    moved = {**settings, "data": str(new)}
    with pytest.raises(ValueError, match="data=.*old"):
        RunFolder.new_or_same(tmp_path / "run", moved, folders=["data"])
    old.rmdir()
    with pytest.raises(ValueError, match="data=.*old"):
        RunFolder.new_or_same(tmp_path / "run", moved)
    with pytest.raises(ValueError, match="epochs=3"):
        RunFolder.new_or_same(tmp_path / "run", {**moved, "epochs": 4}, folders=["data"])
    assert RunFolder.open(tmp_path / "run").settings == settings
    assert RunFolder.new_or_same(tmp_path / "run", moved, folders=["data"]).settings == moved
    assert RunFolder.open(tmp_path / "run").settings == moved
