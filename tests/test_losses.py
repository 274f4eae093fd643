"""The losses: shapes, numbers, order of the batch, precision, saving."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import keras_cgan
from keras_cgan import ClassLoss, DiscriminatorLoss, L1Loss, L2Loss, discriminator_loss

OUTPUTS = {"patches": (6, 5, 1), "unit": (1,), "vector": (4,), "image": (8, 12, 3)}
FUNCTIONS = {
    "discriminator_loss": DiscriminatorLoss,
    "discriminator_on_generator_loss": DiscriminatorLoss,
    "generator_l1_loss": L1Loss,
    "generator_l2_loss": L2Loss,
}
NUMBERS = [
    # loss, y_true, y_pred, one value a row
    (DiscriminatorLoss(), [[1], [0], [1]], [[0.5], [0.25], [0.8]], [0.6931472, 0.2876821, 0.2231436]),
    (DiscriminatorLoss(), [[0, 1, 0]], [[0.1, 0.7, 0.4]], [(0.1053605 + 0.3566749 + 0.5108256) / 3]),
    (
        DiscriminatorLoss(from_logits=True),
        [[1], [0], [1]],
        [[0], [2], [-2]],
        [0.6931472, 2.1269280, 2.1269280],
    ),
    (DiscriminatorLoss(label_smoothing=0.2), [[1], [0]], [[0.8], [0.8]], [0.3617729, 1.4708087]),
    (ClassLoss(), [[0, 1, 0], [1, 0, 0]], [[0.2, 0.5, 0.3], [0.1, 0.6, 0.3]], [0.6931472, 2.3025851]),
    (ClassLoss(), [[0, 2, 1]], [[0.2, 0.5, 0.3]], [2 * 0.6931472 + 1.2039728]),
    (ClassLoss(from_logits=True), [[0, 1, 0]], [[1, 2, 3]], [1.4076059]),
    (L1Loss(), [[0, 1], [-1, 1]], [[0.5, 0.5], [1, 1]], [0.5, 1.0]),
    (L2Loss(), [[0, 1], [-1, 1]], [[0.5, 0.5], [1, 1]], [0.25, 2.0]),
]


def per_value(loss):
    """The same loss without reduction."""
    return type(loss)(**{**loss.get_config(), "reduction": None})


def probabilities(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.01, 0.99, shape).astype("float32")


def zeros_and_ones(*shape):
    return np.random.default_rng(9).integers(0, 2, shape).astype("float32")


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_one_value_a_sample_or_patch(function, batch, output):
    y_true, y_pred = zeros_and_ones(batch, *output), probabilities(batch, *output)
    values = getattr(keras_cgan, function)(y_true, y_pred)
    assert values.shape == (batch, *output[:-1])
    loss = FUNCTIONS[function]
    np.testing.assert_allclose(loss(reduction=None)(y_true, y_pred), values, rtol=1e-6)
    np.testing.assert_allclose(loss()(y_true, y_pred), np.mean(values), rtol=1e-5)


def test_class_loss_has_one_value_a_sample():
    labels, y_pred = np.eye(4, dtype="float32"), probabilities(4, 4)
    values = ClassLoss(reduction=None)(labels, y_pred)
    assert values.shape == (4,)
    np.testing.assert_allclose(ClassLoss()(labels, y_pred), np.mean(values), rtol=1e-6)


@pytest.mark.parametrize(("loss", "y_true", "y_pred", "expected"), NUMBERS)
def test_numbers_by_hand(loss, y_true, y_pred, expected):
    y_true, y_pred = np.array(y_true, "float32"), np.array(y_pred, "float32")
    np.testing.assert_allclose(per_value(loss)(y_true, y_pred), expected, rtol=1e-5)
    np.testing.assert_allclose(loss(y_true, y_pred), np.mean(expected), rtol=1e-5)


def test_integers_and_lists_are_targets_too():
    value = float(DiscriminatorLoss()([[1], [0]], [[0.5], [0.5]]))
    assert value == pytest.approx(math.log(2))
    assert float(keras_cgan.generator_l1_loss(np.array([[0, 255]], "uint8"), [[1.0, 1.0]])[0]) == 127.5


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_discriminator_loss_is_kerass_binary_crossentropy(from_logits, smoothing):
    y_true = zeros_and_ones(5, 3, 2, 1)
    y_pred = probabilities(5, 3, 2, 1) * (8 if from_logits else 1) - (4 if from_logits else 0)
    expected = keras.losses.binary_crossentropy(y_true, y_pred, from_logits, smoothing)
    values = keras_cgan.discriminator_loss(y_true, y_pred, from_logits, smoothing)
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    if not smoothing:
        values = keras_cgan.discriminator_on_generator_loss(y_true, y_pred, from_logits)
        np.testing.assert_allclose(values, expected, rtol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
def test_class_loss_is_kerass_categorical_crossentropy(from_logits):
    labels, y_pred = np.eye(5, dtype="float32"), probabilities(5, 5) * 3
    expected = keras.losses.categorical_crossentropy(labels, y_pred, from_logits)
    np.testing.assert_allclose(ClassLoss(from_logits, reduction=None)(labels, y_pred), expected, rtol=1e-5)


def test_image_losses_are_kerass_own():
    y_true, y_pred = probabilities(2, 6, 4, 3), probabilities(2, 6, 4, 3, seed=1)
    absolute, squared = keras.losses.mean_absolute_error, keras.losses.mean_squared_error
    np.testing.assert_allclose(
        keras_cgan.generator_l1_loss(y_true, y_pred), absolute(y_true, y_pred), rtol=1e-6
    )
    np.testing.assert_allclose(
        keras_cgan.generator_l2_loss(y_true, y_pred), squared(y_true, y_pred), rtol=1e-6
    )


MISFITS = [
    # y_true, y_pred
    ((4, 6, 6, 1), (4, 1)),
    ((4, 1), (4, 6, 6, 1)),
    ((4,), (4, 1)),
    ((4, 1), (4,)),
    ((1, 4), (4, 1)),
    ((4, 5, 6, 1), (4, 6, 5, 1)),
    ((4, 6, 6, 1), (4, 6, 7, 1)),
    ((4, 6, 6), (4, 6, 6, 1)),
    ((4, 1), (4, 3)),
    ((4, 3), (4, 1)),
    ((1, 3), (4, 3)),
    ((1,), (4, 3)),
    ((), (4, 3)),
]


@pytest.mark.parametrize(("true_shape", "pred_shape"), MISFITS)
def test_a_shape_that_does_not_fit_is_an_error(true_shape, pred_shape):
    y_true, y_pred = np.ones(true_shape, "float32"), np.full(pred_shape, 0.5, "float32")
    functions = [getattr(keras_cgan, function) for function in FUNCTIONS]
    message = r"`y_true` must have the shape of `y_pred`.*Received: y_true of shape \("
    for loss in [*functions, ClassLoss(), DiscriminatorLoss(), L1Loss(), L2Loss()]:
        with pytest.raises(ValueError, match=message):
            loss(y_true, y_pred)


def sigmoid_unit(loss):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", loss=loss)
    return model


@pytest.mark.parametrize("true_shape", [(4, 2), (4, 1, 1), (4,)])
def test_a_compiled_model_does_not_broadcast_either(true_shape):
    with pytest.raises(ValueError, match="`y_true` must have the shape of `y_pred`"):
        sigmoid_unit(DiscriminatorLoss()).train_on_batch(np.ones((4, 3)), np.ones(true_shape))


def test_two_heads_through_compile():
    model = keras_cgan.two_head_discriminator((16, 16, 1), 3, filters=2, n_layers=1)
    losses = {"real_fake": DiscriminatorLoss(from_logits=True), "classes": ClassLoss()}
    model.compile(keras.optimizers.SGD(0.0), loss=losses)
    images = probabilities(5, 16, 16, 1)
    outputs = model(images, training=True)
    targets = {
        "classes": keras_cgan.fakeness_targets(np.eye(3)[[0, 1, 2, 0, 1]], fake=False),
        "real_fake": keras_cgan.real_fake_targets(5, model.output["real_fake"].shape, fake=False),
    }
    logs = model.train_on_batch(images, targets, return_dict=True)
    parts = {name: float(losses[name](targets[name], outputs[name])) for name in losses}
    assert all(np.ndim(value) == 0 for value in logs.values())
    assert logs["real_fake_loss"] == pytest.approx(parts["real_fake"], rel=1e-4)
    assert logs["classes_loss"] == pytest.approx(parts["classes"], rel=1e-4)
    assert logs["loss"] == pytest.approx(sum(parts.values()), rel=1e-4)


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize(
    "loss", [DiscriminatorLoss(), DiscriminatorLoss(from_logits=True), L1Loss(), L2Loss()]
)
def test_a_scalar_from_train_on_batch(loss, batch):
    activation = None if getattr(loss, "from_logits", False) else "sigmoid"
    model = keras_cgan.patch_discriminator((16, 16, 1), filters=2, n_layers=1, activation=activation)
    model.compile("sgd", loss=loss)
    value = model.train_on_batch(probabilities(batch, 16, 16, 1), np.ones((batch, 6, 6, 1)))
    assert np.ndim(value) == 0 and np.isfinite(value)


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_y_true_decides_and_never_the_position(output):
    y_true, y_pred = zeros_and_ones(6, *output), probabilities(6, *output)
    order = np.random.default_rng(3).permutation(6)
    values = np.array(keras_cgan.discriminator_loss(y_true, y_pred))
    np.testing.assert_allclose(
        keras_cgan.discriminator_loss(y_true[order], y_pred[order]), values[order], rtol=1e-6
    )
    flipped = keras_cgan.discriminator_loss(1 - y_true, 1 - y_pred)
    np.testing.assert_allclose(flipped, values, rtol=1e-4)
    assert not np.allclose(keras_cgan.discriminator_loss(1 - y_true, y_pred), values)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("logit", [-40.0, 40.0])
def test_saturated_probabilities_have_one_finite_loss(activation, logit):
    """Keras' own crossentropy is 16.1 eagerly and 40.0 in a graph that ends in a sigmoid."""
    import tensorflow as tf

    loss = DiscriminatorLoss() if activation == "sigmoid" else ClassLoss()
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Activation(activation)(inputs))
    logits, wrong = np.array([[logit, -logit]], "float32"), np.array([[logit < 0, logit > 0]], "float32")
    for y_true in (wrong, 1 - wrong):
        eager = float(loss(y_true, model(logits)))
        graph = float(tf.function(lambda x, y_true=y_true: loss(y_true, model(x)))(logits))
        model.compile("sgd", loss=loss)
        assert eager == pytest.approx(-math.log(1e-7) if y_true is wrong else 0.0, abs=0.2)
        assert graph == pytest.approx(eager, abs=1e-6)
        assert model.test_on_batch(logits, y_true) == pytest.approx(eager, abs=1e-6)


