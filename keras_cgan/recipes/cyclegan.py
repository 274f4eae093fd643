"""CycleGAN: two sets of images and no pairs; two generators, each undoing the other."""

import functools
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from keras_cgan.adversarial_losses import adversarial_loss
from keras_cgan.checks import check_at_least, check_choice, check_weights
from keras_cgan.discriminators import patch_discriminator
from keras_cgan.faster import faster_network
from keras_cgan.generators import resnet_generator, unet_generator
from keras_cgan.metrics import l1_distance
from keras_cgan.schedules import LinearDecay
from keras_cgan.training.adversarial import AdversarialModel
from keras_cgan.training.adversarial_checks import check_batch, check_range
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.heads import as_functional
from keras_cgan.training.image_pool import ImagePool
from keras_cgan.training.latent_gan import logits_of


class Drawn(NamedTuple):
    """What the generators make of a batch of photos and a batch of sketches."""

    sketch: Any
    photo: Any


@keras.saving.register_keras_serializable(package="keras_cgan")
class CycleGAN(AdversarialModel):
    """Photos and sketches that are no pairs: there and back again must lead home.

    Two generators learn together as the player `g`, two discriminators as `d`.

    Args:
        to_sketch, to_photo: The generators, models of one input.
        sketch_judge, photo_judge: The discriminators, from one image to logits (an `Activation` at the
            end is left off).
        cycle_weight: Weight of L1 between an image and what comes back of it, in either direction.
        forward_cycle, backward_cycle: Whether photos go to sketches and back, and sketches to photos and
            back; the paper's ablation leaves one or both out.
        identity_weight: Weight of L1 between an image and what the generator *to* its own kind makes
            of it, as a share of `cycle_weight`; needs equal channels.
        adversarial_weight: Weight of the adversarial losses; 0 for cycles alone.
        loss: One of `ADVERSARIAL_LOSSES`.
        image_pool: How many earlier fakes of either kind the discriminators are shown half of the time.
        update, d_steps, average_decay, name: As `AdversarialModel` takes them.

    Raises:
        ValueError: The networks do not fit together, or an argument is not one of those allowed.

    Example:

    >>> model = CycleGAN(to_sketch, to_photo, sketch_judge, photo_judge)

    Source: Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent
    adversarial networks", equations 1 to 3 and section 5.1.4.
    """

    loss_names = ("d_loss", "g_loss", "g_adv", "g_cycle")

    def __init__(
        self,
        to_sketch,
        to_photo,
        sketch_judge,
        photo_judge,
        cycle_weight=10.0,
        forward_cycle=True,
        backward_cycle=True,
        identity_weight=0.0,
        adversarial_weight=1.0,
        loss="least-squares",
        image_pool=50,
        update="sequential",
        d_steps=1,
        average_decay=None,
        name=None,
    ):
        super().__init__(update, d_steps, average_decay, name)
        self._given = {key: value for key, value in locals().items() if key not in ("self", "__class__")}
        judges = {"sketch_judge": sketch_judge, "photo_judge": photo_judge}
        for argument, network in {"to_sketch": to_sketch, "to_photo": to_photo, **judges}.items():
            if isinstance(as_functional(network, argument).input, (dict, list, tuple)):
                raise ValueError(f"`{argument}` must have one input. Received: {list(network.input)}")
        photo, sketch = to_sketch.input.shape[1:], to_photo.input.shape[1:]
        if to_sketch.output.shape[1:] != sketch or to_photo.output.shape[1:] != photo:
            raise ValueError(
                "`to_sketch` and `to_photo` must each make what the other takes. Received: "
                f"{photo} to {to_sketch.output.shape[1:]}, and {sketch} to {to_photo.output.shape[1:]}"
            )
        if identity_weight and photo != sketch:
            raise ValueError(
                "`identity_weight` must be 0 where photo and sketch differ in channels. "
                f"Received: identity_weight={identity_weight}, {photo} and {sketch}"
            )
        for (argument, network), shape in zip(judges.items(), (sketch, photo)):
            if network.input.shape[1:] != shape:
                raise ValueError(
                    f"`{argument}` must take images {shape}. Received: a model of {network.input.shape[1:]}"
                )
        check_at_least(0, image_pool=image_pool)
        check_weights(
            cycle_weight=cycle_weight, identity_weight=identity_weight, adversarial_weight=adversarial_weight
        )
        self.to_sketch, self.to_photo = to_sketch, to_photo
        self.sketch_judge, self.photo_judge = sketch_judge, photo_judge
        self.judges = [logits_of(judge, argument, "real_fake") for argument, judge in judges.items()]
        self.cycle_weight = cycle_weight
        self.forward_cycle, self.backward_cycle = forward_cycle, backward_cycle
        self.identity_weight, self.adversarial_weight = identity_weight, adversarial_weight
        self.adversarial = adversarial_loss(loss, "loss")
        self._pools = None
        if image_pool:
            self._pools = [ImagePool(image_pool, {"image": shape}) for shape in (sketch, photo)]
        if identity_weight:
            self.loss_names = (*self.loss_names, "g_identity")
        self.built = True  # the networks are: without it Keras would not save weights

    def players(self):
        return {"d": list(self.judges), "g": [self.to_sketch, self.to_photo]}

    def call(self, inputs, training=None):
        """Sketches of photos."""
        return faster_network(self.to_sketch)(inputs, training=training)

    def check_arrays(self, x, y):
        check_range(x=x, y=y)

    def unpack(self, data):
        """`(photos, sketches)`: as many of each, and no pairs."""
        photo, sketch, weight = keras.utils.unpack_x_y_sample_weight(data)
        if weight is not None or sketch is None:
            given = "y=None" if sketch is None else f"y=given, sample_weight of shape {weight.shape}"
            raise ValueError(
                f"`x` and `y` must be photos and sketches, without sample weights. Received: {given}"
            )
        check_batch(x=(photo, self.to_sketch.input.shape[1:]), y=(sketch, self.to_photo.input.shape[1:]))
        return photo, sketch

    def draw(self, batch, run):
        photo, sketch = batch
        return Drawn(run(self.to_sketch, photo), run(self.to_photo, sketch))

    def d_losses(self, batch, drawn, run):
        photo, sketch = batch
        loss = 0.0
        for number, (real, fake) in enumerate(((sketch, drawn.sketch), (photo, drawn.photo))):
            judge = self.judges[number]
            if self._pools is not None and run.training:
                fake = self._pools[number]({"image": fake})["image"]
            # Half of the sum, which slows D beside G.
            loss += 0.5 * tf.reduce_mean(self.adversarial.real(run(judge, real)["real_fake"]))
            loss += 0.5 * tf.reduce_mean(self.adversarial.fake(run(judge, fake)["real_fake"]))
        return {"d_loss": loss}

    def g_losses(self, batch, drawn, run):
        photo, sketch = batch
        told = [run(judge, fake)["real_fake"] for judge, fake in zip(self.judges, drawn)]
        fooled = sum(tf.reduce_mean(self.adversarial.generator(outputs)) for outputs in told)
        cycle = tf.zeros(())
        if self.forward_cycle:
            cycle += _l1(run(self.to_photo, drawn.sketch), photo)
        if self.backward_cycle:
            cycle += _l1(run(self.to_sketch, drawn.photo), sketch)
        losses = {"g_adv": fooled, "g_cycle": cycle}
        total = self.adversarial_weight * fooled + self.cycle_weight * cycle
        if self.identity_weight:
            same = _l1(run(self.to_sketch, sketch), sketch) + _l1(run(self.to_photo, photo), photo)
            losses["g_identity"] = same
            total += self.cycle_weight * self.identity_weight * same
        return {"g_loss": total, **losses}

    def cycle_errors(self, photos, sketches):
        """How far from an image what comes back of it is, by both generators in turn.

        Args:
            photos, sketches: Images in [-1, 1] that were not trained on; no pairs need be among them.

        Returns:
            A dict of floats, `"photo_back"` and `"sketch_back"`: mean absolute differences on a scale
            where black to white is 1. Noise hidden in a drawing makes them low too: look at the drawings.

        Example:

        >>> model.cycle_errors(test_photos, test_sketches)
        {'photo_back': 0.07, 'sketch_back': 0.03}
        """
        ways = {
            "photo_back": (self.to_sketch, self.to_photo, photos),
            "sketch_back": (self.to_photo, self.to_sketch, sketches),
        }
        return {
            name: l1_distance(back.predict(there.predict(images, verbose=0), verbose=0), images)
            for name, (there, back, images) in ways.items()
        }


