"""What the tests of the tools share: a process that is killed at any point, and what is in a folder."""

import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings

import keras_cgan
from keras_cgan.data import write_image

sys.path.insert(0, str(Path(keras_cgan.__file__).parents[1]))  # The tools are run from a checkout.

os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "hypothesis"))
# The same examples each time, and none kept in the project.
settings.register_profile("keras_cgan", database=None, deadline=None, derandomize=True)
settings.load_profile("keras_cgan")

_OF_OS = ("replace", "unlink", "mkdir", "rmdir")  # what pathlib and shutil call, too
_OF_PATH = ("write_text", "write_bytes")


class Killed(BaseException):
    """The process is no more: it does nothing, not even what it would do in the end."""


class Process:
    """A process that is killed at its n-th change of the disk, or lives on where `n` is None.

    A context manager. A file that is being written then is left with half of its contents.
    """

    def __init__(self, monkeypatch, n=None):
        self._monkeypatch, self._n = monkeypatch, n
        self.changes = 0

    def __enter__(self):
        self._patches = self._monkeypatch.context()
        patches = self._patches.__enter__()
        for name in _OF_OS:
            patches.setattr(os, name, self._dying(getattr(os, name)))
        for name in _OF_PATH:
            patches.setattr(Path, name, self._dying(getattr(Path, name), half=True))
        return self

    def __exit__(self, kind, *exception):
        self._patches.__exit__(None, None, None)
        return kind is Killed

    def _dying(self, function, half=False):
        def call(*args, **kwargs):
            self.changes += 1
            if self._n is None or self.changes < self._n:
                return function(*args, **kwargs)
            if half and self.changes == self._n:
                path, content, *rest = args
                function(path, content[: len(content) // 2], *rest, **kwargs)
            raise Killed

        return call


@pytest.fixture
def process(monkeypatch):
    """A function `(n=None)` that gives a `Process`."""
    return lambda n=None: Process(monkeypatch, n)


@pytest.fixture
def tree():
    """A function that gives what is in a folder, hidden or not: a dict of path -> bytes, or None."""

    def tree(folder):
        return {
            path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in sorted(Path(folder).rglob("*"))
        }

    return tree


@pytest.fixture
def paint():
    """A function `(path, grey)` that writes an image of 8 x 8 pixels of one grey."""

    def paint(path, grey=128):
        write_image(path, np.full((8, 8, 3), grey, np.uint8))
        return path

    return paint


@pytest.fixture
def encode():
    """A function `(array, extension)` that gives the bytes of an image file, of BGR or grey."""
    return lambda array, extension=".png": cv2.imencode(extension, array)[1].tobytes()
