"""ControlGAN: a classifier of its own, learnt from real images alone; gamma by the rule."""

import keras
import numpy as np
import pytest
import steps
import tensorflow as tf

from keras_cgan import (
    EquilibriumWeight,
    Latent,
    resblock_discriminator,
    resblock_generator,
    resnet_classifier,
)
from keras_cgan.recipes import ControlGAN, controlgan
from keras_cgan.testing import moved_variables

SHAPE = (16, 16, 1)
BATCH = steps.images(), steps.labels()
STILL = "unit_logits/bias"  # D's last: a Wasserstein loss is a difference, which no bias moves


def classifier(shape=SHAPE, n_classes=steps.N_CLASSES):
    return resnet_classifier(shape, n_classes, filters=2, stages=2)


def small(**options):
    model = controlgan(SHAPE, steps.N_CLASSES, filters=4, classifier=classifier(), **options)
    model.run_eagerly = True
    return model


def test_the_papers_networks():
    """The default classifier: nine blocks, three each of 32, 128 and 512 maps."""
    model = controlgan((16, 16, 1), filters=4)
    blocks = [layer.output.shape[-1] for layer in model.classifier.layers if "_add" in layer.name]
    assert blocks == [32] * 3 + [128] * 3 + [512] * 3
    assert model.classifier.output_shape == (None, 10)
    chosen = steps.defaults(controlgan)
    assert (chosen["image_shape"], chosen["n_classes"], chosen["filters"]) == ((32, 32, 3), 10, 128)
    rates = [layer.rate for layer in model.discriminator.layers if "dropout" in layer.name]
    assert rates == [0.2, 0.5, 0.5]


def test_the_papers_settings():
    model = small()
    assert model.latent.get_config() == Latent(128, (), 0, "normal").get_config()
    assert (model.adversarial.name, model.penalty_weight, model.fake_labels) == (
        "wasserstein",
        10.0,
        "uniform",
    )
    rule = model.equilibrium
    assert (rule.rate, rule.target, rule.most, float(rule.value)) == (0.001, 1.0, 2.0, 0.0)
    assert {player: steps.adam(optimizer) for player, optimizer in model.optimizers.items()} == {
        "d": (8e-4, 0.0, 0.9),
        "c": (1e-3, 0.9, 0.999),
        "g": (2e-4, 0.0, 0.9),
    }


def test_what_a_short_training_chooses():
    model = small(dropout=(0.5,), learning_rate=1e-3, average_decay=0.99)
    rates = [layer.rate for layer in model.discriminator.layers if "dropout" in layer.name]
    assert (rates, model.average_decay) == ([0.5], 0.99)
    rates = [round(float(model.optimizers[player].learning_rate), 9) for player in "dcg"]
    assert rates == [4e-3, 5e-3, 1e-3]


@pytest.mark.slow
def test_all_learn_as_a_graph():
    model = small()
    model.run_eagerly = False
    steps.assert_all_learn(model, *BATCH, still=STILL)
    # Labels of any size: the label input is linear.
    inputs = {"latent": model.latent.sample(4), "label": 2 * BATCH[1]}
    assert model.predict(inputs, verbose=0).shape == (4, *SHAPE)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(), update, *BATCH, still=STILL)


def penalty(judge, points):
    """Equation 3 of WGAN-GP, by a tape of its own."""
    points = tf.convert_to_tensor(points)
    with tf.GradientTape() as tape:
        tape.watch(points)
        outputs = tf.reduce_sum(judge(points, training=True)["real_fake"])
    slopes = np.sqrt(np.sum(tape.gradient(outputs, points).numpy() ** 2, axis=(1, 2, 3)))
    return np.mean((slopes - 1) ** 2)


