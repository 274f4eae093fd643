"""A folder for one training run: settings, losses, pictures, weights. Nothing is overwritten."""

import contextlib
import csv
import json
import os
from pathlib import Path


class RunFolder:
    """One run on disk; made by `RunFolder.new` or `RunFolder.open`.

    Attributes:
        path: The folder, a `pathlib.Path`.
        settings: What the run was started with, a dict.
    """

    def __init__(self, path, settings):
        self.path = Path(path)
        self.settings = settings

    @classmethod
    def new(cls, path, settings):
        """Makes a folder and writes the settings into it.

        Args:
            path: A folder that does not exist yet, or is empty.
            settings: A dict that JSON can hold.

        Returns:
            The `RunFolder`.

        Raises:
            FileExistsError: There is something in the folder.

        Example:

        >>> run = RunFolder.new("runs/chairs", {"strategy": "classifier"})
        """
        check_new(path)
        run = cls(path, settings)
        (run.path / "samples").mkdir(parents=True)
        run.change_settings(settings)
        return run

    @classmethod
    def open(cls, path):
        """Opens the folder of an earlier run.

        Args:
            path: The folder.

        Returns:
            The `RunFolder`, with its settings.

        Raises:
            FileNotFoundError: It is not the folder of a run.

        Example:

        >>> RunFolder.open("runs/chairs").settings["strategy"]
        'classifier'
        """
        file = Path(path) / "settings.json"
        if not file.is_file():
            raise FileNotFoundError(f"a run folder holds a settings.json. Received: {path}, without one")
        return cls(path, json.loads(file.read_text(encoding="utf-8")))

    @classmethod
    def new_or_same(cls, path, settings, folders=()):
        """Makes a folder, or opens it where a run with the same settings is in it.

        Args:
            path: A folder that does not exist yet, is empty, or holds a run.
            settings: A dict that JSON can hold.
            folders: Names of settings that are folders to read from. Where that of the run is gone, it has
                been moved: the other is noted in its place.

        Returns:
            The `RunFolder`.

        Raises:
            FileExistsError: There is something else in the folder.
            ValueError: The run in it has other settings.

        Example:

        >>> run = RunFolder.new_or_same("runs/chairs", {"strategy": "classifier"})
        """
        if not (Path(path) / "settings.json").is_file():
            return cls.new(path, settings)
        run = cls.open(path)
        # As JSON gives them back: a tuple is a list there.
        settings = json.loads(json.dumps(settings))
        moved = {name for name in folders if run.has_lost(name) and settings[name]}
        for name, value in settings.items():
            if name not in run.settings:
                raise ValueError(
                    f"{path} holds a run of an earlier version, which had no {name}: choose another folder. "
                    f"Received: {name}={value!r}"
                )
            if run.settings[name] != value and name not in moved:
                raise ValueError(
                    f"{path} holds a run with {name}={run.settings[name]!r}: go on with that, or choose "
                    f"another folder. Received: {name}={value!r}"
                )
        if moved:
            run.change_settings(run.settings | {name: settings[name] for name in moved})
        return run

    def has_lost(self, name):
        """Whether a setting is a folder that is not there any more."""
        return bool(self.settings.get(name)) and not Path(self.settings[name]).is_dir()

    def change_settings(self, settings):
        """Writes other settings in place of those before."""
        write_json(self.path / "settings.json", settings)
        self.settings = settings

    @staticmethod
    def next_free(parent, stem):
        """The first of `parent/stem-1`, `parent/stem-2`, ... that does not exist yet."""
        number = 1
        while (Path(parent) / f"{stem}-{number}").exists():
            number += 1
        return Path(parent) / f"{stem}-{number}"

    def save_weights(self, *networks):
        """Writes the weights of networks, `weights/<name>.weights.h5` each, whole or not at all."""
        for network in networks:
            file = self.path / "weights" / f"{network.name}.weights.h5"
            part = file.with_name(f"part-{file.name}")
            file.parent.mkdir(exist_ok=True)
            network.save_weights(part)
            os.replace(part, file)

    def keep_losses(self, steps):
        """Leaves the first `steps` rows of losses.csv: those that the checkpoint knows."""
        file = self.path / "losses.csv"
        if file.exists():
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            write_text(file, "".join(lines[: steps + 1]))

    def add_losses(self, step, losses):
        """Adds a row to losses.csv: the step, counted from 1, and its losses by name."""
        file = self.path / "losses.csv"
        is_new = not file.exists()
        with file.open("a", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            if is_new:
                writer.writerow(["step", *losses])
            writer.writerow([step, *(f"{value:.6g}" for value in losses.values())])


def check_new(path):
    """Raises a `FileExistsError` unless a folder does not exist yet, or is empty."""
    path = Path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(
            f"the run folder must be new or empty: earlier results are not overwritten. Received: {path}"
        )


@contextlib.contextmanager
def claimed(path, name):
    """Holds a folder for results that take minutes: of two programs that choose it, the second is refused.

    Args:
        path: A folder that does not exist yet, or is empty. Where the block fails, it is left so.
        name: Of a file that the block writes at its end: it is there, empty, from the beginning on.

    Raises:
        FileExistsError: There is something in the folder.

    Example:

    >>> with claimed("runs/report-1", "index.html"):
    ...     results = measure()
    ...     write_text("runs/report-1/index.html", page(results))
    """
    path = Path(path)
    check_new(path)
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    (path / name).open("x").close()  # by one program alone
    try:
        yield
    except BaseException:
        if not (path / name).stat().st_size:
            (path / name).unlink()
        if is_new and not any(path.iterdir()):
            path.rmdir()
        raise


def write_text(file, text):
    """Writes a text file, whole or not at all."""
    part = Path(f"{file}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, file)
    finally:
        part.unlink(missing_ok=True)


def write_json(file, values):
    """Writes a dict as a JSON file, whole or not at all; NaN becomes null, as JSON has none."""
    values = {name: None if value != value else value for name, value in values.items()}
    write_text(file, json.dumps(values, indent=2, allow_nan=False) + "\n")
