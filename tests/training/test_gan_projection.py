"""A discriminator that is told the label, by projection: what it is told of whom, with every option."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import assert_same_values, sgd_gan, sgd_trainer

from keras_cgan import (
    ConditionalGAN,
    DiffAugment,
    FusedAdam,
    ReferenceTrainer,
    faster_network,
    maxout_discriminator,
    patch_discriminator,
)
from keras_cgan.testing import moved_variables
from keras_cgan.training.objectives import Objectives
from keras_cgan.training.penalties import r1_penalty

STILL = {"g": 0.0, "d": 0.0, "c": 0.0}
EYE = np.eye(tiny.N_CLASSES, dtype="float32")


def projection(paired=True, norm=None, n_classes=tiny.N_CLASSES, loud=True, **options):
    """A discriminator; `loud`: what it says depends much on the label."""
    channels = 4 if paired else 1
    d = patch_discriminator(
        (*tiny.SIZE, channels), norm=norm, n_classes=n_classes, **{"filters": 2, "n_layers": 1, **options}
    )
    for layer in d.layers if loud else ():
        if layer.name == "label_embedding":
            layer.kernel.assign(np.random.default_rng(1).normal(0, 5, layer.kernel.shape))
    return d


def parts(label=True, classifier=False, **options):
    c = tiny.classifier(batch_norm=False) if classifier else None
    return tiny.generator(label, batch_norm=False), projection(**options), c


def said(d, image, label):
    """Logits; images and labels of either kind, which Keras takes only alike."""
    return d({"image": tf.convert_to_tensor(image), "label": tf.convert_to_tensor(label)})


def real_loss(scores):
    return np.logaddexp(0, -np.asarray(scores)).mean()


def fake_loss(scores):
    return np.logaddexp(0, np.asarray(scores)).mean()


def force(gan, asked, monkeypatch):
    """Lets a gan ask for these labels, whatever those of the batch are."""
    asked = np.asarray(asked, "float32")

    def ask(batch, run):
        own = tf.reduce_all(asked == batch.label, axis=-1)
        return tf.constant(asked), tf.cast(own, tf.float32)

    monkeypatch.setattr(gan, "_asked", ask)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
@pytest.mark.parametrize("joined", [True, False], ids=["joined", "apart"])
@pytest.mark.parametrize("paired", [True, False], ids=["pair", "sketch"])
@pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "graph"])
def test_real_sketches_are_judged_by_their_own_label_and_fakes_by_the_one_asked_for(
    update, joined, paired, run_eagerly, monkeypatch
):
    networks = parts(paired=paired)
    gan = sgd_gan(networks, STILL, run_eagerly=run_eagerly, update=update, joined_batch=joined, swap_rate=0.5)
    x, sketch = tiny.batch()
    asked = np.roll(x["label"], 1, axis=1)
    force(gan, asked, monkeypatch)
    logs = gan.train_on_batch(x, sketch)
    generator, d, _ = networks

    def scores(image, label):
        return said(d, tiny.pair(x, image) if paired else image, label)

    drawn = generator({"photo": x["photo"], "label": asked})
    d_loss = (real_loss(scores(sketch, x["label"])) + fake_loss(scores(drawn, asked))) / 2
    assert logs["d_loss"] == pytest.approx(d_loss, rel=1e-5)
    assert logs["g_adv"] == pytest.approx(real_loss(scores(drawn, asked)), rel=1e-5)
    # By the other label each would be another loss.
    for loss, image in ((real_loss, sketch), (fake_loss, drawn), (real_loss, drawn)):
        assert abs(loss(scores(image, x["label"])) - loss(scores(image, asked))) > 1e-3


def test_what_d_is_given(monkeypatch):
    """As it arrives at the network, in every pass of a step."""
    given = []
    networks = parts(paired=False)
    gan = sgd_gan(networks, STILL, swap_rate=0.5, joined_batch=False)
    x, sketch = tiny.batch()
    asked = np.roll(x["label"], 1, axis=1)
    force(gan, asked, monkeypatch)
    call = type(gan.objectives.d_model).call

    def spy(model, inputs, *args, **options):
        if model is gan.objectives.d_model:
            given.append((np.array(inputs["image"]), np.array(inputs["label"])))
        return call(model, inputs, *args, **options)

    monkeypatch.setattr(type(gan.objectives.d_model), "call", spy)
    gan.train_on_batch(x, sketch)
    drawn = networks[0]({"photo": x["photo"], "label": asked}).numpy()
    expected = [(sketch, x["label"]), (drawn, asked), (drawn, asked)]
    assert len(given) == len(expected)
    for (image, label), (its_image, its_label) in zip(given, expected):
        np.testing.assert_allclose(image, its_image, atol=1e-5)
        np.testing.assert_array_equal(label, its_label)


@pytest.mark.parametrize("integers", [False, True])
def test_labels_are_swapped_whatever_their_dtype(integers):
    gan = sgd_gan(parts(paired=False), swap_rate=0.5, run_eagerly=False)
    x, sketch = tiny.batch()
    label = x["label"].astype("int32" if integers else "float64")
    for call in (gan.train_on_batch, gan.test_on_batch):
        assert np.isfinite(list(call({**x, "label": label}, sketch, return_dict=True).values())).all()


def two_classes(n=64, seed=0):
    """Pairs whose sketches say their class: lines across, or down."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 2, n)
    across = np.where(np.arange(16) // 2 % 2, 1.0, -1.0)
    stripes = np.stack([np.tile(across[:, None], (1, 16)), np.tile(across, (16, 1))])[..., None]
    sketch = stripes[classes] * rng.uniform(0.7, 1, (n, 1, 1, 1))
    photo = rng.uniform(-1, 1, (n, 16, 16, 3))
    return {"photo": photo.astype("float32"), "label": EYE[classes]}, sketch.astype("float32")


def test_d_tells_a_class_that_a_real_sketch_is_not_of():
    """Though no loss says so: G draws what it was asked for badly, and D is told what that was."""
    keras.utils.set_random_seed(0)
    d = projection(paired=False, loud=False, filters=8)  # of 2 filters, some seeds take longer
    gan = ConditionalGAN(tiny.generator(), d, swap_rate=0.5, l1_weight=1.0)
    gan.compile(FusedAdam(1e-3), FusedAdam(5e-3, beta_1=0.5))

    def margins():
        x, sketch = two_classes(seed=1)
        own, other = (said(d, sketch, x["label"][:, order]) for order in ([0, 1, 2], [1, 0, 2]))
        return np.mean(own - other, axis=(1, 2, 3))

    assert np.abs(margins()).max() < 0.1
    gan.fit(*two_classes(), batch_size=8, epochs=20, verbose=0)
    assert np.mean(margins() > 1) > 0.95


@pytest.mark.parametrize("player", "gd")
def test_the_weights_of_the_one_that_learns_move_and_no_others(player):
    networks = parts(norm="batch")[:2]
    gan = sgd_gan(networks, {**STILL, player: 0.1}, swap_rate=0.5)
    moved = moved_variables(lambda: gan.train_on_batch(*tiny.batch()), *networks)
    for network, name in zip(networks, "gd"):
        trained = {variable.path for variable in network.trainable_variables}
        assert trained & set(moved[network.name]) == (trained if name == player else set())


@pytest.mark.parametrize("options", [{}, {"run_eagerly": False}], ids=["eager", "graph"])
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("name", ["r1_weight", "r2_weight"])
def test_r1_is_of_real_pairs_with_their_label_and_r2_of_fakes_with_theirs(name, options, every, monkeypatch):
    networks = parts()
    d = networks[1]
    x, sketch = tiny.batch()
    weight = np.array([2, 0, 1, 1], "float32")
    gan, plain = (
        sgd_gan(networks, STILL, swap_rate=0.5, r1_every=every, **{name: r1}, **options) for r1 in (3.0, 0.0)
    )
    asked = np.roll(x["label"], 1, axis=1)
    for model in (gan, plain):
        force(model, asked, monkeypatch)
    pairs, labels = tiny.pair(x, sketch), (x["label"], asked)
    if name == "r2_weight":
        pairs, labels = tiny.pair(x, networks[0]({**x, "label": asked})), labels[::-1]

    def penalty(label):
        found = r1_penalty(lambda images: said(d, images, label), pairs)
        return np.mean(weight * found.numpy())

    own, other = (penalty(label) for label in labels)
    assert abs(own - other) > 0.05 * own
    logs, without = (model.train_on_batch(x, sketch, weight) for model in (gan, plain))
    assert logs["d_loss"] - without["d_loss"] == pytest.approx(3 * every * own, rel=1e-3)


def test_an_earlier_fake_keeps_its_label(monkeypatch):
    """With a pool that gives earlier ones: D's loss by hand, of their images and their labels."""
    networks = parts(paired=False)
    gan = sgd_gan(networks, STILL, image_pool=4, swap_rate=0.5)
    assert gan._pool.shapes == {"judged": (*tiny.SIZE, 1), "weight": (), "label": (tiny.N_CLASSES,)}
    x, sketch = tiny.batch()
    asked = np.roll(x["label"], 1, axis=1)
    force(gan, asked, monkeypatch)
    gan.train_on_batch(x, sketch)
    kept = {name: variable.numpy() for name, variable in gan._pool._kept.items()}
    np.testing.assert_array_equal(kept["label"], asked)
    # The pool is full, and gives back what is in it alone.
    monkeypatch.setattr(keras.random, "uniform", lambda shape, **options: tf.zeros(shape))
    others = np.roll(x["label"], 2, axis=1)
    force(gan, others, monkeypatch)
    logs = gan.train_on_batch(x, sketch)
    d = networks[1]

    def by(label):
        fakes = fake_loss(said(d, kept["judged"], label))
        return (real_loss(said(d, sketch, x["label"])) + fakes) / 2

    assert logs["d_loss"] == pytest.approx(by(asked), rel=1e-5)
    assert abs(by(asked) - by(others)) > 1e-3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(policy):
    options = {"r1_weight": 1.0, "r2_weight": 1.0, "r1_every": 1, "image_pool": 3, "swap_rate": 0.5}
    networks = parts(paired=False, norm="spectral")
    keras.config.set_dtype_policy(policy)
    half = parts(paired=False, norm="spectral")
    for network, twin in zip(networks[:2], half[:2]):
        twin.set_weights(network.get_weights())
    x, sketch = tiny.batch()
    expected, found = (said(d, sketch, x["label"]) for d in (networks[1], half[1]))
    assert found.dtype == "float32" and half[1].get_layer("label_projection").compute_dtype == policy[6:]
    np.testing.assert_allclose(found, expected, rtol=0.05, atol=0.05 * np.abs(expected).max())
    gan = sgd_gan(half, **options)
    for _ in range(2):
        assert np.isfinite(list(gan.train_on_batch(x, sketch).values())).all()
    assert np.isfinite(list(gan.evaluate(x, sketch, verbose=0, return_dict=True).values())).all()


def test_the_faster_network_says_the_same():
    """Of two inputs, with a convolution that is computed by the cheaper way."""
    image, label = keras.Input((*tiny.SIZE, 1), name="image"), keras.Input((3,), name="label")
    x = keras.layers.Conv2D(4, 4, strides=4, padding="same", activation="relu")(image)
    x = keras.layers.Flatten()(keras.layers.Conv2D(3, 4, strides=2, padding="same", name="product")(x))
    score = keras.layers.Dense(1)(x) + keras.layers.Dot(1)([x, keras.layers.Dense(12)(label)])
    d = keras.Model(
        {"image": image, "label": label}, keras.layers.Activation("linear", name="real_fake")(score)
    )
    told = Objectives(tiny.generator(), d)
    faster = faster_network(told.d_model)
    assert type(faster.get_layer("product")).__name__ == "_Faster"
    x, sketch = tiny.batch()
    for label in (x["label"], np.roll(x["label"], 1, axis=1)):
        found = said(faster, sketch, label)["real_fake"]
        np.testing.assert_allclose(found, said(d, sketch, label), rtol=1e-5, atol=1e-6)
    gan = sgd_gan((tiny.generator(batch_norm=False), d), STILL)
    logs = gan.train_on_batch(x, sketch)
    scores = [said(d, image, x["label"]) for image in (sketch, gan.generator(x))]
    assert logs["d_loss"] == pytest.approx((real_loss(scores[0]) + fake_loss(scores[1])) / 2, rel=1e-4)


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_a_saved_model_goes_on_with_the_same_steps(norm, tmp_path):
    networks = parts(paired=False, norm=norm, augment=DiffAugment())
    gan = sgd_gan(networks, swap_rate=0.5, image_pool=3, r1_weight=0.1, r1_every=2)
    gan.train_on_batch(*tiny.batch())
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.objectives.d_takes_label
    for seed in (1, 2):
        batch = tiny.batch(seed=seed)
        assert again.train_on_batch(*batch) == pytest.approx(gan.train_on_batch(*batch), rel=1e-5)
    assert_same_values((again.generator, again.discriminator), networks[:2])


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_both_engines_take_the_same_steps(update):
    networks = parts(norm="batch", classifier=True)
    twins = tiny.copies(networks)
    trainer = sgd_trainer(networks, update=update)
    gan = sgd_gan(twins, update=update, joined_batch=True)
    for seed, size in enumerate((4, 3)):
        x, sketch = tiny.batch(size, seed)
        expected = trainer.train_on_batch(x, sketch)
        assert gan.train_on_batch(x, sketch) == pytest.approx(expected, rel=2e-4, abs=1e-5)
    assert_same_values(twins, networks, atol=1e-5)


def test_the_label_is_needed_where_d_alone_takes_it():
    networks = parts(label=False)
    told = Objectives(*networks)
    assert told.needs_label and told.d_takes_label and not told.takes_label
    assert told.n_classes == tiny.N_CLASSES and told.paired
    blind = Objectives(networks[0], tiny.discriminator())
    assert not blind.needs_label and not blind.d_takes_label and blind.n_classes is None
    gan = sgd_gan(networks, STILL)
    x, sketch = tiny.batch()
    logs = gan.train_on_batch(x, sketch)
    scores = said(networks[1], tiny.pair(x, networks[0](x["photo"])), x["label"])
    assert logs["g_adv"] == pytest.approx(real_loss(scores), rel=1e-5)
    with pytest.raises(ValueError, match=r"`x` must be a dict .* Received: no 'label' in \['photo'\]"):
        gan.train_on_batch({"photo": x["photo"]}, sketch)
    with pytest.raises(ValueError, match=r"`label` must be one-hot, of shape \(batch, 3\). Received: \(4,\)"):
        gan.train_on_batch({**x, "label": x["label"].argmax(axis=1)}, sketch)


def test_a_discriminator_that_is_told_the_label_in_another_way():
    d = maxout_discriminator((*tiny.SIZE, 1), n_classes=3, hidden=((4, 2),), weight_range=0.2)
    gan = sgd_gan((tiny.generator(), d), swap_rate=0.5)
    assert np.isfinite(list(gan.train_on_batch(*tiny.batch()).values())).all()


def inputs_of(**shapes):
    """A discriminator with other inputs."""
    inputs = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    flat = [keras.layers.Flatten()(tensor) for tensor in inputs.values()]
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()(flat)), name="discriminator")


