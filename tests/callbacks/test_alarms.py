"""Each alarm is raised by a training that has gone wrong in that way, and none by a healthy one."""

import math
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_cgan import ConditionalGAN, metrics
from keras_cgan.callbacks import CollapseAlarm, CollapseWarning, signs
from keras_cgan.callbacks.alarms import _chosen
from keras_cgan.callbacks.signs import least_d_loss
from keras_cgan.terms import EdgeLikeness
from keras_cgan.training.objectives import Objectives

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
import tiny  # noqa: E402
from tiny import N_CLASSES, SIZE, networks, sgd_gan  # noqa: E402

RATES = {"g": 0.005, "d": 0.01, "c": 0.01}


def held_out(n=9):
    x, _ = tiny.batch(n, seed=5)
    return x["photo"], x["label"]


def alarm(**options):
    return CollapseAlarm(*held_out(), **{"warm_up": 0, **options})


def kinds(callback):
    return [kind for _, kind, _ in callback.raised]


def fit(gan, *callbacks, epochs=1, n=8):
    """Trains; returns the messages of the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CollapseWarning)
        gan.fit(*tiny.batch(n), batch_size=4, epochs=epochs, verbose=0, callbacks=list(callbacks))
    return [str(warning.message) for warning in caught if warning.category is CollapseWarning]


def constant_generator(what):
    """A generator with a weight that moves, but no use of the photo, or of both conditions."""
    photo, label = keras.Input((*SIZE, 3), name="photo"), keras.Input((N_CLASSES,), name="label")
    x = layers.Dense(SIZE[0] * SIZE[1], kernel_initializer="orthogonal")(
        label if what == "class" else label * 0
    )
    sketch = layers.Activation("tanh")(layers.Reshape((*SIZE, 1))(x))
    if what == "picture":
        pattern = np.random.default_rng(0).uniform(-2, 2, SIZE[0] * SIZE[1])
        sketch = layers.Dense(SIZE[0] * SIZE[1], bias_initializer=lambda *_, **__: pattern)(label * 0)
        sketch = layers.Activation("tanh")(layers.Reshape((*SIZE, 1))(sketch))
    return keras.Model({"photo": photo, "label": label}, sketch, name="generator")


def gan_of(generator, **options):
    _, discriminator, classifier = networks("classifier")
    return sgd_gan((generator, discriminator, classifier), RATES, **options)


@pytest.mark.parametrize("strategy", ["classifier", "pix2pix", "two-head"])
def test_a_healthy_run_raises_none(strategy):
    gan = sgd_gan(networks(strategy, label=strategy != "pix2pix"), RATES, run_eagerly=False)

    def judge(sketches, training):
        """As a classifier that has learnt; one of random weights names one class for all."""
        return np.eye(N_CLASSES)[np.arange(len(sketches)) % N_CLASSES]

    callback = alarm(patience=2, judge=judge)
    assert fit(gan, callback, epochs=5) == []
    assert callback.raised == []


@pytest.mark.slow
def test_looking_changes_nothing_of_the_training():
    losses = []
    for callbacks in ([], [alarm()]):
        keras.utils.set_random_seed(3)
        gan = sgd_gan(networks("pix2pix", stochastic=True), RATES)
        fit(gan, *callbacks, epochs=2)
        losses.append((gan.history.history, tiny.values(gan.generator)))
    assert losses[0][0] == losses[1][0]
    for one, other in zip(losses[0][1], losses[1][1], strict=True):
        np.testing.assert_array_equal(one, other)


class Logs(keras.callbacks.Callback):
    """Says that the losses were others."""

    def __init__(self, losses, penalties=None):
        super().__init__()
        self.losses, self.penalties = losses, penalties

    def on_epoch_end(self, epoch, logs=None):
        logs["d_loss"] = self.losses[epoch]
        if self.penalties:
            logs["d_penalty"] = self.penalties[epoch]


def test_d_loss_of_about_0_for_several_epochs():
    gan = sgd_gan(networks("pix2pix"), RATES, run_eagerly=False)
    callback = alarm(patience=3)
    losses = [0.001, 0.001, 0.5, 0.001, 0.001, 0.001, 0.001, 0.5, 0.0, 0.0, 0.0]
    messages = fit(gan, Logs(losses), callback, epochs=11)
    # Not after two; once in a row of four; again after it was over.
    assert [(epoch, kind) for epoch, kind, _ in callback.raised] == [(6, "d wins"), (11, "d wins")]
    assert messages == [message for _, _, message in callback.raised]
    assert messages[0].startswith("epoch 6: d_loss is 0.001, ") and "l1_weight" in messages[0]


def test_a_discriminator_that_tells_all_fakes():
    """For real: fakes are +1 everywhere, real sketches uniform, and G may not learn."""
    _, discriminator, _ = networks("pix2pix", batch_norm=False)
    white = keras.Sequential([keras.Input((*SIZE, 3)), layers.Conv2D(1, 1, bias_initializer="ones")])
    gan = sgd_gan((white, discriminator), {"g": 1e-6, "d": 0.5}, run_eagerly=False)
    callback = alarm(least_d_loss=0.01)
    fit(gan, callback, epochs=30)
    assert gan.history.history["d_loss"][-1] < 0.01
    assert "d wins" in kinds(callback)


@pytest.mark.parametrize("kind", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    "heads", [("classes",), ("real_fake", "classes"), ("real_fake", "label")], ids="+".join
)
def test_what_d_loses_by_classes_does_not_hide_it(heads, kind):
    """A D that tells white paper from noise, surely, and no class at all."""
    image = keras.Input((*SIZE, 1), name="image")
    ink = layers.GlobalAveragePooling2D()(image) - 0.5
    kernels = {"real_fake": [[-40.0]], "classes": [[40.0] + [0.0] * N_CLASSES], "label": [[0.0] * N_CLASSES]}
    kinds_of = {"real_fake": "sigmoid", "classes": kind, "label": "softmax"}
    outputs = {}
    for name in heads:
        logits = layers.Dense(len(kernels[name][0]), name=f"{name}_dense")(ink)
        outputs[name] = layers.Activation(kinds_of[name], name=name)(logits)
    discriminator = keras.Model(image, outputs, name="discriminator")
    for name in heads:
        discriminator.get_layer(f"{name}_dense").kernel.assign(kernels[name])
    white = keras.Sequential([keras.Input((*SIZE, 3)), layers.Conv2D(1, 1, bias_initializer="ones")])
    white.layers[0].kernel.assign(white.layers[0].kernel * 1e-3)
    gan = sgd_gan((white, discriminator), {"g": 1e-6, "d": 0.0}, run_eagerly=False)
    _, sketches = tiny.batch(9, seed=5)
    by_fakes = CollapseAlarm(*held_out(), sketches, warm_up=0, patience=1)
    by_d_loss = alarm(patience=1)
    messages = fit(gan, by_fakes, by_d_loss)
    # Another number than the d_loss that is in the logs.
    assert any("what d_loss has by real and fake alone is " in message for message in messages)
    assert gan.history.history["d_loss"][0] > 0.3
    assert "d wins" in kinds(by_fakes) and "d wins" not in kinds(by_d_loss)
    # Of a D that tells nothing, nobody wins.
    for name in heads:
        discriminator.get_layer(f"{name}_dense").kernel.assign(np.zeros_like(kernels[name]))
    again = CollapseAlarm(*held_out(), sketches, warm_up=0, patience=1)
    fit(gan, again)
    assert "d wins" not in kinds(again)


def test_a_discriminator_that_nobody_asks_cannot_win():
    callback = alarm(patience=1)
    gan = sgd_gan(networks("pix2pix"), RATES, compiled={"adversarial_weight": 0.0})
    fit(gan, Logs([0.0, 0.0]), callback, epochs=2)
    assert callback.raised == []


def test_what_the_penalty_adds_to_d_loss_does_not_hide_it():
    callback = alarm(patience=1)
    losses, penalties = [0.5, 0.5], [0.3, 0.499]
    messages = fit(sgd_gan(networks("pix2pix"), RATES), Logs(losses, penalties), callback, epochs=2)
    assert [(epoch, kind) for epoch, kind, _ in callback.raised] == [(2, "d wins")]
    assert messages[0].startswith("epoch 2: d_loss is 0.001, ")


def test_label_smoothing_raises_what_about_0_is():
    parts = networks("pix2pix")
    label = np.eye(N_CLASSES, dtype="float32")[:1]
    assert least_d_loss(Objectives(*parts), label) == 0
    expected = -0.5 * (0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert least_d_loss(Objectives(*parts, label_smoothing=0.1), label) == pytest.approx(expected, rel=1e-5)
    assert least_d_loss(Objectives(*networks("sigmoid")), label) == 0
    callback = alarm(patience=1)
    gan = sgd_gan(parts, RATES, label_smoothing=0.1)
    fit(gan, Logs([expected + 0.004, expected + 0.001]), callback, epochs=2)
    assert [(epoch, kind) for epoch, kind, _ in callback.raised] == [(2, "d wins")]


@pytest.mark.parametrize(("what", "said"), [("blank", "blank paper"), ("picture", "one picture for all")])
def test_identical_sketches(what, said):
    callback = alarm(patience=2, judge=networks("classifier")[2])
    # So low a rate that blank paper stays blank.
    gan = gan_of(constant_generator(what), compiled={"g_optimizer": keras.optimizers.SGD(1e-5)})
    messages = fit(gan, callback, epochs=3)
    assert (2, "identical") in [raised[:2] for raised in callback.raised]
    assert "one a class" not in kinds(callback)  # said by the other already
    assert any(said in message for message in messages)
    assert all("--strategy class-and-photo" in message for message in messages if "one picture" in message)


@pytest.mark.parametrize("asks", ["by its terms", "by its strategy"])
def test_no_advice_to_ask_for_the_photo_where_that_is_done(asks):
    generator = constant_generator("class")
    _, discriminator, classifier = networks("class-and-photo")
    options = {"terms": [EdgeLikeness(1.0)]} if asks == "by its terms" else {"strategy": "class-and-photo"}
    callback = alarm(patience=1)
    messages = fit(sgd_gan((generator, discriminator, classifier), RATES, **options), callback)
    (message,) = [message for message in messages if "one sketch a class" in message]
    assert message.endswith(": a lower class_weight may help")


@pytest.mark.parametrize(
    "strategy", ["pix2pix", "sigmoid", "fake-class", "two-head", "classifier", "shared-q"]
)
def test_advice_is_of_what_the_strategy_has(strategy):
    """A class_weight that weighs nothing, or a smoothing that is refused, is none."""
    parts = networks(strategy)
    callback = alarm()
    callback.set_model(sgd_gan(parts, RATES))
    callback.on_train_begin()
    callback._loss_by_fakes = lambda logs, drawn: ("d_loss", 0.0)
    drawn = np.stack([np.full((*parts[0].output.shape[1:],), 0.5 * (row % 3), "float32") for row in range(9)])
    one = np.repeat(drawn[1:2], 9, axis=0)
    one[:, ::2] = -1
    said = []
    for sketches in (drawn, one):
        found = callback._found({"d_loss": 0.0}, sketches, callback._before)
        said += [message for message in found.values() if message]
    weighs = strategy in ("two-head", "classifier", "shared-q")
    assert any("class_weight" in message for message in said) == weighs
    smooths = strategy not in ("sigmoid", "fake-class")
    assert any("label_smoothing" in message for message in said) == smooths


@pytest.mark.parametrize("reference", ["photos", "true sketches"])
def test_one_sketch_a_class(reference):
    sketches = tiny.batch(9, seed=5)[1] if reference == "true sketches" else None
    callback = alarm(sketches=sketches, patience=2)
    messages = fit(gan_of(constant_generator("class")), callback, epochs=3)
    assert (2, "one a class") in [raised[:2] for raised in callback.raised]
    assert "identical" not in kinds(callback)
    (message,) = [message for message in messages if "one sketch a class" in message]
    assert f"of that of the {reference}" in message and "--strategy class-and-photo" in message


def test_one_sketch_a_class_with_a_trace_of_the_photo():
    """Which as a class loss that outweighs all else brings, has .14 of the true sketches' diversity."""
    photos, labels = held_out()
    sketches = tiny.batch(9, seed=5)[1]
    random = np.random.default_rng(0)
    patterns = random.uniform(-0.6, 0.6, (N_CLASSES, *sketches.shape[1:]))
    own = random.uniform(-0.6, 0.6, sketches.shape)
    said = {}
    for trace in (0.2, 0.6):
        drawn = patterns[np.argmax(labels, axis=1)] + trace * own
        assert metrics.within_class_diversity(drawn, sketches, labels) > 0.05
        said[trace] = signs.one_a_class(drawn, photos, labels, sketches, 0.05, 0.1)
    assert said[0.6] is None
    assert "one sketch a class, whatever the photo: of how they differ, 0.0" in said[0.2]


