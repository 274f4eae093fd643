"""The answer's training loop, on one page: three `train_on_batch` calls a step."""

import keras
import numpy as np

from keras_cgan.adversarial_losses import ADVERSARIAL_LOSSES
from keras_cgan.checks import check_choice
from keras_cgan.training.adversarial_checks import check_range
from keras_cgan.training.combined import FixedNetwork, combined_model
from keras_cgan.training.objectives import Objectives, check_joined_batch


class ReferenceTrainer:
    """Trains G, D and C as the answer does: D, then C, then G through both, fixed.

    What each network is told follows from its outputs: see `Objectives`.

    Args:
        generator: Model from photos, or a dict `{"photo", "label"}`, to sketches.
        discriminator: Model from stacked pairs, or from sketches, to `real_fake`, `classes`,
            `label`: one output or a dict. By its input channels it is seen which. It may take a
            dict `{"image", "label"}` where the generator takes the label too.
        classifier: Optional model from sketches to `(batch, n_classes)`.
        strategy: Optional name in `STRATEGIES`: an error where the networks are others.
        g_optimizer, d_optimizer, c_optimizer: Keras optimizers or their names; by default
            Adam 2e-4 with beta_1 .5 for G and D, Adam 1e-3 for C.
        l1_weight, adversarial_weight, class_weight: Weights of G's losses.
        reconstruction: `"l1"` or `"l2"`: what `l1_weight` weighs, and `g_l1` is.
        label_smoothing: How far below 1 the target `real_fake` of real sketches is for D.
        adversarial_loss: What `real_fake` loses: one of `ADVERSARIAL_LOSSES`, as `ConditionalGAN` takes them.
        update: `"sequential"`: G learns from D and C after their updates, as in the answer;
            `"simultaneous"`: from D and C as they were before (TensorFlow's tutorial).
        joined_batch: Whether D learns from one batch of real then fake, or from two, by an
            update each. `ConditionalGAN` takes the same steps where this is True for both; its
            default is True where sequential, and apart it makes one update of the mean of two.
        run_eagerly: As in Keras: for debugging.

    Raises:
        ValueError: The networks do not fit together, or do not fit the strategy.

    Example:

    >>> trainer = ReferenceTrainer(*strategy_networks("classifier", (64, 64, 3), n_classes=6))
    >>> losses = trainer.train_on_batch({"photo": photos, "label": labels}, sketches)

    Source: the answer's loop; Isola et al. 2017, section 3.3, for the alternation.
    """

    def __init__(
        self,
        generator,
        discriminator,
        classifier=None,
        strategy=None,
        *,
        g_optimizer=None,
        d_optimizer=None,
        c_optimizer=None,
        l1_weight=100.0,
        adversarial_weight=1.0,
        class_weight=1.0,
        reconstruction="l1",
        label_smoothing=0.0,
        adversarial_loss="nonsaturating",
        update="sequential",
        joined_batch=True,
        run_eagerly=False,
    ):
        check_choice("update", update, ("sequential", "simultaneous"))
        # Not of pairs: `train_on_batch` weighs each output for itself.
        check_choice("adversarial_loss", adversarial_loss, ADVERSARIAL_LOSSES)
        self.generator, self.discriminator, self.classifier = generator, discriminator, classifier
        self.update, self.joined_batch = update, joined_batch
        told = self.objectives = Objectives(
            generator, discriminator, classifier, strategy, reconstruction, label_smoothing, adversarial_loss
        )
        check_joined_batch(joined_batch, discriminator)

        def ready(model, losses, optimizer, default, **options):
            optimizer = keras.optimizers.get(optimizer or default)
            model.compile(optimizer, loss=losses, run_eagerly=run_eagerly, jit_compile=False, **options)
            model.optimizer.build(model.trainable_variables)
            return model

        self.d_model = ready(
            told.d_model, told.d_losses, d_optimizer, keras.optimizers.Adam(2e-4, beta_1=0.5)
        )
        self.c_model = None
        if told.c_model is not None:
            self.c_model = ready(told.c_model, told.c_losses, c_optimizer, keras.optimizers.Adam(1e-3))
        self.combined = ready(
            combined_model(told.generator, self.d_model, self.c_model, told.paired),
            told.g_losses,
            g_optimizer,
            keras.optimizers.Adam(2e-4, beta_1=0.5),
            loss_weights=told.g_weights(l1_weight, adversarial_weight, class_weight),
        )
        # Draws in training mode (batch statistics, dropout) and moves nothing of G.
        drawn = FixedNetwork(told.generator, training=True, name="drawn")(self.combined.input)
        self._fakes = keras.Model(self.combined.input, drawn)

    @property
    def optimizers(self):
        """The optimizers by network: a dict with `"generator"`, `"discriminator"`, `"classifier"`."""
        models = {"generator": self.combined, "discriminator": self.d_model, "classifier": self.c_model}
        return {name: model.optimizer for name, model in models.items() if model is not None}

    def train_on_batch(self, x, y):
        """One training step.

        Args:
            x: `{"photo": (batch, height, width, channels), "label": (batch, n_classes)}`,
                NumPy arrays or tensors, images in [-1, 1]. Class-blind networks need no label.
            y: True sketches, `(batch, height, width, channels)` in [-1, 1].

        Returns:
            A dict of floats, those that apply: `d_loss`, `c_loss`, `g_loss` (the weighted
            sum), `g_l1`, `g_adv`, `g_class` (unweighted).

        Raises:
            ValueError: A label is needed and missing, or images are not floats in [-1, 1].
        """
        self.objectives.check_trainable()
        photo, label, sketch = self._arrays(x, y)
        conditions = self.objectives.generator_inputs(photo, label)
        fakes = self._fakes.predict_on_batch(conditions)

        g_losses = {}
        if self.update == "simultaneous":
            g_losses = self._generator_step(conditions, label, sketch)

        losses = {"d_loss": self._discriminator_step(photo, label, sketch, fakes)}
        if self.c_model is not None:
            losses["c_loss"] = self.c_model.train_on_batch(sketch, {"label": label})

        if self.update == "sequential":
            g_losses = self._generator_step(conditions, label, sketch)
        return {name: float(value) for name, value in {**losses, **g_losses}.items()}

    def _generator_step(self, conditions, label, sketch):
        """G through D and C, fixed. Returns its losses."""
        asked = {"sketch": sketch, **self.objectives.g_targets(label, len(sketch))}
        g = self.combined.train_on_batch(conditions, asked, return_dict=True)
        adversarial = g[f"{self.objectives.adversarial}_loss"]
        losses = {"g_loss": g["loss"], "g_l1": g["sketch_loss"], "g_adv": adversarial}
        if self.objectives.class_outputs:
            losses["g_class"] = sum(g[f"{name}_loss"] for name in self.objectives.class_outputs)
        return losses

    def _discriminator_step(self, photo, label, sketch, fakes):
        """D on real, then fake: in one batch, or in two. Returns the loss."""
        batches = []
        for fake, drawn in ((False, sketch), (True, fakes)):
            images = np.concatenate([photo, drawn], axis=-1) if self.objectives.paired else drawn
            targets = self.objectives.d_targets(label, len(drawn), fake)
            weights = {name: _sample_weights(name, target, fake) for name, target in targets.items()}
            batches.append((self.objectives.discriminator_inputs(images, label), targets, weights))
        if self.joined_batch:
            batches = [keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)]
        return np.mean([self.d_model.train_on_batch(*batch, return_dict=True)["loss"] for batch in batches])

    def kept_generator(self):
        """The generator to keep: the trained one, for there is no moving average here."""
        return self.generator

    def _arrays(self, x, y):
        """Photo, label (or `None`) and sketch as arrays."""
        photo, label = self.objectives.conditions(x)
        photo, sketch = np.asarray(photo), np.asarray(y)
        label = None if label is None else np.asarray(label, "float32")
        self.objectives.check_pairs(photo, label, sketch)
        check_range(photo=photo, sketch=sketch)
        return photo, label, sketch


def _sample_weights(name, target, fake):
    """One weight a sample, in the rank of its losses: fakes teach Q (`label`) nothing."""
    weight = 0.0 if fake and name == "label" else 1.0
    return np.full((len(target),) + (1,) * (target.ndim - 2), weight, "float32")
