"""What the tests of the importers share: imports with the options of a command."""

import argparse

import pytest

from data_tools.importers import IMPORTERS
from data_tools.importing import run_import

from keras_cgan.data.images import decode_image


class Imported:
    """What an import wrote and reported."""

    def __init__(self, out, report):
        self.out, self.left_out = out, report["left_out"]
        self.files = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
        self.counts = {
            split: {name: (each["photos"], each["sketches"]) for name, each in classes.items()}
            for split, classes in report["counts"].items()
        }

    def image(self, name):
        """The pixels of a file that was written."""
        return decode_image(self.out / name)

    def grey(self, name):
        """The mean of a file that was written."""
        return round(self.image(name).mean())


@pytest.fixture
def run(tmp_path):
    """A function `(command, source, *arguments)` that imports into a new folder and gives an `Imported`."""

    def run(command, source, *arguments, size=0, out="out", force=False):
        importer = IMPORTERS[command]
        parser = argparse.ArgumentParser()
        importer.add_options(parser)
        options = vars(parser.parse_args([str(argument) for argument in arguments]))
        report = run_import(importer, source, tmp_path / out, options, size=size, force=force)
        return Imported(tmp_path / out, report)

    return run


@pytest.fixture
def source(tmp_path):
    """A folder for a set as it is distributed."""
    return tmp_path / "set"
