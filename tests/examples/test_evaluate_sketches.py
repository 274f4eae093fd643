"""The evaluation's script: a report on a saved generator, and what it refuses."""

import json

import keras
import pytest

from keras_cgan import unet_generator


@pytest.fixture
def example(load_example):
    return load_example("evaluate_sketches")


@pytest.fixture
def generator(tmp_path):
    unet_generator((24, 24, 3), n_classes=6, filters=2).save(tmp_path / "generator.keras")
    return tmp_path / "generator.keras"


@pytest.mark.slow
def test_a_whole_report(example, generator, data, tmp_path, capsys):
    out = tmp_path / "report"
    arguments = [str(generator), "--data", str(data), "--judge-epochs", "2", "--out", str(out)]
    example.main(arguments)
    results = json.loads((out / "results.json").read_text())
    said = capsys.readouterr().out
    assert f"class_accuracy            {results['class_accuracy']:.3f}  true sketches" in said
    assert said.splitlines()[-1] == f"measures:  {out / 'results.json'}"
    with pytest.raises(FileExistsError):
        example.main(arguments)


def test_refusals(example, tmp_path):
    with pytest.raises(ValueError, match="--judge-epochs must be at least 1. Received: 0"):
        example.main(["none.keras", "--judge-epochs", "0", "--out", str(tmp_path / "report")])
    with pytest.raises(ValueError, match="there is no file"):
        example.main([str(tmp_path / "none.keras"), "--out", str(tmp_path / "report")])
    inputs = keras.Input((24, 24, 3), name="photo")
    keras.Model(inputs, keras.layers.Flatten()(inputs)).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match="other.keras must be a generator from photos to sketches"):
        example.main([str(tmp_path / "other.keras"), "--out", str(tmp_path / "report")])
    assert not (tmp_path / "report").exists()
