"""`ConditionalGAN(adversarial_loss=)`: what `real_fake` loses, by hand, in both engines."""

import keras
import numpy as np
import pytest
import tiny
from tiny import assert_same_values, networks, sgd_gan, sgd_trainer

from keras_cgan import ADVERSARIAL_LOSSES, ConditionalGAN, ReferenceTrainer, strategy_networks
from keras_cgan.callbacks.signs import least_d_loss
from keras_cgan.losses import RealFakeLoss
from keras_cgan.training.objectives import Objectives

STILL = {"g": 0.0, "d": 0.0, "c": 0.0}
OTHERS = [name for name in ADVERSARIAL_LOSSES if name != "nonsaturating"]
both = pytest.mark.parametrize("engine", [ConditionalGAN, ReferenceTrainer])


def scores(d, x, sketch):
    """What D says before its last activation, of real or drawn sketches."""
    logits = keras.Model(d.input, d.get_layer("real_fake_dense").output)
    return logits(tiny.pair(x, sketch), training=False).numpy().ravel()


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_hinge_by_hand(run_eagerly):
    """Of both sides; other outputs, and their losses, stay as they are."""
    parts = networks("two-head", batch_norm=False)
    x, sketch = tiny.batch()
    gan = sgd_gan(parts, STILL, run_eagerly=run_eagerly, adversarial_loss="hinge")
    plain = sgd_gan(parts, STILL)
    parts[1].get_layer("real_fake_dense").bias.assign([0.4])
    real, fake = scores(parts[1], x, sketch), scores(parts[1], x, parts[0](x))
    logs, others = gan.train_on_batch(x, sketch), plain.train_on_batch(x, sketch)
    hinge = np.maximum(1 - real, 0).mean() / 2 + np.maximum(1 + fake, 0).mean() / 2
    crossentropy = np.logaddexp(0, -real).mean() / 2 + np.logaddexp(0, fake).mean() / 2
    assert logs["d_loss"] - others["d_loss"] == pytest.approx(hinge - crossentropy, abs=1e-5)
    assert logs["g_adv"] == pytest.approx(-fake.mean(), rel=1e-4)
    assert others["g_adv"] == pytest.approx(np.logaddexp(0, -fake).mean(), rel=1e-4)
    assert logs["g_class"] == pytest.approx(others["g_class"], rel=1e-5)
    # 10, .7 and .3: the weights of `tiny`.
    expected = 10 * logs["g_l1"] + 0.7 * logs["g_adv"] + 0.3 * logs["g_class"]
    assert logs["g_loss"] == pytest.approx(expected, rel=1e-5)


def test_samples_weigh_as_they_are_told():
    parts = networks("pix2pix", batch_norm=False)
    x, sketch = tiny.batch()
    weight = np.array([2, 0, 1, 1], "float32")
    gan = sgd_gan(parts, STILL, adversarial_loss="hinge")
    real, fake = scores(parts[1], x, sketch), scores(parts[1], x, parts[0](x))
    logs = gan.train_on_batch(x, sketch, weight)
    hinge = (weight * (np.maximum(1 - real, 0) + np.maximum(1 + fake, 0))).mean() / 2
    assert logs["d_loss"] == pytest.approx(hinge, rel=1e-4)
    assert logs["g_adv"] == pytest.approx(-(weight * fake).mean(), rel=1e-4)


@pytest.mark.parametrize("shape", [(4, 1), (4, 3, 2, 1)], ids=["unit", "patches"])
def test_a_loss_tells_real_from_fake_by_its_targets(shape):
    rng = np.random.default_rng(0)
    s, is_real = rng.normal(0, 2, shape).astype("float32"), rng.uniform(size=shape) < 0.5
    targets = is_real.astype("float32")
    each = np.where(is_real, np.maximum(1 - s, 0), np.maximum(1 + s, 0)).mean(axis=-1)
    np.testing.assert_allclose(RealFakeLoss("hinge", reduction=None)(targets, s), each, rtol=1e-5)
    assert float(RealFakeLoss("hinge")(targets, s)) == pytest.approx(each.mean(), rel=1e-5)
    assert float(RealFakeLoss("hinge", generator=True)(targets, s)) == pytest.approx(-s.mean(), rel=1e-4)
    with pytest.raises(ValueError, match="`y_true` must have the shape of `y_pred`"):
        RealFakeLoss("hinge")(targets[:1], s)
    again = RealFakeLoss.from_config(RealFakeLoss("hinge", generator=True, name="mine").get_config())
    assert (again.loss.name, again.generator, again.name) == ("hinge", True, "mine")