@pytest.mark.parametrize("logit", [-100.0, 100.0])
def test_large_logits_stay_finite_and_have_gradients(logit):
    import tensorflow as tf

    for loss, y_true in (
        (DiscriminatorLoss(True), [[logit < 0]]),
        (ClassLoss(True), [[logit < 0, logit > 0]]),
    ):
        y_pred = tf.constant([[logit, 0.0][: len(y_true[0])]])
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(np.array(y_true, "float32"), y_pred)
        assert float(value) == pytest.approx(100.0)
        assert abs(float(tape.gradient(value, y_pred)[0, 0])) == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("y_pred", [0.0, 0.25, 1.0])
def test_half_precision_is_as_good_as_single(dtype, y_pred):
    functions = [getattr(keras_cgan, function) for function in FUNCTIONS]
    losses = [*functions, *(loss(reduction=None) for loss in (DiscriminatorLoss, ClassLoss, L1Loss, L2Loss))]
    tensor = keras.ops.convert_to_tensor
    half, single = (tensor([[y_pred, 1 - y_pred]], kind) for kind in (dtype, "float32"))
    for loss in losses:
        for y_true in ([[1.0, 0.0]], [[0.0, 1.0]]):
            value = loss(tensor(y_true, dtype), half)
            assert keras.backend.standardize_dtype(value.dtype) == "float32"
            np.testing.assert_allclose(value, loss(tensor(y_true), single), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, 2.0])
