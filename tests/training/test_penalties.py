"""Slopes by hand: of linear and quadratic critics, within another tape, in a graph, in half precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cgan import AdversarialModel, patch_discriminator
from keras_cgan.adversarial_losses import adversarial_loss
from keras_cgan.testing import moved_variables
from keras_cgan.training.penalties import gradient_penalty, r1_penalty

WEIGHTS = np.array([[3.0], [4.0]], "float32")


def points(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def linear(x):
    """Of slope 5 everywhere."""
    return tf.matmul(tf.cast(x, tf.float32), WEIGHTS)


def square(x):
    """Of slope |x|."""
    return 0.5 * tf.reduce_sum(x**2, axis=-1, keepdims=True)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_a_linear_critic(wrap):
    penalty = wrap(lambda real, fake: gradient_penalty(linear, real, fake))(
        points(6, 2), points(6, 2, seed=1)
    )
    np.testing.assert_allclose(penalty, [16.0] * 6, rtol=1e-5)
    squares = wrap(lambda real: r1_penalty(linear, real))(points(6, 2))
    assert penalty.dtype == squares.dtype == tf.float32
    np.testing.assert_allclose(squares, [25.0] * 6, rtol=1e-5)


def test_r1_is_taken_at_the_real_samples():
    real = points(5, 3)
    np.testing.assert_allclose(r1_penalty(square, real), (real**2).sum(axis=1), rtol=1e-5)


def test_the_points_lie_between_at_a_place_of_their_own_for_each_sample():
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return tf.reduce_sum(x, axis=(1, 2, 3))[:, None]

    real, fake = points(200, 2, 3, 1), points(200, 2, 3, 1, seed=1)
    gradient_penalty(critic, real, fake, keras.random.SeedGenerator(1))
    share = (seen[0] - real) / (fake - real)
    np.testing.assert_allclose(share, np.broadcast_to(share[:, :1, :1], share.shape), atol=0.02)
    share = np.median(share, axis=(1, 2, 3))
    # Uniform: mean 1/2 and standard deviation .29, within three standard errors.
    assert share.min() > -0.01 and share.max() < 1.01
    assert abs(share.mean() - 0.5) < 3 * 0.29 / 200**0.5 and abs(share.std() - 0.29) < 0.05


def test_the_slope_at_the_points_between():
    real, fake = points(6, 2), points(6, 2, seed=1)
    share = keras.random.uniform((6, 1), seed=keras.random.SeedGenerator(3)).numpy()
    slope = np.linalg.norm(real + share * (fake - real), axis=1)
    penalty = gradient_penalty(square, real, fake, keras.random.SeedGenerator(3))
    np.testing.assert_allclose(penalty, (slope - 1) ** 2, rtol=1e-4)


def test_the_seeds_go_on():
    seeds = keras.random.SeedGenerator(0)
    first = gradient_penalty(square, points(4, 2), points(4, 2, seed=1), seeds)
    state = seeds.state.numpy()
    second = gradient_penalty(square, points(4, 2), points(4, 2, seed=1), seeds)
    assert not np.allclose(first, second)
    seeds.state.assign(state)
    again = gradient_penalty(square, points(4, 2), points(4, 2, seed=1), seeds)
    np.testing.assert_array_equal(again, second)


def test_a_patch_matrix_counts_as_its_mean():
    def patches(x):
        return tf.tile(linear(x)[:, None, None], (1, 3, 4, 1))

    np.testing.assert_allclose(r1_penalty(patches, points(2, 2)), [25.0] * 2, rtol=1e-5)
    penalty = gradient_penalty(patches, points(2, 2), points(2, 2))
    np.testing.assert_allclose(penalty, [16.0] * 2, rtol=1e-5)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "graph"])
def test_gradients_to_the_critics_weights(wrap):
    """Of (|w| - 1)^2: 2 (|w| - 1) w / |w|; of |w|^2: 2 w."""
    weights = tf.Variable(WEIGHTS)

    def critic(x):
        return tf.matmul(x, weights)

    @wrap
    def gradients(real, fake):
        with tf.GradientTape(persistent=True) as tape:
            penalty = tf.reduce_mean(gradient_penalty(critic, real, fake))
            r1 = tf.reduce_mean(r1_penalty(critic, real))
        return tape.gradient(penalty, weights), tape.gradient(r1, weights)

    penalty, r1 = gradients(points(3, 2), points(3, 2, seed=1))
    np.testing.assert_allclose(penalty, 2 * 4 * WEIGHTS / 5, rtol=1e-5)
    np.testing.assert_allclose(r1, 2 * WEIGHTS, rtol=1e-5)


def test_no_gradient_flows_to_the_fakes():
    fake = tf.Variable(points(3, 2))
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(square, points(3, 2, seed=1), fake)
    assert tape.gradient(penalty, fake) is None


def test_a_flat_critic_has_finite_gradients():
    weights = tf.Variable(np.zeros((2, 1), "float32"))
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: tf.matmul(x, weights), points(3, 2), points(3, 2))
    np.testing.assert_allclose(penalty, [1.0] * 3, rtol=1e-4)
    np.testing.assert_array_equal(tape.gradient(penalty, weights), [[0], [0]])
    # Nor does one that does not look at its input.
    np.testing.assert_array_equal(r1_penalty(lambda x: tf.ones((3, 1)), points(3, 2)), [0] * 3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype):
    real, fake = tf.constant(points(3, 2), dtype), tf.constant(points(3, 2, seed=1), dtype)
    penalty = gradient_penalty(
        lambda x: tf.matmul(tf.cast(x, dtype), tf.constant(WEIGHTS, dtype)), real, fake
    )
    assert penalty.dtype == tf.float32
    np.testing.assert_allclose(penalty, [16.0] * 3, rtol=1e-2)


def test_many_patches_in_half_precision():
    """70x70 patches of 256 px are 900: the slope of the mean of smaller ones would be 0 in float16."""
    small = np.full((2, 1), 1e-4, "float16")

    def patches(x):
        return tf.tile(tf.matmul(tf.cast(x, "float16"), small)[:, None, None], (1, 60, 60, 1))

    np.testing.assert_allclose(r1_penalty(patches, points(3, 2)), [2e-8] * 3, rtol=1e-2)


def test_other_shapes():
    message = r"`real` and `fake`.*Received: real of shape \(3, 2\), fake of shape \(3, 1\)"
    with pytest.raises(ValueError, match=message):
        gradient_penalty(linear, points(3, 2), points(3, 1))


def test_an_integer_is_no_seed():
    with pytest.raises(ValueError, match="`seed` must be a `keras.random.SeedGenerator`.*Received: seed=3"):
        gradient_penalty(linear, points(3, 2), points(3, 2), seed=3)


SIZE, LATENT = (16, 16, 1), 4


def small_maps():
    """Convolutions of few positions, which the engine runs as matrix products."""
    x = image = keras.Input(SIZE)
    for filters in (4, 6, 8):
        x = layers.LeakyReLU(0.2)(layers.Conv2D(filters, 4, 2, "same")(x))
    return keras.Model(image, layers.Dense(1)(layers.Flatten()(x)), name="small_maps")


def patches():
    return patch_discriminator(SIZE, filters=4, n_layers=2, norm=None)


class CriticGAN(AdversarialModel):
    """WGAN-GP, with R1 beside: in the engine, whatever it runs in a network's place."""

    loss_names = ("d_loss", "g_loss", "d_penalty", "d_r1")

    def __init__(self, critic=patches):
        super().__init__()
        x = keras.Input((LATENT,))
        drawn = layers.Reshape(SIZE)(layers.Dense(256, "tanh")(x))
        self.generator = keras.Model(x, drawn, name="generator")
        self.discriminator = critic()
        self.seeds = keras.random.SeedGenerator(1)

    def players(self):
        return {"d": [self.discriminator], "g": [self.generator]}

    def draw(self, images, run):
        return run(self.generator, keras.random.normal((tf.shape(images)[0], LATENT), seed=self.seeds))

    def d_losses(self, images, drawn, run):
        def critic(images):
            return run(self.discriminator, images)

        loss = adversarial_loss("wasserstein")
        penalty = tf.reduce_mean(gradient_penalty(critic, images, drawn, self.seeds))
        r1 = tf.reduce_mean(r1_penalty(critic, images))
        d_loss = tf.reduce_mean(loss.real(critic(images)) + loss.fake(critic(drawn)))
        return {"d_loss": d_loss + 10 * penalty + 5 * r1, "d_penalty": penalty, "d_r1": r1}

    def g_losses(self, images, drawn, run):
        loss = adversarial_loss("wasserstein")
        return {"g_loss": tf.reduce_mean(loss.generator(run(self.discriminator, drawn)))}