def test_one_class_for_all_by_the_judge_given_and_by_the_gans_own():
    def judge(sketches, training):
        return np.eye(N_CLASSES)[np.full(len(sketches), 1)]

    callback = alarm(judge=judge, patience=2)
    messages = fit(sgd_gan(networks("pix2pix"), RATES), callback, epochs=3)
    assert [raised[:2] for raised in callback.raised] == [(2, "one class")]
    assert "100% of the sketches for class 1, of 3" in messages[0] and "class_weight" not in messages[0]

    parts = networks("classifier")
    dense = next(layer for layer in parts[2].layers if isinstance(layer, layers.Dense))
    dense.set_weights([np.zeros_like(dense.kernel), np.array([0, 0, 50.0])])
    callback = alarm(sketches=tiny.batch(9, seed=5)[1], patience=1)
    still = {"c_optimizer": keras.optimizers.SGD(1e-9)}
    messages = fit(sgd_gan(parts, RATES, compiled=still), callback)
    assert kinds(callback) == ["one class"]
    assert "for class 2, and the true ones as well" in messages[0]


@pytest.mark.parametrize("strategy", ["sigmoid", "fake-class", "two-head", "shared-q"])
def test_one_class_for_all_by_the_class_head_of_d(strategy):
    parts = networks(strategy)
    sketches = tiny.batch(9, seed=5)[1]
    callback = alarm(sketches=sketches, patience=1)
    still = {"d_optimizer": keras.optimizers.SGD(1e-9)}
    gan = sgd_gan(parts, RATES, compiled=still)
    callback.set_model(gan)
    judge, name = callback._judge()
    judged = sketches if parts[1].input.shape[-1] == 1 else np.concatenate([held_out()[0], sketches], -1)
    said = parts[1](judged)
    if isinstance(said, dict):
        said = said["label" if strategy == "shared-q" else "classes"]
    expected = np.asarray(said)[:, -N_CLASSES:]
    assert len(set(np.argmax(expected, axis=1))) > 1 or np.ptp(expected, axis=0).max() > 1e-3
    order = np.argsort(np.argsort(expected, axis=1), axis=1)
    np.testing.assert_array_equal(np.argsort(np.argsort(judge(sketches, training=False))), order)

    dense = parts[1].get_layer("label_dense" if strategy == "shared-q" else "classes_dense")
    # Of which fakeness, where there is a unit of it, says most.
    bias = np.array([90.0, 0.0, 0.0, 50.0])[-dense.units :]
    dense.set_weights([np.zeros_like(dense.kernel), bias])
    messages = fit(gan, callback)
    assert "one class" in kinds(callback)
    assert any(f"{name} takes 100% of the sketches for class 2, and the true ones as" in m for m in messages)