@pytest.mark.parametrize("engine", [ConditionalGAN, ReferenceTrainer])
@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: inputs_of(sketch=(*tiny.SIZE, 1), label=(3,)),
            r"`discriminator` must take one tensor, or a dict of 'image' and 'label'. Received: inputs "
            r"\['sketch', 'label'\]",
        ),
        (
            lambda: inputs_of(image=(*tiny.SIZE, 2), label=(3,)),
            r"`discriminator` must take 1 channels .* or 4 .* Received: .* 2 input channels",
        ),
        (
            lambda: inputs_of(image=(8, 8, 1), label=(3,)),
            r"`discriminator` must take images of shape \(16, 16, 1\) .* Received: .* \(8, 8, 1\)",
        ),
        (
            lambda: projection(n_classes=4, loud=False),
            "`discriminator` must take labels of the other networks' length, 3. Received: .* length 4",
        ),
    ],
    ids=["names", "channels", "size", "classes"],
)
def test_discriminators_that_do_not_fit(engine, make, message):
    with pytest.raises(ValueError, match=message):
        engine(tiny.generator(), make())


def test_labels_of_another_length_than_the_classifiers():
    networks = parts(label=False, classifier=True, n_classes=4, loud=False)
    with pytest.raises(ValueError, match="`discriminator` must take labels of .*, 3. Received: .* length 4"):
        ConditionalGAN(*networks)


def test_the_reference_trainer_has_the_label_from_the_generators_inputs():
    message = "`generator` must take the label where .* `ConditionalGAN` .* Received: generator='generator'"
    with pytest.raises(ValueError, match=message):
        ReferenceTrainer(*parts(label=False))
