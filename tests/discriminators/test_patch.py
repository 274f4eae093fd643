"""The PatchGAN: size, receptive fields and projection; norms at one pixel in any trunk."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cgan import patch_discriminator, pooled_discriminator, single_unit_discriminator


def test_the_paper_size():
    discriminator = patch_discriminator((256, 256, 6))
    assert sum(int(np.prod(variable.shape)) for variable in discriminator.trainable_variables) == 2_768_705
    assert discriminator.output_shape == (None, 30, 30, 1)


def seen_by(discriminator, row, column):
    """Height and width of the part of the input that one output depends on."""
    image = tf.random.normal((1, *discriminator.input_shape[1:]))
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = discriminator(image)[0, row, column, 0]
    seen = np.any(tape.gradient(value, image)[0].numpy() != 0, axis=-1)
    return tuple(int(np.ptp(np.flatnonzero(seen.any(axis=axis)))) + 1 for axis in (1, 0))


@pytest.mark.parametrize(("n_layers", "field"), [(0, 1), (1, 16), (2, 34), (3, 70)])
def test_receptive_field(n_layers, field):
    discriminator = patch_discriminator((96, 112, 2), filters=2, n_layers=n_layers, norm=None)
    height, width = discriminator.output_shape[1:3]
    assert seen_by(discriminator, height // 2, width // 2) == (field, field)


def test_the_pixel_gan_keeps_the_size():
    discriminator = patch_discriminator((8, 12, 4), filters=2, n_layers=0)
    kernels = [layer.kernel_size for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert kernels == [(1, 1)] * 3 and discriminator.output_shape == (None, 8, 12, 1)


def test_first_and_last_convolutions_have_no_norm():
    discriminator = patch_discriminator((32, 32, 4), filters=2, n_layers=2)
    norms = [
        layer.name for layer in discriminator.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert norms == ["trunk2_norm", "patch_norm"]


@pytest.mark.parametrize("norm", ["batch", "instance", "spectral", None])
@pytest.mark.parametrize("n_layers", [0, 2])
def test_projection_by_hand(n_layers, norm):
    """Of each patch: its features, summed over its places, times the embedding of the label."""
    discriminator = patch_discriminator((16, 20, 2), filters=4, n_layers=n_layers, norm=norm, n_classes=3)
    rng = np.random.default_rng(0)
    image = rng.normal(size=(3, 16, 20, 2)).astype("float32")
    label = np.array([[0, 1, 0], [0, 0, 1], [0.5, 0.5, 2]], "float32")
    inputs = {"image": image, "label": label}
    name = "patch" if n_layers else "pixel"
    last, spectral = f"{name}_logits", "_sn" if norm == "spectral" else ""
    layer = discriminator.get_layer(last + spectral)
    given = keras.Model(discriminator.input, [layer.input, layer.output])
    # Spectral norms are those of inference: none is taken, the kernels are as they were left.
    features, logits = (np.asarray(output) for output in given(inputs, training=False))
    size = 4 if n_layers else 1
    embedding = discriminator.get_layer(f"label_embedding{spectral}")
    kernel = (embedding.layer if spectral else embedding).kernel.numpy()
    assert kernel.shape == (3, features.shape[-1]) and len(embedding.trainable_weights) == 1
    expected = np.empty_like(logits)
    for row, column in np.ndindex(logits.shape[1:3]):
        patch = features[:, row : row + size, column : column + size].sum(axis=(1, 2))
        expected[:, row, column, 0] = logits[:, row, column, 0] + ((label @ kernel) * patch).sum(axis=-1)
    found = discriminator(inputs, training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert np.abs(found - logits).max() > 1e-5


def test_the_embeddings_spectral_norm_is_1():
    discriminator = patch_discriminator((8, 8, 1), filters=4, n_layers=0, norm="spectral", n_classes=3)
    embedding = discriminator.get_layer("label_embedding_sn")
    before = np.linalg.norm(embedding.layer.kernel.numpy(), 2)
    for _ in range(20):
        discriminator({"image": np.zeros((1, 8, 8, 1)), "label": np.eye(3)[:1]}, training=True)
    assert before < 0.5
    np.testing.assert_allclose(np.linalg.norm(embedding.layer.kernel.numpy(), 2), 1, rtol=1e-3)


def test_without_a_label_nothing_of_it_is_there():
    discriminator = patch_discriminator((16, 16, 1), filters=2, n_layers=1)
    assert discriminator.input.name == "image"
    assert not [layer.name for layer in discriminator.layers if "label" in layer.name]


@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize(
    ("builder", "options"),
    [(single_unit_discriminator, {}), (pooled_discriminator, {"n_classes": 3, "n_layers": 4})],
)
def test_a_trunk_that_ends_in_one_pixel_speaks_at_batch_1(builder, options, norm):
    discriminator = builder((16, 16, 1), filters=4, norm=norm, **options)
    features = keras.Model(discriminator.input, discriminator.get_layer("trunk4_relu").output)
    image = np.random.default_rng(0).normal(size=(1, 16, 16, 1))
    assert np.abs(features(image, training=True).numpy()).max() > 1e-6