def test_photos_of_one_class_say_nothing_of_the_classifier():
    photos, labels = held_out()
    same = np.repeat(labels[:1], len(labels), axis=0)
    callback = CollapseAlarm(photos, same, judge=lambda x, training: same[: len(x)], patience=1, warm_up=0)
    assert fit(sgd_gan(networks("pix2pix"), RATES), callback) == []


def test_a_learning_rate_of_0_is_frozen_until_it_is_not():
    gan = sgd_gan(networks("pix2pix"), {"g": 0.0, "d": 0.01})
    callback = alarm(judge=None, warm_up=10**6)  # said at once, even in the warm-up
    messages = fit(gan, callback, epochs=2)
    assert [raised[:2] for raised in callback.raised] == [(1, "frozen")]  # once
    assert "2 updates have left" in messages[0] and "(now 0)" in messages[0]
    gan.optimizers["g"].learning_rate = 0.01
    assert fit(gan, callback) == []


def test_overflow_in_every_step_is_frozen():
    keras.config.set_dtype_policy("mixed_float16")
    gan = sgd_gan(networks("pix2pix"), RATES)
    gan.optimizers["g"].dynamic_scale.assign(2.0**120)
    callback = alarm(warm_up=10**6)
    messages = fit(gan, callback)
    assert kinds(callback) == ["frozen"] and "the generator had no update" in messages[0]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["generator", "average", "moments", "loss", "outputs"])