@pytest.mark.parametrize("critic", [patches, small_maps])
def test_in_the_engine_against_plain_tensorflow(critic):
    """Second derivatives go through what the engine runs in a network's place, too."""
    keras.utils.set_random_seed(0)
    gan = CriticGAN(critic)
    rate = 1e-3
    gan.compile({player: keras.optimizers.SGD(rate) for player in ("d", "g")})
    twin = keras.models.clone_model(gan.discriminator)
    twin.set_weights(gan.discriminator.get_weights())
    seeds, images = keras.random.SeedGenerator(1), points(3, *SIZE)
    drawn = gan.generator(keras.random.normal((3, LATENT), seed=seeds))
    with tf.GradientTape() as tape:
        r1 = tf.reduce_mean(r1_penalty(twin, images))
        penalty = tf.reduce_mean(gradient_penalty(twin, images, drawn, seeds))
        total = tf.reduce_mean(twin(drawn)) - tf.reduce_mean(twin(images)) + 10 * penalty + 5 * r1
    gradients = tape.gradient(total, [weight.value for weight in twin.trainable_weights])
    logs = gan.train_on_batch(images)
    assert logs["d_penalty"] == pytest.approx(float(penalty), rel=1e-4)
    assert logs["d_r1"] == pytest.approx(float(r1), rel=1e-4)
    for old, new, gradient in zip(
        twin.trainable_weights, gan.discriminator.trainable_weights, gradients, strict=True
    ):
        moved = (old.numpy() - new.numpy()) / rate
        np.testing.assert_allclose(moved, gradient, rtol=1e-2, atol=1e-3 * np.abs(gradient).max() + 2e-4)


