"""ControlGAN: a classifier of its own tells the class; a rule keeps G from pleasing it too much."""

import keras
from keras import layers

from keras_cgan.classifiers import resnet_classifier
from keras_cgan.discriminators import resblock_discriminator
from keras_cgan.generators import resblock_generator
from keras_cgan.latents import Latent
from keras_cgan.training.equilibrium import EquilibriumWeight
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.latent_gan import LatentGAN, class_loss, logits_of


@keras.saving.register_keras_serializable(package="keras_cgan")
class ControlGAN(LatentGAN):
    """D knows no classes; a third player C learns them from augmented real images, and teaches G.

    What G loses by C has the weight gamma, which `EquilibriumWeight` moves after each step: C's loss
    on fakes is held at E times its loss on real images.

    Args:
        generator: Model from a dict `{"latent", "label"}` to images.
        discriminator: Model from images to logits.
        classifier: Model from images to `(batch, n_classes)`. One that is trained already and frozen
            (`trainable = False`), as the paper's for CelebA, only teaches G: C is no player then.
        latent: The `Latent` that is drawn from.
        equilibrium: An `EquilibriumWeight`; by default the paper's for CIFAR-10.
        augment: Optional layer or model: what C sees of real images in its own step.
        **options: As `LatentGAN` takes them; `fake_labels` is `"uniform"` by default.

    Raises:
        ValueError: The generator takes no label, or C tells none of that length.

    Example:

    >>> model = ControlGAN(generator, discriminator, classifier, Latent(128, (), 0))

    Source: Lee and Seok 2017, "Controllable generative adversarial network", section 3.
    """

    loss_names = ("d_loss", "g_loss", "c_loss", "g_class", "gamma")

    def __init__(
        self, generator, discriminator, classifier, latent, equilibrium=None, augment=None, **options
    ):
        super().__init__(generator, discriminator, latent, **{"fake_labels": "uniform", **options})
        self.classifier, self.augment = classifier, augment
        self.equilibrium = equilibrium or EquilibriumWeight()
        self._given |= {"classifier": classifier, "equilibrium": self.equilibrium, "augment": augment}
        self.c_model = logits_of(classifier, "classifier", vector="label")
        told = self.c_model.output["label"].shape[-1] if "label" in self.c_model.output else None
        if self.n_classes is None or told != self.n_classes:
            raise ValueError(
                "`generator` must take a label, and `classifier` tell one of that length. "
                f"Received: a label of {self.n_classes} in, of {told} out"
            )
        if self.c_model.input.shape[1:] != generator.output.shape[1:]:
            raise ValueError(
                f"`classifier` must take the generator's images, {generator.output.shape[1:]}. "
                f"Received: classifier of images {self.c_model.input.shape[1:]}"
            )

    def players(self):
        classifiers = {"c": [self.c_model]} if self.classifier.trainable_variables else {}
        return {"d": [self.d_model], **classifiers, "g": [self.generator]}

    def check(self):
        if self.compiled and ("c" in self._trained) != ("c" in self.players()):
            raise ValueError(
                "`classifier` must stay frozen, or not, as it was at `compile`: compile again. "
                f"Received: classifier.trainable={self.classifier.trainable}"
            )
        super().check()

    def c_losses(self, batch, drawn, run):
        image = batch.image
        if self.augment is not None and run.training:
            image = self.augment(image, training=True)
        loss = class_loss(batch.label, run(self.c_model, image)["label"])
        drawn["c_loss"] = loss  # the rule, after the step, compares with it
        return {"c_loss": loss}

    def g_terms(self, batch, drawn, on_fake, run):
        loss = class_loss(drawn["label"], run(self.c_model, drawn["image"])["label"])
        gamma = self.equilibrium.value
        terms = {"g_class": (gamma, loss), "gamma": (0.0, gamma)}
        if "c" not in self.players():  # nobody has asked a frozen C about the real images
            terms["c_loss"] = (0.0, self.c_losses(batch, drawn, run)["c_loss"])
        drawn["c_loss_fake"] = loss
        return terms

    def after_step(self, drawn, is_updated):
        self.equilibrium.update(drawn["c_loss_fake"], drawn["c_loss"], is_updated)


def controlgan(
    image_shape=(32, 32, 3),
    n_classes=10,
    filters=128,
    classifier=None,
    target=1.0,
    rate=0.001,
    most=2.0,
    augment="shift",
    dropout=(0.2, 0.5, 0.5),
    learning_rate=2e-4,
    average_decay=None,
):
    """ControlGAN as on CIFAR-10, compiled.

    Args:
        image_shape: `(height, width, channels)`; sides that halve evenly three times.
        n_classes: Length of a label.
        filters: Maps of G's and D's blocks.
        classifier: C, for instance a small one, `resnet_classifier(image_shape, n_classes)`; by
            default the paper's nine blocks of 32, 128 and 512 maps. A ratio to a loss of nearly 0
            holds nothing: a few hundred images need a C that does not know them by heart, as with
            `filters=8, stages=2, input_noise=0.3`.
        target: E, the ratio at which C's losses are held; CelebA has .05.
        rate, most: As `EquilibriumWeight` takes them; CelebA has .01 and 20. Gamma moves by `rate`
            times how far the losses are off, so that a short training needs a larger one: .02 for 2000
            steps. It is never below 0: above a ratio of 1 nothing but chance takes G there.
        augment: What C sees of real images: `"shift"`, up to a tenth of a side; `"shift-flip"`, and
            mirrored half of the time, as for photos; or `None`.
        dropout: Rates after D's last blocks. D of 16 maps is too weak with the paper's, and images of
            a class become alike: `()` for a narrow D.
        learning_rate: G's; D has 4 times and C 5 times as much, as in the paper.
        average_decay: As `ControlGAN` takes it.

    Returns:
        A compiled `ControlGAN`; the paper has batches of 64.

    Example:

    >>> model = controlgan((32, 32, 1), train.n_classes)
    >>> model.fit(train.batches(64), epochs=10, steps_per_epoch=len(train) // 64)
    >>> images = model.generator.predict({"latent": model.latent.sample(10), "label": 2 * np.eye(10)})

    Source: Lee and Seok 2017, sections 3 and 4: WGAN-GP with weight 10, Adam (0, .9) 2e-4 for G and 8e-4
    for D, 1e-3 for C.
    """
    if classifier is None:
        classifier = resnet_classifier(image_shape, n_classes, blocks=3, growth=4, stem_strides=1)
    latent = Latent(noise=128, categories=(), continuous=0)
    model = ControlGAN(
        resblock_generator(image_shape, latent.size, n_classes, filters),
        resblock_discriminator(image_shape, filters, dropout=dropout),
        classifier,
        latent,
        EquilibriumWeight(rate, target, most),
        _augmentation(augment),
        loss="wasserstein",
        penalty_weight=10.0,
        average_decay=average_decay,
        name="controlgan",
    )
    optimizers = {
        "d": FusedAdam(4 * learning_rate, beta_1=0.0, beta_2=0.9),
        "c": FusedAdam(5 * learning_rate),
        "g": FusedAdam(learning_rate, beta_1=0.0, beta_2=0.9),
    }
    model.compile({player: optimizers[player] for player in model.players()})
    return model


def _augmentation(augment):
    if augment is None:
        return None
    if augment not in ("shift", "shift-flip"):
        raise ValueError(f"`augment` must be 'shift', 'shift-flip' or None. Received: augment={augment!r}")
    flip = [layers.RandomFlip("horizontal")] if augment == "shift-flip" else []
    return keras.Sequential([layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"), *flip], name="augment")