def test_not_finite(where):
    gan = ConditionalGAN(*networks("pix2pix"), average_decay=0.9)
    gan.compile(run_eagerly=True)

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            weight = {
                "generator": gan.generator.weights[0],
                "average": gan._average.weights[0],
                "moments": gan.optimizers["d"].variables[2],
                "outputs": gan.generator.weights[-1],  # the last bias
            }
            if where == "loss":
                logs["g_l1"] = float("inf")
            elif epoch == 0:
                bad = np.full(weight[where].shape, np.nan, "float32")
                weight[where].assign(bad)

    callback = alarm()
    messages = fit(gan, Spoil(), callback, epochs=2)
    assert [raised[:2] for raised in callback.raised] == [(1, "not finite")]  # once, and nothing else
    said = {
        "generator": "generator/conv2d",
        "average": "average",
        "moments": "optimizer of d: ",
        "loss": "g_l1=inf",
        "outputs": "the sketches",
    }
    assert messages[0].startswith("epoch 1: not finite: ") and said[where] in messages[0]


def test_nothing_is_said_of_collapse_in_the_warm_up():
    gan = gan_of(constant_generator("class"))
    callback = alarm(patience=1, warm_up=5)  # two updates an epoch
    fit(gan, callback, epochs=3)
    assert {epoch for epoch, _, _ in callback.raised} == {3}


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_and_an_average(policy):
    keras.config.set_dtype_policy(policy)
    gan = sgd_gan(networks("shared-q"), RATES, run_eagerly=False, average_decay=0.9)
    # A head of random weights names one class for all.
    callback = alarm(patience=2, judge=lambda x, training: np.eye(N_CLASSES)[np.arange(len(x)) % N_CLASSES])
    assert fit(gan, callback, epochs=4) == []


