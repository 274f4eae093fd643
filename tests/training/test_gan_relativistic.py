"""`ConditionalGAN(adversarial_loss="relativistic")`: a fake beside the true sketch of its photo, by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import assert_same_values, networks, sgd_gan

from keras_cgan import ConditionalGAN, Latent, LatentGAN, ReferenceTrainer, strategy_networks
from keras_cgan.discriminators import maxout_discriminator
from keras_cgan.generators import mlp_generator
from keras_cgan.training.objectives import relative_outputs

STILL = {"g": 0.0, "d": 0.0, "c": 0.0}
WEIGHT = np.array([2, 0, 1, 0.5], "float32")
ways = pytest.mark.parametrize(
    "options",
    [
        {},
        {"run_eagerly": False},
        {"joined_batch": False},
        {"update": "simultaneous"},
        {"update": "simultaneous", "run_eagerly": False},
        {"update": "simultaneous", "joined_batch": True},
    ],
    ids=str,
)


def relativistic(parts, rates=tiny.LEARNING_RATES, **options):
    return sgd_gan(parts, rates, adversarial_loss="relativistic", **options)


def logits(d):
    return keras.Model(d.input, d.get_layer("real_fake_dense").output)


def mean_softplus(difference, weight=None):
    return (np.logaddexp(0, difference) * (1 if weight is None else weight)).mean()


@ways
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighed"])
@pytest.mark.parametrize("strategy", ["pix2pix", "class-and-photo"])
def test_losses_by_hand(strategy, options, weight):
    """Whole, not halved; D sees the pair, or the sketch alone."""
    parts = networks(strategy, batch_norm=False)
    x, sketch = tiny.batch()
    seen = [tiny.pair(x, image) if strategy == "pix2pix" else image for image in (sketch, parts[0](x))]
    real, fake = (logits(parts[1])(image).numpy().ravel() for image in seen)
    assert np.ptp(real - fake) > 0.05
    logs = relativistic(parts, STILL, **options).train_on_batch(x, sketch, sample_weight=weight)
    assert logs["d_loss"] == pytest.approx(mean_softplus(fake - real, weight), rel=1e-5)
    assert logs["g_adv"] == pytest.approx(mean_softplus(real - fake, weight), rel=1e-5)


def test_a_matrix_is_compared_patch_by_patch():
    parts = strategy_networks("pix2pix", (*tiny.SIZE, 3), 3, filters=2, n_layers=1, d_norm=None)
    x, sketch = tiny.batch()
    gan = ConditionalGAN(*parts, adversarial_loss="relativistic")
    gan.compile()
    told = gan.objectives
    real, fake = (
        told.d_model(tiny.pair(x, image))["real_fake"].numpy()
        for image in (sketch, parts[0](told.generator_inputs(x["photo"], x["label"]), training=False))
    )
    assert real[0].size > 1
    logs = gan.evaluate(x, sketch, verbose=0, return_dict=True)
    assert logs["d_loss"] == pytest.approx(mean_softplus(fake - real), rel=1e-4)
    assert logs["g_adv"] == pytest.approx(mean_softplus(real - fake), rel=1e-4)


def descend(network, tape, loss, rate):
    for weight, slope in zip(
        network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True
    ):
        weight.assign(weight - rate * (0 if slope is None else slope))


@ways
def test_steps_by_hand(options):
    """D's is of D's loss alone. G's is through D after its update, on fakes and real sketches, or before."""
    parts = networks("pix2pix", label=False, batch_norm=False)
    g, d = tiny.copies(parts[:2])
    x, sketch = tiny.batch()
    gan = relativistic(parts, **options)
    gan.train_on_batch(x["photo"], sketch)

    def slope(judge, sign):
        drawn = g(x["photo"], training=True)
        real, fake = (
            judge(tf.concat([x["photo"], image], axis=-1), training=True) for image in (sketch, drawn)
        )
        loss = tf.reduce_mean(tf.math.softplus(sign * (fake - real)))
        return loss if sign == 1 else 10 * tf.reduce_mean(tf.abs(sketch - drawn)) + 0.7 * loss

    judge = logits(d)
    with tf.GradientTape(persistent=True) as before:
        d_loss, g_loss = slope(judge, 1), slope(judge, -1)
    descend(d, before, d_loss, tiny.LEARNING_RATES["d"])
    tape = before
    if gan.update == "sequential":
        with tf.GradientTape() as tape:
            g_loss = slope(judge, -1)
    descend(g, tape, g_loss, tiny.LEARNING_RATES["g"])
    assert_same_values(parts[:2], (g, d), atol=1e-5)


