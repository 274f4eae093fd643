"""The folder that an import writes: whole at its end, or gone on with; nothing else is ever touched."""

import contextlib
import json
import os
import shutil
from pathlib import Path

from data_tools.groups import DataError

REPORT = "import.json"
PART = ".partial"  # hidden, so that the readers pass it over
_STATE = "state.json"


class Target:
    """An import in the making.

    All is made in `<out>/.partial` and moved into place at the end. An import that was stopped goes on with
    the same command. An earlier, finished one is replaced by `force` alone, and stays until the new one is
    whole. A folder with anything else in it is refused.

    Args:
        out: The folder.
        settings: A dict that JSON can hold: what the result depends on.
        force: Whether an earlier import in `out` may be replaced, or one in the making of other settings.

    Attributes:
        path: The folder.
        part: Where to write.

    Raises:
        DataError: The folder has something else in it.
    """

    def __init__(self, out, settings, force=False):
        self.path, self.part = Path(out), Path(out) / PART
        self._settings = json.loads(json.dumps(settings))
        self._check(force)
        self.part.mkdir(parents=True, exist_ok=True)
        state = self._state()
        if state is None or state["settings"] != self._settings:
            _empty(self.part)
            self._write_state(moving=False)

    def finish(self, report):
        """Moves what was made into place, in place of an earlier import.

        Args:
            report: A dict that JSON can hold, for `import.json`.
        """
        made = sorted(path.name for path in self.part.iterdir() if path.is_dir())
        if not (self._state() or {}).get("moving"):
            write_json(self.part / REPORT, {**report, "folders": made})
            self._write_state(moving=True)
        self._move()

    def give_up(self):
        """Removes what is in the making if it has no image yet: the next try may have other settings."""
        folders = (path for path in self.part.iterdir() if not path.name.startswith("."))
        if not any(any(folder.rglob("*.png")) for folder in folders):
            shutil.rmtree(self.part)
            with contextlib.suppress(OSError):  # there may be an earlier import
                self.path.rmdir()

    def _move(self):
        for name in self._earlier():
            if (self.part / name).exists() or name not in self._made():
                shutil.rmtree(self.path / name, ignore_errors=True)
        for name in self._made():
            if (self.part / name).exists():
                os.replace(self.part / name, self.path / name)
        os.replace(self.part / REPORT, self.path / REPORT)
        shutil.rmtree(self.part)

    def is_moving(self):
        """Whether all was made, and an earlier process was stopped while it moved that into place."""
        return bool((self._state() or {}).get("moving"))

    def report(self):
        """The report of the finished import."""
        return json.loads((self.path / REPORT).read_text(encoding="utf-8"))

    def _made(self):
        file = self.part / REPORT
        return json.loads(file.read_text(encoding="utf-8"))["folders"] if file.exists() else []

    def _earlier(self):
        """The folders of an import that is there already."""
        file = self.path / REPORT
        try:
            folders = json.loads(file.read_text(encoding="utf-8"))["folders"]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{file} is not of an import. Choose another folder") from error
        return [name for name in folders if Path(name).name == name and name not in ("", ".", "..")]

    def _check(self, force):
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"--out must be a folder. Received: the file {self.path}")
        there = {path.name for path in self.path.iterdir()} if self.path.is_dir() else set()
        state = self._state()
        if PART in there and state is None and any(self.part.iterdir()):
            raise DataError(f"{self.part} is not of an import. Choose another folder")
        moving = set(self._made()) if state and state["moving"] else set()
        others = there - {PART, REPORT} - set(self._earlier()) - moving
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
        try:
            state = json.loads((self.part / _STATE).read_text(encoding="utf-8"))
            return state if {"settings", "moving"} <= set(state) else None
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None

    def _write_state(self, moving):
        write_json(self.part / _STATE, {"settings": self._settings, "moving": moving})


def write_json(path, value):
    """Writes a JSON file, whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _empty(folder):
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