def test_the_photos_that_are_looked_at():
    np.testing.assert_array_equal(_chosen(np.array([2, 0, 0, 1])), [0, 1, 2, 3])
    many = np.sort(np.arange(600) % 6)
    counts = np.bincount(many[_chosen(many)])
    assert counts.sum() == 32 and set(counts) == {5, 6}
    many = np.arange(1000) % 100
    assert set(np.bincount(many[_chosen(many)])) == {4}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"photos": np.zeros((1, 16, 16, 3))},
            r"`photos` must be .*at least two.*Received: .*\(1, 16, 16, 3\)",
        ),
        ({"photos": np.zeros((9, 16, 16))}, r"`photos` must be .*Received: a shape of \(9, 16, 16\)"),
        ({"labels": np.zeros(9)}, r"`labels` must be \(n, n_classes\).*of 9.*Received: a shape of \(9,\)"),
        ({"labels": np.zeros((8, 3))}, r"`labels` must be .*Received: a shape of \(8, 3\)"),
        ({"sketches": np.zeros((8, 16, 16, 1))}, "`sketches` must be .*Received: a shape of"),
        ({"patience": 0}, "`patience` must be an integer of at least 1. Received: patience=0"),
        ({"warm_up": -1}, "`warm_up` must be an integer of at least 0. Received: warm_up=-1"),
        ({"least_d_loss": -0.1}, "`least_d_loss` must be .*Received: least_d_loss=-0.1"),
        ({"least_diversity": math.nan}, "`least_diversity` must be .*Received: least_diversity=nan"),
    ],
)
def test_refusals(options, message):
    photos, labels = held_out()
    with pytest.raises(ValueError, match=message):
        CollapseAlarm(**{"photos": photos, "labels": labels, **options})


def test_photos_of_another_size_are_refused_before_training():
    gan = sgd_gan(networks("classifier"), RATES)
    callback = CollapseAlarm(np.zeros((4, 8, 8, 3)), np.eye(N_CLASSES)[[0, 1, 2, 0]])
    with pytest.raises(ValueError, match="`photo` must be of shape"):
        fit(gan, callback)


def test_other_models_are_refused():
    callback = alarm()
    callback.set_model(keras.Sequential([keras.Input((2,)), layers.Dense(1)]))
    with pytest.raises(ValueError, match="is for a `ConditionalGAN`. Received: a Sequential"):
        callback.on_train_begin()
