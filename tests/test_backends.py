"""Builders, losses and targets under other Keras backends: TensorFlow is never touched."""

import importlib.util

import pytest

CHILD = """
import sys
import keras
import numpy as np
import keras_cgan
import keras_cgan.testing
import test_builders, test_losses, test_targets

assert keras.backend.backend() == sys.argv[1]
for name in keras_cgan.__all__:
    if keras_cgan._HOME[name] not in ("training", "faster"):
        getattr(keras_cgan, name)

rows = [row for row in test_builders.ROWS if row.id in sys.argv[2].split(",")]
assert {row.builder for row in rows} == {row.builder for row in test_builders.ROWS}
for row in rows:
    model = row.build()
    test_builders.assert_outputs(row, model)
for case in test_losses.NUMBERS:
    test_losses.test_numbers_by_hand(*case)
for shapes in test_losses.MISFITS:
    test_losses.test_a_shape_that_does_not_fit_is_an_error(*shapes)
for dtype in ("float16", "bfloat16"):
    test_losses.test_half_precision_is_as_good_as_single(dtype, 1.0)
for case in test_targets.TABLE:
    test_targets.test_both_options(*case)

def norm_model(name):
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(inputs), name=name)

# Not by clone_model: where Keras writes a config, it imports TensorFlow itself.
model, still = norm_model("trained"), norm_model("still")
model.compile("sgd", loss=keras_cgan.L2Loss())
x = np.arange(6.0).reshape(2, 3)
moved = keras_cgan.testing.moved_variables(lambda: model.train_on_batch(x, x), model, still)
endings = [path.split("/")[-1] for path in moved["trained"]]
assert endings == ["beta", "gamma", "moving_mean", "moving_variance"], moved
assert moved["still"] == []
assert "tensorflow" not in sys.modules
print("all is well")
"""
# One of each builder: other backends compile every layer anew, and slowly.
ROW_IDS = (
    "unet-label,resnet-label,mlp-label,dcgan-norms,resblock-label,patch,unit,pooled,two-head,shared-q,"
    "maxout-label,conv-q,resblock-discriminator,lenet,vgg,resnet-classifier"
)
QUICK_COMPILE = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


def installed(name):
    missing = importlib.util.find_spec(name) is None
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=f"{name} is not installed"))


@pytest.mark.slow
@pytest.mark.parametrize("backend", [installed("jax"), installed("torch")])
def test_runs_without_tensorflow(backend, run_child):
    assert "all is well" in run_child(CHILD, backend, ROW_IDS, KERAS_BACKEND=backend, **QUICK_COMPILE)


ENGINES = """
import sys
import keras_cgan

for name in keras_cgan._EXPORTS["training"]:
    try:
        getattr(keras_cgan, name)
    except ImportError as error:
        assert name in str(error), error
        assert str(error).endswith(f"Received: KERAS_BACKEND={sys.argv[1]}"), error
    else:
        raise AssertionError(f"{name} was imported")
for code in ("from keras_cgan.training.objectives import Objectives", "from keras_cgan import recipes"):
    try:
        exec(code)
    except ImportError as error:
        assert "set KERAS_BACKEND=tensorflow" in str(error), error
    else:
        raise AssertionError(code)
assert "tensorflow" not in sys.modules
print("all is well")
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", [installed("jax"), installed("torch")])
def test_the_engines_ask_for_tensorflow(backend, run_child):
    assert "all is well" in run_child(ENGINES, backend, KERAS_BACKEND=backend)
