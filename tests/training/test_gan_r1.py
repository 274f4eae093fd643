"""`ConditionalGAN(r1_weight=, r2_weight=, r1_every=)`: R1 at real pairs and R2 at fakes by hand, and when."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import assert_same_values, networks, sgd_gan

from keras_cgan import ConditionalGAN
from keras_cgan.training.penalties import lazily

STILL = {"g": 0.0, "d": 0.0, "c": 0.0}
GRAPH = {"run_eagerly": False}
WEIGHTS = ["r1_weight", "r2_weight"]


def smooth(strategy="pix2pix"):
    """Networks without batch norm."""
    return networks(strategy, batch_norm=False)


def logits(d):
    return keras.Model(d.input, d.get_layer("real_fake_dense").output)


def r1_by_hand(d, pairs, weight=None):
    """The mean squared slope, and its gradients, with nothing of the package."""
    network, pairs = logits(d), tf.constant(pairs)
    variables = [weight.value for weight in d.trainable_weights]
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(pairs)
            scores = network(pairs, training=True)
        slopes = tape.gradient(scores, pairs)
        squares = tf.reduce_sum(slopes**2, axis=(1, 2, 3))
        r1 = tf.reduce_mean(squares if weight is None else weight * squares)
    return float(r1), outer.gradient(r1, variables, unconnected_gradients="zero")


def pairs_of(name, g, x, sketch):
    """The pairs that D judges at which the penalty with a weight of this name is: real ones, or fakes."""
    return tiny.pair(x, sketch if name == "r1_weight" else g(x, training=True))


def assert_step_is_of_r1(options, every=1, update="sequential", name="r1_weight"):
    """What R1, or R2, adds to the loss and to the step of D, against a twin without it."""
    parts = smooth()
    twins = tiny.copies(parts)
    x, sketch = tiny.batch()
    pairs, weight = pairs_of(name, parts[0], x, sketch), np.array([2, 0, 1, 1], "float32")
    expected, gradients = r1_by_hand(parts[1], pairs, weight)
    rates = {"g": 0.0, "d": 0.01}
    gan = sgd_gan(parts, rates, **{name: 3.0}, r1_every=every, update=update, **options)
    plain = sgd_gan(twins, rates, update=update, **options)
    logs, others = (model.train_on_batch(x, sketch, weight) for model in (gan, plain))
    assert expected > 1e-3
    assert logs["d_loss"] - others["d_loss"] == pytest.approx(3 * every * expected, rel=1e-3)
    for variable, twin, gradient in zip(
        parts[1].trainable_weights, twins[1].trainable_weights, gradients, strict=True
    ):
        added = (twin.numpy() - variable.numpy()) / 0.01 / (3 * every)
        tolerance = 1e-3 * np.abs(gradient).max() + 1e-4
        np.testing.assert_allclose(added, gradient, rtol=1e-2, atol=tolerance, err_msg=variable.path)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("every", [1, 4])
@pytest.mark.parametrize("options", [{}, GRAPH], ids=["eager", "graph"])
def test_loss_and_step_by_hand(options, every, name):
    assert_step_is_of_r1(options, every, name=name)


@pytest.mark.parametrize("name", WEIGHTS)
def test_loss_and_step_by_hand_of_one_pass_for_all(name):
    assert_step_is_of_r1(GRAPH, every=2, update="simultaneous", name=name)


@pytest.mark.parametrize("name", WEIGHTS)
def test_loss_and_step_by_hand_beside_a_relativistic_loss(name):
    """R1 is of what D says of real pairs, and R2 of fakes, not of the differences."""
    assert_step_is_of_r1({**GRAPH, "adversarial_loss": "relativistic"}, every=2, name=name)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_they_reach_d_alone(update):
    """The fakes of R2 are G's own: G's step is the same without."""
    parts = smooth("classifier")
    twins = tiny.copies(parts)
    options = {"update": update, **GRAPH}
    gan = sgd_gan(parts, {**STILL, "g": 0.05}, r1_weight=5.0, r2_weight=5.0, r1_every=1, **options)
    logs = gan.train_on_batch(*tiny.batch())
    others = sgd_gan(twins, {**STILL, "g": 0.05}, **options).train_on_batch(*tiny.batch())
    assert logs["d_loss"] > others["d_loss"] + 1e-2 and logs["g_loss"] == pytest.approx(others["g_loss"])
    assert_same_values(parts, twins)


@pytest.mark.slow
def test_loss_and_step_by_hand_by_xla():
    assert_step_is_of_r1({**GRAPH, "compiled": {"jit_compile": True}}, every=2)


@pytest.mark.parametrize("options", [{}, GRAPH], ids=["eager", "graph"])
@pytest.mark.parametrize("weights", [{"r1_weight": 2.0}, {"r1_weight": 2.0, "r2_weight": 5.0}], ids=str)
def test_they_are_taken_in_the_first_of_so_many_updates(options, weights):
    parts = smooth("two-head")
    gan = sgd_gan(parts, STILL, **weights, r1_every=3, **options)
    plain = sgd_gan(parts, STILL)
    x, sketch = tiny.batch()
    pairs = {name: pairs_of(name, parts[0], x, sketch) for name in weights}
    due = 3 * sum(weights[name] * r1_by_hand(parts[1], pairs[name])[0] for name in weights)
    without = plain.train_on_batch(x, sketch)["d_loss"]
    logs = [gan.train_on_batch(x, sketch) for _ in range(7)]
    for added in ([log["d_loss"] - without for log in logs], [log["d_penalty"] for log in logs]):
        np.testing.assert_allclose(added, [due, 0, 0, due, 0, 0, due], rtol=1e-3, atol=1e-5)
    # Not in evaluation.
    measured = gan.evaluate(x, sketch, verbose=0, return_dict=True)
    assert measured["d_loss"] == pytest.approx(without, rel=1e-4) and measured["d_penalty"] == 0
    assert "d_penalty" not in plain.loss_names


def test_several_steps_of_d_are_as_many_updates():
    parts = smooth()
    gan = sgd_gan(parts, STILL, r1_weight=2.0, r1_every=2, d_steps=3)
    x, sketch = tiny.batch()
    r1, _ = r1_by_hand(parts[1], tiny.pair(x, sketch))
    # What is logged is of D's last step: the third, then the sixth.
    losses = [gan.train_on_batch(x, sketch)["d_loss"] for _ in range(2)]
    assert losses[0] - losses[1] == pytest.approx(4 * r1, rel=1e-3)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_a_penalty_that_is_not_due_is_not_taken(wrap):
    taken = tf.Variable(0)

    def penalty():
        taken.assign_add(1)
        return tf.constant(2.0)

    step = wrap(lambda steps: lazily(penalty, 4, steps))
    assert [float(step(tf.constant(n))) for n in range(9)] == [8, 0, 0, 0, 8, 0, 0, 0, 8]
    assert int(taken) == 3
    assert float(lazily(penalty, 1, tf.constant(3))) == 2


@pytest.mark.parametrize("options", [{}, GRAPH], ids=["eager", "graph"])
def test_its_pass_moves_nothing(options):
    """Batch norm's averages, power iterations and seeds are those of the passes that judge."""
    parts = networks("pix2pix", stochastic=True)
    twins = tiny.copies(parts)
    gan = sgd_gan(parts, STILL, r1_weight=1.0, r2_weight=1.0, r1_every=1, **options)
    gan.train_on_batch(*tiny.batch())
    sgd_gan(twins, STILL, **options).train_on_batch(*tiny.batch())
    assert_same_values(parts, twins)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", WEIGHTS)
