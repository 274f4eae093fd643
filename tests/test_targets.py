"""The targets, number by number."""

import numpy as np
import pytest

from keras_cgan import fakeness_targets, patch_discriminator, real_fake_targets

LABELS = np.array([[1, 0, 0], [0, 0, 1]], "float32")
# option, fake, targets of LABELS: unit 0 is fakeness
TABLE = [
    ("sigmoid", False, [[0, 1, 0, 0], [0, 0, 0, 1]]),
    ("sigmoid", True, [[1, 1, 0, 0], [1, 0, 0, 1]]),
    ("softmax", False, [[0, 1, 0, 0], [0, 0, 0, 1]]),
    ("softmax", True, [[1, 0, 0, 0], [1, 0, 0, 0]]),
]


@pytest.mark.parametrize(("option", "fake", "expected"), TABLE)
def test_both_options(option, fake, expected):
    targets = fakeness_targets(LABELS, fake, option)
    np.testing.assert_array_equal(targets, expected)
    assert targets.dtype == np.float32


def test_the_default_is_option_1():
    np.testing.assert_array_equal(fakeness_targets(LABELS, True), fakeness_targets(LABELS, True, "sigmoid"))


@pytest.mark.parametrize("fake", [np.True_, 1, np.False_, 0])
def test_fake_by_any_truth_value(fake):
    np.testing.assert_array_equal(fakeness_targets(LABELS, fake), fakeness_targets(LABELS, bool(fake)))


@pytest.mark.parametrize("option", ["sigmoid", "softmax"])
@pytest.mark.parametrize("label", [[1, 1, 0], [0, 0, 0], [2.5, 0, 0], [-1, 0.5, 0.5]])
def test_multi_hot_and_scaled_labels(option, label):
    np.testing.assert_array_equal(fakeness_targets([label], False, option), [[0, *label]])
    expected = [1, *label] if option == "sigmoid" else [1, 0, 0, 0]
    np.testing.assert_array_equal(fakeness_targets([label], True, option), [expected])


@pytest.mark.parametrize("dtype", ["float64", "int32", "bool", "float32"])
@pytest.mark.parametrize("option", ["sigmoid", "softmax"])
def test_labels_are_read_and_never_written(option, dtype):
    labels = LABELS.astype(dtype)
    labels.setflags(write=False)
    for fake in (False, True):
        targets = fakeness_targets(labels, fake, option)
        assert targets.dtype == np.float32 and not np.shares_memory(targets, labels)
    np.testing.assert_array_equal(labels, LABELS)


def test_any_batch_size():
    for batch in (0, 1, 5):
        assert fakeness_targets(np.zeros((batch, 3)), True).shape == (batch, 4)


@pytest.mark.parametrize("labels", [[0, 1], 3, np.zeros((2, 3, 4))])
def test_labels_must_be_a_matrix(labels):
    with pytest.raises(ValueError, match=r"`labels` must have the shape \(batch, n_classes\).*Received: "):
        fakeness_targets(labels, True)


@pytest.mark.parametrize("option", ["Softmax", None, 2])
def test_the_option_is_checked(option):
    with pytest.raises(
        ValueError, match=f"`option` must be 'sigmoid' or 'softmax'.*Received: option={option!r}"
    ):
        fakeness_targets(LABELS, True, option)


@pytest.mark.parametrize("shape", [(None, 1), (None, 6, 5, 1)])
@pytest.mark.parametrize("batch", [1, 4])
def test_real_is_one_and_fake_zero(shape, batch):
    real, fake = (real_fake_targets(batch, shape, fake=fake) for fake in (False, True))
    assert real.shape == fake.shape == (batch, *shape[1:])
    assert real.dtype == fake.dtype == np.float32
    assert np.all(real == 1) and np.all(fake == 0)


def test_real_fake_targets_fit_the_output_of_a_discriminator():
    discriminator = patch_discriminator((32, 48, 1), filters=2, n_layers=2)
    assert real_fake_targets(2, discriminator.output_shape, fake=True).shape == (2, 6, 10, 1)


def test_tensors_in_a_traced_function():
    tf = pytest.importorskip("tensorflow")
    labels = np.eye(3, dtype="float32")
    for option in ("sigmoid", "softmax"):
        for fake in (False, True):
            made = tf.function(lambda x: fakeness_targets(x, fake, option))(tf.constant(labels))
            assert np.array_equal(made.numpy(), fakeness_targets(labels, fake, option))
