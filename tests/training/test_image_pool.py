"""The pool of earlier fakes, alone and in `ConditionalGAN`."""

import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import assert_same_values, networks, sgd_gan

from keras_cgan import FusedAdam
from keras_cgan.training.image_pool import ImagePool

SHAPES = {"image": (2, 2, 1), "label": (3,)}


def fakes(*numbers):
    """Images and labels that all say their number, to tell them apart."""
    number = np.array(numbers, "float32")
    return {"image": np.tile(number[:, None, None, None], (2, 2, 1)), "label": np.tile(number[:, None], 3)}


def numbers_of(given):
    """Which fakes these are; image and label, whole, must be of the same one."""
    images, labels = given["image"].numpy(), given["label"].numpy()
    values = images[:, 0, 0, 0]
    assert (images == values[:, None, None, None]).all()
    np.testing.assert_array_equal(labels, np.tile(values[:, None], 3))
    return values.tolist()


def ask(pool, *numbers):
    return numbers_of(pool({name: tf.constant(part) for name, part in fakes(*numbers).items()}))


@pytest.mark.parametrize("run", [lambda pool: pool, tf.function], ids=["eager", "graph"])
def test_against_a_plain_pool(run):
    """A list in Python: what comes out is what comes in, or something from the list, in exchange."""
    pool = ImagePool(5, SHAPES, seed=1)
    call = run(pool)
    kept, count, exchanged, asked = [None] * 5, 0, 0, 0
    rng = np.random.default_rng(0)
    for step in range(60):
        new = [10.0 * step + k for k in range(rng.integers(1, 6))]
        given = numbers_of(call({name: tf.constant(part) for name, part in fakes(*new).items()}))
        if count < 5:
            assert given == new
            for place, fake in enumerate(new, start=count):
                kept[place % 5] = fake
            count = min(count + len(new), 5)
        else:
            assert len(given) == len(new)
            for shown, fake in zip(given, new):
                if shown != fake:
                    # An earlier one, given out once: the new one is now in its place.
                    kept[kept.index(shown)] = fake
                    exchanged += 1
            asked += len(new)
        assert pool._kept["image"].numpy()[:count, 0, 0, 0].tolist() == kept[:count]
    # Half of the time: within three standard deviations.
    assert abs(exchanged / asked - 0.5) < 3 * 0.5 / asked**0.5


def test_any_of_the_pool_may_be_given_out():
    pool = ImagePool(5, SHAPES, seed=2)
    ask(pool, *range(5))
    seen = {shown for number in range(100, 160) for shown in ask(pool, number) if shown < 5}
    assert seen == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_a_batch_larger_than_the_pool():
    pool = ImagePool(3, SHAPES, seed=3)
    assert ask(pool, *range(5)) == [0, 1, 2, 3, 4]
    shown = ask(pool, *range(10, 18))
    # At most as many as the pool holds are exchanged, and each for another.
    old = [number for number in shown if number < 10]
    assert len(set(shown)) == 8 and len(old) <= 3
    assert shown[3:] == [13, 14, 15, 16, 17]


