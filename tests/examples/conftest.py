"""What the tests of the examples share: the scripts as modules, and a small folder of pairs."""

import importlib.util
import json
from pathlib import Path

import pytest

import keras_cgan
from keras_cgan.data import EmbeddedPairs, write_image

EXAMPLES = Path(keras_cgan.__file__).parents[1] / "examples"


@pytest.fixture(scope="session")
def load_example():
    """A function from an example's name to its module."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run_recipe(load_example, monkeypatch):
    """A function `(name, data, path, *options)` that runs a recipe's script, with a judge of few steps."""
    monkeypatch.setattr("keras_cgan.recipe_run.JUDGE_STEPS", 20)

    def run(name, data, path, *options):
        arguments = ["--data", data, "--out", path, *options]
        load_example(name).main([str(argument) for argument in arguments])
        return json.loads((path / "results.json").read_text())

    return run


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """20 training and 12 test pairs of 6 classes in a folder."""
    folder = tmp_path_factory.mktemp("my pairs")
    for split, count in (("train", 20), ("test", 12)):
        pairs = EmbeddedPairs(count, 0.5, seed=count)
        for index, name in enumerate(pairs.names):
            for side, image in zip(("photo", "sketch"), pairs.load(index, (32, 32))):
                write_image(folder / split / side / f"{name}.png", image)
    return folder
