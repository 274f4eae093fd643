"""What `AdversarialModel` refuses of a subclass, of its training flags and of several devices."""

import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from test_adversarial import POINT, QGAN, LatentGAN, dense
from tiny import networks, sgd_gan

from keras_cgan import AdversarialModel

POINTS = np.zeros((4, POINT), "float32")


def compiled(model, **options):
    model.compile(**{"run_eagerly": True, **options})
    return model


def with_methods(base=LatentGAN, **members):
    """An instance of a subclass with other members."""
    return type("Mistaken", (base,), members)()


@pytest.mark.parametrize(
    "players",
    [
        lambda self: [self.discriminator, self.generator],
        lambda self: {"d": [self.discriminator], "generator": [self.generator]},
        lambda self: {"d": self.discriminator, "g": [self.generator]},
        lambda self: {"d": [self.discriminator], "g": self.generator},
        lambda self: {"d": [self.discriminator.weights[0]], "g": [self.generator]},
        lambda self: None,
    ],
    ids=["list", "no g", "bare d", "bare g", "a variable", "none"],
)
def test_players_of_another_form(players):
    with pytest.raises(ValueError, match="`players` must return a dict .* with a player 'g'. Received: "):
        compiled(with_methods(players=players))


def test_players_may_be_tuples():
    players = lambda self: {"d": (self.discriminator,), "g": (self.generator,)}
    assert "g_loss" in compiled(with_methods(players=players)).train_on_batch(POINTS)


@pytest.mark.parametrize("unbuilt", [True, False])
def test_a_player_that_has_nothing_to_learn(unbuilt):
    model = LatentGAN()
    if unbuilt:
        model.discriminator = keras.Sequential([keras.layers.Dense(1)])
    else:
        for layer in model.discriminator.layers:
            layer.trainable = False
    message = "`players`: each must have trainable variables.* Received: 'd' with none"
    with pytest.raises(ValueError, match=message):
        model.compile()


class Bare(AdversarialModel):
    loss_names = ("g_loss",)


class Drawless(Bare):
    def __init__(self):
        super().__init__()
        self.generator = dense(POINT, POINT, "generator")

    def players(self):
        return {"g": [self.generator]}


class Playing(Drawless):
    def g_losses(self, batch, drawn, run):
        return {"g_loss": tf.reduce_mean(drawn)}


@pytest.mark.parametrize(
    "kind, method",
    [(Bare, "players"), (Drawless, "g_losses"), (Playing, "draw")],
    ids=lambda value: str(value),
)
@pytest.mark.parametrize("run_eagerly", [True, False])
def test_a_method_that_is_not_there(kind, method, run_eagerly):
    message = f"`{method}` must be defined by the subclass. Received: {kind.__name__}, without it"
    with pytest.raises(NotImplementedError, match=message):
        compiled(kind(), run_eagerly=run_eagerly).train_on_batch(POINTS)


def losses(**values):
    return lambda self, points, drawn, run: {
        **LatentGAN.g_losses(self, points, drawn, run),
        **{name: value(drawn) if callable(value) else value for name, value in values.items()},
    }


@pytest.mark.parametrize(
    "g_losses, message",
    [
        (lambda *_: None, "`g_losses` must return a dict with 'g_loss'. Received: NoneType"),
        (lambda *_: tf.zeros(()), "`g_losses` must return a dict with 'g_loss'. Received: EagerTensor"),
        (lambda *_: {"loss": tf.zeros(())}, r"`g_losses` must .* with 'g_loss'. Received: \['loss'\]"),
        (losses(extra=0.0), r"names that are in `loss_names`, \('d_loss', 'g_loss'\). Received: \['extra'\]"),
        (
            losses(g_loss=lambda drawn: tf.reduce_mean(drawn, axis=-1)),
            r"`g_losses` must return scalars, means .* Received: 'g_loss' of shape \(4,\)",
        ),
    ],
    ids=["none", "tensor", "no loss", "unknown", "vector"],
)
def test_losses_of_another_form(g_losses, message):
    model = compiled(with_methods(g_losses=g_losses))
    for call in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match=message):
            call(POINTS)


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_names_that_no_player_returns(run_eagerly):
    """They were logged as 0.0."""
    model = with_methods(loss_names=("d_loss", "g_loss", "g_cycle"))
    compiled(model, run_eagerly=run_eagerly)
    message = r"`loss_names` must hold what .* Received: \['g_cycle'\], of no player"
    for call in (model.train_on_batch, model.evaluate):
        with pytest.raises(ValueError, match=message):
            call(POINTS)


