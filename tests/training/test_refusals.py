"""What both engines refuse, `ConditionalGAN` and `ReferenceTrainer`: one table, one wording."""

import keras
import numpy as np
import pytest
import tiny
from tiny import networks, sgd_gan, sgd_trainer

from keras_cgan import ConditionalGAN, ReferenceTrainer, conv_discriminator

both = pytest.mark.parametrize("engine", [ConditionalGAN, ReferenceTrainer], ids=lambda e: e.__name__)


def ready(engine, parts, **options):
    """The engine with SGD, compiled."""
    return (sgd_gan if engine is ConditionalGAN else sgd_trainer)(parts, **options)


# ---- the constructor

OTHERS = {
    "pix2pix": "classifier",
    "classifier": "pix2pix",
    "fake-class": "sigmoid",
    "sigmoid": "fake-class",
    "two-head": "shared-q",
    "shared-q": "two-head",
}


@both
@pytest.mark.parametrize("strategy, built_for", OTHERS.items())
def test_networks_of_another_strategy(engine, strategy, built_for):
    with pytest.raises(ValueError, match=f"`strategy`: '{strategy}' takes a discriminator of the"):
        engine(*networks(built_for), strategy=strategy)


@both
@pytest.mark.parametrize("strategy, channels", [("pix2pix", 1), ("classifier", 1)])
def test_a_discriminator_that_sees_something_else_than_the_strategy(engine, strategy, channels):
    generator, _, classifier = networks(strategy)
    with pytest.raises(ValueError, match="takes a discriminator of the pair.*Received: .* of the sketch"):
        engine(generator, tiny.discriminator(channels=channels), classifier, strategy)


@both
@pytest.mark.parametrize(
    "options, message",
    [
        ({"update": "both"}, "`update` must be .* Received: update='both'"),
        ({"reconstruction": "mse"}, "`reconstruction` must be .* Received: reconstruction='mse'"),
        ({"label_smoothing": 1.0}, r"`label_smoothing` must be in \[0, 1\)"),
        ({"strategy": "acgan"}, "`strategy` must be one of .*'pix2pix'.*Received: strategy='acgan'"),
    ],
    ids=str,
)
def test_arguments_of_the_constructor(engine, options, message):
    with pytest.raises(ValueError, match=message):
        engine(*networks("pix2pix"), **options)


@both
@pytest.mark.parametrize("strategy", ["fake-class", "sigmoid"])
def test_label_smoothing_without_an_output_real_fake(engine, strategy):
    with pytest.raises(ValueError, match="`label_smoothing` is for a discriminator with .* 'real_fake'"):
        engine(*networks(strategy), label_smoothing=0.1)


@both
def test_real_and_fakes_in_one_batch_that_d_compares(engine):
    generator, plain, _ = networks("pix2pix")
    shape = plain.input_shape[1:]
    d = conv_discriminator(shape, layers=((4, 2),), norm=None, minibatch=2, name="discriminator")
    assert engine(generator, d, joined_batch=False).joined_batch is False
    with pytest.raises(ValueError, match="`joined_batch` must be False for a discriminator with `Minibatch"):
        engine(generator, d, joined_batch=True)


class Subclassed(keras.Model):
    def call(self, x):
        return x


def odd():
    """A discriminator with an output that no strategy knows."""
    both = tiny.discriminator(("real_fake", "label"))
    return keras.Model(both.input, {"label": both.output["label"], "other": both.output["real_fake"]})


def small():
    """A discriminator of pairs of another size."""
    pair = keras.Input((8, 8, 4))
    return keras.Model(pair, keras.layers.Dense(1)(keras.layers.Flatten()(pair)))


FUNCTIONAL = "must be a model made with the Functional"


@both
@pytest.mark.parametrize(
    "replaced, message",
    [
        (
            {"discriminator": lambda: tiny.discriminator(channels=2), "classifier": None},
            "`discriminator` must take 1 channels .* or 4 .*Received: .* 2",
        ),
        ({"discriminator": small}, r"`discriminator` must take images of shape \(16, 16, 4\)"),
        ({"classifier": lambda: tiny.classifier(channels=3)}, "`classifier` must take images of shape"),
        (
            {"discriminator": lambda: tiny.discriminator(("real_fake", "label"))},
            "`classifier` must be None",
        ),
        ({"discriminator": odd}, r"must have an output 'real_fake' or .*\['label', 'other'\]"),
        ({"generator": Subclassed}, f"`generator` {FUNCTIONAL}"),
        ({"discriminator": Subclassed}, f"`discriminator` {FUNCTIONAL}"),
        ({"classifier": Subclassed}, f"`classifier` {FUNCTIONAL}"),
    ],
    ids=["channels", "size", "classifier's channels", "two classifiers", "outputs", "generator", "d", "c"],
)
def test_networks_that_do_not_fit(engine, replaced, message):
    parts = dict(zip(("generator", "discriminator", "classifier"), networks("classifier")))
    parts |= {name: make and make() for name, make in replaced.items()}
    with pytest.raises(ValueError, match=message):
        engine(**parts)


# ---- the step


@both
@pytest.mark.parametrize(
    "strategy, label_input",
    [("pix2pix", True), ("sigmoid", False), ("classifier", False), ("shared-q", False)],
)
def test_a_missing_label_or_photo(engine, strategy, label_input):
    model = ready(engine, networks(strategy, label=label_input))
    x, sketch = tiny.batch()
    for given in ({"photo": x["photo"]}, x["photo"]):
        with pytest.raises(ValueError, match="`x` must be a dict with 'photo' and 'label'.*no 'label' in"):
            model.train_on_batch(given, sketch)
    with pytest.raises(ValueError, match="no 'photo' in"):
        model.train_on_batch({"label": x["label"]}, sketch)


@both
@pytest.mark.parametrize("name, number", [("photo", 0), ("sketch", 1)])
@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda image: (127.5 * (image + 1)).astype("uint8"),
            r"`(photo|sketch)` must hold floats in \[-1, 1\]. Received: uint8",
        ),
        (
            lambda image: 127.5 * (image + 1),
            r"must hold floats in \[-1, 1\], such as x / 127.5 - 1 .* with values up to 25\d",
        ),
    ],
    ids=["bytes", "floats"],
)
def test_images_of_0_to_255(engine, name, number, change, message):
    model = ready(engine, networks("classifier"))
    x, sketch = tiny.batch()
    images = [x["photo"], sketch]
    images[number] = change(images[number])
    with pytest.raises(ValueError, match=message.replace("(photo|sketch)", name)) as caught:
        model.train_on_batch({**x, "photo": images[0]}, images[1])
    assert name in str(caught.value)


@both
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_network_that_is_frozen_before_or_after_the_engine_is_made(engine, number):
    parts = networks("classifier")
    parts[number].trainable = False
    with pytest.raises(ValueError, match="`trainable` must be left True"):
        engine(*parts)
    parts[number].trainable = True
    model = ready(engine, parts)
    parts[number].trainable = False
    before = [network.get_weights() for network in parts]
    with pytest.raises(ValueError, match=f"`trainable` must be left True.*{parts[number].name}"):
        model.train_on_batch(*tiny.batch())
    for network, weights in zip(parts, before):
        keras.tree.map_structure(np.testing.assert_array_equal, network.get_weights(), weights)
