"""The queue of `PhotoInformation` is sized by photos, not by pairs: a photo may have several sketches."""

import keras_cgan.data
import numpy as np
import pytest

from keras_cgan.data import EmbeddedPairs


@pytest.mark.parametrize(
    ("name", "made_by"), [("train_sketches", "make_trainer"), ("fit_sketches", "make_model")]
)
def test_the_engine_is_told_how_many_photos_there_are(name, made_by, load_example, monkeypatch, tmp_path):
    train, test = EmbeddedPairs(60), EmbeddedPairs(12, seed=1)
    train.photo_ids = np.arange(60) // 5  # five sketches a photo
    told = []

    def stop(settings, n_classes, towers, n_photos):
        told.append(n_photos)
        raise InterruptedError

    example = load_example(name)
    monkeypatch.setattr(example, made_by, stop)
    monkeypatch.setattr(keras_cgan.data, "open_pairs", lambda *_, **__: (train, test))
    with pytest.raises(InterruptedError):
        example.main(["--image-size", "24", "--filters", "2", "--out", str(tmp_path / "run")])
    assert told == [train.n_photos] == [12]