def test_what_all_scores_share_teaches_nothing():
    """A bias of the last layer cancels out, in both steps."""
    parts = networks("pix2pix", batch_norm=False)
    twins = tiny.copies(parts)
    shift = twins[1].get_layer("real_fake_dense").bias
    shift.assign([5.0])
    logs = [relativistic(each).train_on_batch(*tiny.batch()) for each in (parts, twins)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-4)
    np.testing.assert_allclose(shift, [5.0], atol=1e-6)


@ways
def test_the_pass_of_g_on_real_sketches_moves_nothing(options):
    """Batch norm's averages, power iterations and seeds are those of the passes of D's own step."""
    parts = networks("pix2pix", stochastic=True)
    twins = tiny.copies(parts)
    relativistic(parts, STILL, **options).train_on_batch(*tiny.batch())
    sgd_gan(twins, STILL, **options).train_on_batch(*tiny.batch())
    assert_same_values(parts, twins)


def test_evaluation_is_in_inference_mode_and_moves_nothing():
    parts = networks("two-head", stochastic=True)
    gan = relativistic(parts, run_eagerly=False)
    gan.train_on_batch(*tiny.batch())
    before = [tiny.values(network) for network in tiny.present(parts)]
    x, sketch = tiny.batch(seed=1)
    real, fake = (
        logits(parts[1])(tiny.pair(x, image), training=False).numpy() for image in (sketch, parts[0](x))
    )
    logs = gan.evaluate(x, sketch, verbose=0, return_dict=True)
    assert logs["g_adv"] == pytest.approx(mean_softplus(real - fake), rel=1e-4)
    for network, old in zip(tiny.present(parts), before):
        for value, other in zip(tiny.values(network), old, strict=True):
            np.testing.assert_array_equal(value, other)


def test_half_precision_is_widened_before_the_difference():
    scores = {"real_fake": tf.constant([[6e4]], "float16"), "classes": 1}
    outputs = relative_outputs(scores, {"real_fake": tf.constant([[-6e4]], "float16")})
    assert outputs["real_fake"].dtype == "float32" and outputs["classes"] == 1
    assert float(outputs["real_fake"][0, 0]) == pytest.approx(12e4, rel=1e-3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    parts = networks("two-head")
    expected = relativistic(tiny.copies(parts), STILL).train_on_batch(*tiny.batch())
    keras.config.set_dtype_policy(policy)
    half = networks("two-head")
    for network, twin in zip(tiny.present(half), tiny.present(parts), strict=True):
        network.set_weights(twin.get_weights())
    gan = relativistic(half, STILL, run_eagerly=False)
    assert gan.train_on_batch(*tiny.batch()) == pytest.approx(expected, rel=0.05)


def test_it_is_saved(tmp_path):
    gan = relativistic(networks("classifier"))
    gan.train_on_batch(*tiny.batch())
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.objectives.relativistic
    assert again.train_on_batch(*tiny.batch(seed=1)) == gan.train_on_batch(*tiny.batch(seed=1))


def test_engines_that_compare_no_pairs_refuse_it():
    message = r"must be one of \('nonsat[^()]*'wasserstein'\). Received: .*='relativistic'"
    with pytest.raises(ValueError, match=f"`adversarial_loss` {message}"):
        ReferenceTrainer(*networks("pix2pix"), adversarial_loss="relativistic")
    parts = mlp_generator((16, 16, 1), 8), maxout_discriminator((16, 16, 1))
    with pytest.raises(ValueError, match=f"`loss` {message}"):
        LatentGAN(*parts, Latent(8, (), 0), loss="relativistic")


@pytest.mark.parametrize(
    "parts, options, message",
    [
        ({"strategy": "sigmoid"}, {}, "`adversarial_loss` is for a discriminator with an output 'real_fake'"),
        ({"strategy": "pix2pix", "inside": True}, {}, "`adversarial_loss` is .* that makes logits"),
        ({"strategy": "pix2pix"}, {"label_smoothing": 0.1}, "`label_smoothing` is for .*'nonsaturating'"),
    ],
    ids=["no real_fake", "probabilities", "smoothed"],
)
def test_what_does_not_go_with_it(parts, options, message):
    with pytest.raises(ValueError, match=f"{message}.*\n?.*Received: .*'relativistic'"):
        ConditionalGAN(*networks(**parts), adversarial_loss="relativistic", **options)