class Echoing(LatentGAN):
    """G says again what D has lost."""

    def g_losses(self, points, drawn, run):
        return {**super().g_losses(points, drawn, run), "d_loss": tf.zeros(())}


@pytest.mark.parametrize("run_eagerly", [True, False])
@pytest.mark.parametrize("options", [{"update": "simultaneous"}, {"d_steps": 2}], ids=str)
def test_a_name_that_two_players_return(options, run_eagerly):
    """The last of them hid the others."""
    model = compiled(Echoing(**options), run_eagerly=run_eagerly)
    message = r"`g_losses` must return names that no other player .* Received: 'd_loss', of .*\['d', 'g'\]"
    for call in (model.train_on_batch, model.evaluate):
        with pytest.raises(ValueError, match=message):
            call(POINTS)


def test_a_loss_without_a_name():
    with pytest.raises(
        ValueError, match=r"`loss_names` must hold 'd_loss'. Received: loss_names=\('g_loss',\)"
    ):
        compiled(with_methods(loss_names=("g_loss",)))


def test_steps_of_a_player_that_is_not_there():
    class Critic(LatentGAN):
        loss_names = ("critic_loss", "g_loss")

        def players(self):
            return {"critic": [self.discriminator], "g": [self.generator]}

        def critic_losses(self, points, drawn, run):
            return {"critic_loss": self.d_losses(points, drawn, run)["d_loss"]}

    message = r"`d_steps` must be 1 where no player is 'd'. Received: d_steps=2, players \['critic', 'g'\]"
    with pytest.raises(ValueError, match=message):
        compiled(Critic(d_steps=2))
    compiled(Critic()).train_on_batch(POINTS)


@pytest.mark.slow
@pytest.mark.parametrize("run_eagerly", [True, False])
def test_flags_that_change_after_compile(run_eagerly):
    """A compiled step would go on training the layer, until a batch of another size came."""
    model = compiled(QGAN(), run_eagerly=run_eagerly)
    model.train_on_batch(POINTS)
    layer = model.reader.layers[1]
    layer.trainable = False
    for call in (model.train_on_batch, model.fit):
        with pytest.raises(ValueError, match="`trainable` flags .* compile again. Received: .* of 'q'"):
            call(POINTS)
    before = layer.get_weights()
    compiled(model).train_on_batch(POINTS)
    keras.tree.map_structure(np.testing.assert_array_equal, layer.get_weights(), before)
    layer.trainable = True
    with pytest.raises(ValueError, match="`trainable` flags .* of 'q'"):
        model.train_on_batch(POINTS)


def test_flags_of_a_layer_of_a_conditional_gan():
    parts = networks("classifier")
    gan = sgd_gan(parts)
    gan.train_on_batch(*tiny.batch())
    parts[2].layers[1].trainable = False
    with pytest.raises(ValueError, match="`trainable` flags .* of 'c'"):
        gan.train_on_batch(*tiny.batch())


@pytest.mark.parametrize(
    "options, compile_options, message",
    [
        ({"image_pool": 4}, {}, "`image_pool` must be 0 on several devices. Received: image_pool=4"),
        ({}, {"steps_per_execution": 2}, "`steps_per_execution` must be 1 on .* steps_per_execution=2"),
        ({}, {"jit_compile": True}, "`jit_compile` must be False on several .* Received: jit_compile=True"),
        (
            {},
            {"c_optimizer": keras.optimizers.SGD(gradient_accumulation_steps=3)},
            "`gradient_accumulation_steps` must be None on .* Received: gradient_accumulation_steps=3",
        ),
        (
            {},
            {
                "g_optimizer": keras.optimizers.LossScaleOptimizer(
                    keras.optimizers.SGD(gradient_accumulation_steps=2)
                )
            },
            "`gradient_accumulation_steps` must be None on .* Received: gradient_accumulation_steps=2",
        ),
    ],
    ids=["pool", "steps", "jit", "accumulation", "inner"],
)
def test_what_does_not_work_on_several_devices(options, compile_options, message, monkeypatch):
    gan = sgd_gan(networks("classifier"), run_eagerly=False, compiled=compile_options, **options)
    gan.check()
    two = types.SimpleNamespace(num_replicas_in_sync=2)
    monkeypatch.setattr(type(gan), "distribute_strategy", property(lambda self: two))
    for call in (gan.train_on_batch, gan.fit):
        with pytest.raises(ValueError, match=message):
            call(*tiny.batch())
