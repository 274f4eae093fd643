"""`ConditionalGAN`: what a step moves, what it logs, how it is compiled."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import LEARNING_RATES, LOG_KEYS, WEIGHTS, assert_same_values, networks, sgd_gan

from keras_cgan import STRATEGIES, ConditionalGAN, FusedAdam
from keras_cgan.terms import BlurredL1, EdgeLikeness
from keras_cgan.testing import moved_variables

every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))
STILL = dict.fromkeys(LEARNING_RATES, 0.0)
OWNERS = {"g": "generator", "d": "discriminator", "c": "classifier"}


def binary_crossentropy(target, output):
    output = np.asarray(output, "float64")
    return -np.mean(target * np.log(output) + (1 - target) * np.log(1 - output))


@every_strategy
def test_logs_are_what_applies(strategy):
    gan = sgd_gan(networks(strategy))
    logs = gan.train_on_batch(*tiny.batch())
    assert set(logs) == LOG_KEYS[strategy] == set(gan.loss_names)
    assert all(type(value) is float and np.isfinite(value) for value in logs.values())
    total = 10 * logs["g_l1"] + 0.7 * logs["g_adv"] + 0.3 * logs.get("g_class", 0.0)
    assert logs["g_loss"] == pytest.approx(total, rel=1e-5)
    as_list = gan.train_on_batch(*tiny.batch(), return_dict=False)
    assert len(as_list) == len(logs) and all(type(value) is float for value in as_list)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
@pytest.mark.parametrize("player", "gdc")
def test_the_weights_of_the_one_that_learns_move_and_no_others(player, update):
    parts = networks("classifier")
    gan = sgd_gan(parts, {**STILL, player: LEARNING_RATES[player]}, update=update)
    moved = moved_variables(lambda: gan.train_on_batch(*tiny.batch()), *parts)
    for network in parts:
        trained = {variable.path for variable in network.trainable_variables}
        expected = trained if network.name == OWNERS[player] else set()
        assert trained & set(moved[network.name]) == expected
        # The moving averages of all: each network takes a step, though by nothing.
        assert set(moved[network.name]) - trained == {v.path for v in network.non_trainable_variables}
    assert all(network.trainable is True for network in parts)


@pytest.mark.parametrize(
    "options", [{}, {"update": "simultaneous", "joined_batch": True}, {"d_steps": 2}], ids=str
)
def test_the_state_of_a_network_moves_in_its_own_pass_alone(options):
    """Averages, seeds, power iterations: as one call of each in training mode moves them."""
    parts = networks("classifier", stochastic=True)
    generator, discriminator, classifier = twins = tiny.copies(parts)
    sgd_gan(parts, STILL, **options).train_on_batch(*tiny.batch())
    x, sketch = tiny.batch()
    drawn = generator(x, training=True)
    for _ in range(options.get("d_steps", 1)):
        discriminator(np.concatenate([tiny.pair(x, sketch), tiny.pair(x, drawn)]), training=True)
    classifier(sketch, training=True)
    same = slice(None) if options.get("d_steps", 1) == 1 else slice(0, 3, 2)
    assert_same_values(parts[same], twins[same])


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_smoothing_is_of_ds_real_targets_alone(update):
    """D's loss by hand; the generator still asks for 1."""
    parts = networks("pix2pix")
    generator, discriminator, _ = tiny.copies(parts)
    gan = sgd_gan(parts, STILL, label_smoothing=0.1, update=update, joined_batch=True)
    x, sketch = tiny.batch()
    logs = gan.train_on_batch(x, sketch)
    drawn = generator(x, training=True)
    judged = discriminator(np.concatenate([tiny.pair(x, sketch), tiny.pair(x, drawn)]), training=True)
    expected = (binary_crossentropy(0.9, judged[:4]) + binary_crossentropy(0.0, judged[4:])) / 2
    assert logs["d_loss"] == pytest.approx(expected, rel=1e-5)
    asked = discriminator(tiny.pair(x, drawn), training=True)
    assert logs["g_adv"] == pytest.approx(binary_crossentropy(1.0, asked), rel=1e-5)


def test_labels_are_swapped_in_an_eager_step_of_arrays():
    gan = sgd_gan(networks("class-and-photo"), run_eagerly=True, swap_rate=0.5)
    assert np.isfinite(gan.train_on_batch(*tiny.batch())["g_loss"])


