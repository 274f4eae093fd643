"""The callbacks: one bar, pictures by the weights that are kept, an end where losses are not finite."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cgan import Latent, LatentGAN, maxout_discriminator, mlp_generator
from keras_cgan.callbacks import DrawPictures, ShowProgress, StopIfNotFinite
from keras_cgan.data import read_image

SHAPE = (16, 16, 1)


def gan(**options):
    model = LatentGAN(
        mlp_generator(SHAPE, 4, hidden=(6,)),
        maxout_discriminator(SHAPE, hidden=((4, 2),)),
        Latent(4, (), 0),
        **options,
    )
    model.compile()
    return model


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (12, *SHAPE)).astype("float32")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_losses_that_are_not_finite_end_the_training(bad):
    stop = StopIfNotFinite("rest a while")
    stop.on_epoch_end(0, {"g_loss": 1.0, "val_g_l1": 0.5})
    message = rf"epoch 3 is not saved; rest a while. Received: d_loss={bad}, val_g_l1={bad}"
    with pytest.raises(RuntimeError, match=message):
        stop.on_epoch_end(2, {"d_loss": bad, "g_loss": 1.0, "val_g_l1": bad})


def test_nan_in_fit_is_seen(images):
    model = gan()
    model.generator.set_weights([weight * np.nan for weight in model.generator.get_weights()])
    after = []
    callbacks = [StopIfNotFinite(), keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: after.append(1))]
    with pytest.raises(RuntimeError, match="all losses must be finite"):
        model.fit(images, batch_size=4, verbose=0, callbacks=callbacks)
    assert not after  # what would save comes later, and does not


@pytest.mark.parametrize("average_decay", [None, 0.9])
def test_pictures_are_drawn_by_the_weights_that_are_kept(average_decay, images, tmp_path):
    model = gan(average_decay=average_decay)
    latent = model.latent.sample(1, seed=0)

    def draw(generator):
        image = generator.predict_on_batch(latent)[0]
        return np.repeat(np.round((image + 1) * 127.5).astype("uint8"), 3, axis=-1)

    pictures = DrawPictures(model, tmp_path / "samples", draw, stem="round")
    model.fit(images, batch_size=4, epochs=2, verbose=0, callbacks=[pictures])
    files = sorted(file.name for file in (tmp_path / "samples").iterdir())
    assert files == ["round-001.png", "round-002.png"]
    first, last = (read_image(tmp_path / "samples" / name, 3) for name in files)
    kept = model.averaged() if average_decay else model.generator
    np.testing.assert_array_equal(last, draw(kept))
    assert np.any(first != last)
    if average_decay:
        assert np.any(last != draw(model.generator))
    # A network of its own: training goes on without it.
    weights = pictures.generator.get_weights()
    model.fit(images, batch_size=4, verbose=0)
    for before, after in zip(weights, pictures.generator.get_weights()):
        np.testing.assert_array_equal(before, after)


def test_pictures_of_a_half_precision_model_are_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    pictures = DrawPictures(gan(), tmp_path, lambda generator: None)
    assert {layer.compute_dtype for layer in pictures.generator.layers} == {"float32"}


def test_one_bar_counts_the_steps_of_all_epochs(images, capsys):
    model = gan()
    model.fit(images, batch_size=4, epochs=4, initial_epoch=1, verbose=0, callbacks=[ShowProgress()])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" [")[0] for line in lines] == ["step 6/12", "step 9/12", "step 12/12"]
    assert all("d_loss" in line and "g_loss" in line for line in lines)


def test_a_bar_needs_the_number_of_steps(images):
    batches = tf.data.Dataset.from_generator(
        lambda: iter([images]), output_signature=tf.TensorSpec((None, *SHAPE), tf.float32)
    )
    with pytest.raises(ValueError, match="`steps_per_epoch` of fit must be given"):
        gan().fit(batches, verbose=0, callbacks=[ShowProgress()])
