"""What must not grow with the length of a training: traces, and memory."""

import gc
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import networks, sgd, sgd_gan

from keras_cgan import ConditionalGAN

KIBIBYTES_A_PAGE = 4


class Counting(ConditionalGAN):
    """Counts how often its steps are traced."""

    traces = 0
    test_traces = 0

    def train_step(self, data):
        self.traces += 1
        return super().train_step(data)

    def test_step(self, data):
        self.test_traces += 1
        return super().test_step(data)


def counting(**compiled):
    gan = Counting(*networks("classifier"))
    gan.compile(**sgd(), **compiled)
    return gan


@pytest.mark.slow
@pytest.mark.parametrize("as_data, steps_per_execution", [(False, 1), (True, 2)])
def test_no_trace_after_the_first_epoch(as_data, steps_per_execution):
    """Two full batches and a short one, and validation with another size, three times."""
    gan = counting(steps_per_execution=steps_per_execution)
    x, sketch = tiny.batch(10)
    data = {"x": x, "y": sketch}
    if as_data:
        data = {"x": tf.data.Dataset.from_tensor_slices((x, sketch)).batch(4)}
    after = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: after.append((gan.traces, gan.test_traces)))
    options = {"batch_size": None if as_data else 4, "validation_data": tiny.batch(5), "callbacks": [note]}
    gan.fit(**data, **options, epochs=3, verbose=0)
    assert after[0] == after[1] == after[2]
    assert 1 <= gan.traces <= 2 and 1 <= gan.test_traces <= 2
    # Nor in another call, or when the learning rate is another.
    gan.optimizer.learning_rate = 0.01
    gan.fit(**data, **options, epochs=1, verbose=0)
    assert after[3] == after[0]


@pytest.mark.slow
def test_batches_one_at_a_time_are_traced_for_two_sizes_at_most():
    """The second size makes a step for any size."""
    gan = counting()
    for size in (4, 3, 4, 2, 3, 1, 5):
        gan.train_on_batch(*tiny.batch(size))
    assert gan.traces == 2


def resident():
    """Resident memory of this process in MiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * KIBIBYTES_A_PAGE / 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", ["train_on_batch", "fit"])
def test_memory_does_not_grow(how):
    """Nor with a short batch among them, a pool and an average: from step 200 to step 2000."""
    gan = sgd_gan(networks("two-head"), run_eagerly=False, image_pool=10, average_decay=0.9)
    batches = [tiny.batch(size, seed) for seed, size in enumerate((4, 4, 3, 4))]

    def steps(n):
        if how == "fit":
            x, sketch = tiny.batch(4 * 49 + 3)  # 50 batches, the last one short
            gan.fit(x, sketch, batch_size=4, epochs=n // 50, verbose=0)
            return
        for number in range(n):
            gan.train_on_batch(*batches[number % len(batches)])

    steps(200)
    sizes = [resident()]
    for _ in range(3):
        steps(600)
        sizes.append(resident())
    # The allocator takes and frees a few MiB now and then; a leak, of 4 KiB a step, takes 2.3 in
    # each of the three.
    grown = np.diff(sizes)
    assert min(grown) < 1.5 and sum(grown) < 20, grown
    assert np.isfinite(gan.evaluate(*tiny.batch(), verbose=0)).all()
