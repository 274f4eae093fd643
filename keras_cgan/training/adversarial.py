"""One training step of several networks that learn from one another: the engine under every GAN here."""

import keras
import tensorflow as tf

from keras_cgan.checks import check_at_least, check_choice
from keras_cgan.training.adversarial_checks import (
    MISSING,
    check_devices,
    check_losses,
    check_players,
    merged_losses,
    trainable,
)
from keras_cgan.training.average import WeightAverage
from keras_cgan.training.fitting import Fitting
from keras_cgan.training.fused_adam import FusedAdam
from keras_cgan.training.replica_batch import part_of_batch
from keras_cgan.training.run import Run
from keras_cgan.training.saving import Saving


class AdversarialModel(Fitting, Saving, keras.Model):
    """Networks that learn in turn, in one compiled step.

    A subclass says who plays (`players`), how the generator draws (`draw`), and what each
    player loses (`<player>_losses`). The player `g` draws and learns last. A network that is
    run for another player's sake moves nothing of its own.

    Args:
        update: `"sequential"`: `g` learns from the others after their updates;
            `"simultaneous"`: from the others as they were, all gradients from one pass.
        d_steps: Steps of the player `d` in each step of `g`, all on the same batch and fakes.
        average_decay: Optional decay, in (0, 1), of a moving average of the generator's
            weights, for `averaged`; it is lower in the first updates (`WeightAverage`).
        name: Name of the model.

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)
    >>> class GAN(AdversarialModel):
    ...     loss_names = ("d_loss", "g_loss")
    ...
    ...     def __init__(self, generator, discriminator):
    ...         super().__init__()
    ...         self.generator, self.discriminator = generator, discriminator
    ...
    ...     def players(self):
    ...         return {"d": [self.discriminator], "g": [self.generator]}
    ...
    ...     def draw(self, images, run):
    ...         return run(self.generator, keras.random.normal((tf.shape(images)[0], 64)))
    ...
    ...     def d_losses(self, images, drawn, run):
    ...         real, fake = run(self.discriminator, images), run(self.discriminator, drawn)
    ...         loss = crossentropy(tf.ones_like(real), real) + crossentropy(tf.zeros_like(fake), fake)
    ...         return {"d_loss": loss}
    ...
    ...     def g_losses(self, images, drawn, run):
    ...         fake = run(self.discriminator, drawn)
    ...         return {"g_loss": crossentropy(tf.ones_like(fake), fake)}
    >>> gan = GAN(generator, discriminator)
    >>> gan.compile()
    >>> gan.fit(images, epochs=10)

    Source: Goodfellow et al. 2014, algorithm 1 (`d_steps` is its k; there each takes a new batch).
    """

    loss_names = ()

    def __init__(self, update="sequential", d_steps=1, average_decay=None, name=None):
        super().__init__(name=name)
        check_choice("update", update, ("sequential", "simultaneous"))
        check_at_least(1, d_steps=d_steps)
        if average_decay is not None and not 0 < average_decay < 1:
            raise ValueError(f"`average_decay` must be in (0, 1). Received: average_decay={average_decay}")
        if update == "simultaneous" and d_steps > 1:
            raise ValueError(
                "`d_steps` must be 1 with update='simultaneous': all learn from one pass. "
                f"Received: d_steps={d_steps}"
            )
        self.update, self.d_steps, self.average_decay = update, d_steps, average_decay
        self._average = None
        self._trained = {}
        self.optimizers = {}

    def players(self):
        """Who learns, in order, `g` last: a dict of player -> networks that its optimizer trains."""
        raise NotImplementedError(MISSING.format("players", type(self).__name__))

    def draw(self, batch, run):
        """What `g` makes of a batch, as any structure of tensors; networks are called by `run`."""
        raise NotImplementedError(MISSING.format("draw", type(self).__name__))

    def after_step(self, drawn, is_updated):
        """What a training step ends with, nothing by default: for subclasses.

        Args:
            drawn: What `draw` returned.
            is_updated: Whether the step moved `g`: a scalar tensor, false where mixed precision skips it.
        """

    def unpack(self, data):
        """A batch as the other methods take it; by default x, or `(x, y)` where there is a y."""
        if not isinstance(data, tuple):
            return data
        # A dataset gives x as it is, arrays come as (x,), and train_on_batch makes it (x, None, None).
        given = tuple(part for part in data if part is not None)
        return given if len(given) > 1 else given[0]

    def check(self):
        """Raises a `ValueError` where the model cannot, or no longer, be trained; called before it is.

        A subclass that has a check of its own calls this one too.
        """
        # A compiled step would not see a flag that changed: it trains what it trained when traced.
        for player, trained in self._trained.items():
            if [id(variable) for variable in trainable(self.players()[player])] != trained:
                raise ValueError(
                    "`trainable` flags must stay as they were at `compile`: compile again. "
                    f"Received: other trainable variables of {player!r}"
                )
        if self.compiled and self.distribute_strategy.num_replicas_in_sync > 1:
            check_devices(self)

    def compile(self, optimizers=None, run_eagerly=False, steps_per_execution=1, jit_compile=False):
        """Configures training.

        Args:
            optimizers: A dict of player -> Keras optimizer or its name; by default Adam 2e-4,
                beta_1 .5. Each may accumulate gradients (`gradient_accumulation_steps`).
            run_eagerly, steps_per_execution: As in Keras.
            jit_compile: Whether to compile by XLA: slower on a CPU, so not the default.

        Raises:
            ValueError: The optimizers are not for these players, or `players`, `loss_names` or
                `d_steps` are not as they must be.
            NotImplementedError: A player has no `<player>_losses`.
        """
        players = check_players(self)
        unknown = set(optimizers or {}) - set(players)
        if unknown:
            raise ValueError(f"`optimizers` must be for {list(players)}. Received: {sorted(unknown)}")
        chosen = {
            player: keras.optimizers.get((optimizers or {}).get(player) or FusedAdam(2e-4, beta_1=0.5))
            for player in players
        }
        if len({id(optimizer) for optimizer in chosen.values()}) < len(chosen):
            raise ValueError(f"`optimizers`: each player needs one of its own. Received: {optimizers}")
        for player, networks in players.items():
            self.optimizers[player] = self._prepare(player, chosen[player], networks)
        self._trained = {
            player: [id(variable) for variable in trainable(networks)] for player, networks in players.items()
        }
        self._make_average()
        # The networks are: without it Keras would not save weights.
        self.built = True
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self.loss_names}
        # As `optimizer`, Keras' callbacks find the generator's.
        super().compile(
            self.optimizers["g"],
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )

    def _prepare(self, player, optimizer, networks):
        """The optimizer of a player, ready to be used in a graph."""
        if getattr(optimizer, "inner_optimizer", optimizer).use_ema:
            raise ValueError(
                "`optimizers`: for a moving average of the generator's weights pass `average_decay` to the "
                f"model. Received: an optimizer of {player!r} with use_ema=True"
            )
        half = any(layer.compute_dtype == "float16" for network in networks for layer in network.layers)
        if half and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(trainable(networks))
        return optimizer

    @property
    def metrics(self):
        return list(self._trackers.values()) if self.compiled else []

    def train_step(self, data):
        """One step of every player; called by `fit` and `train_on_batch`."""
        self.check()
        part = part_of_batch(self.unpack(data))
        players = self.players()
        run = Run()
        losses = {}
        updates = self._updates_of_g()
        if self.update == "simultaneous":
            run.keep([network for networks in players.values() for network in networks])
            with tf.GradientTape(persistent=True) as tape:
                run.learning = players["g"]
                drawn = self.draw(part.batch, run)
                totals = {}
                for player, networks in players.items():
                    run.learning = networks
                    totals[player] = self._total(player, part, drawn, run, losses)
            for player in players:
                self._descend(player, tape, totals[player])
        else:
            with tf.GradientTape() as g_tape:
                run.learning = players["g"]
                drawn = self.draw(part.batch, run)
                with g_tape.stop_recording():
                    for player in [player for player in players if player != "g"]:
                        self._learn(player, part, drawn, run, losses)
                run.learning = players["g"]
                total = self._total("g", part, drawn, run, losses)
            self._descend("g", g_tape, total)
        is_updated = tf.not_equal(self._updates_of_g(), updates)
        if self._average is not None:
            self._average.update(self._averaged_weights(), is_updated)
        self.after_step(drawn, is_updated)
        return self._track(part, losses)

    def test_step(self, data):
        """The losses of a batch in inference mode; called by `evaluate`."""
        part = part_of_batch(self.unpack(data))
        run = Run(training=False)
        drawn = self.draw(part.batch, run)
        losses = {player: self._losses_of(player, part.batch, drawn, run) for player in self.players()}
        return self._track(part, losses)

    def _learn(self, player, part, drawn, run, losses):
        """The steps of one player that is not the generator."""
        run.learning = self.players()[player]
        for _ in range(self.d_steps if player == "d" else 1):
            with tf.GradientTape() as tape:
                total = self._total(player, part, drawn, run, losses)
            self._descend(player, tape, total)

    def _losses_of(self, player, batch, drawn, run):
        losses = getattr(self, f"{player}_losses")(batch, drawn, run)
        losses = check_losses(player, losses, self.loss_names)
        # As in Keras: what regularizers of the player's own networks add.
        for added in (loss for network in self.players()[player] for loss in network.losses):
            losses[f"{player}_loss"] += tf.cast(added, tf.float32)
        return losses

    def _total(self, player, part, drawn, run, losses):
        """What the player's optimizer minimises; its named losses are kept in `losses`, by player."""
        losses[player] = self._losses_of(player, part.batch, drawn, run)
        return self.optimizers[player].scale_loss(losses[player][f"{player}_loss"] * part.share)

    def _descend(self, player, tape, total):
        weights = trainable(self.players()[player])
        # Keras sums the gradients of the replicas.
        self.optimizers[player].apply(tape.gradient(total, [weight.value for weight in weights]), weights)

    def _track(self, part, losses):
        for name, value in merged_losses(losses, self.loss_names).items():
            self._trackers[name].update_state(value, sample_weight=part.size)
        return {name: tracker.result() for name, tracker in self._trackers.items()}

    def _make_average(self):
        """Makes the variables of the average, once; by then `players` must work.

        Called by `compile`; a subclass that calls it in its constructor can load a saved average
        without being compiled.
        """
        if self.average_decay is None:
            return
        if self._average is None:
            self._average = WeightAverage(self._averaged_weights(), self.average_decay, name="average")
        # Weights may have been loaded into the networks since.
        self._average.start(self._averaged_weights())

    def _averaged_weights(self):
        return [weight for network in self.players()["g"] for weight in network.weights]

    def _updates_of_g(self):
        """How many updates the generator has had: fewer than steps, with accumulation or overflows."""
        return tf.convert_to_tensor(self.optimizers["g"].iterations)

    def averaged(self):
        """The generator with the moving average of its weights.

        Returns:
            A copy of the first network of the player `g`; to be called again after more training.

        Raises:
            ValueError: The model was made without `average_decay`, or has no average yet, as it
                is not compiled.

        Example:

        >>> model.averaged().save("generator.keras")

        Source: Karras et al. 2018, "Progressive growing of GANs", section 6.
        """
        if self._average is None:
            raise ValueError(
                "`averaged` needs a compiled model that was made with `average_decay`. "
                f"Received: average_decay={self.average_decay}, compiled={self.compiled}"
            )
        generator = self.players()["g"][0]
        twin = keras.models.clone_model(generator)
        twin.set_weights(self._average.values(self._averaged_weights())[: len(generator.weights)])
        return twin

    def kept_generator(self):
        """The generator to keep: the averaged one where there is an average, else as it is.

        Returns:
            `averaged()`, or the first network of the player `g` itself.

        Example:

        >>> model.kept_generator().save("generator.keras")
        """
        return self.players()["g"][0] if self.average_decay is None else self.averaged()