@pytest.mark.parametrize("name", OTHERS)
def test_both_engines_take_the_same_steps(name):
    parts = networks("shared-q", stochastic=True)
    twins = tiny.copies(parts)
    trainer = sgd_trainer(parts, adversarial_loss=name)
    gan = sgd_gan(twins, adversarial_loss=name)
    for seed, size in enumerate((4, 3)):
        x, sketch = tiny.batch(size, seed)
        expected = trainer.train_on_batch(x, sketch)
        assert gan.train_on_batch(x, sketch) == pytest.approx(expected, rel=2e-4, abs=1e-5)
    assert_same_values(twins, parts, atol=1e-5)


@both
def test_a_matrix_of_patches(engine):
    parts = strategy_networks("pix2pix", (*tiny.SIZE, 3), 3, filters=2, n_layers=1)
    trainer = engine(*parts, adversarial_loss="least-squares")
    if engine is ConditionalGAN:
        trainer.compile()
    assert np.isfinite(list(trainer.train_on_batch(*tiny.batch()).values())).all()


def test_the_default_is_the_cross_entropy_as_it_was():
    told = Objectives(*networks("classifier"), adversarial_loss="nonsaturating")
    for losses in (told.d_losses, told.g_losses):
        assert type(losses["real_fake"]).__name__ == "DiscriminatorLoss"


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    keras.config.set_dtype_policy(policy)
    gan = sgd_gan(networks("two-head"), run_eagerly=False, adversarial_loss="hinge")
    for _ in range(2):
        assert np.isfinite(list(gan.train_on_batch(*tiny.batch()).values())).all()


def test_a_loss_below_0_is_no_sign_that_d_wins():
    """Of the difference of scores; the others' least is 0."""
    parts = networks("pix2pix")
    for name in OTHERS:
        least = least_d_loss(Objectives(*parts, adversarial_loss=name), None)
        assert least == (-np.inf if name == "wasserstein" else 0)


@both
def test_other_names(engine):
    message = r"`adversarial_loss` must be one of \('nonsat.*Received: adversarial_loss='cross-entropy'"
    with pytest.raises(ValueError, match=message):
        engine(*networks("pix2pix"), adversarial_loss="cross-entropy")


@both
@pytest.mark.parametrize("strategy", ["fake-class", "sigmoid"])
def test_a_discriminator_without_an_output_real_fake(engine, strategy):
    message = (
        "`adversarial_loss` is for a discriminator with an output 'real_fake'. "
        r"Received: adversarial_loss='hinge', and outputs \['classes'\]"
    )
    with pytest.raises(ValueError, match=message):
        engine(*networks(strategy), adversarial_loss="hinge")
    engine(*networks(strategy), adversarial_loss="nonsaturating")


@both
def test_probabilities_are_no_scores(engine):
    message = "`adversarial_loss` is for a discriminator that makes logits.* Received: .*sigmoid inside"
    with pytest.raises(ValueError, match=message):
        engine(*networks("pix2pix", inside=True), adversarial_loss="hinge")


@both
def test_smoothed_targets_are_of_the_cross_entropy(engine):
    message = "`label_smoothing` is for adversarial_loss='nonsaturating'. Received: .*=0.1, .*='hinge'"
    with pytest.raises(ValueError, match=message):
        engine(*networks("pix2pix"), adversarial_loss="hinge", label_smoothing=0.1)


def test_it_is_saved(tmp_path):
    gan = sgd_gan(networks("classifier"), adversarial_loss="hinge")
    gan.train_on_batch(*tiny.batch())
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.objectives.adversarial_loss == "hinge"
    assert again.train_on_batch(*tiny.batch(seed=1)) == gan.train_on_batch(*tiny.batch(seed=1))
