"""What the reference trainer refuses in words of its own; the rest is in `test_refusals.py`."""

import pytest
import tiny
from tiny import networks, sgd_trainer


@pytest.mark.parametrize("strategy", ["sigmoid", "classifier"])
def test_class_numbers_instead_of_one_hot_labels(strategy):
    trainer = sgd_trainer(networks(strategy, label=False))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match=r"`label` must be one-hot, of shape \(batch, 3\)"):
        trainer.train_on_batch({"photo": x["photo"], "label": x["label"].argmax(axis=1)}, sketch)


def test_a_batch_that_does_not_fit_together():
    trainer = sgd_trainer(networks("classifier"))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match="`sketch` must be as many as `photo`, 4. Received: 3"):
        trainer.train_on_batch(x, sketch[:3])
    with pytest.raises(ValueError, match="`photo` must hold floats in .* Received: uint8"):
        trainer.train_on_batch({**x, "photo": x["photo"].astype("uint8")}, sketch)
    with pytest.raises(ValueError, match="no 'label' in ndarray"):
        trainer.train_on_batch(x["photo"], sketch)
