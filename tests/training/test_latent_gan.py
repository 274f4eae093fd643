"""`LatentGAN`: what GANs from noise share: batches, labels of fakes, losses by name, refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cgan import (
    ADVERSARIAL_LOSSES,
    Latent,
    LatentGAN,
    conv_discriminator,
    maxout_discriminator,
    mlp_generator,
    pooled_discriminator,
    unet_generator,
)
from keras_cgan.testing import moved_variables
from keras_cgan.training.run import Run

SHAPE, SIZE, N_CLASSES = (16, 16, 1), 5, 3
LATENT = Latent(SIZE, (), 0)
STILL = {"d": 0.0, "g": 0.0}


def images(size=4, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (size, *SHAPE)).astype("float32")


def labels(size=4):
    return np.eye(N_CLASSES, dtype="float32")[np.arange(size) % N_CLASSES]


def generator(n_classes=None):
    return mlp_generator(SHAPE, SIZE, n_classes, hidden=(6,), weight_range=0.3)


def judge(n_classes=None):
    """Without dropout: the same at each call."""
    return maxout_discriminator(
        SHAPE, n_classes, hidden=((4, 2),), input_dropout=0.0, dropout=0.0, weight_range=0.3
    )


def gan(g_classes=None, d_classes=None, rates=STILL, compiled=None, **options):
    model = LatentGAN(generator(g_classes), judge(d_classes), LATENT, **options)
    optimizers = {player: keras.optimizers.SGD(rate) for player, rate in rates.items()}
    model.compile(optimizers, **{"run_eagerly": True, **(compiled or {})})
    return model


def drawn_next(model, *batch):
    """What the next step draws; the seeds are put back."""
    state = model.seeds.state.numpy()
    drawn = model.draw(model.unpack(batch), Run())
    model.seeds.state.assign(state)
    return {name: None if part is None else part.numpy() for name, part in drawn.items()}


def softplus(x):
    return np.logaddexp(0, np.asarray(x, "float64"))


BY_HAND = {
    "nonsaturating": (lambda s: softplus(-s), softplus, lambda s: softplus(-s)),
    "saturating": (lambda s: softplus(-s), softplus, lambda s: -softplus(s)),
    "least-squares": (lambda s: (s - 1) ** 2, lambda s: s**2, lambda s: (s - 1) ** 2),
    "hinge": (lambda s: np.maximum(0, 1 - s), lambda s: np.maximum(0, 1 + s), lambda s: -s),
    "wasserstein": (lambda s: -s, lambda s: s, lambda s: -s),
}


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
@pytest.mark.parametrize("loss", ADVERSARIAL_LOSSES)
def test_each_loss_by_hand(loss, update):
    model = gan(loss=loss, update=update)
    drawn = drawn_next(model, images())
    assert drawn["latent"].shape == (4, SIZE) and drawn["label"] is None
    np.testing.assert_allclose(drawn["image"], model.generator(drawn["latent"]), atol=1e-6)
    real, fake = (np.asarray(model.discriminator(shown)) for shown in (images(), drawn["image"]))
    on_real, on_fake, asked = BY_HAND[loss]
    expected = {"d_loss": np.mean(on_real(real)) + np.mean(on_fake(fake)), "g_loss": np.mean(asked(fake))}
    assert model.train_on_batch(images()) == pytest.approx(expected, rel=1e-5)


def test_the_gradient_penalty_by_hand():
    """In training alone: evaluation has no gradients."""
    model = gan(loss="wasserstein", penalty_weight=3.0)
    plain = {name: value for name, value in model.evaluate(images(), return_dict=True, verbose=0).items()}
    drawn = drawn_next(model, images())
    real, fake = (np.mean(model.discriminator(shown)) for shown in (images(), drawn["image"]))
    seeds = keras.random.SeedGenerator()
    seeds.state.assign(model.seeds.state)
    LATENT.sample(4, seeds)
    share = keras.random.uniform((4, 1, 1, 1), seed=seeds)
    points = images() + share * (drawn["image"] - images())
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(model.discriminator(points))
    slopes = np.sqrt(np.sum(tape.gradient(total, points).numpy() ** 2, axis=(1, 2, 3)))
    expected = fake - real + 3 * np.mean((slopes - 1) ** 2)
    assert model.train_on_batch(images())["d_loss"] == pytest.approx(expected, rel=1e-4)
    assert plain["d_loss"] == pytest.approx(-plain["g_loss"] - real, rel=1e-4)


def test_a_penalty_with_labels():
    model = gan(N_CLASSES, N_CLASSES, {"d": 0.1, "g": 0.1}, loss="wasserstein", penalty_weight=10.0)
    assert np.isfinite(list(model.train_on_batch(images(), labels()).values())).all()


def test_fakes_have_the_labels_of_the_batch_or_others():
    data, uniform = gan(N_CLASSES), gan(N_CLASSES, fake_labels="uniform")
    one_class = np.eye(N_CLASSES, dtype="float32")[[2] * 60]
    np.testing.assert_array_equal(drawn_next(data, images(60), one_class)["label"], one_class)
    drawn = drawn_next(uniform, images(60), one_class)
    assert set(drawn["label"].sum(axis=1)) == {1.0} and drawn["label"].sum(axis=0).min() > 8
    expected = uniform.generator({"latent": drawn["latent"], "label": drawn["label"]})
    np.testing.assert_allclose(drawn["image"], expected, atol=1e-6)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
@pytest.mark.parametrize("learning", ["d", "g"])
def test_a_players_step_moves_its_own_network_alone(learning, update):
    model = gan(N_CLASSES, N_CLASSES, {**STILL, learning: 0.1}, update=update)
    networks = {"d": model.discriminator, "g": model.generator}
    moved = moved_variables(lambda: model.train_on_batch(images(), labels()), *networks.values())
    for player, network in networks.items():
        expected = sorted(variable.path for variable in network.trainable_variables)
        assert moved[network.name] == (expected if player == learning else [])


def test_as_a_graph_it_takes_the_same_steps():
    eager = gan(N_CLASSES, N_CLASSES, {"d": 0.1, "g": 0.1})
    graph = LatentGAN.from_config(eager.get_config())
    for new, old in zip(graph.variables, [v for v in eager.variables][: len(graph.variables)], strict=True):
        new.assign(old)
    graph.compile({player: keras.optimizers.SGD(0.1) for player in "dg"})
    for seed in range(3):
        logs = [model.train_on_batch(images(seed=seed), labels()) for model in (eager, graph)]
        assert logs[0] == pytest.approx(logs[1], rel=1e-5)


FORMS = {
    "arrays": (images(), labels()),
    "dict": ({"image": images(), "label": labels()},),
    "integers": (images(), labels().astype("int64")),
    "dataset": (tf.data.Dataset.from_tensors({"image": images(), "label": labels()}),),
    "pairs": (tf.data.Dataset.from_tensors((images(), labels())),),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_batch(form):
    model = gan(N_CLASSES, N_CLASSES)
    expected = model.test_on_batch(images(), labels(), return_dict=True)
    model.seeds.state.assign(gan(N_CLASSES).seeds.state)
    assert set(model.fit(*FORMS[form], verbose=0).history) == set(expected) == {"d_loss", "g_loss"}


def test_images_alone_and_labels_that_nobody_needs():
    model = gan()
    for batch in ((images(),), (images(), labels()), ({"image": images(), "label": labels()},)):
        assert model.unpack(batch).label is None
        assert set(model.train_on_batch(*batch)) == {"d_loss", "g_loss"}
    assert set(model.fit(tf.data.Dataset.from_tensors(images()), verbose=0).history) == {"d_loss", "g_loss"}


def test_evaluation_moves_no_network():
    model = gan(N_CLASSES, N_CLASSES)
    networks = model.generator, model.discriminator
    moved = moved_variables(lambda: model.evaluate(images(), labels(), verbose=0), *networks)
    assert not any(moved.values())


def test_predict_and_average():
    model = gan(rates={"d": 0.1, "g": 0.1}, average_decay=0.5, d_steps=2)
    model.train_on_batch(images())
    assert [int(model.optimizers[player].iterations) for player in "dg"] == [2, 1]
    latents = LATENT.sample(3, 1)
    np.testing.assert_allclose(
        model.predict(latents, verbose=0), model.generator.predict(latents, verbose=0), atol=1e-6
    )
    assert model.averaged().output_shape == (None, *SHAPE)


def sigmoid_judge(inside):
    image = keras.Input(SHAPE, name="image")
    dense = layers.Dense(1, activation="sigmoid" if inside else None)(layers.Flatten()(image))
    outputs = dense if inside else layers.Activation("sigmoid")(dense)
    return keras.Model(image, outputs, name="judge")


def labelled_sigmoid_judge():
    inputs = {"image": keras.Input(SHAPE, name="image"), "label": keras.Input((N_CLASSES,), name="label")}
    joined = layers.Concatenate()([layers.Flatten()(inputs["image"]), inputs["label"]])
    return keras.Model(inputs, layers.Activation("sigmoid")(layers.Dense(1)(joined)), name="judge")


@pytest.mark.parametrize("labelled", [False, True])
def test_an_activation_at_the_end_is_left_off(labelled):
    """Losses are of logits, whether D shows probabilities or not."""
    told = labelled_sigmoid_judge() if labelled else sigmoid_judge(inside=False)
    model = LatentGAN(generator(N_CLASSES if labelled else None), told, LATENT)
    model.compile({player: keras.optimizers.SGD(0.0) for player in "dg"}, run_eagerly=True)
    drawn = drawn_next(model, images(), labels())
    shown = [{"image": x, "label": labels()} if labelled else x for x in (images(), drawn["image"])]
    real, fake = (np.asarray(told(inputs), "float64") for inputs in shown)
    logs = model.train_on_batch(images(), labels())
    assert logs["d_loss"] == pytest.approx(-np.mean(np.log(real)) - np.mean(np.log(1 - fake)), rel=1e-4)


def test_a_sequential_discriminator():
    told = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(1)], name="judge")
    model = LatentGAN(generator(), told, LATENT)
    model.compile(run_eagerly=True)
    assert moved_variables(lambda: model.train_on_batch(images()), told)["judge"]


# ---- saving

OPTIONS = {
    "loss": "hinge",
    "penalty_weight": 2.0,
    "fake_labels": "uniform",
    "update": "sequential",
    "d_steps": 2,
    "average_decay": 0.9,
    "name": "mine",
}


def test_all_options_are_saved_and_it_goes_on(tmp_path):
    model = LatentGAN(generator(N_CLASSES), judge(N_CLASSES), Latent(3, (2,), 0, "unit"), **OPTIONS)
    model.compile(run_eagerly=True)
    model.train_on_batch(images(), labels())
    model.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert {name: again.get_config()[name] for name in OPTIONS} == OPTIONS
    assert again.latent.get_config() == model.latent.get_config()
    for _ in range(2):
        assert again.train_on_batch(images(), labels()) == model.train_on_batch(images(), labels())
    for new, old in zip(again.variables, model.variables, strict=True):
        np.testing.assert_array_equal(new.numpy(), old.numpy(), err_msg=old.path)


def test_an_uncompiled_model_is_saved_with_its_weights(tmp_path):
    model = LatentGAN(generator(), judge(), LATENT)
    model.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    latents = LATENT.sample(3, 1)
    np.testing.assert_array_equal(again.generator(latents), model.generator(latents))


CHILD = """
import sys
import keras
import keras_cgan.recipes