@pytest.mark.parametrize("own", [[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], ids=str)
@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 1.0, 0.0]], ids=str)
def test_swapped_labels_count_in_the_loss_by_their_weight_and_in_the_logs_as_they_are(
    own, weight, monkeypatch
):
    """Loss, logs and the step by hand."""
    parts = networks("class-and-photo", batch_norm=False)
    generator, discriminator, classifier = tiny.copies(parts)
    terms = [BlurredL1(2.0, (1.0,)), EdgeLikeness(3.0)]
    gan = sgd_gan(parts, {**STILL, "g": 0.05}, swap_rate=0.5, swap_weight=50.0, terms=terms)
    x, sketch = tiny.batch()
    own, counts = np.float32(own), np.float32(weight or [1, 1, 1, 1])
    asked = np.where(own[:, None] == 1, x["label"], np.roll(x["label"], 1, axis=1))
    monkeypatch.setattr(gan, "_asked", lambda batch, run: (tf.constant(asked), tf.constant(own)))
    logs = gan.train_on_batch(x, sketch, sample_weight=None if weight is None else counts)

    with tf.GradientTape() as tape:
        drawn = generator({**x, "label": asked}, training=True)
        each = {
            "l1": tf.reduce_mean(tf.abs(sketch - drawn), axis=(1, 2, 3)),
            "adv": -tf.math.log(discriminator(drawn, training=True)[:, 0]),
            "class": -tf.math.log(tf.reduce_sum(asked * classifier(drawn, training=True), axis=1)),
            "blurred_l1": terms[0](drawn, asked, x["photo"], x["label"], sketch),
            "edges": terms[1](drawn, asked, x["photo"], x["label"], sketch),
        }
        of_class = each["class"] * (own + (1 - own) * 50)
        of_sketch = (10 * each["l1"] + 2 * each["blurred_l1"]) * own
        loss = tf.reduce_mean(counts * (of_sketch + 0.7 * each["adv"] + 0.3 * of_class + 3 * each["edges"]))
    slopes = tape.gradient(loss, generator.trainable_variables)
    for variable, slope in zip(generator.trainable_variables, slopes, strict=True):
        variable.assign(variable - 0.05 * slope)
    assert_same_values(parts[:1], [generator])

    assert logs["g_loss"] == pytest.approx(float(loss), rel=1e-5)
    for name, values in each.items():
        counted = own == 1 if name in ("l1", "blurred_l1") else np.ones(4, bool)
        expected = np.mean((counts * values)[counted]) if counted.any() else 0
        assert logs[f"g_{name}"] == pytest.approx(expected, rel=1e-5), name


@every_strategy
def test_evaluation_gives_the_losses_in_inference_mode_and_moves_nothing(strategy):
    parts = networks(strategy, stochastic=True)
    gan = sgd_gan(parts)
    x, sketch = tiny.batch(8)
    logs = {}
    moved = moved_variables(
        lambda: logs.update(gan.evaluate(x, sketch, batch_size=5, return_dict=True, verbose=0)),
        *tiny.present(parts),
        *gan.optimizers.values(),
    )
    assert not any(moved.values())
    assert set(logs) == LOG_KEYS[strategy]
    drawn = parts[0](x, training=False)
    assert logs["g_l1"] == pytest.approx(np.mean(np.abs(drawn - sketch)), rel=1e-5)
    if strategy in ("pix2pix", "classifier"):
        real, fake = (parts[1](tiny.pair(x, image), training=False) for image in (sketch, drawn))
        expected = (binary_crossentropy(1.0, real) + binary_crossentropy(0.0, fake)) / 2
        assert logs["d_loss"] == pytest.approx(expected, rel=1e-5)
        assert logs["g_adv"] == pytest.approx(binary_crossentropy(1.0, fake), rel=1e-5)
    if STRATEGIES[strategy].classifier:
        for image, name in ((sketch, "c_loss"), (drawn, "g_class")):
            said = np.sum(x["label"] * parts[2](image, training=False), axis=1)
            assert logs[name] == pytest.approx(-np.mean(np.log(said)), rel=1e-5)
    assert gan.test_on_batch(x, sketch, return_dict=True) == pytest.approx(logs, rel=1e-5)


@pytest.mark.parametrize("strategy", ["pix2pix", "classifier", "shared-q"])
def test_weights_of_the_losses_in_compile_take_the_place_of_the_constructors(strategy):
    parts = networks(strategy)
    gan = sgd_gan(parts, STILL)
    before = gan.train_on_batch(*tiny.batch())
    optimizers = {"c_optimizer": "sgd"} if strategy == "classifier" else {}
    gan.compile("sgd", "sgd", l1_weight=0.0, class_weight=5.0, run_eagerly=True, **optimizers)
    after = gan.train_on_batch(*tiny.batch())
    assert before["g_loss"] == pytest.approx(
        10 * before["g_l1"] + 0.7 * before["g_adv"] + 0.3 * before.get("g_class", 0.0), rel=1e-5
    )
    expected = 0.7 * after["g_adv"] + 5.0 * after.get("g_class", 0.0)
    assert after["g_loss"] == pytest.approx(expected, rel=1e-5)
    assert {name: gan.get_config()[name] for name in WEIGHTS} == WEIGHTS
    compiled = gan.get_compile_config()
    assert (compiled["l1_weight"], compiled["class_weight"]) == (0.0, 5.0)
    assert "adversarial_weight" not in compiled
    # Compiled again without: the constructor's.
    gan.compile("sgd", "sgd", run_eagerly=True, **optimizers)
    again = gan.train_on_batch(*tiny.batch())
    total = 10 * again["g_l1"] + 0.7 * again["g_adv"] + 0.3 * again.get("g_class", 0.0)
    assert again["g_loss"] == pytest.approx(total, rel=1e-5)