@pytest.mark.parametrize("augment", [None, "shift-flip"])
def test_the_losses_by_hand(augment):
    model = small(augment=augment)
    model.equilibrium._gamma.assign(0.25)
    steps.compiled(model)
    image, label = BATCH
    drawn = steps.drawn_next(model, *BATCH)
    judge, teller = steps.twin(model.d_model), steps.twin(model.c_model)
    # The seeds after `draw` place the penalty's points; the augmentation has seeds of its own.
    seeds = keras.random.SeedGenerator()
    seeds.state.assign(model.seeds.state)
    model.latent.sample(4, seeds), keras.random.randint((4,), 0, 3, seed=seeds)
    share = keras.random.uniform((4, 1, 1, 1), seed=seeds)
    shown = image
    if augment:
        shown = keras.Sequential.from_config(model.augment.get_config())
        for new, old in zip(shown.variables, model.augment.variables, strict=True):
            new.assign(old)
        shown = shown(image, training=True)
        assert np.abs(shown - image).max() > 0.1
    logs = model.train_on_batch(*BATCH)
    fake = drawn["image"]
    told = [judge(seen, training=True)["real_fake"].numpy() for seen in (image, fake)]
    d_loss = np.mean(told[1]) - np.mean(told[0]) + 10 * penalty(judge, image + share * (fake - image))
    asked = judge(fake, training=True)["real_fake"].numpy()
    c_loss = steps.class_loss(label, teller(shown, training=True)["label"])
    g_class = steps.class_loss(drawn["label"], teller(fake, training=True)["label"])
    expected = {
        "d_loss": d_loss,
        "g_loss": -np.mean(asked) + 0.25 * g_class,
        "c_loss": c_loss,
        "g_class": g_class,
        "gamma": 0.25,
    }
    assert logs == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_gamma_moves_by_the_rule_from_the_logged_losses(update):
    """Gamma is that of this step; the rule then makes the next one of the step's losses."""
    rule = EquilibriumWeight(rate=0.5, target=0.8, most=0.6)
    model = steps.again(small(), equilibrium=keras.saving.serialize_keras_object(rule), update=update)
    steps.compiled(model, c=0.5, g=0.1)
    gamma, seen = 0.0, []
    for step in range(6):
        logs = model.train_on_batch(*BATCH)
        assert logs["gamma"] == pytest.approx(gamma, abs=1e-5)
        gamma = min(max(gamma + 0.5 * (logs["g_class"] - 0.8 * logs["c_loss"]), 0.0), 0.6)
        seen.append(gamma)
    assert float(model.equilibrium.value) == pytest.approx(gamma, abs=1e-5)
    assert max(seen) == 0.6  # it has run into its bound


def frozen():
    """C as for CelebA: what it knows, it keeps."""
    teller = classifier()
    teller.trainable = False
    return teller


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_a_frozen_classifier_teaches_and_stays(update):
    model = controlgan(SHAPE, steps.N_CLASSES, filters=4, classifier=frozen(), augment=None, rate=0.5)
    model = steps.again(model, update=update)
    steps.compiled(model, d=0.1, g=0.1)
    assert list(model.players()) == list(model.optimizers) == ["d", "g"]
    # Of a frozen network the batch norm has its kept statistics; no dropout, so that c_loss can be told.
    model.classifier.get_layer("dropout").rate = 0.0
    told = model.c_model(BATCH[0], training=False)["label"]
    logs = []
    moved = moved_variables(
        lambda: logs.extend(model.train_on_batch(*BATCH) for _ in range(2)),
        model.generator,
        model.discriminator,
        model.classifier,
    )
    assert not moved["classifier"] and moved["generator"] and moved["discriminator"]
    gamma = 0.0
    for log in logs:
        assert log["c_loss"] == pytest.approx(steps.class_loss(BATCH[1], told), rel=1e-5)
        assert log["gamma"] == pytest.approx(gamma, abs=1e-6)
        gamma = min(max(gamma + 0.5 * (log["g_class"] - log["c_loss"]), 0.0), 2.0)


def test_g_learns_from_a_frozen_classifier():
    """With gamma above 0 G's step is another one than without."""
    model = controlgan(SHAPE, steps.N_CLASSES, filters=4, classifier=frozen())
    start = [(variable, variable.numpy()) for variable in model.variables]

    def after(gamma):
        for variable, value in start:
            variable.assign(value)
        model.equilibrium._gamma.assign(gamma)
        steps.compiled(model, g=0.1).train_on_batch(*BATCH)
        return [variable.numpy() for variable in model.generator.trainable_variables]

    assert any(np.any(a != b) for a, b in zip(after(0.0), after(1.0), strict=True))


@pytest.mark.slow
def test_a_frozen_classifier_is_saved_as_one(tmp_path):
    model = controlgan(SHAPE, steps.N_CLASSES, filters=4, classifier=frozen(), rate=0.5)
    loaded = steps.assert_goes_on(model, tmp_path / "frozen.keras", *BATCH)
    assert list(loaded.players()) == ["d", "g"] and not loaded.classifier.trainable


@pytest.mark.slow
@pytest.mark.parametrize("before", [True, False])
def test_a_classifier_frozen_or_freed_after_compile(before):
    model = small()
    model.classifier.trainable = before
    model.compile()
    model.classifier.trainable = not before
    message = f"`classifier` must stay frozen, or not,.*Received: classifier.trainable={not before}"
    with pytest.raises(ValueError, match=message):
        model.train_on_batch(*BATCH)