model = keras.models.load_model(sys.argv[1])
print("all is well", model.name)
"""


@pytest.mark.slow
def test_a_fresh_process_loads_it(tmp_path, run_child):
    gan(N_CLASSES, N_CLASSES, name="mine").save(tmp_path / "gan.keras")
    assert "all is well mine" in run_child(CHILD, tmp_path / "gan.keras")


# ---- refusals


def two_inputs():
    inputs = {"latent": keras.Input((SIZE,)), "style": keras.Input((2,))}
    drawn = layers.Dense(256)(layers.Concatenate()(list(inputs.values())))
    return keras.Model(inputs, layers.Reshape(SHAPE)(drawn))


REFUSED = {
    "latent": (
        {"latent": Latent(4, (), 0)},
        "`latent` must be of the size .*, 5. Received: latent of size 4",
    ),
    "images": (
        {"discriminator": conv_discriminator((16, 16, 3), layers=((2, 2),))},
        r"`discriminator` must take the generator's .*Received: discriminator of images \(16, 16, 3\)",
    ),
    "label": (
        {"discriminator": judge(N_CLASSES)},
        "`generator` must take the label.*Received: a generator of None classes, a discriminator of 3",
    ),
    "length": (
        {"generator": generator(4), "discriminator": judge(N_CLASSES)},
        "`generator` must take the label.*Received: a generator of 4 classes, a discriminator of 3",
    ),
    "real_fake": (
        {"discriminator": pooled_discriminator(SHAPE, N_CLASSES, filters=2, n_layers=2)},
        r"`discriminator` must have one unit.*Received: outputs \['classes'\]",
    ),
    "inside": (
        {"discriminator": sigmoid_judge(inside=True)},
        "`discriminator` must make logits.*Received: output 'real_fake' with its sigmoid inside",
    ),
    "photo": (
        {"generator": unet_generator(SHAPE, n_classes=3, filters=2)},
        r"`generator` must take one tensor, or a dict of 'latent' and 'label'.*Received: inputs \['photo'",
    ),
    "style": (
        {"generator": two_inputs()},
        r"`generator` must take one .*Received: inputs \['latent', 'style'\]",
    ),
    "no model": ({"generator": "mlp"}, "`generator` must be a model made .*Received: generator='mlp'"),
    "loss": ({"loss": "gan"}, "`loss` must be one of.*Received: loss='gan'"),
    "weight": (
        {"penalty_weight": -1.0},
        "`penalty_weight` must be a number of at least 0. Received: penalty_weight=-1.0",
    ),
    "nan": ({"penalty_weight": float("nan")}, "`penalty_weight` must be .*Received: penalty_weight=nan"),
    "fake_labels": ({"fake_labels": "real"}, r"`fake_labels` must be one of \('data', 'uniform'\)"),
    "update": ({"update": "both"}, "`update` must be one of"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_networks_and_arguments_that_do_not_fit(case):
    options, message = REFUSED[case]
    parts = {"generator": generator(), "discriminator": judge(), "latent": LATENT, **options}
    with pytest.raises(ValueError, match=message):
        LatentGAN(**parts)


BATCHES = {
    "no label": ((images(),), r"`label` must be one-hot, of shape \(batch, 3\). Received: NoneType"),
    "class numbers": (
        (images(), np.zeros(4)),
        r"`label` must be one-hot, of shape \(batch, 3\). Received: \(4,\)",
    ),
    "length": ((images(), np.eye(4)), r"`label` must be one-hot, of shape \(batch, 3\). Received: \(4, 4\)"),
    "size": ((images()[:, :8], labels()), r"`image` must be of .*16, 16, 1\). Received: \(4, 8, 16, 1\)"),
    "no image": (
        ({"label": labels()},),
        r"`image` must be of shape \(batch, 16, 16, 1\). Received: NoneType",
    ),
    "integers": ((images().astype("uint8"), labels()), r"`image` must hold floats in .*Received: .*uint8"),
    "0..255": ((255 * images(), labels()), r"`image` must hold floats in \[-1, 1\].*Received: image with"),
    "weights": ((images(), labels(), np.ones(4)), r"`sample_weight` must be None.*Received: .*shape \(4,\)"),
}


@pytest.mark.parametrize("case", BATCHES)
def test_batches_that_do_not_fit(case):
    batch, message = BATCHES[case]
    with pytest.raises(ValueError, match=message):
        gan(N_CLASSES).train_on_batch(*batch)
