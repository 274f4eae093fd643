"""What the tests of the check share: a folder without faults, and checks of folders without TensorFlow."""

import shutil
import sys
from pathlib import Path

import pytest
from planted_faults import draw_folder

import keras_cgan

sys.path.insert(0, str(Path(keras_cgan.__file__).parents[1]))  # The tools are run from a checkout.

from data_tools.check.inspection import inspect  # noqa: E402


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory):
    """The drawn pairs that `clean` copies."""
    return draw_folder(tmp_path_factory.mktemp("drawn") / "pairs")


@pytest.fixture
def clean(tmp_path, drawn_once):
    """A folder of drawn pairs without a fault."""
    return Path(shutil.copytree(drawn_once, tmp_path / "pairs"))


@pytest.fixture
def found():
    """A function `(root) -> findings`: by kind the sorted tuples of file names, as a dict."""

    def found(root):
        findings = inspect(root, alignment=False).findings
        return {kind: sorted(each.files for each in of_kind) for kind, of_kind in findings.items()}

    return found


@pytest.fixture
def named():
    """A function `(root, planted)` that gives what was planted as `found` gives what is found."""

    def named(root, planted):
        def name(file):
            return file if isinstance(file, str) else file.relative_to(root).as_posix()

        return {kind: sorted(tuple(map(name, each)) for each in found) for kind, found in planted.items()}

    return named
