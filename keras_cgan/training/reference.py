"""The answer's training loop, on one page: three `train_on_batch` calls a step."""

import keras
import numpy as np

from keras_cgan.checks import check_choice
from keras_cgan.losses import L1Loss, L2Loss
from keras_cgan.strategies import check_strategy
from keras_cgan.targets import fakeness_targets, real_fake_targets
from keras_cgan.training.combined import FixedNetwork, combined_model, functional_generator, photo_of
from keras_cgan.training.heads import logits_network


class ReferenceTrainer:
    """Trains G, D and C as the answer does: D, then C, then G through both, fixed.

    What each network is told follows from its outputs: `real_fake` learns real = 1 and
    fake = 0; `classes` learns `fakeness_targets`; `label`, of a classifier or of a shared
    Q, learns the labels of real sketches only. G asks for what real sketches would get.

    Args:
        generator: Model from photos, or a dict `{"photo", "label"}`, to sketches.
        discriminator: Model from stacked pairs, or from sketches, to `real_fake`, `classes`,
            `label`: one output or a dict. By its input channels it is seen which.
        classifier: Optional model from sketches to `(batch, n_classes)`.
        strategy: Optional name in `STRATEGIES`: an error where the networks are others.
        g_optimizer, d_optimizer, c_optimizer: Keras optimizers or their names; by default
            Adam 2e-4 with beta_1 .5 for G and D, Adam 1e-3 for C.
        l1_weight, adversarial_weight, class_weight: Weights of G's losses.
        reconstruction: `"l1"` or `"l2"`: what `l1_weight` weighs, and `g_l1` is.
        update: `"sequential"`: G learns from D and C after their updates, as in the answer;
            `"simultaneous"`: from D and C as they were before (TensorFlow's tutorial).
        joined_batch: Whether D learns from one batch of real then fake, or from two. With
            batch norm in D these differ.
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
        update="sequential",
        joined_batch=True,
        run_eagerly=False,
    ):
        check_choice("reconstruction", reconstruction, ("l1", "l2"))
        check_choice("update", update, ("sequential", "simultaneous"))
        self.update = update
        self.generator, self.discriminator, self.classifier = generator, discriminator, classifier
        self.joined_batch = joined_batch
        self._check_trainable()
        generator = functional_generator(generator)
        d_model, self._d_heads = logits_network(discriminator)
        self.paired = _is_paired(generator, d_model)
        _check_networks(strategy, self._d_heads, self.paired, classifier)

        def ready(model, losses, optimizer, default, **options):
            optimizer = keras.optimizers.get(optimizer or default)
            model.compile(optimizer, loss=losses, run_eagerly=run_eagerly, jit_compile=False, **options)
            model.optimizer.build(model.trainable_variables)
            return model

        # Q's labels count on the real half of the batch alone: a mean over what has weight.
        d_losses = {
            name: head.loss("mean_with_sample_weight" if name == "label" else "sum_over_batch_size")
            for name, head in self._d_heads.items()
        }
        self.d_model = ready(d_model, d_losses, d_optimizer, keras.optimizers.Adam(2e-4, beta_1=0.5))

        self.c_model, c_heads = None, {}
        if classifier is not None:
            c_model, c_heads = logits_network(classifier, "classifier", vector="label")
            c_losses = {name: head.loss() for name, head in c_heads.items()}
            self.c_model = ready(c_model, c_losses, c_optimizer, keras.optimizers.Adam(1e-3))

        g_losses = {name: head.loss() for name, head in {**self._d_heads, **c_heads}.items()}
        g_losses["sketch"] = L1Loss() if reconstruction == "l1" else L2Loss()
        self._adversarial = "real_fake" if "real_fake" in g_losses else "classes"
        weights = dict.fromkeys(g_losses, class_weight)
        weights |= {"sketch": l1_weight, self._adversarial: adversarial_weight}
        self.combined = ready(
            combined_model(generator, d_model, self.c_model, self.paired),
            g_losses,
            g_optimizer,
            keras.optimizers.Adam(2e-4, beta_1=0.5),
            loss_weights=weights,
        )
        # Draws in training mode (batch statistics, dropout) and moves nothing of G.
        drawn = FixedNetwork(generator, training=True, name="drawn")(self.combined.input)
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
            ValueError: A label is needed and missing.
        """
        self._check_trainable()
        photo, label, sketch = self._arrays(x, y)
        conditions = {"photo": photo, "label": label} if isinstance(self.combined.input, dict) else photo
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
        asked = self._targets(label, len(sketch), fake=False)
        if self.c_model is not None:
            asked["label"] = label
        g = self.combined.train_on_batch(conditions, {"sketch": sketch, **asked}, return_dict=True)
        losses = {"g_loss": g["loss"], "g_l1": g["sketch_loss"], "g_adv": g[f"{self._adversarial}_loss"]}
        for name in {"classes", "label"} & asked.keys() - {self._adversarial}:
            losses["g_class"] = g[f"{name}_loss"]
        return losses

    def _discriminator_step(self, photo, label, sketch, fakes):
        """D on real, then fake: in one batch, or in two. Returns the loss."""
        batches = []
        for fake, drawn in ((False, sketch), (True, fakes)):
            images = np.concatenate([photo, drawn], axis=-1) if self.paired else drawn
            targets = self._targets(label, len(drawn), fake)
            weights = {name: _sample_weights(name, target, fake) for name, target in targets.items()}
            batches.append((images, targets, weights))
        if self.joined_batch:
            batches = [keras.tree.map_structure(lambda *parts: np.concatenate(parts), *batches)]
        return np.mean([self.d_model.train_on_batch(*batch, return_dict=True)["loss"] for batch in batches])

    def _targets(self, label, batch_size, fake):
        """What each output of D should say of real sketches, or of fakes."""
        targets = {}
        for name, head in self._d_heads.items():
            if name == "real_fake":
                shape = self.d_model.output["real_fake"].shape
                targets[name] = real_fake_targets(batch_size, shape, fake)
            elif name == "classes":
                targets[name] = fakeness_targets(label, fake, option=head.activation)
            else:
                targets[name] = label
        return targets

    def _arrays(self, x, y):
        """Photo, label (or `None`) and sketch as arrays."""
        photo, label = (x.get("photo"), x.get("label")) if isinstance(x, dict) else (x, None)
        needs_label = self.c_model is not None or set(self._d_heads) != {"real_fake"}
        needs_label = needs_label or isinstance(self.combined.input, dict)
        if photo is None or (needs_label and label is None):
            missing = "photo" if photo is None else "label"
            raise ValueError(
                f"`x` must be a dict with 'photo' and 'label'. Received: no {missing!r} in "
                f"{sorted(x) if isinstance(x, dict) else type(x).__name__}"
            )
        photo, sketch = np.asarray(photo), np.asarray(y)
        label = None if label is None else np.asarray(label, "float32")
        sizes = [len(array) for array in (photo, label, sketch) if array is not None]
        if len(set(sizes)) > 1 or not all(array.dtype.kind in "fV" for array in (photo, sketch)):
            raise ValueError(
                "`x` and `y` must hold as many photos, labels and sketches, images as floats in [-1, 1]. "
                f"Received: sizes {sizes}, photo {photo.dtype}, sketch {sketch.dtype}"
            )
        return photo, label, sketch

    def _check_trainable(self):
        """Raises a `ValueError` where a network is frozen: whether it then trains would depend on tracing."""
        for network in (self.generator, self.discriminator, self.classifier):
            if network is not None and not network.trainable:
                raise ValueError(
                    f"`trainable` must be left True: no step here needs a flag. Received: {network.name!r} "
                    "with trainable=False"
                )


