"""Output names, activations and logits of any discriminator or classifier."""

import keras
import numpy as np
import pytest
import tiny
from keras import layers

from keras_cgan import (
    lenet_classifier,
    patch_discriminator,
    pooled_discriminator,
    resnet_classifier,
    shared_q_discriminator,
    single_unit_discriminator,
    two_head_discriminator,
    vgg_classifier,
)
from keras_cgan.training.heads import Head, logits_network, named_outputs

SHAPE = (16, 16, 4)
OPTIONS = {"filters": 4, "n_layers": 1}


def network_of(*last, units=4):
    """A dense layer of `units` and whatever layers come after it."""
    image = keras.Input((8,), name="image")
    x = layers.Dense(units)(image)
    for layer in last:
        x = layer(x)
    return keras.Model(image, x)


BUILT = {
    "patch": (lambda: patch_discriminator(SHAPE, **OPTIONS), {"real_fake": "linear"}),
    "patch sigmoid": (
        lambda: patch_discriminator(SHAPE, activation="sigmoid", **OPTIONS),
        {"real_fake": "sigmoid"},
    ),
    "unit": (lambda: single_unit_discriminator(SHAPE, **OPTIONS), {"real_fake": "linear"}),
    "option 1": (lambda: pooled_discriminator(SHAPE, 3, "sigmoid", **OPTIONS), {"classes": "sigmoid"}),
    "option 2": (lambda: pooled_discriminator(SHAPE, 3, "softmax", **OPTIONS), {"classes": "softmax"}),
    "two heads": (
        lambda: two_head_discriminator(SHAPE, 3, activation="sigmoid", **OPTIONS),
        {"real_fake": "sigmoid", "classes": "softmax"},
    ),
    "shared Q": (
        lambda: shared_q_discriminator(SHAPE, 3, **OPTIONS),
        {"real_fake": "linear", "label": "softmax"},
    ),
}


@pytest.mark.parametrize("name", BUILT)
def test_heads_of_built_discriminators(name):
    build, activations = BUILT[name]
    network = build()
    model, heads = logits_network(network)
    assert heads == {output: Head(activation, from_logits=True) for output, activation in activations.items()}
    assert set(named_outputs(network)) == set(activations)
    assert model.name == network.name
    assert [id(v) for v in model.trainable_variables] == [id(v) for v in network.trainable_variables]
    assert {id(v) for v in model.variables} == {id(v) for v in network.variables}


@pytest.mark.parametrize("build", [lenet_classifier, vgg_classifier, resnet_classifier])
def test_heads_of_built_classifiers(build):
    model, heads = logits_network(build((32, 32, 1), 3), "classifier", vector="label")
    assert heads == {"label": Head("softmax", from_logits=True)}
    assert set(model.output) == {"label"}


@pytest.mark.parametrize("name", BUILT)
def test_logits_lead_to_the_same_outputs(name):
    network = BUILT[name][0]()
    model, heads = logits_network(network)
    image = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype("float32")
    outputs = network(image)
    outputs = outputs if isinstance(outputs, dict) else dict.fromkeys(heads, outputs)
    for output, logits in model(image).items():
        activate = keras.activations.get(heads[output].activation)
        np.testing.assert_allclose(activate(logits), outputs[output], atol=1e-6)


@pytest.mark.parametrize(
    "last, head",
    [
        ([], Head("linear", True)),
        ([layers.Activation("linear")], Head("linear", True)),
        ([layers.Activation("sigmoid")], Head("sigmoid", True)),
        ([layers.Activation("softmax")], Head("softmax", True)),
        ([layers.Activation("sigmoid"), layers.Reshape((4,))], Head("sigmoid", False)),
        ([layers.Softmax()], Head("softmax", False)),
        ([layers.Dense(4, activation="sigmoid")], Head("sigmoid", False)),
        ([layers.Dense(4, activation="softmax")], Head("softmax", False)),
        ([layers.Dense(4, activation=keras.ops.sigmoid)], None),
        ([layers.Reshape((2, 2)), layers.Flatten()], Head("linear", True)),
    ],
)
def test_heads_of_other_networks(last, head):
    network = network_of(*last)
    if head is None:
        with pytest.raises(ValueError, match="must have a linear, sigmoid or softmax"):
            logits_network(network)
        return
    model, heads = logits_network(network)
    assert heads == {"classes": head}
    x = np.random.default_rng(0).normal(size=(2, 8)).astype("float32")
    logits = model(x)["classes"]
    activate = keras.activations.get(head.activation) if head.from_logits else lambda y: y
    np.testing.assert_allclose(activate(logits), network(x), atol=1e-6)


@pytest.mark.parametrize("last", [layers.ReLU(), layers.Activation("tanh"), layers.Dropout(0.5)])
def test_an_activation_that_no_loss_fits(last):
    message = f"`critic`: the last layer of output 'classes'.*Received: a {type(last).__name__} layer"
    with pytest.raises(ValueError, match=message):
        logits_network(network_of(last), argument="critic")


def test_names_of_single_outputs():
    assert list(named_outputs(network_of(units=1))) == ["real_fake"]
    assert list(named_outputs(network_of(units=2))) == ["classes"]
    assert list(named_outputs(network_of(units=2), vector="label")) == ["label"]
    matrix = patch_discriminator(SHAPE, **OPTIONS)
    assert list(named_outputs(matrix, vector="label")) == ["real_fake"]


def test_a_dict_keeps_its_names():
    assert set(named_outputs(tiny.discriminator(("real_fake", "label")))) == {"real_fake", "label"}


def test_what_has_no_names():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    image = keras.Input((8,))
    listed = keras.Model(image, [layers.Dense(1)(image), layers.Dense(4)(image)])
    for wrong in (Subclassed(), layers.Dense(1), "discriminator", keras.Sequential([layers.Dense(1)])):
        with pytest.raises(ValueError, match="`critic` must be a model made with the Functional.*Received: "):
            named_outputs(wrong, argument="critic")
    with pytest.raises(ValueError, match="`critic` must have one input.*Received: critic with inputs"):
        named_outputs(listed, argument="critic")


def test_a_sequential_model_is_functional():
    network = keras.Sequential([keras.Input((8,)), layers.Dense(3, activation="softmax")], name="critic")
    assert list(named_outputs(network)) == ["classes"]
    logits, heads = logits_network(network)
    assert logits.trainable_variables[0] is network.trainable_variables[0]
    assert heads["classes"].activation == "softmax"


def test_losses_of_heads():
    y_true, p = np.array([[0.0, 1.0, 0.0]]), np.array([[0.2, 0.5, 0.3]])
    binary = -np.log([0.8, 0.5, 0.7]).mean()
    logit = np.log(p / (1 - p))
    expected = {
        Head("softmax", False): (p, -np.log(0.5)),
        Head("softmax", True): (np.log(p), -np.log(0.5)),
        Head("sigmoid", False): (p, binary),
        Head("sigmoid", True): (logit, binary),
        Head("linear", True): (logit, binary),
    }
    for head, (y_pred, loss) in expected.items():
        assert float(head.loss()(y_true, y_pred)) == pytest.approx(loss, rel=1e-5)
    weighted = Head("softmax", False).loss("mean_with_sample_weight")
    both = weighted(np.repeat(y_true, 2, 0), np.repeat(p, 2, 0), sample_weight=np.array([1.0, 0.0]))
    assert float(both) == pytest.approx(-np.log(0.5), rel=1e-5)
