"""What the networks of a conditional GAN are told: both engines train by this."""

import numpy as np
from keras import ops

from keras_cgan.adversarial_losses import ADVERSARIAL_LOSSES
from keras_cgan.checks import check_choice
from keras_cgan.losses import L1Loss, L2Loss, RealFakeLoss
from keras_cgan.minibatch_discrimination import MinibatchDiscrimination
from keras_cgan.strategies import check_strategy
from keras_cgan.targets import fakeness_targets, real_fake_targets
from keras_cgan.training.adversarial_checks import check_batch
from keras_cgan.training.combined import check_classifier, check_takes, functional_generator, photo_of
from keras_cgan.training.heads import logits_network, named_inputs


class Objectives:
    """The losses and targets of a generator, a discriminator and a classifier.

    They follow from the outputs: `real_fake` learns real = 1 and fake = 0; `classes` learns
    `fakeness_targets`; `label`, of a classifier or of a shared Q, learns the labels of real
    sketches only. The generator asks for what real sketches would get.

    Args:
        generator: Model from photos, or a dict `{"photo", "label"}`, to sketches.
        discriminator: Model from stacked pairs, or from sketches, or a dict `{"image", "label"}` of
            either and the label, to one output or a dict.
        classifier: Optional model from sketches to `(batch, n_classes)`.
        strategy: Optional name in `STRATEGIES`: an error where the networks are others.
        reconstruction: `"l1"` or `"l2"`.
        label_smoothing: How far below 1 the target `real_fake` of real sketches is in D's
            step, in [0, 1): one-sided (Salimans et al. 2016, section 3.4).
        adversarial_loss: What `real_fake` loses, D's side and G's: one of `ADVERSARIAL_LOSSES`, of
            which `"nonsaturating"` is the cross-entropy with those targets; or `"relativistic"`, the
            same of differences (`relative_outputs`). Others than the first need logits.

    Attributes:
        generator: The generator as a functional model.
        d_model, c_model: The discriminator and the classifier (or `None`) up to their logits,
            with a dict of outputs.
        d_losses, c_losses, g_losses: A `keras.losses.Loss` by output: D's, C's, and those of
            the generator's step, which has them all and `sketch`.
        paired: Whether D sees photo and sketch stacked.
        judged_shape: The shape of the images that D sees, without the batch.
        adversarial: The output of D whose loss is `g_adv`.
        adversarial_loss: As it was given.
        relativistic: Whether `real_fake` is judged by how much more real than its counterpart D calls it.
        takes_label: Whether the generator takes the label.
        d_takes_label: Whether the discriminator does.
        needs_label: Whether any network needs the label.
        n_classes: The length of a label; `None` where no network needs it.

    Raises:
        ValueError: The networks do not fit together, or do not fit the strategy.

    Example:

    >>> Objectives(*strategy_networks("two-head", (64, 64, 3), n_classes=6)).adversarial
    'real_fake'
    """

    def __init__(
        self,
        generator,
        discriminator,
        classifier=None,
        strategy=None,
        reconstruction="l1",
        label_smoothing=0.0,
        adversarial_loss="nonsaturating",
    ):
        check_choice("reconstruction", reconstruction, ("l1", "l2"))
        check_choice("adversarial_loss", adversarial_loss, (*ADVERSARIAL_LOSSES, "relativistic"))
        self._networks = generator, discriminator, classifier
        self.check_trainable()
        self.generator = functional_generator(generator)
        self.d_model, self._d_heads = logits_network(discriminator, one_input=False)
        d_inputs = named_inputs(self.d_model)
        self.judged_shape, self.d_takes_label = tuple(d_inputs["image"].shape[1:]), "label" in d_inputs
        self.paired = _is_paired(self.generator, self.judged_shape[-1])
        judged = (*self.generator.output.shape[1:-1], self.judged_shape[-1])
        check_takes("discriminator", self.judged_shape, judged)
        _check_networks(strategy, self._d_heads, self.paired, classifier)
        self.c_model, c_heads = None, {}
        if classifier is not None:
            self.c_model, c_heads = logits_network(classifier, "classifier", vector="label")
            check_classifier(classifier.name, c_heads, self._d_heads)
            check_takes("classifier", self.c_model.input.shape[1:], self.generator.output.shape[1:])
        self._smoothing = _check_smoothing(label_smoothing, self._d_heads, adversarial_loss)
        self.adversarial_loss = adversarial_loss
        self.relativistic = adversarial_loss == "relativistic"

        # Q's labels count on real sketches alone: a mean over what has weight.
        self.d_losses = {
            name: head.loss("mean_with_sample_weight" if name == "label" else "sum_over_batch_size")
            for name, head in self._d_heads.items()
        }
        self.c_losses = {name: head.loss() for name, head in c_heads.items()}
        self.g_losses = {name: head.loss() for name, head in {**self._d_heads, **c_heads}.items()}
        self.g_losses["sketch"] = L1Loss() if reconstruction == "l1" else L2Loss()
        if adversarial_loss != "nonsaturating":
            self.check_scores(adversarial_loss=adversarial_loss)
        if adversarial_loss not in ("nonsaturating", "relativistic"):
            self.d_losses["real_fake"] = RealFakeLoss(adversarial_loss)
            self.g_losses["real_fake"] = RealFakeLoss(adversarial_loss, generator=True)
        self.adversarial = "real_fake" if "real_fake" in self._d_heads else "classes"
        self._input_names = _input_names(self.generator)
        self.takes_label = "label" in self._input_names
        by_outputs = classifier is not None or set(self._d_heads) != {"real_fake"}
        self.needs_label = self.takes_label or self.d_takes_label or by_outputs
        if self.d_takes_label and d_inputs["label"].shape[-1] != self.n_classes:
            raise ValueError(
                f"`discriminator` must take labels of the other networks' length, {self.n_classes}. "
                f"Received: discriminator with labels of length {d_inputs['label'].shape[-1]}"
            )

    @property
    def class_outputs(self):
        """The outputs whose losses, in the generator's step, add up to `g_class`."""
        return [name for name in ("classes", "label") if name in self.g_losses and name != self.adversarial]

    @property
    def n_classes(self):
        if self.takes_label:
            return self.generator.input["label"].shape[-1]
        for network in (self.c_model, self.d_model):
            if network is not None and "label" in network.output:
                return network.output["label"].shape[-1]
        if "classes" in self.d_losses:
            # One of the n_classes + 1 units is fakeness.
            return self.d_model.output["classes"].shape[-1] - 1
        return self.d_model.input["label"].shape[-1] if self.d_takes_label else None

    def g_weights(self, l1_weight, adversarial_weight, class_weight):
        """The weights of the losses in the generator's step, by output."""
        weights = dict.fromkeys(self.g_losses, class_weight)
        return {**weights, "sketch": l1_weight, self.adversarial: adversarial_weight}

    def d_targets(self, label, batch_size, fake):
        """What each output of D should say of real sketches, or of fakes, in D's own step.

        Args:
            label: `(batch, n_classes)`, or `None` where no output needs it.
            batch_size: An integer, or a scalar tensor.
            fake: Whether these are fakes.

        Returns:
            A dict: output name -> targets, as arrays or tensors, as the label is.
        """
        return self._targets(label, batch_size, fake, self._smoothing)

    def g_targets(self, label, batch_size):
        """What the generator asks each output of D and C to say: a dict, as `d_targets` gives."""
        targets = self._targets(label, batch_size, fake=False, smoothing=0.0)
        return {**targets, **dict.fromkeys(self.c_losses, label)}

    def _targets(self, label, batch_size, fake, smoothing):
        targets = {}
        for name, head in self._d_heads.items():
            if name == "real_fake":
                shape = self.d_model.output["real_fake"].shape
                targets[name] = real_fake_targets(batch_size, shape, fake, smoothing)
            elif name == "classes":
                targets[name] = fakeness_targets(label, fake, option=head.activation)
            else:
                targets[name] = label
        return targets

    def loss_by_fakes(self, outputs, fake):
        """What D loses by telling real from fake, whatever class it names.

        Args:
            outputs: D's outputs by name, all of real sketches or all of fakes.
            fake: Whether of fakes.

        Returns:
            A float: the loss of `real_fake`, or the cross-entropy of the unit of fakeness.
        """
        if "real_fake" in outputs:
            size = outputs["real_fake"].shape[0]
            targets = self.d_targets(np.zeros((size, self.n_classes or 1), "float32"), size, fake)
            return float(self.d_losses["real_fake"](targets["real_fake"], outputs["real_fake"]))
        head, output = self._d_heads["classes"], ops.cast(outputs["classes"], "float32")
        if head.from_logits:
            output = ops.softmax(output) if head.activation == "softmax" else ops.sigmoid(output)
        chance = output[:, 0] if fake else 1 - output[:, 0]
        return float(-ops.mean(ops.log(ops.maximum(chance, 1e-7))))

    def generator_inputs(self, photo, label):
        """Photo and label in the form that the generator takes: a dict of what it asks for, or the photo."""
        given = {"photo": photo, "label": label}
        return {name: given[name] for name in self._input_names} if self._input_names else photo

    def discriminator_inputs(self, judged, label):
        """What D judges in the form that it takes: a dict with the label of each, or the images."""
        return {"image": judged, "label": label} if self.d_takes_label else judged

    def conditions(self, x):
        """Photo and label of a batch, `None` where none is needed; a `ValueError` where one is missing."""
        photo, label = (x.get("photo"), x.get("label")) if isinstance(x, dict) else (x, None)
        if photo is None or (self.needs_label and label is None):
            missing = "photo" if photo is None else "label"
            raise ValueError(
                f"`x` must be a dict with 'photo' and 'label'. Received: no {missing!r} in "
                f"{sorted(x) if isinstance(x, dict) else type(x).__name__}"
            )
        return photo, label if self.needs_label else None

    def check_pairs(self, photo, label, sketch, weight=None):
        """Raises a `ValueError` that names the first part of a batch that the networks cannot take."""
        inputs = self.generator.input if self._input_names else {"photo": self.generator.input}
        parts = {"photo": (photo, inputs["photo"].shape[1:])} if "photo" in inputs else {}
        parts["sketch"] = sketch, self.generator.output.shape[1:]
        if label is not None:
            parts["label"] = label, (self.n_classes,)
        if weight is not None:
            column = len(getattr(weight, "shape", None) or ()) == 2
            parts["sample_weight"] = weight, (1,) if column else ()
        check_batch(**parts)

    def check_scores(self, **arguments):
        """Raises a `ValueError` that names the first argument, where D has no logits `real_fake` for it."""
        head = self._d_heads.get("real_fake")
        for argument, value in arguments.items():
            if head is None:
                raise ValueError(
                    f"`{argument}` is for a discriminator with an output 'real_fake'. "
                    f"Received: {argument}={value!r}, and outputs {sorted(self._d_heads)}"
                )
            if not head.from_logits:
                raise ValueError(
                    f"`{argument}` is for a discriminator that makes logits, with an `Activation` layer "
                    f"behind them or none. Received: {argument}={value!r}, and output 'real_fake' with its "
                    f"{head.activation} inside the last layer"
                )

    def check_trainable(self):
        """Raises a `ValueError` where a network is frozen: whether it then trains would depend on tracing."""
        for network in self._networks:
            if network is not None and not network.trainable:
                raise ValueError(
                    f"`trainable` must be left True: no step here needs a flag. Received: {network.name!r} "
                    "with trainable=False"
                )