def _sample_weights(name, target, fake):
    """One weight a sample, in the rank of its losses: fakes teach Q (`label`) nothing."""
    weight = 0.0 if fake and name == "label" else 1.0
    return np.full((len(target),) + (1,) * (target.ndim - 2), weight, "float32")


def _is_paired(generator, d_model):
    """Whether D sees the stacked pair, by its number of input channels."""
    sketch = generator.output.shape[-1]
    channels = d_model.input.shape[-1]
    if channels == sketch:
        return False
    pair = photo_of(generator.input).shape[-1] + sketch
    if channels != pair:
        raise ValueError(
            f"`discriminator` must take {sketch} channels (the sketch) or {pair} (photo and sketch stacked). "
            f"Received: discriminator with {channels} input channels"
        )
    return True


def _check_networks(strategy, d_heads, paired, classifier):
    """Raises a `ValueError` where the networks are not those of the strategy."""
    unknown = set(d_heads) - {"real_fake", "classes", "label"}
    if unknown or not {"real_fake", "classes"} & set(d_heads):
        raise ValueError(
            "`discriminator` must have an output 'real_fake' or 'classes', and may have both, or 'label'. "
            f"Received: discriminator with outputs {sorted(d_heads)}"
        )
    if strategy is None:
        return
    chosen = check_strategy(strategy)
    activation = d_heads["classes"].activation if "classes" in d_heads else None
    if (
        set(chosen.outputs) != set(d_heads)
        or chosen.paired != paired
        or chosen.classifier != (classifier is not None)
        or chosen.class_head not in (None, activation)
    ):
        raise ValueError(
            f"`strategy`: {strategy!r} takes a discriminator of the {'pair' if chosen.paired else 'sketch'} "
            f"with outputs {chosen.outputs} and {'a' if chosen.classifier else 'no'} classifier. Received: a "
            f"discriminator of the {'pair' if paired else 'sketch'} with outputs {tuple(sorted(d_heads))}, "
            f"classifier={classifier and classifier.name!r}"
        )
