"""README's Python blocks run as they stand, one after the other."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import keras_cgan

README = Path(keras_cgan.__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_the_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 5
    looks, builds, fits, both, draws = blocks
    assert "moved_variables" in looks and "epochs=50" in fits
    names = {}
    exec(builds, names)
    assert names["losses"]["g_loss"] > 0
    exec(fits.replace("epochs=50", "epochs=1"), names)
    less = {"EmbeddedPairs(420)": "EmbeddedPairs(24)", "epochs=160": "epochs=1", "steps=600": "steps=1"}
    for much, little in less.items():
        assert much in both
        both = both.replace(much, little)
    exec(both, names)
    assert names["gan"].swap_rate and len(names["gan"].terms) == 2 and os.path.exists("class-and-photo.keras")
    exec(draws, names)
    first = names["generator"].predict({name: array[:1] for name, array in names["x"].items()}, verbose=0)
    np.testing.assert_allclose(names["sketch"], first, atol=1e-5)
    assert os.path.exists("generator.keras") and names["drawn"].shape == names["sketches"].shape
    combined = names["combined"] = names["trainer"].combined
    names["y"] = {name: 0 * output for name, output in combined.predict(names["x"], verbose=0).items()}
    exec(looks, names)
