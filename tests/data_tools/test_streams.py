"""Commands in a process whose standard streams are closed, full or in another encoding."""

import os
import subprocess
import sys

import pytest

import data_tools
from data_tools.command import main
from data_tools.importing import explain

ROOT = os.path.dirname(os.path.dirname(data_tools.__file__))
posix = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")


@pytest.fixture
def pairs(tmp_path, paint):
    """A pair and a photo of a name in letters that ASCII lacks."""
    for side in "AB":
        paint(tmp_path / "set" / side / "1.png")
    paint(tmp_path / "set" / "A" / "bär.png")
    return tmp_path / "set"


@pytest.fixture
def shell(pairs, tmp_path):
    """A function `(redirection, *arguments, **environment)` that runs an import in a process of its own."""

    def shell(redirection, *arguments, **environment):
        command = [
            sys.executable,
            "-m",
            "data_tools",
            "folders",
            pairs,
            "--out",
            tmp_path / "out",
            *arguments,
        ]
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
        )

    return shell


def made(tmp_path):
    return {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}


WHOLE = {"import.json", "photo/all/1.png", "sketch/all/1.png"}


@posix
@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "0<&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_do_not_matter(shell, tmp_path, closed):
    done = shell(closed)
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert made(tmp_path) == WHOLE
    assert (b"made " in done.stdout) == ("1>" not in closed)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_is_full_is_said_after_the_import(shell, tmp_path, unbuffered):
    done = shell(">/dev/full", PYTHONUNBUFFERED=unbuffered)
    said = done.stderr.decode().splitlines()[1:]
    assert said == [
        "error: standard output cannot be written (No space left on device), but all else is done"
    ]
    assert done.returncode == 2 and made(tmp_path) == WHOLE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_an_error_output_that_is_full_stops_nothing(shell, tmp_path):
    assert b"made " in shell("2>/dev/full").stdout and made(tmp_path) == WHOLE


@posix
def test_names_that_an_encoding_lacks_are_escaped(shell):
    done = shell("", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and b"Traceback" not in done.stderr
    assert b"1 photos without a sketch (left out): A/b\\xe4r.png" in done.stdout
    assert b"bad\\xe4" in shell("", "--fit", "badä", PYTHONIOENCODING="ascii").stderr


@posix
@pytest.mark.parametrize(("limit", "code"), [("1e8", 2), ("many", 2), ("-1", 2), ("", 0), ("50000", 0)])
def test_a_limit_of_pixels_that_is_none(shell, limit, code):
    done = shell("", OPENCV_IO_MAX_IMAGE_PIXELS=limit)
    assert done.returncode == code and b"Traceback" not in done.stderr
    message = (
        f"error: OPENCV_IO_MAX_IMAGE_PIXELS must be a number of pixels, in digits. Received: {limit!r}\n"
    )
    assert (done.stderr.decode() == message) == (code == 2)


def test_an_error_that_nobody_expects_is_no_fault_of_the_data(pairs, tmp_path, monkeypatch, capsys):
    def broken(*args):
        raise ZeroDivisionError("nobody expects it")

    monkeypatch.setattr("data_tools.command.run_import", broken)
    assert main(["folders", str(pairs), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback") and "ZeroDivisionError: nobody expects it" in said


def test_a_full_disk_of_a_command_without_a_folder_to_write():
    assert explain(OSError(28, "No space left")) == "no space is left: free some ([Errno 28] No space left)"
    assert explain(OSError(32, "Broken pipe")) == "cannot read or write a file: Broken pipe"
