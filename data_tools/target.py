"""The folder that an import writes: whole at its end, or gone on with; nothing else is ever touched."""

import contextlib
import json
import os
import re
import shutil
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none, and is left without the lock
    fcntl = None

from data_tools.groups import DataError

REPORT = "import.json"
PART = ".partial"  # hidden, so that the readers pass it over
_STATE = "state.json"
_LEFT_OVER = re.compile(r"\.(state|import)\.json\.\d+")  # of a process that was killed in `write_json`
# What is being done in PART. Each is stored before it begins, and done again where it was not ended.
_CLEARING, _MAKING, _MOVING = "clearing", "making", "moving"


def check_apart(source, out):
    """Raises a `DataError` unless a source and the folder to write are outside of each other."""
    inner, outer = Path(source).resolve(), Path(out).resolve()
    if inner == outer or inner in outer.parents:
        raise DataError(f"--out must not be in the data that is read. Received: --out {out}, of {source}")
    if outer in inner.parents:
        raise DataError(f"--out must not hold the data that is read. Received: --out {out}, of {source}")


class Target:
    """An import in the making.

    All is made in `<out>/.partial` and moved into place at the end. An import that was stopped goes on with
    the same command. An earlier, finished one is replaced by `force` alone, and stays until the new one is
    whole. A folder with anything else in it is refused, and so is one that another process writes.

    Use it in a `with` statement: until its end, no other process writes there.

    Args:
        out: The folder.
        settings: A dict that JSON can hold: what the result depends on.
        force: Whether an earlier import in `out` may be replaced, or one in the making of other settings.

    Attributes:
        path: The folder.
        part: Where to write.

    Raises:
        DataError: The folder has something else in it, or is being written.
        OSError: It may not be written.

    Example:

    >>> with Target("my_pairs", {"size": 64}) as target:
    ...     write_image(target.part / "photo" / "a" / "1.png", image)
    ...     target.finish({"counts": 1})
    """

    def __init__(self, out, settings, force=False):
        self.path, self.part = Path(out), Path(out) / PART
        self._settings = json.loads(json.dumps(settings))
        if os.path.lexists(self.path) and not self.path.is_dir():
            raise DataError(f"--out must be a folder. Received: {self.path}, a file or a link to nowhere")
        self._is_new = not self.path.exists()
        self._lock = _locked(self.path)
        try:
            with contextlib.suppress(OSError):  # it is empty where a process was killed at its very end
                self.part.rmdir()
            self._check(force)
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Lets other processes write."""
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def clear(self):
        """Removes what was made so far."""
        self._write_state(_CLEARING)
        for path in self.part.iterdir():
            if path.name != _STATE:
                _remove(path)
        self._write_state(_MAKING)

    def finish(self, report):
        """Moves what was made into place, in place of an earlier import.

        Args:
            report: A dict that JSON can hold, for `import.json`.
        """
        if not self.is_moving():
            made = sorted(path.name for path in self.part.iterdir() if path.is_dir() and path.name[0] != ".")
            write_json(self.part / REPORT, {**report, "folders": made})
            self._write_state(_MOVING)
        self._move()

    def give_up(self):
        """Removes what is in the making if it has no image yet: the next try may have other settings.

        The folder goes too if this made it: another has rights that a new one would not have.
        """
        folders = (path for path in self.part.iterdir() if not path.name.startswith("."))
        if not any(any(folder.rglob("*.png")) for folder in folders):
            self._remove_part()
            if self._is_new:
                with contextlib.suppress(OSError):
                    self.path.rmdir()

    def is_moving(self):
        """Whether all was made, and an earlier process was stopped while it moved that into place."""
        return (self._state() or {}).get("stage") == _MOVING

    def report(self):
        """The report of the finished import."""
        return json.loads((self.path / REPORT).read_text(encoding="utf-8"))

    def _begin(self):
        self.part.mkdir(parents=True, exist_ok=True)
        state = self._state()
        if state and state["stage"] == _MOVING and state["settings"] != self._settings:
            self._move()  # or the half that is in place would be nobody's
            self.part.mkdir()
            state = None
        if state is None or state["settings"] != self._settings or state["stage"] == _CLEARING:
            self.clear()

    def _move(self):
        if (self.part / REPORT).exists():  # which goes last
            made = self._made()
            for name in self._earlier():
                if (self.part / name).exists() or name not in made:
                    shutil.rmtree(self.path / name, ignore_errors=True)
            for name in made:
                if (self.part / name).exists():
                    os.replace(self.part / name, self.path / name)
            os.replace(self.part / REPORT, self.path / REPORT)
        self._remove_part()

    def _remove_part(self):
        """The state goes last: without it, the rest would be nobody's."""
        if not self.is_moving():
            self._write_state(_CLEARING)
        for path in self.part.iterdir():
            if path.name != _STATE:
                _remove(path)
        (self.part / _STATE).unlink()
        self.part.rmdir()

    def _made(self):
        """The folders of an import that is ready to be moved."""
        file = self.part / REPORT
        return json.loads(file.read_text(encoding="utf-8"))["folders"] if file.exists() else []

    def _earlier(self):
        """The folders of an import that is there already."""
        file = self.path / REPORT
        try:
            folders = json.loads(file.read_text(encoding="utf-8"))["folders"]
            plain = [name for name in folders if Path(name).name == name and name not in ("", ".", "..")]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"{file} is not of an import. Choose another folder") from error
        paths = [self.path / name for name in plain]
        return [path.name for path in paths if path.is_dir() and not path.is_symlink()]

    def _check(self, force):
        there = {path.name for path in self.path.iterdir()}
        state = self._state()
        if PART in there and (self.part.is_symlink() or (state is None and _holds_others(self.part))):
            raise DataError(f"{self.part} is not of an import. Choose another folder")
        moving = bool(state) and state["stage"] == _MOVING
        others = there - {PART, REPORT} - set(self._earlier()) - set(self._made() if moving else ())
        if others:
            raise DataError(
                f"--out must be a new or empty folder, or one with an import alone. Received: {self.path}, "
                f"with {', '.join(sorted(others)[:5])}"
            )
        if force:
            return
        if REPORT in there and not moving:
            raise DataError(
                f"{self.path} holds a finished import: choose another folder, or --force to replace it"
            )
        if state and state["settings"] != self._settings:
            changed = sorted(
                name
                for name in {*state["settings"], *self._settings}
                if state["settings"].get(name) != self._settings.get(name)
            )
            raise DataError(
                f"{self.path} holds an import that was begun with other settings ({', '.join(changed)}): go "
                "on with those, choose another folder, or --force to begin anew"
            )

    def _state(self):
        state = read_json(self.part / _STATE) or {}
        is_stage = state.get("stage") in (_CLEARING, _MAKING, _MOVING)
        return state if is_stage and isinstance(state.get("settings"), dict) else None

    def _write_state(self, stage):
        write_json(self.part / _STATE, {"settings": self._settings, "stage": stage})


def read_json(path):
    """The object in a JSON file, a dict; `None` where there is no such file, or something else in it."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path, value):
    """Writes a JSON file, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    try:
        # Names of files may hold bytes that are no text: an escape is what JSON has for them.
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _locked(folder):
    """Makes a folder, and opens it so that no other process does until it is closed.

    Returns:
        What to close: a descriptor, or `None` where the system has no such lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fcntl is None:
        return None
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise DataError(
            f"another process is writing {folder}: wait for it, or choose another folder"
        ) from error
    except OSError:  # some network drives have none
        os.close(lock)
        return None
    return lock


def _holds_others(part):
    """Whether there is anything in the folder that a process killed at its very beginning does not leave."""
    return not part.is_dir() or any(not _LEFT_OVER.fullmatch(path.name) for path in part.iterdir())


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
