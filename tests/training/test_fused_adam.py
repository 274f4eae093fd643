"""`FusedAdam` is `keras.optimizers.Adam`, by another kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cgan import FusedAdam

Adam = keras.optimizers.Adam
RTOL = 1e-6
# A number that float32 holds exactly. Keras takes 1 - .999 once in float64 and once in float32, which
# differ by 5e-5 of it; the kernel always in float32.
EXACT = {"beta_2": 1 - 2**-10, "beta_1": 0.875}


def variables(dtype="float32"):
    rng = np.random.default_rng(0)
    return [keras.Variable(rng.normal(size=shape), dtype=dtype) for shape in ((3, 4), (4,), ())]


def gradients(seed, scale=1.0, dtype="float32"):
    rng = np.random.default_rng(seed)
    return [tf.constant(scale * rng.normal(size=shape), dtype) for shape in ((3, 4), (4,), ())]


def run(optimizer, steps=6, dtype="float32", scale=1.0, step=None):
    """The variables and all that the optimizer keeps, after some steps."""
    weights = variables(dtype)
    optimizer.build(weights)
    step = step or optimizer.apply
    for seed in range(steps):
        step(gradients(seed, scale, dtype), weights)
    kept = [variable for variable in optimizer.variables if variable.dtype != "int64"]
    return [np.asarray(tf.cast(variable.value, tf.float64)) for variable in (*weights, *kept)]


def assert_same(results, expected, rtol=RTOL):
    for actual, wanted in zip(results, expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=rtol, atol=1e-7)


def schedule():
    return keras.optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.01, 0.05])


OPTIONS = {
    "plain": lambda: {},
    "pix2pix": lambda: {"learning_rate": 2e-4, "beta_1": 0.5},
    "all": lambda: {"learning_rate": 0.1, "beta_1": 0.3, "beta_2": 0.8, "epsilon": 0.01},
    "schedule": lambda: {"learning_rate": schedule()},
    "clipnorm": lambda: {"learning_rate": 0.1, "clipnorm": 0.5},
    "global_clipnorm": lambda: {"learning_rate": 0.1, "global_clipnorm": 0.5},
    "clipvalue": lambda: {"learning_rate": 0.1, "clipvalue": 0.3},
    "weight_decay": lambda: {"learning_rate": 0.1, "weight_decay": 0.1},
    "accumulation": lambda: {"learning_rate": 0.1, "gradient_accumulation_steps": 2},
    "loss_scale_factor": lambda: {"learning_rate": 0.1, "loss_scale_factor": 8.0},
    "average": lambda: {"learning_rate": 0.1, "use_ema": True, "ema_overwrite_frequency": 3},
    "amsgrad": lambda: {"learning_rate": 0.1, "amsgrad": True},
}


def both(**options):
    """The two optimizers with the same options."""
    options = {**EXACT, **options}
    return FusedAdam(**options), Adam(**options)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_weights_and_slots_are_adams(name):
    fused, plain = both(**OPTIONS[name]())
    assert_same(run(fused), run(plain))
    assert int(fused.iterations) == int(plain.iterations) == (3 if name == "accumulation" else 6)


@pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e6])
def test_gradients_that_are_tiny_and_large(scale):
    fused, plain = both(learning_rate=0.1)
    assert_same(run(fused, scale=scale), run(plain, scale=scale))


@pytest.mark.parametrize("betas", [(0.5, 0.999), (0.9, 0.999)], ids=str)
def test_the_paper_in_float64(betas):
    """With the betas that are used: nearer to the truth than Keras' own."""
    beta_1, beta_2 = betas
    steps = 100
    weights = [np.array(variable, "float64") for variable in variables()]
    m, v = ([np.zeros_like(weight) for weight in weights] for _ in range(2))
    for t in range(1, steps + 1):
        for k, gradient in enumerate(gradients(t - 1)):
            g = gradient.numpy().astype("float64")
            m[k] = beta_1 * m[k] + (1 - beta_1) * g
            v[k] = beta_2 * v[k] + (1 - beta_2) * g**2
            rate = 0.01 * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            weights[k] = weights[k] - rate * m[k] / (np.sqrt(v[k]) + 1e-7)
    errors = []
    for kind in (FusedAdam, Adam):
        results = run(kind(0.01, beta_1=beta_1, beta_2=beta_2), steps=steps)
        errors.append(max(np.abs(result - weight).max() for result, weight in zip(results, weights)))
    assert errors[0] < 2e-6
    assert errors[0] < errors[1] < 5e-5


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_compiled_step(jit_compile):
    """One trace for all steps: what changes is read in each."""
    (optimizer, plain), traces = both(learning_rate=schedule()), []

    @tf.function(jit_compile=jit_compile)
    def compiled(grads, weights):
        traces.append(1)
        optimizer.apply(grads, weights)

    def step(grads, weights):
        compiled(grads, [variable.value for variable in weights])

    assert_same(run(optimizer, step=step), run(plain))
    assert len(traces) == 1


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes_are_updated_by_keras(dtype):
    fused, plain = both(learning_rate=0.01, epsilon=1e-3)
    assert_same(run(fused, dtype=dtype), run(plain, dtype=dtype), rtol=0)


def test_half_precision_gradients_of_float32_weights():
    def step_of(optimizer):
        return lambda grads, weights: optimizer.apply([tf.cast(g, tf.float16) for g in grads], weights)

    fused, plain = both(learning_rate=0.1)
    assert_same(run(fused, step=step_of(fused)), run(plain, step=step_of(plain)))


def test_the_kernel_is_what_runs():
    """Else the tests above would compare Keras' own with itself."""
    optimizer = FusedAdam(0.1)
    weights = variables()
    optimizer.build(weights)
    compiled = tf.function(lambda grads: optimizer.apply(grads, weights))
    operations = compiled.get_concrete_function(gradients(0)).graph.get_operations()
    assert [operation.type for operation in operations].count("ResourceApplyAdam") == 3


def test_sparse_gradients_are_updated_by_keras():
    """An index twice in a batch: Keras squares each of its gradients, the kernel would their sum."""
    weights = []
    for optimizer in both(learning_rate=0.1):
        keras.utils.set_random_seed(0)
        index = keras.Input((2,), dtype="int32")
        flat = layers.Flatten()(layers.Embedding(5, 3)(index))
        model = keras.Model(index, layers.Dense(1)(flat))
        model.compile(optimizer, "mse")
        rng = np.random.default_rng(0)
        x, y = rng.integers(0, 5, (8, 2)), rng.normal(size=(8, 1))
        model.fit(x, y, batch_size=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert_same(*weights, rtol=1e-5)


def test_loss_scaling_around_it():
    fused, plain = (
        keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=4.0)
        for optimizer in both(learning_rate=0.1)
    )
    assert_same(run(fused), run(plain))


@pytest.mark.parametrize("name", list(OPTIONS))
def test_its_configuration_makes_the_same_again(name):
    optimizer = FusedAdam(**OPTIONS[name](), name="mine")
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is FusedAdam and again.name == "mine"
    assert again.get_config() == optimizer.get_config()
    assert_same(run(again), run(optimizer))


def test_it_is_saved_in_a_model_with_its_slots(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.compile(FusedAdam(0.1), "mse")
    x, y = np.ones((3, 4), "float32"), np.ones((3, 1), "float32")
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, again):
        each.train_on_batch(x, y)
    for new, old in zip(again.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_allclose(new.numpy(), old.numpy(), rtol=RTOL)
    for new, old in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old, rtol=RTOL)
