"""The fully connected generator: the papers' sizes, weights, output, label."""

import keras
import numpy as np
import pytest

from keras_cgan import mlp_generator
from keras_cgan.generators.conditions import takes_label

MNIST = (28, 28, 1)
CONDITIONAL = {"n_classes": 10, "hidden": (1200,), "latent_units": 200, "label_units": 1000, "dropout": 0.5}
SMALL = {"latent_size": 4, "hidden": (8,)}


def kernels(generator):
    return {layer.name: tuple(layer.kernel.shape) for layer in generator.layers if hasattr(layer, "kernel")}


def layer_names(generator, kind):
    return sorted(layer.name for layer in generator.layers if isinstance(layer, kind))


def part(generator, inputs, layer_name):
    return keras.Model(inputs, generator.get_layer(layer_name).output)


def test_the_size_of_the_gan_paper():
    generator = mlp_generator(MNIST)
    assert kernels(generator) == {
        "hidden1_dense": (100, 1200),
        "hidden2_dense": (1200, 1200),
        "image_dense": (1200, 784),
    }
    # Weights and biases: 100 * 1200 + 1200, 1200 * 1200 + 1200, 1200 * 784 + 784.
    assert generator.count_params() == 121_200 + 1_441_200 + 941_584
    assert layer_names(generator, keras.layers.ReLU) == ["hidden1_relu", "hidden2_relu"]
    assert not layer_names(generator, keras.layers.Dropout) and not takes_label(generator)


def test_the_size_of_the_conditional_paper():
    generator = mlp_generator(MNIST, **CONDITIONAL)
    assert kernels(generator) == {
        "latent_dense": (100, 200),
        "label_dense": (10, 1000),
        "hidden1_dense": (1200, 1200),
        "image_dense": (1200, 784),
    }
    assert generator.count_params() == 20_200 + 11_000 + 1_441_200 + 941_584
    dropouts = layer_names(generator, keras.layers.Dropout)
    assert dropouts == ["hidden1_dropout", "label_dropout", "latent_dropout"]
    assert {generator.get_layer(name).rate for name in dropouts} == {0.5}
    assert takes_label(generator)


@pytest.mark.parametrize("weight_range", [0.05, 0.3])
def test_weights_are_uniform(weight_range):
    generator = mlp_generator(MNIST, hidden=(64, 64), weight_range=weight_range)
    for layer in generator.layers:
        if hasattr(layer, "kernel"):
            drawn = layer.kernel.numpy()
            assert -weight_range <= drawn.min() < -0.95 * weight_range
            assert 0.95 * weight_range < drawn.max() <= weight_range
            np.testing.assert_allclose(drawn.std(), weight_range / np.sqrt(3), rtol=0.05)
            assert not np.any(layer.bias.numpy())


def test_the_output_is_the_papers_sigmoid_stretched():
    generator = mlp_generator((4, 6, 2), **SMALL)
    latents = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    sums = part(generator, generator.input, "image_dense")(latents).numpy()
    pixels = 1 / (1 + np.exp(-sums))  # in [0, 1]
    np.testing.assert_allclose(generator(latents), (2 * pixels - 1).reshape(3, 4, 6, 2), atol=1e-6)


def test_it_may_start_at_the_mean_image(tmp_path):
    mean = np.random.default_rng(0).uniform(-0.9, 0.9, (4, 6, 2))
    generator = mlp_generator((4, 6, 2), output_bias=2 * np.arctanh(mean), **SMALL)
    generator.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras", safe_mode=True)
    for model in (generator, loaded, keras.models.clone_model(generator)):
        np.testing.assert_allclose(model(np.zeros((1, 4), "float32"))[0], mean, atol=1e-6)


def test_latent_and_label_join_as_they_are():
    generator = mlp_generator((4, 4, 1), n_classes=3, **SMALL)
    joined = generator.get_layer("hidden1_dense").input
    assert generator.get_layer("latent_and_label").output is joined and joined.shape == (None, 7)
    assert kernels(generator)["hidden1_dense"] == (7, 8)


def test_the_label_goes_in_linearly():
    """A scaled label scales what its layer says; where it is negative, other units speak."""
    generator = mlp_generator((4, 4, 1), n_classes=3, label_units=16, **SMALL)
    label = generator.input["label"]
    one, other = np.eye(3, dtype="float32")[:2]
    batch = np.stack([one, other, 2 * one - other, -one])
    a, b, mixed, negative = part(generator, label, "label_dense")(batch).numpy()
    np.testing.assert_allclose(mixed, 2 * a - b, atol=1e-6)
    np.testing.assert_allclose(negative, -a, atol=1e-6)
    spoken = part(generator, label, "label_relu")(np.stack([one, 3 * one, -one])).numpy()
    np.testing.assert_allclose(spoken[1], 3 * spoken[0], atol=1e-6)
    assert np.any(spoken[2]) and not np.any((spoken[0] > 0) & (spoken[2] > 0))


def test_every_label_draws_another_image():
    generator = mlp_generator((4, 4, 1), n_classes=3, label_units=16, **SMALL)
    labels = np.asarray([[1, 0, 0], [0, 1, 0], [2, 0, 0], [-1, 0, 0], [0, 0, 0]], "float32")
    images = generator({"latent": np.ones((5, 4), "float32"), "label": labels}).numpy()
    assert len(np.unique(images.reshape(5, -1), axis=0)) == 5


def test_dropout_in_training_only():
    generator = mlp_generator((4, 4, 1), dropout=0.5, **SMALL)
    latents = np.ones((2, 4), "float32")
    assert np.array_equal(generator(latents), generator(latents))
    assert not np.array_equal(generator(latents, training=True), generator(latents, training=True))