def test_evaluation_leaves_gamma_alone():
    model = steps.compiled(small(rate=1.0))
    model.train_on_batch(*BATCH)
    gamma = float(model.equilibrium.value)
    logs = {}
    moved = moved_variables(
        lambda: logs.update(model.evaluate(*BATCH, return_dict=True, verbose=0)),
        *(network for networks in model.players().values() for network in networks),
    )
    assert not any(moved.values()) and float(model.equilibrium.value) == gamma
    # No augmentation, and no dropout.
    told = model.c_model(BATCH[0], training=False)["label"]
    assert logs["c_loss"] == pytest.approx(steps.class_loss(BATCH[1], told), rel=1e-5)
    assert logs["gamma"] == pytest.approx(gamma)


def test_c_learns_from_real_images_alone_and_d_knows_no_label():
    """C's step is the same whatever is drawn; D's whatever the labels are."""
    model = small(augment=None)
    start = [(variable, variable.numpy()) for variable in model.variables]

    def after(player, label, generator_bias=0.0):
        for variable, value in start:
            variable.assign(value)
        steps.compiled(model, **{player: 0.1})
        bias = model.generator.trainable_variables[-1]
        bias.assign(bias + generator_bias)
        model.train_on_batch(BATCH[0], label)
        return [v.numpy() for v in (model.c_model if player == "c" else model.d_model).trainable_variables]

    for values in zip(after("c", BATCH[1]), after("c", BATCH[1], generator_bias=1.0), strict=True):
        np.testing.assert_array_equal(*values)
    for values in zip(after("d", BATCH[1]), after("d", np.roll(BATCH[1], 1, axis=1)), strict=True):
        np.testing.assert_array_equal(*values)
    others = after("c", np.roll(BATCH[1], 1, axis=1))
    assert any(np.any(a != b) for a, b in zip(after("c", BATCH[1]), others, strict=True))


@pytest.mark.parametrize(
    ("n_in", "told", "message"),
    [
        (None, classifier(), "`generator` must take a label.*Received: a label of None in, of 3 out"),
        (3, classifier(n_classes=4), "`generator` must take.*Received: a label of 3 in, of 4 out"),
        (
            3,
            resblock_discriminator(SHAPE, 2),
            "`generator` must take.*Received: a label of 3 in, of None out",
        ),
        (3, classifier((16, 16, 3)), r"`classifier` must take the .*Received: .* images \(16, 16, 3\)"),
    ],
    ids=["no label", "other length", "no vector", "other images"],
)
def test_networks_that_do_not_fit(n_in, told, message):
    generator, discriminator = resblock_generator(SHAPE, 5, n_in, 2), resblock_discriminator(SHAPE, 2)
    with pytest.raises(ValueError, match=message):
        ControlGAN(generator, discriminator, told, Latent(5, (), 0))


def test_a_softmax_within_the_last_layer():
    image = keras.Input(SHAPE)
    told = keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(image))
    generator, discriminator = resblock_generator(SHAPE, 5, 3, 2), resblock_discriminator(SHAPE, 2)
    message = "`classifier` must make logits.*Received: output 'label' with its softmax inside the last layer"
    with pytest.raises(ValueError, match=message):
        ControlGAN(generator, discriminator, keras.Model(image, told), Latent(5, (), 0))


def test_an_augmentation_of_another_name():
    with pytest.raises(ValueError, match="`augment` must be 'shift'.*Received: augment='rotate'"):
        small(augment="rotate")


@pytest.mark.slow
def test_a_loaded_model_goes_on(tmp_path):
    model = small(rate=0.5, target=0.5, most=3.0, augment="shift-flip")
    loaded = steps.assert_goes_on(model, tmp_path / "controlgan.keras", *BATCH)
    assert float(loaded.equilibrium.value) == float(model.equilibrium.value) > 0


@pytest.mark.slow
def test_a_step_that_mixed_precision_skips_leaves_gamma_alone():
    keras.config.set_dtype_policy("mixed_float16")
    model = small(rate=0.5)
    model.equilibrium._gamma.assign(1.0)
    model.optimizers["g"].dynamic_scale.assign(2.0**100)  # finite losses, gradients that overflow
    logs = model.train_on_batch(*BATCH)
    assert np.isfinite(list(logs.values())).all()
    assert float(model.equilibrium.value) == 1.0
