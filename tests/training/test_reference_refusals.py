"""What the reference trainer refuses, and how it says so."""

import keras
import pytest
import tiny
from tiny import networks, sgd_trainer

from keras_cgan import ReferenceTrainer


@pytest.mark.parametrize(
    "strategy, label_input",
    [("pix2pix", True), ("sigmoid", False), ("classifier", False), ("shared-q", False)],
)
def test_a_missing_label_or_photo(strategy, label_input):
    trainer = sgd_trainer(networks(strategy, label=label_input))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match="`x` must be a dict with 'photo' and 'label'.*no 'label' in"):
        trainer.train_on_batch({"photo": x["photo"]}, sketch)
    with pytest.raises(ValueError, match="no 'label' in ndarray"):
        trainer.train_on_batch(x["photo"], sketch)
    with pytest.raises(ValueError, match="no 'photo' in"):
        trainer.train_on_batch({"label": x["label"]}, sketch)


@pytest.mark.parametrize("strategy", ["sigmoid", "classifier"])
def test_class_numbers_instead_of_one_hot_labels(strategy):
    trainer = sgd_trainer(networks(strategy, label=False))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match="must have the shape"):
        trainer.train_on_batch({"photo": x["photo"], "label": x["label"].argmax(axis=1)}, sketch)


def test_an_unknown_strategy():
    with pytest.raises(ValueError, match="`strategy` must be one of .*'pix2pix'.*Received: strategy='acgan'"):
        ReferenceTrainer(*networks("pix2pix"), strategy="acgan")


@pytest.mark.parametrize(
    "strategy, built_for",
    [
        ("pix2pix", "classifier"),
        ("classifier", "pix2pix"),
        ("fake-class", "sigmoid"),
        ("sigmoid", "fake-class"),
        ("two-head", "shared-q"),
        ("shared-q", "two-head"),
    ],
)
def test_networks_of_another_strategy(strategy, built_for):
    with pytest.raises(ValueError, match=f"`strategy`: '{strategy}' takes a discriminator of the"):
        ReferenceTrainer(*networks(built_for), strategy=strategy)


def test_networks_that_do_not_fit():
    generator, discriminator, classifier = networks("classifier")
    with pytest.raises(ValueError, match="`discriminator` must take 1 channels .* or 4 .*Received: .* 2"):
        ReferenceTrainer(generator, tiny.discriminator(channels=2))
    with pytest.raises(ValueError, match="`classifier` must take images of shape"):
        ReferenceTrainer(generator, discriminator, tiny.classifier(channels=3))
    with pytest.raises(ValueError, match="`classifier` must be None"):
        ReferenceTrainer(generator, tiny.discriminator(("real_fake", "label")), classifier)
    both = tiny.discriminator(("real_fake", "label"))
    odd = keras.Model(both.input, {"label": both.output["label"], "other": both.output["real_fake"]})
    with pytest.raises(ValueError, match=r"must have an output 'real_fake' or .*\['label', 'other'\]"):
        ReferenceTrainer(generator, odd)
    with pytest.raises(ValueError, match="`reconstruction` must be .* Received: reconstruction='mse'"):
        ReferenceTrainer(generator, discriminator, reconstruction="mse")
    with pytest.raises(ValueError, match="`update` must be .* Received: update='both'"):
        ReferenceTrainer(generator, discriminator, update="both")


@pytest.mark.parametrize("strategy, channels", [("pix2pix", 1), ("classifier", 1)])
def test_a_discriminator_that_sees_something_else_than_the_strategy(strategy, channels):
    generator, _, classifier = networks(strategy)
    with pytest.raises(ValueError, match="takes a discriminator of the pair.*Received: .* of the sketch"):
        ReferenceTrainer(generator, tiny.discriminator(channels=channels), classifier, strategy)


def test_models_that_are_not_functional():
    class Subclassed(keras.Model):
        def call(self, x):
            return x

    generator, discriminator, classifier = networks("classifier")
    with pytest.raises(ValueError, match="`generator` must be a model made with the Functional"):
        ReferenceTrainer(Subclassed(), discriminator)
    with pytest.raises(ValueError, match="`discriminator` must be a model made with the Functional"):
        ReferenceTrainer(generator, Subclassed())
    with pytest.raises(ValueError, match="`classifier` must be a model made with the Functional"):
        ReferenceTrainer(generator, discriminator, Subclassed())


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_frozen_network_is_an_error_whenever_it_was_frozen(number):
    parts = networks("classifier")
    parts[number].trainable = False
    with pytest.raises(ValueError, match="`trainable` must be left True"):
        ReferenceTrainer(*parts)
    parts[number].trainable = True
    trainer = sgd_trainer(parts)
    parts[number].trainable = False
    with pytest.raises(ValueError, match="`trainable` must be left True"):
        trainer.train_on_batch(*tiny.batch())


def test_a_batch_that_does_not_fit_together():
    trainer = sgd_trainer(networks("classifier"))
    x, sketch = tiny.batch()
    with pytest.raises(ValueError, match=r"as many photos, labels and sketches.*sizes \[4, 4, 3\]"):
        trainer.train_on_batch(x, sketch[:3])
    with pytest.raises(ValueError, match="images as floats.*photo uint8"):
        trainer.train_on_batch({**x, "photo": x["photo"].astype("uint8")}, sketch)
