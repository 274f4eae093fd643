"""`moved_variables`: every variable that a step changes, of any Keras model, and no other."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_cgan.testing import moved_variables

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


@pytest.fixture
def model():
    """A plain Sequential with weights, moving averages and a seed."""
    stack = [
        keras.Input((3,)),
        layers.Dense(4, use_bias=False, name="first"),
        layers.BatchNormalization(name="norm"),
        layers.Dropout(0.5, name="drop"),
        layers.Dense(1, name="last"),
    ]
    return keras.Sequential(stack, name="model")


def suffixes(paths):
    return ["/".join(path.split("/")[-2:]) for path in paths]


def test_a_step_that_does_nothing(model):
    assert moved_variables(lambda: None, model) == {"model": []}


def test_prediction_moves_nothing(model):
    assert moved_variables(lambda: model.predict_on_batch(X), model) == {"model": []}


def test_a_pass_in_training_mode_moves_averages_and_seeds(model):
    moved = moved_variables(lambda: model(X, training=True), model)["model"]
    assert len(moved) == 3 and moved == sorted(moved)
    assert {"norm/moving_mean", "norm/moving_variance"} < set(suffixes(moved))
    assert any("seed" in path for path in moved)


@pytest.mark.parametrize("run_eagerly", [True, False])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_train_on_batch_moves_everything(model, optimizer, run_eagerly):
    model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=run_eagerly)
    moved = moved_variables(lambda: model.train_on_batch(X, X[:, :1]), model)["model"]
    # Seven of the model's own: neither optimizer nor metrics count.
    assert moved == sorted(variable.path for variable in model.variables)
    assert len(moved) == 8


def test_fit(model):
    model.compile("adam", "mse")
    moved = moved_variables(lambda: model.fit(X, X[:, :1], epochs=1, verbose=0), model)["model"]
    assert set(moved) == {variable.path for variable in model.variables}


def test_frozen_layers_stay(model):
    model.get_layer("first").trainable = False
    model.get_layer("norm").trainable = False
    model.compile("adam", "mse")
    moved = suffixes(moved_variables(lambda: model.train_on_batch(X, X[:, :1]), model)["model"])
    assert {"last/kernel", "last/bias"} < set(moved)
    assert not any(name.startswith(("first", "norm")) for name in moved)


def test_one_single_variable(model):
    kernel = model.get_layer("first").kernel
    assert moved_variables(lambda: kernel.assign(kernel + 1e-6), model) == {"model": [kernel.path]}
    assert moved_variables(lambda: kernel.assign(kernel * 1.0), model) == {"model": []}


def test_several_models_and_layers(model):
    other = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="other")
    layer = layers.Dense(2, name="layer")
    layer.build((None, 3))
    other.compile("sgd", "mse")
    moved = moved_variables(lambda: other.train_on_batch(X, X[:, :2]), model, other, layer)
    assert list(moved) == ["model", "other", "layer"]
    assert moved["model"] == moved["layer"] == [] and len(moved["other"]) == 2


def test_nan(model):
    """A weight that becomes NaN has moved; one that stays NaN has not."""
    bias = model.get_layer("last").bias
    assert moved_variables(lambda: bias.assign([np.nan]), model) == {"model": [bias.path]}
    assert moved_variables(lambda: bias.assign([np.nan]), model) == {"model": []}
    assert moved_variables(lambda: bias.assign([0.0]), model) == {"model": [bias.path]}


def test_half_precision():
    half = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="bfloat16", name="half")], name="half")
    kernel = half.get_layer("half").kernel
    assert moved_variables(lambda: None, half) == {"half": []}
    assert moved_variables(lambda: kernel.assign(kernel + 1), half) == {"half": [kernel.path]}


def test_the_step_is_taken_once(model):
    calls = []
    moved_variables(lambda: calls.append(1), model)
    assert calls == [1]


def test_errors_of_the_step_come_through(model):
    with pytest.raises(ZeroDivisionError):
        moved_variables(lambda: 1 / 0, model)


def test_a_step_that_cannot_be_called(model):
    with pytest.raises(TypeError, match="`step` must be a callable.*Received: step=0.5"):
        moved_variables(0.5, model)


def test_no_models_or_models_of_one_name(model):
    with pytest.raises(ValueError, match=r"`models` must be one or more Keras models.*Received: \(\)"):
        moved_variables(lambda: None)
    with pytest.raises(ValueError, match="have different names. Received: names .'model', 'model'"):
        moved_variables(lambda: None, model, keras.models.clone_model(model))


def test_a_model_that_is_not_built(model):
    unbuilt = keras.Sequential([layers.Dense(1)], name="unbuilt")
    with pytest.raises(ValueError, match="`models` must be built .*'unbuilt' on a batch first.*not built"):
        moved_variables(lambda: None, model, unbuilt)


def test_variables_made_in_the_step_count_as_moved():
    class Lazy(keras.Model):
        def __init__(self):
            super().__init__(name="lazy")
            self.first = layers.Dense(1)
            self.second = layers.Dense(1, name="second")

        def call(self, x):
            return self.first(x)

    lazy = Lazy()
    lazy(np.zeros((1, 2)))

    moved = moved_variables(lambda: lazy.second(np.zeros((1, 2))), lazy)
    assert [path.split("/")[-2:] for path in moved["lazy"]] == [
        ["second", "bias"],
        ["second", "kernel"],
    ]


def test_a_list_of_models(model):
    with pytest.raises(ValueError, match="`models` must be one or more Keras models"):
        moved_variables(lambda: None, [model])