def test_label_smoothing_is_checked(smoothing):
    with pytest.raises(ValueError, match=rf"`label_smoothing` must be in \[0, 1\).*Received: .*{smoothing}"):
        DiscriminatorLoss(label_smoothing=smoothing)


ALL = [
    DiscriminatorLoss(from_logits=True, label_smoothing=0.1, reduction="sum", name="d"),
    ClassLoss(from_logits=True, reduction=None, name="c"),
    L1Loss(reduction="sum", name="one"),
    L2Loss(name="two"),
]


@pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.name)
def test_config_round_trip(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()
    again = type(loss).from_config(loss.get_config())
    labels, y_pred = np.eye(3, dtype="float32"), probabilities(3, 3)
    np.testing.assert_array_equal(again(labels, y_pred), loss(labels, y_pred))


def test_a_compiled_model_is_saved_with_its_loss(tmp_path):
    model = sigmoid_unit(DiscriminatorLoss(label_smoothing=0.3, name="smooth"))
    x, y = probabilities(4, 3), zeros_and_ones(4, 1)
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == model.loss.get_config()
    assert loaded.test_on_batch(x, y) == pytest.approx(model.test_on_batch(x, y))


@pytest.mark.parametrize("target_shape", [(1, 1), (5, 1, 1), (6, 2)])
def test_a_misfit_is_an_error_after_batches_of_several_sizes_too(target_shape):
    # From the third size on Keras' traced step knows no batch size, and shapes fit "maybe".
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", loss=DiscriminatorLoss())
    for size in (8, 7, 6, 5):
        model.train_on_batch(np.zeros((size, 4)), np.ones((size, 1)))
    with pytest.raises(Exception, match="(?i)shape"):
        model.train_on_batch(np.zeros((6, 4)), np.ones(target_shape))


def test_logits_taken_for_probabilities_give_nan():
    loss = discriminator_loss([[1.0], [1.0], [1.0]], [[0.5], [3.0], [-0.1]])
    assert np.isnan(ops.convert_to_numpy(loss)).tolist() == [False, True, True]


def test_a_model_compiled_with_the_functions_loads(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", loss=discriminator_loss)
    model.train_on_batch(np.zeros((2, 4)), np.ones((2, 1)))
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").loss is discriminator_loss
