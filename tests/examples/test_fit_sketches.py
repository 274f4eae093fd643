"""The fit example: it trains, goes on where it was, and keeps its results."""

import csv

import keras
import numpy as np
import pytest

TINY = ["--image-size", "24", "--filters", "4", "--batch-size", "8", "--strategy", "two-head"]


@pytest.fixture(scope="module")
def example(load_example):
    return load_example("fit_sketches")


def test_the_same_command_again_goes_on_and_another_is_refused(example, data, tmp_path, capsys):
    out = tmp_path / "fit"
    command = ["--data", str(data), *TINY, "--out", str(out)]
    example.main([*command, "--epochs", "1"])
    capsys.readouterr()
    example.main([*command, "--epochs", "3"])
    printed = capsys.readouterr().out
    assert "Epoch 1/3" not in printed and "Epoch 2/3" in printed and "Epoch 3/3" in printed
    rows = list(csv.DictReader((out / "losses.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert all(np.isfinite(float(row[name])) for row in rows for name in ("g_loss", "g_class", "val_g_l1"))
    assert len(list((out / "samples").glob("epoch-*.png"))) == 3
    generator = keras.saving.load_model(out / "generator.keras")
    assert generator.output_shape == (None, 24, 24, 1)
    kept = (out / "generator.keras").read_bytes()
    with pytest.raises(ValueError, match="holds a run with seed=0.*Received: seed=1"):
        example.main([*command, "--seed", "1"])
    assert (out / "generator.keras").read_bytes() == kept


def test_a_folder_of_something_else_is_left_alone(example, data, tmp_path):
    (tmp_path / "thesis.txt").write_text("results")
    with pytest.raises(FileExistsError, match="must be new or empty"):
        example.main(["--data", str(data), *TINY, "--out", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
