"""AC-GAN: the label goes into the generator, and D has to tell it from the image."""

import keras

from keras_cgan.checks import check_weights
from keras_cgan.discriminators import conv_discriminator
from keras_cgan.generators import dcgan_generator
from keras_cgan.latents import Latent
from keras_cgan.random_warp import RandomWarp
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.latent_gan import LatentGAN, class_loss


@keras.saving.register_keras_serializable(package="keras_cgan")
class ACGAN(LatentGAN):
    """A GAN whose D has a class head: D learns the class of real images and of fakes, G to be told right.

    Args:
        generator: Model from a dict `{"latent", "label"}` to images.
        discriminator: With outputs `real_fake` and `label` (softmax).
        latent: The `Latent` that is drawn from.
        fakes_in_class_loss: Whether D's class head learns from fakes too, as in the paper. Without
            them it is steadier: bad fakes of a class teach nothing.
        class_weight: Weight of the class losses.
        **options: As `LatentGAN` takes them; `fake_labels` is `"uniform"` by default.

    Raises:
        ValueError: The generator takes no label, or D tells none of that length.

    Example:

    >>> model = ACGAN(generator, discriminator, Latent(110, (), 0), fakes_in_class_loss=False)

    Source: Odena et al. 2017, "Conditional image synthesis with auxiliary classifier GANs",
    equations 2 and 3.
    """

    loss_names = ("d_loss", "g_loss", "d_class", "g_class")

    def __init__(
        self, generator, discriminator, latent, fakes_in_class_loss=True, class_weight=1.0, **options
    ):
        super().__init__(generator, discriminator, latent, **{"fake_labels": "uniform", **options})
        self._given |= {"fakes_in_class_loss": fakes_in_class_loss, "class_weight": class_weight}
        check_weights(class_weight=class_weight)
        self.fakes_in_class_loss, self.class_weight = fakes_in_class_loss, class_weight
        outputs = discriminator.output if isinstance(discriminator.output, dict) else {}
        told = outputs["label"].shape[-1] if "label" in outputs else None
        if self.n_classes is None or told != self.n_classes:
            raise ValueError(
                "`generator` must take a label, and `discriminator` have an output 'label' of that length. "
                f"Received: a label of {self.n_classes} in, of {told} out"
            )

    def d_terms(self, batch, drawn, on_real, on_fake):
        loss = class_loss(batch.label, on_real["label"])
        if self.fakes_in_class_loss:
            loss += class_loss(drawn["label"], on_fake["label"])
        return {"d_class": (self.class_weight, loss)}

    def g_terms(self, batch, drawn, on_fake, run):
        return {"g_class": (self.class_weight, class_loss(drawn["label"], on_fake["label"]))}


def acgan(
    image_shape=(32, 32, 3),
    n_classes=10,
    width=1.0,
    dropout=0.5,
    fakes_in_class_loss=True,
    class_weight=1.0,
    label_in="input",
    d_width=None,
    optimizers=None,
    average_decay=None,
    warp=0.0,
    background=-1.0,
    minibatch=0,
):
    """AC-GAN for images of 32 pixels, compiled.

    D judges an image by itself, whatever the others look like, but for its batch norms: little keeps G from
    drawing one image a class, unless D compares the images of a batch (`minibatch`). A large `class_weight`
    rewards it; with a small one G heeds no label that comes in beside 110 numbers of noise, but one in its
    norms.

    Args:
        image_shape: `(height, width, channels)`; sides that halve evenly four times.
        n_classes: Length of a label.
        width: Multiple of the paper's numbers of maps.
        dropout: Rate after each convolution of D; a narrow D learns more with 0.
        fakes_in_class_loss, class_weight: As `ACGAN` takes them.
        label_in: As `dcgan_generator` takes it: `"input"`, the paper's, or `"norms"`.
        d_width: The multiple for D, by default `width`.
        optimizers: As `ACGAN.compile` takes them; by default the paper's.
        average_decay: As `ACGAN` takes it.
        warp: Strength of the `RandomWarp` behind which D sees all images; 0, the paper's, for none.
        background: What comes in from outside of a bent image.
        minibatch: Projections of a `MinibatchDiscrimination` in D; 0, the paper's, for none.

    Returns:
        A compiled `ACGAN`; the paper has batches of 100.

    Example:

    >>> model = acgan((32, 32, 1), train.n_classes)
    >>> model.fit(train.batches(100), epochs=10, steps_per_epoch=len(train) // 100)
    >>> images = model.generator.predict({"latent": model.latent.sample(10), "label": np.eye(10)})

    Source: Odena et al. 2017, equations 2 and 3, appendix A: 110 numbers of noise, Adam 2e-4 with beta_1
    .5. Of its "768" this takes maps, of a sixteenth of the sides, for the first layer.
    """
    latent = Latent(noise=110, categories=(), continuous=0)
    generator = dcgan_generator(
        image_shape,
        latent.size,
        n_classes,
        filters=[round(maps * width) for maps in (768, 384, 256, 192)],
        kernel_size=5,
        norm_first=False,
        label_in=label_in,
    )
    d_width = width if d_width is None else d_width
    layers = ((16, 2), (32, 1), (64, 2), (128, 1), (256, 2), (512, 1))
    discriminator = conv_discriminator(
        image_shape,
        layers=[(round(maps * d_width), stride) for maps, stride in layers],
        kernel_size=3,
        dropout=dropout,
        n_classes=n_classes,
        augment=RandomWarp(warp, background=background, name="warp") if warp else None,
        minibatch=minibatch,
    )
    model = ACGAN(
        generator,
        discriminator,
        latent,
        fakes_in_class_loss,
        class_weight,
        average_decay=average_decay,
        name="acgan",
    )
    model.compile(optimizers or {player: FusedAdam(2e-4, beta_1=0.5) for player in ("d", "g")})
    return model
