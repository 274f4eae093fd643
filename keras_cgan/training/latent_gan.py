"""GANs that draw from noise, and perhaps a label: what the recipes without photos share."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_cgan.adversarial_losses import adversarial_loss
from keras_cgan.checks import check_choice, check_weights
from keras_cgan.faster import faster_network
from keras_cgan.training.adversarial import AdversarialModel
from keras_cgan.training.adversarial_checks import check_batch, check_range
from keras_cgan.training.heads import as_functional, logits_network, named_inputs
from keras_cgan.training.penalties import gradient_penalty

FAKE_LABELS = ("data", "uniform")


class Batch(NamedTuple):
    """Real images and their labels, one-hot; `None` where no network needs labels."""

    image: Any
    label: Any


@keras.saving.register_keras_serializable(package="keras_cgan")
class LatentGAN(AdversarialModel):
    """A generator from noise, and perhaps a label, to images, and a discriminator of images.

    Args:
        generator: Model from latents `(batch, latent.size)`, or a dict `{"latent", "label"}`, to
            images `(batch, height, width, channels)` in [-1, 1].
        discriminator: Model from images, or a dict `{"image", "label"}`, to one output a sample or
            patch, or to a dict of outputs with `real_fake`. An output is logits, or ends in an
            `Activation` layer, which is left off.
        latent: The `Latent` that is drawn from.
        loss: One of `ADVERSARIAL_LOSSES`.
        penalty_weight: Weight of the gradient penalty, 10 in its paper; 0: none. It is part of
            `d_loss` in training, not in evaluation.
        fake_labels: Which labels fakes are drawn for: `"data"`: those of the real batch;
            `"uniform"`: each class as often.
        update, d_steps, average_decay, name: As `AdversarialModel` takes them.

    Raises:
        ValueError: An argument is not one of those allowed, or the networks do not fit together.

    Example:

    >>> latent = Latent(noise=100, categories=(), continuous=0)
    >>> gan = LatentGAN(mlp_generator((28, 28, 1)), maxout_discriminator((28, 28, 1)), latent)
    >>> gan.compile()
    >>> gan.fit(train.batches(100, labels=False), steps_per_epoch=100)
    >>> images = gan.generator.predict(latent.sample(16))

    Source: Goodfellow et al. 2014, algorithm 1; with labels: Mirza and Osindero 2014, equation 2.
    """

    loss_names = ("d_loss", "g_loss")

    def __init__(
        self,
        generator,
        discriminator,
        latent,
        loss="nonsaturating",
        penalty_weight=0.0,
        fake_labels="data",
        update="sequential",
        d_steps=1,
        average_decay=None,
        name=None,
    ):
        super().__init__(update, d_steps, average_decay, name)
        generator = as_functional(generator, "generator")
        discriminator = as_functional(discriminator, "discriminator")
        self._given = {
            "generator": generator,
            "discriminator": discriminator,
            "latent": latent,
            "loss": loss,
            "penalty_weight": penalty_weight,
            "fake_labels": fake_labels,
            "update": update,
            "d_steps": d_steps,
            "average_decay": average_decay,
            "name": name,
        }
        check_choice("fake_labels", fake_labels, FAKE_LABELS)
        check_weights(penalty_weight=penalty_weight)
        self.generator, self.discriminator = generator, discriminator
        self.latent, self.adversarial = latent, adversarial_loss(loss, "loss")
        self.penalty_weight, self.fake_labels = penalty_weight, fake_labels
        self.n_classes = self._check_inputs()
        # Logits throughout: the softmax of a class head is left to its loss.
        self.d_model = logits_of(discriminator, "discriminator")
        if "real_fake" not in self.d_model.output:
            raise ValueError(
                "`discriminator` must have one unit a sample or patch, or an output 'real_fake' of several. "
                f"Received: outputs {list(self.d_model.output)}"
            )
        self.seeds = keras.random.SeedGenerator()
        self.built = True  # the networks are: without it Keras would not save weights

    def _check_inputs(self):
        """The length of a label, `None` where no network takes one; an error where inputs do not fit."""
        g_inputs = named_inputs(self.generator, "generator", "latent")
        d_inputs = named_inputs(self.discriminator, "discriminator", "image")
        self._g_takes_label, self._d_takes_label = "label" in g_inputs, "label" in d_inputs
        latent, image = g_inputs["latent"].shape[1:], d_inputs["image"].shape[1:]
        if tuple(latent) != (self.latent.size,):
            raise ValueError(
                f"`latent` must be of the size that the generator takes, {latent[-1]}. "
                f"Received: latent of size {self.latent.size}"
            )
        if image != self.generator.output.shape[1:]:
            raise ValueError(
                f"`discriminator` must take the generator's images, {self.generator.output.shape[1:]}. "
                f"Received: discriminator of images {image}"
            )
        lengths = [
            inputs["label"].shape[-1] if "label" in inputs else None for inputs in (g_inputs, d_inputs)
        ]
        if self._d_takes_label and lengths[0] != lengths[1]:
            raise ValueError(
                "`generator` must take the label where the discriminator does, of the same length. "
                f"Received: a generator of {lengths[0]} classes, a discriminator of {lengths[1]}"
            )
        return lengths[0]

    def call(self, inputs, training=None):
        """Images of latents, or of a dict `{"latent", "label"}`."""
        return faster_network(self.generator)(inputs, training=training)

    def players(self):
        return {"d": [self.d_model], "g": [self.generator]}

    def check_arrays(self, x, y):
        check_range(image=x.get("image") if isinstance(x, dict) else x)

    def unpack(self, data):
        """Images; a dict `{"image", "label"}`; or images and, as y, labels."""
        image, label, weight = keras.utils.unpack_x_y_sample_weight(data)
        if isinstance(image, dict):
            image, label = image.get("image"), image.get("label")
        if weight is not None:
            raise ValueError(
                "`sample_weight` must be None: all samples weigh the same here. "
                f"Received: sample_weight of shape {weight.shape}"
            )
        parts = {"image": (image, self.generator.output.shape[1:])}
        if self.n_classes is not None:
            parts["label"] = label, (self.n_classes,)
        check_batch(**parts)
        # As tensors: run eagerly, Keras refuses a drawn tensor and an array side by side.
        label = None if self.n_classes is None else tf.cast(label, tf.float32)
        return Batch(tf.convert_to_tensor(image), label)

    def draw(self, batch, run):
        size = tf.shape(batch.image)[0]
        drawn = {"latent": self.latent.sample(size, self.seeds), "label": batch.label}
        if self._g_takes_label and self.fake_labels == "uniform":
            chosen = keras.random.randint((size,), 0, self.n_classes, seed=self.seeds)
            drawn["label"] = tf.one_hot(chosen, self.n_classes)
        names = ("latent", "label")
        inputs = {name: drawn[name] for name in names} if self._g_takes_label else drawn["latent"]
        return {**drawn, "image": run(self.generator, inputs)}

    def judge(self, image, label, run):
        """D's outputs by name, `real_fake` among them."""
        inputs = {"image": image, "label": label} if self._d_takes_label else image
        return run(self.d_model, inputs)

    def d_losses(self, batch, drawn, run):
        on_real = self.judge(batch.image, batch.label, run)
        on_fake = self.judge(drawn["image"], drawn["label"], run)
        loss = tf.reduce_mean(self.adversarial.real(on_real["real_fake"]))
        loss += tf.reduce_mean(self.adversarial.fake(on_fake["real_fake"]))
        if self.penalty_weight and run.training:

            def critic(image):
                return self.judge(image, batch.label, run)["real_fake"]

            penalties = gradient_penalty(critic, batch.image, drawn["image"], self.seeds)
            loss += self.penalty_weight * tf.reduce_mean(penalties)
        return _with_terms("d_loss", loss, self.d_terms(batch, drawn, on_real, on_fake))

    def g_losses(self, batch, drawn, run):
        on_fake = self.judge(drawn["image"], drawn["label"], run)
        loss = tf.reduce_mean(self.adversarial.generator(on_fake["real_fake"]))
        return _with_terms("g_loss", loss, self.g_terms(batch, drawn, on_fake, run))

    def d_terms(self, batch, drawn, on_real, on_fake):
        """What D loses beside real and fake: a dict of loss name -> (weight, loss). For subclasses."""
        return {}

    def g_terms(self, batch, drawn, on_fake, run):
        """What G loses beside, likewise."""
        return {}


def logits_of(network, argument, vector="classes"):
    """A network up to its logits, by name of the output: as `logits_network`, but logits or an error."""
    model, heads = logits_network(network, argument, vector, one_input=False)
    for name, head in heads.items():
        if not head.from_logits:
            raise ValueError(
                f"`{argument}` must make logits, with an `Activation` layer behind them or none. "
                f"Received: output {name!r} with its {head.activation} inside the last layer"
            )
    return model


def _with_terms(name, loss, terms):
    """The losses of a player: the weighted sum by its name, and the terms as they are."""
    return {name: loss + sum(weight * term for weight, term in terms.values())} | {
        name: term for name, (_, term) in terms.items()
    }


def class_loss(label, logits):
    """Mean cross-entropy of class logits, in float32."""
    logits = tf.cast(logits, tf.float32)
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(tf.cast(label, tf.float32), logits))
