"""The class-conditional photo-to-sketch GAN as a `keras.Model`: compile, fit, callbacks."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

# Known to Keras, so that a saved model with them loads.
import keras_cgan.diff_augment  # noqa: F401
import keras_cgan.feature_matching  # noqa: F401
import keras_cgan.photo_information  # noqa: F401
from keras_cgan.checks import check_at_least, check_rate, check_weights
from keras_cgan.faster import faster_network
from keras_cgan.fixed import call_fixed
from keras_cgan.terms import check_terms
from keras_cgan.training.adversarial import AdversarialModel
from keras_cgan.training.adversarial_checks import check_range
from keras_cgan.training.equilibrium import EquilibriumWeight
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.image_pool import ImagePool
from keras_cgan.training.objectives import Objectives, check_joined_batch, relative_outputs
from keras_cgan.training.penalties import lazily, r1_penalty

# In the order of the logs; those that a model has no use for are left out.
LOSS_NAMES = ("d_loss", "d_penalty", "c_loss", "g_loss", "g_l1", "g_adv", "g_class", "gamma")


class Batch(NamedTuple):
    """A batch of pairs; what a strategy does not need is `None`."""

    photo: Any
    label: Any
    sketch: Any
    weight: Any


@keras.saving.register_keras_serializable(package="keras_cgan")
class ConditionalGAN(AdversarialModel):
    """G, D and C in one compiled step: the maths of `ReferenceTrainer` at the machine's speed.

    G draws once a step: D's fakes and G's own update share that pass, where `ReferenceTrainer`
    draws twice, with the same dropout masks.

    Args:
        generator: Model from photos, or a dict `{"photo", "label"}`, to sketches.
        discriminator: Model from stacked pairs, or from sketches, to `real_fake`, `classes`,
            `label`: one output or a dict. By its input channels it is seen which. One that takes a
            dict `{"image", "label"}` is told the class too: of a fake the one that G was asked for.
        classifier: Optional model from sketches to `(batch, n_classes)`.
        strategy: Optional name in `STRATEGIES`: an error where the networks are others.
        l1_weight, adversarial_weight, class_weight: Weights of G's losses.
        reconstruction: `"l1"` or `"l2"`: what `l1_weight` weighs, and `g_l1` is.
        label_smoothing: How far below 1 the target `real_fake` of real sketches is for D.
        adversarial_loss: What D's output `real_fake` loses, D's side and G's: one of
            `ADVERSARIAL_LOSSES`, such as `"hinge"` or `"least-squares"`. The default is the sigmoid
            cross-entropy; others need logits, and take no `label_smoothing`. Or `"relativistic"`: D loses
            softplus(-(s_real - s_fake)) and G softplus(-(s_fake - s_real)), whole, with s the logits of a
            true sketch and of the fake of its photo, or of what an `image_pool` shows in its place.
        r1_weight: Weight of R1 in D's loss, the squared slope of `real_fake` at what D sees of real pairs
            (`r1_penalty`): half the paper's gamma. It is part of `d_loss` in training, not in evaluation:
            `d_penalty` in the logs is that part, of R1 and R2. D must make logits, and is best without batch
            norm, which makes samples depend on one another.
        r2_weight: Weight of R2, the same at what D sees of fakes, in the same places.
        r1_every: R1 and R2 are taken in the first of so many updates of D, times as many; 1: in each.
        update: `"sequential"`: G learns from D and C after their updates, as in the answer;
            `"simultaneous"`: from D and C as they were before (TensorFlow's tutorial).
        joined_batch: Whether D reads real and fake in one batch or in two, for one update of
            their mean; they differ with batch norm. By default joined where sequential (the
            answer), apart where simultaneous (the tutorial; D's pass on fakes is then shared).
        d_steps: Steps of D for each of G, all on the same batch and fakes.
        image_pool: How many earlier fakes D is shown half of the time (CycleGAN: 50); 0: none.
        swap_rate: How often, in [0, 1), G is asked for a random class instead of the photo's own. What
            compares with the true sketch is then left out, of the loss and of its mean in the logs. A D
            that sees the photo too calls such a pair fake: use one that sees the sketch alone, or is told
            the class.
        swap_weight: How many times as much the class counts in G's loss where it is not the photo's own;
            `g_class` in the logs is without it.
        equilibrium: Optional `EquilibriumWeight`, for a model with a classifier: what G loses by C counts
            `class_weight` times its gamma, which each update of G moves by C's loss on the fakes, for the
            classes that were asked for, and on the real sketches. `gamma` in the logs is what counted.
        terms: More terms of G's loss, each a `GeneratorTerm`.
        average_decay: Optional decay of a moving average of G's weights, for `averaged()`; it is
            lower in the first updates (`WeightAverage`).
        name: Name of the model.

    Raises:
        ValueError: The networks do not fit together, or do not fit the strategy.

    Example:

    >>> gan = ConditionalGAN(*strategy_networks("classifier", (64, 64, 3), n_classes=6))
    >>> gan.compile()
    >>> gan.fit(pipeline.batches(), epochs=10, steps_per_epoch=pipeline.steps_per_epoch)
    >>> sketches = gan.predict({"photo": photos, "label": labels})

    Source: the answer's step; Isola et al. 2017, section 3.3; the image pool: Shrivastava et
    al. 2017, section 2.3; hinge: Lim and Ye 2017, "Geometric GAN"; relativistic: Jolicoeur-Martineau
    2018, "The relativistic discriminator", RSGAN, and Huang et al. 2024, "The GAN is dead; long live the
    GAN!", RpGAN; R1 and R2: Mescheder et al. 2018, equations 9 and 10 (beside RpGAN: Huang et al.),
    taken lazily: Karras et al. 2020 (StyleGAN2), section 3.1; the equilibrium: Lee and Seok 2017,
    "Controllable generative adversarial network", section 3.
    """

    def __init__(
        self,
        generator,
        discriminator,
        classifier=None,
        strategy=None,
        *,
        l1_weight=100.0,
        adversarial_weight=1.0,
        class_weight=1.0,
        reconstruction="l1",
        label_smoothing=0.0,
        adversarial_loss="nonsaturating",
        r1_weight=0.0,
        r2_weight=0.0,
        r1_every=16,
        update="sequential",
        joined_batch=None,
        d_steps=1,
        image_pool=0,
        swap_rate=0.0,
        swap_weight=1.0,
        equilibrium=None,
        terms=(),
        average_decay=None,
        name="conditional_gan",
    ):
        super().__init__(update, d_steps, average_decay, name)
        self._given = {
            "generator": generator,
            "discriminator": discriminator,
            "classifier": classifier,
            "strategy": strategy,
            "l1_weight": l1_weight,
            "adversarial_weight": adversarial_weight,
            "class_weight": class_weight,
            "reconstruction": reconstruction,
            "label_smoothing": label_smoothing,
            "adversarial_loss": adversarial_loss,
            "r1_weight": r1_weight,
            "r2_weight": r2_weight,
            "r1_every": r1_every,
            "update": update,
            "joined_batch": joined_batch,
            "d_steps": d_steps,
            "image_pool": image_pool,
            "swap_rate": swap_rate,
            "swap_weight": swap_weight,
            "equilibrium": equilibrium,
            "terms": list(terms),
            "average_decay": average_decay,
            "name": name,
        }
        told = self.objectives = Objectives(
            generator, discriminator, classifier, strategy, reconstruction, label_smoothing, adversarial_loss
        )
        self.generator, self.discriminator, self.classifier = generator, discriminator, classifier
        self.joined_batch = update == "sequential" if joined_batch is None else joined_batch
        check_joined_batch(self.joined_batch, discriminator)
        slopes = {"r1_weight": r1_weight, "r2_weight": r2_weight}
        check_weights(**slopes)
        check_at_least(1, r1_every=r1_every)
        told.check_scores(**{name: weight for name, weight in slopes.items() if weight})
        self.r1_weight, self.r2_weight, self.r1_every = r1_weight, r2_weight, r1_every
        check_at_least(0, image_pool=image_pool)
        self._pool = _pool_of_fakes(image_pool, told) if image_pool else None
        _check_swaps(swap_rate, swap_weight, told)
        self.swap_rate, self.swap_weight = swap_rate, swap_weight
        self._swaps = keras.random.SeedGenerator() if swap_rate else None
        if equilibrium is not None:
            _check_equilibrium(equilibrium, classifier)
        self.equilibrium = equilibrium
        absent = {
            "d_penalty": not (r1_weight or r2_weight),
            "c_loss": classifier is None,
            "g_class": not told.class_outputs,
            "gamma": equilibrium is None,
        }
        self.terms = check_terms(terms, LOSS_NAMES)
        for term in self.terms:
            term.bind(self)
        names = (*LOSS_NAMES, *(f"g_{term.name}" for term in self.terms))
        self.loss_names = tuple(name for name in names if not absent.get(name))
        # Here, not at `compile`: so that a saved average loads without it.
        self._make_average()
        self.built = True

    def call(self, inputs, training=None):
        """Sketches of `{"photo", "label"}`, or of photos where the generator takes no label."""
        told = self.objectives
        is_dict = isinstance(inputs, dict)
        if is_dict or not told.takes_label:
            photo, label = (inputs.get("photo"), inputs.get("label")) if is_dict else (inputs, None)
            inputs = told.generator_inputs(photo, label)
        return faster_network(told.generator)(inputs, training=training)

    def players(self):
        told = self.objectives
        classifier = {} if told.c_model is None else {"c": [told.c_model]}
        return {"d": [told.d_model], **classifier, "g": [told.generator]}

    def compile(
        self,
        g_optimizer=None,
        d_optimizer=None,
        c_optimizer=None,
        l1_weight=None,
        adversarial_weight=None,
        class_weight=None,
        **options,
    ):
        """Configures training.

        Args:
            g_optimizer, d_optimizer, c_optimizer: Keras optimizers or their names; by default
                Adam 2e-4 with beta_1 .5 for G and D, Adam 1e-3 for C. Each may accumulate
                gradients (`gradient_accumulation_steps`). Callbacks find G's as `optimizer`.
            l1_weight, adversarial_weight, class_weight: Weights of G's losses, where they are
                to be others than the constructor's.
            **options: `run_eagerly`, `steps_per_execution`, `jit_compile`, as in Keras, where
                `jit_compile` is False by default: XLA is slower on a CPU.

        Example:

        >>> gan.compile(g_optimizer=keras.optimizers.Adam(1e-4, beta_1=0.5), steps_per_execution=10)
        """
        optimizers = {"g": g_optimizer, "d": d_optimizer}
        if self.classifier is not None:
            optimizers["c"] = c_optimizer or FusedAdam(1e-3)
        elif c_optimizer is not None:
            raise ValueError(
                f"`c_optimizer` is for a model with a classifier. Received: c_optimizer={c_optimizer!r}"
            )
        weights = {
            "l1_weight": l1_weight,
            "adversarial_weight": adversarial_weight,
            "class_weight": class_weight,
        }
        self._compiled_weights = {name: value for name, value in weights.items() if value is not None}
        self._g_weights = self.objectives.g_weights(
            **{name: self._compiled_weights.get(name, self._given[name]) for name in weights}
        )
        super().compile(optimizers, **options)

    def check(self):
        self.objectives.check_trainable()
        super().check()

    def check_arrays(self, x, y):
        check_range(photo=x.get("photo") if isinstance(x, dict) else x, sketch=y)

    def unpack(self, data):
        x, sketch, weight = keras.utils.unpack_x_y_sample_weight(data)
        photo, label = self.objectives.conditions(x)
        self.objectives.check_pairs(photo, label, sketch, weight)
        return Batch(photo, label, sketch, weight)

    def draw(self, batch, run):
        told = self.objectives
        label, own = self._asked(batch, run)
        sketch = run(told.generator, told.generator_inputs(batch.photo, label))
        return {"sketch": sketch, "judged": self._judged(batch.photo, sketch), "label": label, "own": own}

    def _asked(self, batch, run):
        """The labels that G is asked for, and 1 where they are the photo's own, else 0: `None` if all are."""
        if self._swaps is None or not run.training:
            return batch.label, None
        label = tf.cast(batch.label, tf.float32)
        size, n_classes = tf.shape(label)[0], label.shape[-1]
        swapped = keras.random.uniform((size,), seed=self._swaps) < self.swap_rate
        random = keras.random.randint((size,), 0, n_classes, seed=self._swaps)
        asked = tf.where(swapped[:, None], tf.one_hot(random, n_classes), label)
        own = tf.cast(tf.reduce_all(asked == label, axis=-1), tf.float32)
        # As it was given: D may read both labels in one batch.
        return tf.cast(asked, batch.label.dtype), own

    def _judged(self, photo, sketch):
        """The images that D sees: stacked pairs, or sketches alone."""
        if not self.objectives.paired:
            return sketch
        return tf.concat([tf.cast(photo, sketch.dtype), sketch], axis=-1)

    def d_losses(self, batch, drawn, run):
        size = tf.shape(batch.sketch)[0]
        sketch = tf.cast(batch.sketch, drawn["sketch"].dtype)
        real = {"judged": self._judged(batch.photo, sketch), "label": batch.label, "weight": batch.weight}
        fake = {**real, "judged": drawn["judged"], "label": drawn["label"]}
        if self._pool is not None and run.training:
            # An earlier fake keeps its own label and weight.
            weight = tf.ones((size,)) if batch.weight is None else tf.reshape(batch.weight, (-1,))
            fake.update(self._pool({name: {**fake, "weight": weight}[name] for name in self._pool.shapes}))
        loss = 0.0
        drawn["real"] = real  # a relativistic G, in its turn, compares with it
        on_real, on_fake = self._judge(real, fake, size, run)
        if self.objectives.relativistic:
            on_real, on_fake = relative_outputs(on_real, on_fake), relative_outputs(on_fake, on_real)
        for half, output in ((real, on_real), (fake, on_fake)):
            targets = self.objectives.d_targets(half["label"], size, fake=half is fake)
            for name, criterion in self.objectives.d_losses.items():
                # Q (`label`) learns from real sketches only.
                share = (half is real) if name == "label" else 0.5
                if share:
                    loss += share * _weighted(criterion, targets[name], output[name], half["weight"])
        halves = [half for half in ((self.r1_weight, real), (self.r2_weight, fake)) if half[0]]
        if not halves:
            return {"d_loss": loss}
        penalty = self._penalty(halves) if run.training else tf.constant(0.0)
        return {"d_loss": loss + penalty, "d_penalty": penalty}

    def _penalty(self, halves):
        """R1 at real images, R2 at fakes, each with its weight.

        Lazily: by D's updates, so that those that overflow are taken again.
        """

        def slopes(half):
            def critic(images):
                # Only looked through: batch norm's averages are of the pass that judges.
                network = faster_network(self.objectives.d_model)
                inputs = self.objectives.discriminator_inputs(images, half["label"])
                return call_fixed(network, inputs, training=True)["real_fake"]

            return _mean(r1_penalty(critic, half["judged"]), half["weight"])

        updates = tf.convert_to_tensor(self.optimizers["d"].iterations)
        return lazily(lambda: sum(weight * slopes(half) for weight, half in halves), self.r1_every, updates)

    def _judge(self, real, fake, size, run):
        """D's outputs for real and for fake: by one pass, or by two."""
        told = self.objectives
        network = told.d_model
        real, fake = (told.discriminator_inputs(half["judged"], half["label"]) for half in (real, fake))
        if not self.joined_batch:
            return run(network, real), run(network, fake)
        joined = run(network, tf.nest.map_structure(lambda *both: tf.concat(both, axis=0), real, fake))
        return [
            {name: output[:size] for name, output in joined.items()},
            {name: output[size:] for name, output in joined.items()},
        ]

    def c_losses(self, batch, drawn, run):
        output = run(self.objectives.c_model, batch.sketch)["label"]
        loss = _weighted(self.objectives.c_losses["label"], batch.label, output, batch.weight)
        drawn["c_loss"] = loss  # the equilibrium, after the step, compares with it
        return {"c_loss": loss}

    def g_losses(self, batch, drawn, run):
        told = self.objectives
        on_fake = run(told.d_model, told.discriminator_inputs(drawn["judged"], drawn["label"]))
        if told.relativistic:
            real = told.discriminator_inputs(drawn["real"]["judged"], drawn["real"]["label"])
            on_fake = relative_outputs(on_fake, run(told.d_model, real))
        outputs = {"sketch": drawn["sketch"], **on_fake}
        if told.c_model is not None:
            outputs.update(run(told.c_model, drawn["sketch"]))
        asked = told.g_targets(drawn["label"], tf.shape(batch.sketch)[0])
        asked["sketch"] = batch.sketch
        of_own = _product(batch.weight, drawn["own"])
        weights = dict.fromkeys(told.g_losses, batch.weight) | {"sketch": of_own}
        if drawn["own"] is not None:
            of_class = _product(batch.weight, drawn["own"] + (1 - drawn["own"]) * self.swap_weight)
            weights |= dict.fromkeys(told.class_outputs, of_class)
        values = {name: loss.call(asked[name], outputs[name]) for name, loss in told.g_losses.items()}
        losses = {name: _mean(values[name], weights[name]) for name in values}
        of_losses, gamma = self._g_weights, {}
        if self.equilibrium is not None:
            gamma = {"gamma": self.equilibrium.value}
            of_losses = of_losses | {"label": of_losses["label"] * gamma["gamma"]}
            drawn["c_loss_fake"] = _mean(values["label"], batch.weight)
        logs = {
            "g_loss": sum(of_losses[name] * loss for name, loss in losses.items()),
            "g_l1": _of_counted(losses["sketch"], drawn["own"]),
            "g_adv": losses[told.adversarial],
            **gamma,
        }
        if told.class_outputs:
            logs["g_class"] = sum(_mean(values[name], batch.weight) for name in told.class_outputs)
        for term in self.terms:
            counted = drawn["own"] if term.own_class_only else None
            loss = _mean(self._values(term, batch, drawn, run.training), _product(batch.weight, counted))
            logs["g_loss"] += term.weight * loss
            logs[f"g_{term.name}"] = _of_counted(loss, counted)
        return logs

    def after_step(self, drawn, is_updated):
        if self.equilibrium is not None:
            self.equilibrium.update(drawn["c_loss_fake"], drawn["c_loss"], is_updated)

    @staticmethod
    def _values(term, batch, drawn, training):
        """What a term says of each sample, in single precision whatever G draws in."""
        images = {"drawn": drawn["sketch"], "photo": batch.photo, "sketch": batch.sketch}
        images = {name: tf.cast(image, tf.float32) for name, image in images.items()}
        return term(**images, asked=drawn["label"], label=batch.label, training=training)

    def export(self, *args, **kwargs):
        """Raises a `NotImplementedError`: it is the generator that draws elsewhere."""
        raise NotImplementedError("Export the generator alone: `gan.generator.export(...)`.")

    def get_compile_config(self):
        config = super().get_compile_config()
        if config is None:
            return None
        optimizers = config.pop("optimizers").items()
        optimizers = {f"{player}_optimizer": optimizer for player, optimizer in optimizers}
        return {**optimizers, **self._compiled_weights, **config}


def _pool_of_fakes(size, told):
    """An `ImagePool` of what D is shown of fakes: with the label where D or its targets need it."""
    fake = {"judged": told.judged_shape, "weight": ()}
    if told.d_takes_label or "classes" in told.d_losses:
        fake["label"] = (told.n_classes,)
    return ImagePool(size, fake)


def _check_swaps(swap_rate, swap_weight, told):
    check_rate(swap_rate, "swap_rate")
    if swap_rate and not told.takes_label:
        raise ValueError(
            "`swap_rate` is for a generator that takes the label. "
            f"Received: swap_rate={swap_rate}, and a generator of photos alone"
        )
    check_weights(swap_weight=swap_weight)


def _check_equilibrium(equilibrium, classifier):
    if not isinstance(equilibrium, EquilibriumWeight):
        raise ValueError(
            f"`equilibrium` must be an `EquilibriumWeight` or None. Received: equilibrium={equilibrium!r}"
        )
    if classifier is None:
        raise ValueError(
            "`equilibrium` is for a model with a classifier. "
            f"Received: equilibrium={equilibrium!r}, and no classifier"
        )


def _weighted(loss, y_true, y_pred, weight):
    """The mean of a loss, with one weight a sample where weights are given.

    Keras' own reduction would divide by the number of replicas, as if all had as many samples.
    """
    return _mean(loss.call(y_true, y_pred), weight)


def _mean(values, weight):
    """The mean of values `(batch, ...)`, with one weight a sample where weights are given."""
    if weight is not None:
        values *= tf.reshape(tf.cast(weight, values.dtype), (-1,) + (1,) * (len(values.shape) - 1))
    return tf.reduce_mean(values)


def _of_counted(mean, counted):
    """A mean over all samples as one over those that count, where `counted` is 1; 0 where none do."""
    if counted is None:
        return mean
    return tf.math.divide_no_nan(tf.cast(mean, counted.dtype), tf.reduce_mean(counted))


def _product(weight, own):
    """Both weights of a sample as one, `None` where there is neither."""
    if own is None or weight is None:
        return weight if own is None else own
    return own * tf.reshape(tf.cast(weight, own.dtype), (-1,))