def test_optimizers_by_name_and_by_default():
    gan = ConditionalGAN(*networks("classifier"))
    gan.compile(g_optimizer="sgd", d_optimizer="rmsprop")
    kinds = {player: type(optimizer).__name__ for player, optimizer in gan.optimizers.items()}
    assert kinds == {"g": "SGD", "d": "RMSprop", "c": "FusedAdam"}
    assert gan.optimizer is gan.optimizers["g"]
    gan.compile()
    assert all(isinstance(optimizer, FusedAdam) for optimizer in gan.optimizers.values())
    settings = {player: (float(o.learning_rate), o.beta_1) for player, o in gan.optimizers.items()}
    expected = {"g": (2e-4, 0.5), "d": (2e-4, 0.5), "c": (1e-3, 0.9)}
    assert settings == {player: pytest.approx(setting) for player, setting in expected.items()}


def test_optimizers_hold_the_slots_of_their_own_network_alone():
    parts = networks("classifier")
    gan = ConditionalGAN(*parts)
    gan.compile()
    for player, network in zip("gdc", parts):
        # Adam: two moments a variable, the number of iterations, the learning rate.
        assert len(gan.optimizers[player].variables) == 2 * len(network.trainable_variables) + 2


def test_class_blind_networks_take_bare_photos():
    gan = sgd_gan(networks("pix2pix", label=False))
    x, sketch = tiny.batch()
    assert set(gan.train_on_batch(x["photo"], sketch)) == LOG_KEYS["pix2pix"]
    assert set(gan.train_on_batch({"photo": x["photo"]}, sketch)) == LOG_KEYS["pix2pix"]
    assert set(gan.fit(x["photo"], sketch, verbose=0).history) == LOG_KEYS["pix2pix"]


def test_sequential_networks():
    def layered(channels, *layers, name):
        return keras.Sequential([keras.Input((*tiny.SIZE, channels)), *layers], name=name)

    flatten, dense = keras.layers.Flatten, keras.layers.Dense
    generator = layered(3, keras.layers.Conv2D(1, 3, padding="same"), name="g")
    discriminator = layered(4, flatten(), dense(1, "sigmoid"), name="d")
    classifier = layered(1, flatten(), dense(3, "softmax"), name="c")
    parts = (generator, discriminator, classifier)
    gan = sgd_gan(parts, strategy="classifier")
    moved = moved_variables(lambda: gan.train_on_batch(*tiny.batch()), *parts)
    assert [len(paths) for paths in moved.values()] == [2, 2, 2]
    x, _ = tiny.batch()
    np.testing.assert_allclose(gan.predict(x, verbose=0), generator(x["photo"]), atol=1e-6)


def test_float64_images_and_integer_labels_are_taken_as_they_may_come():
    parts = networks("two-head")
    twins = tiny.copies(parts)
    x, sketch = tiny.batch()
    odd = {"photo": x["photo"].astype("float64"), "label": x["label"].astype("int64")}
    logs = sgd_gan(parts, image_pool=3).train_on_batch(odd, sketch.astype("float64"), [1, 1, 1, 1])
    assert logs == pytest.approx(sgd_gan(twins).train_on_batch(x, sketch), rel=1e-5)
    assert_same_values(parts, twins)


def test_a_generator_that_takes_a_dict_of_the_photo_alone():
    photo = keras.Input((*tiny.SIZE, 3), name="photo")
    sketch = keras.layers.Conv2D(1, 3, padding="same", activation="tanh")(photo)
    parts = (keras.Model({"photo": photo}, sketch, name="generator"), tiny.discriminator(), None)
    gan = sgd_gan(parts)
    x, sketch = tiny.batch()
    for given in (x, {"photo": x["photo"]}, x["photo"]):
        assert set(gan.train_on_batch(given, sketch)) == LOG_KEYS["pix2pix"]
        expected = parts[0]({"photo": x["photo"]})
        np.testing.assert_allclose(gan.predict(given, verbose=0), expected, atol=1e-6)
