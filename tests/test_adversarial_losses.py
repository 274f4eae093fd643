"""What real/fake outputs lose, by hand; one value a sample, in float32, under any backend."""

import numpy as np
import pytest
from keras import ops

from keras_cgan.adversarial_losses import ADVERSARIAL_LOSSES, adversarial_loss, gaussian_loss

OUTPUTS = [-2.0, 0.0, 3.0]
# log(1 + e^s) at -2, 0, 3 and at 2, 0, -3
PLUS, MINUS = [0.1269280, 0.6931472, 3.0485873], [2.1269280, 0.6931472, 0.0485873]
NUMBERS = {
    # name: D on real, D on fakes, G on fakes
    "nonsaturating": (MINUS, PLUS, MINUS),
    "saturating": (MINUS, PLUS, [-value for value in PLUS]),
    "least-squares": ([9, 1, 4], [4, 0, 9], [9, 1, 4]),
    "hinge": ([3, 1, 0], [0, 1, 4], [2, 0, -3]),
    "wasserstein": ([2, 0, -3], [-2, 0, 3], [2, 0, -3]),
}


def halves(name):
    loss = adversarial_loss(name)
    return loss.real, loss.fake, loss.generator


def test_each_name_has_numbers():
    assert tuple(NUMBERS) == ADVERSARIAL_LOSSES


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_numbers_by_hand(name):
    for half, expected in zip(halves(name), NUMBERS[name]):
        for shape in ((3, 1), (3,), (3, 1, 1, 1)):
            values = ops.convert_to_numpy(half(np.reshape(OUTPUTS, shape).astype("float32")))
            assert values.dtype == "float32" and values.shape == (3,)
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_a_patch_matrix_is_the_mean_of_its_patches(name):
    outputs = np.random.default_rng(0).normal(size=(4, 3, 2, 1)).astype("float32")
    for half in halves(name):
        patches = ops.convert_to_numpy(half(outputs.reshape(-1, 1))).reshape(4, 6)
        np.testing.assert_allclose(half(outputs), patches.mean(axis=1), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_half_precision_is_widened(name, dtype):
    outputs = ops.convert_to_tensor([[100.0], [-100.0], [300.0]], dtype)
    for half in halves(name):
        values = ops.convert_to_numpy(half(outputs))
        assert values.dtype == "float32" and np.isfinite(values).all()


def test_lists_and_names():
    assert repr(adversarial_loss("hinge")) == "adversarial_loss('hinge')"
    np.testing.assert_array_equal(adversarial_loss("least-squares").real([[1.0], [0.0]]), [0, 1])


def test_an_unknown_name():
    message = r"`name` must be one of \('nonsaturating', .*Received: name='lsgan'"
    with pytest.raises(ValueError, match=message):
        adversarial_loss("lsgan")


@pytest.mark.parametrize("name", ADVERSARIAL_LOSSES)
def test_a_graph_of_any_batch_size(name):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 1))])
    def losses(outputs):
        return [half(outputs) for half in halves(name)]

    for size in (1, 5):
        outputs = np.random.default_rng(size).normal(size=(size, 3, 2, 1)).astype("float32")
        for value, half in zip(losses(outputs), halves(name), strict=True):
            np.testing.assert_allclose(value, half(outputs), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "slope"), [("nonsaturating", -1.0), ("saturating", -4.5e-5), ("wasserstein", -1.0)]
)
def test_only_the_nonsaturating_form_teaches_a_generator_that_is_seen_through(name, slope):
    import tensorflow as tf

    outputs = tf.constant([[-10.0]])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = adversarial_loss(name).generator(outputs)
    assert float(tape.gradient(loss, outputs)[0, 0]) == pytest.approx(slope, rel=0.02)


def test_gaussian_loss_by_hand():
    codes, means = [[0.0, 1.0], [0.5, -1.0]], [[1.0, -1.0], [0.5, 2.0]]
    values = ops.convert_to_numpy(gaussian_loss(codes, means))
    assert values.dtype == "float32"
    np.testing.assert_allclose(values, [2.5, 4.5])


def test_gaussian_loss_is_the_log_density_without_its_constant():
    rng = np.random.default_rng(0)
    codes, means = rng.normal(size=(2, 5, 3))
    density = np.exp(-((codes - means) ** 2) / 2) / np.sqrt(2 * np.pi)
    expected = -np.log(density).sum(axis=1) - 3 * 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(gaussian_loss(codes, means), expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 1), (1, 2), (4,), (4, 2, 1)])
def test_gaussian_loss_does_not_broadcast(shape):
    with pytest.raises(ValueError, match=r"`codes` and `means`.*Received: codes of shape \(4, 2\), means"):
        gaussian_loss(np.zeros((4, 2)), np.zeros(shape))
