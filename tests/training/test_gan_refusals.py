"""What `ConditionalGAN` refuses, and how it says so; what both engines do is in `test_refusals.py`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from tiny import networks, sgd_gan

from keras_cgan import ConditionalGAN


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_a_missing_label_in_fit_and_evaluate(run_eagerly):
    gan = sgd_gan(networks("classifier"), run_eagerly=run_eagerly)
    x, sketch = tiny.batch()
    for call in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match="`x` must be a dict with 'photo' and 'label'.*no 'label' in"):
            call(x["photo"], sketch, verbose=0)


MISSING = r"`sketch` must be of shape \(batch, 16, 16, 1\). Received: NoneType"


def test_images_that_are_no_floats_and_sketches_that_are_missing():
    gan = sgd_gan(networks("classifier"))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match="`sketch` must hold floats in .* Received: int32"):
        gan.fit(x, sketch.astype("int32"), verbose=0)
    with pytest.raises(ValueError, match=MISSING):
        gan.train_on_batch(x)
    with pytest.raises(ValueError, match=MISSING):
        gan.fit(tf.data.Dataset.from_tensors(x), verbose=0)


def test_images_of_0_to_255_in_fit_and_where_they_pass():
    """Those of arrays are seen at once; a tensor's, and a dataset's, are not read for it."""
    gan = sgd_gan(networks("pix2pix"))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match=r"`sketch` must hold floats in \[-1, 1\].* up to 255"):
        gan.fit(x, np.full_like(sketch, 255.0), verbose=0)
    assert int(gan.optimizer.iterations) == 0
    assert gan.train_on_batch(x, tf.fill(sketch.shape, 255.0))
    assert gan.train_on_batch({**x, "photo": 3 * x["photo"]}, 1.2 * sketch)


SHAPES = {
    "photo of another size": (
        "photo",
        (4, 8, 8, 3),
        r"be of shape \(batch, 16, 16, 3\). Received: \(4, 8, 8, 3\)",
    ),
    "gray photo": ("photo", (4, 16, 16, 1), r"be of shape \(batch, 16, 16, 3\). Received: \(4, 16, 16, 1\)"),
    "one photo": ("photo", (16, 16, 3), r"be of shape \(batch, 16, 16, 3\). Received: \(16, 16, 3\)"),
    "no channel": ("sketch", (4, 16, 16), r"be of shape \(batch, 16, 16, 1\). Received: \(4, 16, 16\)"),
    "colours": ("sketch", (4, 16, 16, 3), r"be of shape \(batch, 16, 16, 1\). Received: \(4, 16, 16, 3\)"),
    "small sketch": ("sketch", (4, 8, 16, 1), r"be of shape \(batch, 16, 16, 1\). Received: \(4, 8, 16, 1\)"),
    "few sketches": ("sketch", (1, 16, 16, 1), "be as many as `photo`, 4. Received: 1"),
    "integers": ("label", (4,), r"be one-hot, of shape \(batch, 3\). Received: \(4,\)"),
    "a column": ("label", (4, 1), r"be one-hot, of shape \(batch, 3\). Received: \(4, 1\)"),
    "few labels": ("label", (2, 3), "be as many as `photo`, 4. Received: 2"),
    "a weight a class": ("sample_weight", (4, 3), r"be of shape \(batch, 1\). Received: \(4, 3\)"),
    "a weight a pixel": (
        "sample_weight",
        (4, 16, 16),
        r"be of shape \(batch,\). Received: \(4, 16, 16\)",
    ),
    "few weights": ("sample_weight", (1,), "be as many as `photo`, 4. Received: 1"),
}


@pytest.mark.parametrize("name, shape, message", SHAPES.values(), ids=list(SHAPES))
@pytest.mark.parametrize("run_eagerly", [True, False])
def test_data_of_another_shape(name, shape, message, run_eagerly):
    gan = sgd_gan(networks("classifier"), run_eagerly=run_eagerly)
    x, sketch = tiny.batch()
    given = {**x, "sketch": sketch, "sample_weight": None, name: np.zeros(shape, "float32")}
    data = {"photo": given["photo"], "label": given["label"]}, given["sketch"], given["sample_weight"]
    calls = [gan.train_on_batch] if run_eagerly else [gan.train_on_batch, gan.test_on_batch]
    for call in calls:
        with pytest.raises(ValueError, match=f"`{name}` must {message}"):
            call(*data)
    assert int(gan.optimizer.iterations) == 0


@pytest.mark.parametrize("strategy", ["fake-class", "sigmoid", "two-head", "shared-q", "classifier"])
@pytest.mark.parametrize("label_input", [True, False])
def test_integer_labels_by_whatever_network_needs_them(strategy, label_input):
    gan = sgd_gan(networks(strategy, label=label_input))
    x, sketch = tiny.batch()
    integers = {**x, "label": x["label"].argmax(axis=1)}
    with pytest.raises(ValueError, match=r"`label` must be one-hot, of shape \(batch, 3\). Received: \(4,\)"):
        gan.train_on_batch(integers, sketch)
    assert gan.train_on_batch(x, sketch)


def test_a_label_that_no_network_needs_may_be_anything():
    gan = sgd_gan(networks("pix2pix", label=False))
    x, sketch = tiny.batch()
    assert gan.train_on_batch({**x, "label": x["label"].argmax(axis=1)}, sketch)


def test_shapes_that_are_not_known_pass():
    """Of a dataset whose shapes TensorFlow cannot tell, and of networks for any size."""
    parts = networks("pix2pix")
    gan = sgd_gan(parts, run_eagerly=False)
    x, sketch = tiny.batch()
    spec = [tf.TensorSpec(None, tf.float32)] * 3
    arrays = (x["photo"], x["label"], sketch)
    batch = gan.unpack(({"photo": x["photo"], "label": x["label"]}, sketch))
    assert batch.photo is x["photo"]

    @tf.function(input_signature=spec)
    def unpacked(photo, label, sketch):
        return gan.unpack(({"photo": photo, "label": label}, sketch, tf.reduce_sum(label, axis=1))).weight

    np.testing.assert_array_equal(unpacked(*arrays), np.ones(4))


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_sketches_and_labels_of_another_shape_are_not_broadcast(run_eagerly):
    gan = sgd_gan(networks("classifier"), run_eagerly=run_eagerly)
    x, sketch = tiny.batch()
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        gan.train_on_batch(x, sketch[:1])
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        gan.train_on_batch({**x, "label": x["label"][:1]}, sketch)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        gan.train_on_batch({**x, "label": x["label"].argmax(axis=1)}, sketch)


@pytest.mark.slow
@pytest.mark.parametrize("run_eagerly", [True, False])
def test_a_network_that_is_frozen_after_the_step_was_compiled(run_eagerly):
    """When the flag could not be seen in it any more."""
    parts = networks("classifier")
    gan = sgd_gan(parts, run_eagerly=run_eagerly)
    gan.train_on_batch(*tiny.batch())
    gan.fit(*tiny.batch(), verbose=0)
    for network in parts:
        network.trainable = False
        for call in (gan.train_on_batch, gan.fit):
            with pytest.raises(ValueError, match=f"`trainable` must be left True.*{network.name}"):
                call(*tiny.batch())
        network.trainable = True
    assert int(gan.optimizer.iterations) == 2


def test_class_weights():
    gan = sgd_gan(networks("classifier"))
    for call in (gan.train_on_batch, gan.fit):
        with pytest.raises(ValueError, match="`class_weight` must be None: pass `sample_weight`"):
            call(*tiny.batch(), class_weight={0: 1.0, 1: 2.0, 2: 1.0})


def test_arguments_of_compile():
    gan = ConditionalGAN(*networks("pix2pix"))
    with pytest.raises(ValueError, match="`c_optimizer` is for a model with a classifier.*'adam'"):
        gan.compile(c_optimizer="adam")
    for argument in ("loss", "metrics", "optimizer"):
        with pytest.raises(TypeError, match=argument):
            gan.compile(**{argument: "mse"})
    averaging = keras.optimizers.Adam(use_ema=True)
    for optimizer in (averaging, keras.optimizers.LossScaleOptimizer(averaging)):
        with pytest.raises(ValueError, match="pass `average_decay` to the model.*'d' with use_ema=True"):
            gan.compile(d_optimizer=optimizer)
    one = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="`optimizers`: each player needs one of its own"):
        gan.compile(one, one)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"d_steps": 0}, "`d_steps` must be an integer of at least 1. Received: d_steps=0"),
        ({"d_steps": 2, "update": "simultaneous"}, "`d_steps` must be 1 with update='simultaneous'"),
        ({"average_decay": 1.0}, r"`average_decay` must be in \(0, 1\). Received: average_decay=1.0"),
        ({"average_decay": 0}, r"`average_decay` must be in \(0, 1\). Received: average_decay=0"),
        ({"image_pool": -1}, "`image_pool` must be an integer of at least 0. Received: image_pool=-1"),
    ],
    ids=str,
)
def test_arguments_of_the_constructor(options, message):
    with pytest.raises(ValueError, match=message):
        ConditionalGAN(*networks("pix2pix"), **options)


def test_training_before_compile():
    gan = ConditionalGAN(*networks("classifier"))
    for call in (gan.train_on_batch, gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match="compile"):
            call(*tiny.batch())
    # Drawing needs no compile.
    x, _ = tiny.batch()
    np.testing.assert_allclose(gan.predict(x, verbose=0), gan.generator(x), atol=1e-6)
