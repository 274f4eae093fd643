"""The U-Net: size, depth, norms, dropout."""

import functools

import keras
import numpy as np
import pytest

from keras_cgan.blocks import double_size
from keras_cgan.generators import unet_depth, unet_generator


def layer_names(model, kind):
    return [layer.name for layer in model.layers if isinstance(layer, kind)]


def photos(shape, batch=2):
    return np.random.default_rng(1).uniform(-1, 1, (batch, *shape)).astype("float32")


def test_the_paper_size():
    generator = unet_generator((256, 256, 3), out_channels=3)
    assert sum(int(np.prod(variable.shape)) for variable in generator.trainable_variables) == 54_414_531
    widths = [generator.get_layer(f"down{step}_conv").filters for step in range(1, 9)]
    assert widths == [64, 128, 256, 512, 512, 512, 512, 512]
    assert generator.get_layer("down8_conv").output.shape == (None, 1, 1, 512)


@pytest.mark.parametrize(
    ("size", "depth"),
    [
        ((256, 256), 8),
        ((512, 512), 8),
        ((64, 96), 5),
        ((16, 16), 4),
        ((12, 20), 2),
        ((30, 30), 1),
        ((31, 64), 0),
    ],
)
def test_depth_follows_from_the_size(size, depth):
    assert unet_depth((*size, 3)) == unet_depth(size) == depth
    if depth >= 2 and max(size) < 256:
        convolutions = layer_names(unet_generator((*size, 3), filters=1), keras.layers.Conv2DTranspose)
        assert convolutions == [f"up{step}_conv" for step in range(1, depth + 1)]


def test_depth_has_a_limit():
    assert unet_depth((64, 64), most=3) == 3


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_no_norm_at_a_bottleneck_of_one_pixel(norm):
    kinds = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    one_pixel = layer_names(unet_generator((16, 16, 3), filters=2, norm=norm), kinds)
    assert one_pixel == ["down2_norm", "down3_norm", "up1_norm", "up2_norm", "up3_norm"]
    wider = layer_names(unet_generator((16, 24, 3), filters=2, norm=norm), kinds)
    assert wider == ["down2_norm", "down3_norm", "up1_norm", "up2_norm"]


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_the_bottleneck_speaks_at_batch_1(norm):
    generator = unet_generator((16, 16, 3), filters=4, norm=norm, dropout=0.0)
    bottleneck = keras.Model(generator.input, generator.get_layer("up1_relu").input)
    one, other = (bottleneck(photo, training=True).numpy() for photo in np.split(photos((16, 16, 3)), 2))
    assert np.abs(one).max() > 1e-4 and not np.allclose(one, other, rtol=0.01)


def test_no_norm_at_all():
    kinds = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
    for norm in ("spectral", None):
        generator = unet_generator((16, 16, 3), filters=2, norm=norm)
        assert not layer_names(generator, kinds)
        assert len(layer_names(generator, keras.layers.SpectralNormalization)) == (6 if norm else 0)


def test_dropout_in_the_first_three_decoder_steps():
    generator = unet_generator((64, 64, 3), filters=1)
    dropouts = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dropout)]
    assert [(layer.name, layer.rate) for layer in dropouts] == [
        (f"up{step}_dropout", 0.5) for step in (1, 2, 3)
    ]
    assert not layer_names(unet_generator((16, 16, 3), filters=1, dropout=0.0), keras.layers.Dropout)


def test_dropout_in_training_mode_only(tmp_path):
    generator = unet_generator((16, 16, 3), filters=4)
    generator.save(tmp_path / "generator.keras")
    photo = photos((16, 16, 3))
    for model in (generator, keras.saving.load_model(tmp_path / "generator.keras")):
        for draw in (model, model.predict_on_batch, functools.partial(model, training=False)):
            assert np.array_equal(draw(photo), draw(photo))
        assert not np.array_equal(model(photo, training=True), model(photo, training=True))


def test_skips_join_steps_of_one_size():
    generator = unet_generator((32, 48, 3), filters=2)
    for step in range(1, 4):
        up, skip = generator.get_layer(f"up{step}_skip").input
        mirrored = generator.get_layer(f"down{5 - step}_relu").input
        assert up.shape == skip.shape and skip is mirrored


def test_upsampling_by_resize_takes_no_transposed_convolution():
    generator = unet_generator((16, 32, 3), filters=2, upsampling="resize")
    assert not layer_names(generator, keras.layers.Conv2DTranspose)
    steps = [f"up{step}" for step in range(1, 5)]
    assert layer_names(generator, keras.layers.UpSampling2D) == [f"{step}_resize" for step in steps]
    assert {generator.get_layer(f"{step}_conv").kernel_size for step in steps} == {(3, 3)}


@pytest.mark.parametrize("upsampling", ["transpose", "resize"])
def test_resize_leaves_no_checkerboard(upsampling):
    """A flat bottleneck through one decoder step with a kernel of ones: flat, or a checkerboard."""
    maps = keras.Input((8, 8, 1))
    step = keras.Model(maps, double_size(maps, 1, 3, "up", upsampling=upsampling))
    step.layers[-1].set_weights([np.ones((3, 3, 1, 1)), np.zeros(1)])
    inner = step(np.ones((1, 8, 8, 1)))[0, 4:-4, 4:-4].numpy()
    assert (np.ptp(inner) < 1e-6) == (upsampling == "resize")