@pytest.mark.slow
def test_a_resumed_training_takes_the_same_points(tmp_path):
    images = points(4, *SIZE)
    keras.utils.set_random_seed(0)
    gan = CriticGAN()
    gan.compile()
    gan.train_on_batch(images)
    gan.save_weights(tmp_path / "gan.weights.h5")
    expected = [gan.train_on_batch(images) for _ in range(2)]
    keras.utils.set_random_seed(5)
    other = CriticGAN()
    other.compile()
    other.load_weights(tmp_path / "gan.weights.h5")
    for logs in expected:
        assert other.train_on_batch(images) == pytest.approx(logs, rel=1e-5)


def test_the_penalised_step_moves_the_critic_alone():
    gan = CriticGAN()
    gan.compile({"d": keras.optimizers.SGD(1e-3), "g": keras.optimizers.SGD(0.0)})
    moved = moved_variables(lambda: gan.train_on_batch(points(2, *SIZE)), gan.discriminator, gan.generator)
    assert moved["generator"] == [] and moved[gan.discriminator.name]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    gan = CriticGAN()
    gan.compile()
    logs = [gan.train_on_batch(points(4, *SIZE)) for _ in range(3)]
    assert np.isfinite([value for log in logs for value in log.values()]).all()
    assert logs[0]["d_penalty"] < 1.1
