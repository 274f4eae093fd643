"""What is appended to features: by hand, one image for all told from many, the same after loading."""

import keras
import numpy as np
import pytest

from keras_cgan import MinibatchDiscrimination, conv_discriminator


def features(size=5, width=7):
    return np.random.default_rng(0).normal(size=(size, width)).astype("float32")


def test_by_hand():
    x = features()
    layer = MinibatchDiscrimination(kernels=3, size=2)
    out = np.asarray(layer(x))
    projected = (x @ np.asarray(layer.projections)).reshape(5, 3, 2)
    expected = np.zeros((5, 3))
    for i, j in np.ndindex(5, 5):
        if i != j:
            expected[i] += np.exp(-np.abs(projected[i] - projected[j]).sum(axis=-1)) / 4
    np.testing.assert_array_equal(out[:, :7], x)
    np.testing.assert_allclose(out[:, 7:], expected, atol=1e-6)


def test_alike_is_1_far_apart_is_0_and_so_is_an_image_alone():
    layer = MinibatchDiscrimination(kernels=4)
    alike = np.asarray(layer(np.repeat(features(1), 6, axis=0)))[:, 7:]
    np.testing.assert_allclose(alike, 1, atol=1e-5)
    assert np.asarray(layer(1000 * features()))[:, 7:].max() < 1e-6
    np.testing.assert_allclose(np.asarray(layer(features(1)))[:, 7:], 0, atol=1e-6)


def test_a_mean_over_the_others():
    layer = MinibatchDiscrimination()
    x = features(4)
    twice = np.asarray(layer(np.concatenate([x, x])))[:4, 7:]
    once = np.asarray(layer(x))[:, 7:]
    np.testing.assert_allclose(twice, (once * 3 * 2 + 1) / 7, atol=1e-5)  # and its own copy


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_nearness_is_counted_in_single_precision(dtype):
    """Of a large batch that is far apart: in half precision 1 and more cancel out."""
    x = 0.5 * features(40)
    layer = MinibatchDiscrimination(kernels=3, size=2, dtype=dtype)
    out = layer(x)
    exact = MinibatchDiscrimination(kernels=3, size=2)
    exact.build(x.shape)
    exact.set_weights(layer.get_weights())
    assert keras.backend.standardize_dtype(out.dtype) == dtype.removeprefix("mixed_")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(keras.ops.cast(out, "float32"))[:, 7:],
        np.asarray(exact(x))[:, 7:],
        rtol=0.03,
    )


def test_before_the_real_fake_unit_alone(tmp_path):
    options = {"layers": ((4, 2), (4, 2)), "n_classes": 3, "norm": None}
    discriminator = conv_discriminator((16, 16, 1), minibatch=6, **options)
    images = np.random.default_rng(1).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    together, alone = discriminator(images), discriminator(images[:1])
    assert abs(float(together["real_fake"][0, 0] - alone["real_fake"][0, 0])) > 1e-4
    np.testing.assert_allclose(together["label"][:1], alone["label"], atol=1e-6)
    names = {layer.name for layer in conv_discriminator((16, 16, 1), **options).layers}
    assert "minibatch" not in names
    discriminator.save(tmp_path / "d.keras")
    loaded = keras.saving.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(loaded(images)["real_fake"], together["real_fake"])


@pytest.mark.parametrize("name", ["kernels", "size"])
def test_refusals(name):
    with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 1. Received: {name}=0"):
        MinibatchDiscrimination(**{name: 0})
