"""The evaluation's script: a report on a saved generator, and what it refuses."""

import json

import keras
import pytest

from keras_cgan import patch_discriminator, unet_generator


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
    arguments = [str(generator), "--data", str(data), "--judge-epochs=2", "--judges=2", "--out", str(out)]
    example.main(arguments)
    results = json.loads((out / "results.json").read_text())
    said = capsys.readouterr().out
    assert f"class_accuracy            {results['class_accuracy']:.3f}  " in said
    assert results["judges"] == 2 and "Means of 2 judges, with from which to which they range" in said
    assert "judge of the class 1 of 2, " in said and "judge of the class 2 of 2, " in said
    assert (
        f"measuring on {data}, fit pad\n"
        "training judges, 3 of the class and one of the photo, on 20 of 20 pairs and measuring on 12 of"
        in said
    )
    assert said.splitlines()[-1] == f"measures:  {out / 'results.json'}"
    with pytest.raises(FileExistsError):
        example.main(arguments)


@pytest.fixture
def opened(example, generator, monkeypatch):
    """A function from options to what the program would open as pairs."""

    def open_with(*options):
        found = []

        def stop(*arguments):
            found.extend(arguments)
            raise InterruptedError

        monkeypatch.setattr("keras_cgan.data.open_pairs", stop, raising=False)
        with pytest.raises(InterruptedError):
            example.main([str(generator), *map(str, options), "--out", str(generator.parent / "report")])
        return tuple(found)

    return open_with


def test_it_is_measured_on_the_pairs_that_the_run_was_trained_on(opened, generator, data, capsys):
    assert opened() == (None, 0.4, "pad")
    assert "measuring on the embedded set, misalignment 0.4\n" in capsys.readouterr().out
    file = generator.parent / "settings.json"
    file.write_text(json.dumps({"data": str(data), "fit": "crop", "misalignment": 1.0}))
    assert opened() == (str(data), 1.0, "crop")
    assert f"measuring on {data}, fit crop, as in {file}\n" in capsys.readouterr().out
    assert opened("--data", data.parent, "--misalignment", 0, "--fit", "pad") == (str(data.parent), 0, "pad")
    assert f"measuring on {data.parent}, fit pad\n" in capsys.readouterr().out
    for options, expected in (
        (("--data", ""), (None, 1.0, "crop")),
        (("--fit", "pad"), (str(data), 1.0, "pad")),
        (("--misalignment", 0.7, "--data", ""), (None, 0.7, "crop")),
    ):
        assert opened(*options) == expected
        assert "as in" not in capsys.readouterr().out
    file.write_text(json.dumps({"data": None, "strategy": "classifier"}))  # of another script, with less
    assert opened() == (None, 0.4, "pad")


def test_a_folder_of_pairs_that_is_gone(example, generator, tmp_path):
    out = str(tmp_path / "report")
    (tmp_path / "settings.json").write_text(json.dumps({"data": str(tmp_path / "gone")}))
    with pytest.raises(
        ValueError, match="--data must be .*Received: .*gone, where.*which .*settings.json names"
    ):
        example.main([str(generator), "--out", out])
    with pytest.raises(ValueError, match="--data must be .*Received: .*other, where there is none$"):
        example.main([str(generator), "--data", str(tmp_path / "other"), "--out", out])
    assert not (tmp_path / "report").exists()


def test_classes_of_another_order_are_refused(example, generator, data, tmp_path):
    names = sorted(path.name for path in (data / "train" / "sketch").iterdir())
    settings = {"data": str(data), "fit": "pad", "misalignment": 0.4, "class_names": names[::-1]}
    (generator.parent / "settings.json").write_text(json.dumps(settings))
    said = f"classes of the run, {', '.join(names[::-1])}, in that order. Received: {', '.join(names)}"
    with pytest.raises(ValueError, match=said):
        example.main([str(generator), "--out", str(tmp_path / "report")])
    assert not (tmp_path / "report").exists()


def test_refusals(example, tmp_path):
    with pytest.raises(ValueError, match="--judge-epochs must be at least 1. Received: 0"):
        example.main(["none.keras", "--judge-epochs", "0", "--out", str(tmp_path / "report")])
    with pytest.raises(ValueError, match="--judges must be at least 1. Received: 0"):
        example.main(["none.keras", "--judges", "0", "--out", str(tmp_path / "report")])
    with pytest.raises(ValueError, match="`generator` must be a file.*Received: .*none.keras"):
        example.main([str(tmp_path / "none.keras"), "--out", str(tmp_path / "report")])
    inputs = keras.Input((24, 24, 3), name="photo")
    keras.Model(inputs, keras.layers.Flatten()(inputs)).save(tmp_path / "other.keras")
    patch_discriminator((24, 24, 4), filters=2, n_layers=2).save(tmp_path / "discriminator.keras")
    both = [inputs, keras.Input((24, 24, 3))]
    keras.Model(both, keras.layers.Add()(both)).save(tmp_path / "two.keras")
    unet_generator((24, 24, 3), out_channels=3, filters=2).save(tmp_path / "colour.keras")
    whatever = keras.Input((None, None, 3), name="photo")
    keras.Model(whatever, keras.layers.Conv2D(1, 1)(whatever)).save(tmp_path / "any_size.keras")
    for name in ("other", "discriminator", "two", "colour", "any_size"):
        with pytest.raises(ValueError, match=f"{name}.keras must be a generator from colour photos.* from "):
            example.main([str(tmp_path / f"{name}.keras"), "--out", str(tmp_path / "report")])
    assert not (tmp_path / "report").exists()