def test_half_precision(policy, name):
    parts = smooth("two-head")
    x, sketch = tiny.batch()
    expected, _ = r1_by_hand(parts[1], pairs_of(name, parts[0], x, sketch))
    keras.config.set_dtype_policy(policy)
    half = smooth("two-head")
    for network, twin in zip(parts[:2], half[:2]):
        twin.set_weights(network.get_weights())
    gan = sgd_gan(half, STILL, **{name: 1.0}, r1_every=2, **GRAPH)
    losses = [gan.train_on_batch(x, sketch)["d_loss"] for _ in range(3)]
    assert losses[0] - losses[1] == pytest.approx(2 * expected, rel=0.1)
    assert losses[2] == pytest.approx(losses[0], rel=0.01)
    assert all(np.isfinite(value).all() for value in tiny.values(half[1]))


def test_it_is_saved_with_the_count(tmp_path):
    gan = sgd_gan(smooth("classifier"), r1_weight=1.0, r2_weight=0.5, r1_every=2)
    gan.train_on_batch(*tiny.batch())
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert (again.r1_weight, again.r2_weight, again.r1_every) == (1.0, 0.5, 2)
    for seed in (1, 2):
        assert again.train_on_batch(*tiny.batch(seed=seed)) == gan.train_on_batch(*tiny.batch(seed=seed))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"r1_weight": -1.0}, "`r1_weight` must be a number of at least 0. Received: r1_weight=-1.0"),
        ({"r2_weight": -1.0}, "`r2_weight` must be a number of at least 0. Received: r2_weight=-1.0"),
        ({"r1_every": 0}, "`r1_every` must be an integer of at least 1. Received: r1_every=0"),
    ],
    ids=str,
)
def test_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(*networks("pix2pix"), **options)


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_discriminator_without_scores(name):
    message = rf"`{name}` is for a discriminator with .*'real_fake'. Received: {name}=5.0, .*'classes'"
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(*networks("sigmoid"), **{name: 5.0})
    with pytest.raises(ValueError, match=f"`{name}` is for a discriminator that makes logits"):
        ConditionalGAN(*networks("pix2pix", inside=True), **{name: 5.0})