def relative_outputs(outputs, others):
    """D's outputs with `real_fake` as the logit that each is more real than the other of its place.

    Args:
        outputs: A dict of D's logits: of real sketches, or of fakes.
        others: Of the fakes of the same photos, or of the real sketches.

    Returns:
        A dict like `outputs`. With the targets of real and fake, and half of each loss, D loses
        softplus(-(s_real - s_fake)): the two halves are the same.
    """
    # Widened first, as losses widen: a difference of half-precision scores is rounded, or infinite.
    scores, other = (ops.cast(each["real_fake"], "float32") for each in (outputs, others))
    return {**outputs, "real_fake": scores - other}


def _input_names(generator):
    """The names of a generator's inputs; none where it takes a bare photo."""
    names = sorted(generator.input) if isinstance(generator.input, dict) else []
    if not set(names) <= {"photo", "label"}:
        raise ValueError(
            "`generator` must take a photo, or a dict with 'photo' and perhaps 'label'. "
            f"Received: generator with inputs {names}"
        )
    return names


def _check_smoothing(label_smoothing, d_heads, adversarial_loss):
    if not 0.0 <= label_smoothing < 1.0:
        raise ValueError(f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}")
    if label_smoothing and "real_fake" not in d_heads:
        raise ValueError(
            "`label_smoothing` is for a discriminator with an output 'real_fake'. "
            f"Received: label_smoothing={label_smoothing}, and outputs {sorted(d_heads)}"
        )
    if label_smoothing and adversarial_loss != "nonsaturating":
        raise ValueError(
            "`label_smoothing` is for adversarial_loss='nonsaturating'. "
            f"Received: label_smoothing={label_smoothing}, adversarial_loss={adversarial_loss!r}"
        )
    return label_smoothing


def _is_paired(generator, channels):
    """Whether D sees the stacked pair, by its number of input channels."""
    sketch = generator.output.shape[-1]
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


def check_joined_batch(joined_batch, discriminator):
    """Raises a `ValueError` where D would compare real images with fakes of one batch."""
    layers = discriminator._flatten_layers()
    if joined_batch and any(isinstance(layer, MinibatchDiscrimination) for layer in layers):
        raise ValueError(
            "`joined_batch` must be False for a discriminator with `MinibatchDiscrimination`, which compares "
            f"the images of a batch. Received: joined_batch={joined_batch}"
        )