def _l1(images, others):
    return tf.reduce_mean(tf.abs(tf.cast(images, tf.float32) - tf.cast(others, tf.float32)))


def cyclegan(
    image_shape=(256, 256, 3),
    sketch_channels=1,
    filters=64,
    generators="resnet",
    blocks=None,
    n_layers=3,
    learning_rate=2e-4,
    constant_steps=100_000,
    decay_steps=100_000,
    **options,
):
    """CycleGAN with the paper's networks and settings, compiled.

    Args:
        image_shape: `(height, width, channels)` of a photo.
        sketch_channels: Channels of a sketch.
        filters: Maps of the first convolution of every network.
        generators: `"resnet"`, or `"unet"`: that of pix2pix without dropout, which the paper's code has
            too; of small images it takes a fraction of the time.
        blocks: Residual blocks of a ResNet; by default 6, and 9 from 256 pixels on.
        n_layers: Stride-2 convolutions of a discriminator: 3 for patches of 70 pixels.
        learning_rate: Of Adam, for all four networks.
        constant_steps, decay_steps: Updates at the full learning rate, and on the way to 0.
        **options: As `CycleGAN` takes them. The identity loss is used, with half of the cycle's
            weight, where photo and sketch have as many channels.

    Returns:
        A compiled `CycleGAN`; the paper has batches of 1.

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> model = cyclegan((64, 64, 3), filters=16, constant_steps=2000, decay_steps=2000)
    >>> model.fit(photos, shuffled_sketches, batch_size=1, epochs=10)
    >>> drawn = model.predict(photos)

    Source: Zhu et al. 2017, sections 4 and 7: least squares, a pool of 50, Adam 2e-4 with beta_1 .5.
    """
    check_choice("generators", generators, ("resnet", "unet"))
    sketch_shape = (*image_shape[:2], sketch_channels)
    same = image_shape[-1] == sketch_channels
    shared = {"filters": filters, "norm": "instance"}
    if generators == "unet":
        generator = functools.partial(unet_generator, dropout=0.0, **shared)
    else:
        generator = functools.partial(resnet_generator, blocks=blocks, **shared)
    model = CycleGAN(
        generator(image_shape, sketch_channels, name="to_sketch"),
        generator(sketch_shape, image_shape[-1], name="to_photo"),
        patch_discriminator(sketch_shape, n_layers=n_layers, **shared, name="sketch_judge"),
        patch_discriminator(image_shape, n_layers=n_layers, **shared, name="photo_judge"),
        **{"identity_weight": 0.5 if same else 0.0, "name": "cyclegan", **options},
    )
    rate = LinearDecay(learning_rate, constant_steps, decay_steps)
    model.compile({player: FusedAdam(rate, beta_1=0.5) for player in ("d", "g")})
    return model
