"""Images that are not square: `--fit` says how they are brought to size, wherever pairs are read."""

import keras
import numpy as np
import pytest

from keras_cgan import unet_generator
from keras_cgan.data import write_image


@pytest.fixture
def wide_pairs(tmp_path):
    """Two classes of photos twice as wide as high, black but for white ends."""
    image = np.zeros((16, 32, 1), np.uint8)
    image[:, :8] = image[:, -8:] = 255
    for split in ("train", "test"):
        for side in ("photo", "sketch"):
            for name in ("chair/1", "chair/2", "tree/1", "tree/2"):
                pixels = np.repeat(image, 3 if side == "photo" else 1, axis=-1)
                write_image(tmp_path / "pairs" / split / side / f"{name}.png", pixels)
    return tmp_path / "pairs"


@pytest.mark.parametrize("script", ["train_sketches", "fit_sketches", "evaluate_sketches"])
@pytest.mark.parametrize("fit, white", [("pad", 0.75), ("crop", 0.0), ("stretch", 0.5)])
def test_pairs_are_brought_to_size_as_asked(
    script, fit, white, wide_pairs, load_example, tmp_path, monkeypatch
):
    opened = []

    def open_and_stop(*arguments, **options):
        opened.extend(open_pairs(*arguments, **options))
        raise InterruptedError

    from keras_cgan.data import open_pairs

    monkeypatch.setattr("keras_cgan.data.open_pairs", open_and_stop, raising=False)
    model = []
    if script == "evaluate_sketches":
        file = tmp_path / "generator.keras"
        unet_generator((16, 16, 3), 1, None, filters=2).save(file)
        model = [str(file)]
    example = load_example(script)
    with pytest.raises(InterruptedError):
        example.main([*model, "--data", str(wide_pairs), "--fit", fit, "--out", str(tmp_path / "out")])
    for pairs in opened:
        photo, _ = pairs.load(0, (16, 16))
        assert abs(np.mean(photo == 255) - white) < 0.1
    assert len(opened) == 2 and not (tmp_path / "out").exists()
    keras.backend.clear_session()