def test_gradients_stop_at_the_pool():
    pool = ImagePool(3, {"image": (2,)})
    image = tf.Variable([[1.0, 2.0]])
    with tf.GradientTape() as tape:
        shown = pool({"image": image * 2.0})["image"]
        loss = tf.reduce_sum(shown)
    assert tape.gradient(loss, image) is None
    np.testing.assert_array_equal(shown, [[2.0, 4.0]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_fakes_keep_their_dtype(dtype):
    pool = ImagePool(3, {"image": (2,)})
    shown = pool({"image": tf.ones((1, 2), dtype)})["image"]
    assert shown.dtype == dtype
    assert pool._kept["image"].dtype == "float32"


class Shown:
    """Takes the place of a pool: hands out what it is told to, and notes what came in."""

    def __init__(self, pool, given):
        self.size, self.shapes, self.given, self.came = pool.size, pool.shapes, given, []

    def __call__(self, fakes):
        self.came.append(fakes)
        return self.given


def with_pool(strategy, given, **options):
    parts = networks(strategy)
    gan = sgd_gan(parts, image_pool=8, **options)
    # Past Keras, which takes nothing but a layer in a layer's place.
    object.__setattr__(gan, "_pool", Shown(gan._pool, given))
    return gan


@pytest.mark.parametrize("strategy", ["sigmoid", "two-head"])
def test_the_discriminator_sees_the_pools_fakes_with_their_own_labels_and_weights(strategy):
    """As if they had been drawn in this step, for those labels."""
    x, sketch = tiny.batch(4)
    rng = np.random.default_rng(5)
    judged = rng.uniform(-1, 1, (4, *tiny.SIZE, 1 if strategy == "sigmoid" else 4)).astype("float32")
    label = np.eye(3, dtype="float32")[[2, 2, 1, 0]]
    weight = np.array([1, 0, 2, 1], "float32")
    gan = with_pool(strategy, {"judged": judged, "label": label, "weight": weight})
    told, d_model = gan.objectives, tiny.copy(gan.objectives.d_model)
    logs = gan.train_on_batch(x, sketch)

    real = sketch if strategy == "sigmoid" else tiny.pair(x, sketch)
    outputs = d_model(np.concatenate([real, judged]), training=True)
    expected = 0.0
    for name, loss in told.d_losses.items():
        for half, fake, labels, weights in (
            (outputs[name][:4], False, x["label"], None),
            (outputs[name][4:], True, label, weight),
        ):
            expected += 0.5 * loss(told.d_targets(labels, 4, fake)[name], half, sample_weight=weights)
    assert logs["d_loss"] == pytest.approx(float(expected), rel=1e-5)
    # What came in: this step's fakes, with this step's labels.
    came = gan._pool.came[0]
    np.testing.assert_array_equal(came["label"], x["label"])
    np.testing.assert_array_equal(came["weight"], np.ones(4))
    assert came["judged"].shape == judged.shape


def test_a_relativistic_discriminator_compares_what_the_pool_shows_with_the_real_sketch_in_its_place():
    """Each of the pair by its own weight, and half; G compares what it has just drawn."""
    x, sketch = tiny.batch(4)
    judged = np.random.default_rng(5).uniform(-1, 1, (4, *tiny.SIZE, 4)).astype("float32")
    own, others = np.array([1, 0, 2, 1], "float32"), np.array([0.5, 2, 1, 0], "float32")
    gan = with_pool("pix2pix", {"judged": judged, "weight": others}, adversarial_loss="relativistic")
    plain = sgd_gan(tiny.copies((gan.generator, gan.discriminator)), adversarial_loss="relativistic")
    d_model = tiny.copy(gan.objectives.d_model)
    scores = d_model(np.concatenate([tiny.pair(x, sketch), judged]), training=True)["real_fake"].numpy()
    each = np.logaddexp(0, scores[4:] - scores[:4])[:, 0]
    for model in (gan, plain):
        model.optimizers["d"].learning_rate = 0.0
    logs, expected = (model.train_on_batch(x, sketch, own) for model in (gan, plain))
    assert logs["d_loss"] == pytest.approx(((own + others) / 2 * each).mean(), rel=1e-5)
    assert logs["g_adv"] == pytest.approx(expected["g_adv"], rel=1e-5)


def test_the_generator_learns_from_what_it_has_just_drawn():
    """With a discriminator that does not learn the pool makes no difference to G."""
    parts = networks("sigmoid")
    twins = tiny.copies(parts)
    rates = {"g": 0.05, "d": 0.0}
    gan, twin = sgd_gan(parts, rates, image_pool=4), sgd_gan(twins, rates)
    for seed in range(3):
        logs = gan.train_on_batch(*tiny.batch(4, seed))
        expected = twin.train_on_batch(*tiny.batch(4, seed))
        assert {**logs, "d_loss": 0} == pytest.approx({**expected, "d_loss": 0}, rel=1e-5)
    assert_same_values(parts[:1], twins[:1])
    assert logs["d_loss"] != pytest.approx(expected["d_loss"], rel=1e-6)


def test_a_pool_that_is_filling_makes_no_difference():
    parts = networks("sigmoid")
    twins = tiny.copies(parts)
    gan, twin = sgd_gan(parts, image_pool=8), sgd_gan(twins)
    for seed in range(2):
        logs = gan.train_on_batch(*tiny.batch(4, seed))
        assert logs == pytest.approx(twin.train_on_batch(*tiny.batch(4, seed)), rel=1e-5)
    assert_same_values(parts, twins)


def test_evaluation_leaves_the_pool_alone():
    gan = sgd_gan(networks("two-head"), image_pool=4)
    gan.train_on_batch(*tiny.batch(3))
    before = [variable.numpy() for variable in gan._pool.variables]
    gan.evaluate(*tiny.batch(), verbose=0)
    for variable, value in zip(gan._pool.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert int(gan._pool._count) == 3


def test_a_compiled_step():
    gan = sgd_gan(networks("fake-class"), run_eagerly=False, image_pool=3, d_steps=2)
    gan.compile(FusedAdam(1e-3), FusedAdam(1e-3))
    history = gan.fit(*tiny.batch(10), batch_size=4, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert int(gan._pool._count) == 3
