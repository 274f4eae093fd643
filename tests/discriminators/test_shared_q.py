"""D and Q in one: what each head sees."""

import numpy as np
import pytest

from keras_cgan import shared_q_discriminator


@pytest.mark.parametrize("sketch_channels", [1, 2])
@pytest.mark.parametrize("patch", [True, False])
def test_q_sees_the_sketch_alone(sketch_channels, patch):
    shape = (32, 32, 3 + sketch_channels)
    model = shared_q_discriminator(shape, 3, sketch_channels, patch, filters=4, n_layers=2)
    pair = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype("float32")
    start = _numpy(model(pair, training=False))
    for channel in range(shape[-1]):
        changed = pair.copy()
        changed[..., channel] *= -1
        outputs = _numpy(model(changed, training=False))
        is_sketch = channel >= 3
        assert np.array_equal(outputs["label"], start["label"]) != is_sketch
        assert not np.allclose(outputs["real_fake"], start["real_fake"], atol=1e-7)


def test_the_heads_share_the_trunk_of_the_sketch():
    model = shared_q_discriminator((32, 32, 4), 3, filters=4, n_layers=2)
    assert model.get_layer("trunk1_conv").input.shape[-1] == 1
    assert model.get_layer("photo1_conv").input.shape[-1] == 3
    assert model.get_layer("label_pool").input is model.get_layer("trunk2_relu").output
    shared, photo = model.get_layer("pair").input
    assert shared is model.get_layer("trunk2_relu").output and photo is model.get_layer("photo2_relu").output


def _numpy(outputs):
    return {name: tensor.numpy() for name, tensor in outputs.items()}
