"""A folder for one training run: settings, losses, pictures, weights. Nothing is overwritten."""

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
        for name in ("samples", "weights"):
            (self.path / name).mkdir(exist_ok=True)

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
        path = Path(path)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise FileExistsError(
                f"the run folder must be new or empty: earlier results are not overwritten. Received: {path}"
            )
        path.mkdir(parents=True, exist_ok=True)
        write_json(path / "settings.json", settings)
        return cls(path, settings)

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

    @staticmethod
    def next_free(parent, stem):
        """The first of `parent/stem-1`, `parent/stem-2`, ... that does not exist yet."""
        number = 1
        while (Path(parent) / f"{stem}-{number}").exists():
            number += 1
        return Path(parent) / f"{stem}-{number}"

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
            writer = csv.writer(out)
            if is_new:
                writer.writerow(["step", *losses])
            writer.writerow([step, *(f"{value:.6g}" for value in losses.values())])


def write_text(file, text):
    """Writes a text file, whole or not at all."""
    part = Path(f"{file}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, file)


def write_json(file, value):
    """Writes a JSON file, whole or not at all."""
    write_text(file, json.dumps(value, indent=2) + "\n")
