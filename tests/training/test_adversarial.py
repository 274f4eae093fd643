"""`AdversarialModel` is one base for GANs of other kinds: each learns by `fit`, and moves what it should."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_cgan import AdversarialModel
from keras_cgan.testing import moved_variables

LATENT, POINT, CODES = 2, 3, 2


def dense(inputs, outputs, name, stochastic=True):
    """Two dense layers; `stochastic`: with batch norm and dropout between, state that could leak."""
    x = keras.Input((inputs,))
    hidden = layers.Dense(8, activation="tanh")(x)
    if stochastic:
        hidden = layers.Dropout(0.2)(layers.BatchNormalization()(hidden))
    return keras.Model(x, layers.Dense(outputs)(hidden), name=name)


def crossentropy(target, logits):
    targets = tf.fill(tf.shape(logits), target)
    return tf.reduce_mean(keras.losses.binary_crossentropy(targets, logits, from_logits=True))


class LatentGAN(AdversarialModel):
    """Points from noise: no condition."""

    loss_names = ("d_loss", "g_loss")

    def __init__(self, stochastic=True, **options):
        super().__init__(**options)
        self.generator = dense(LATENT, POINT, "generator", stochastic)
        self.discriminator = dense(POINT, 1, "discriminator", stochastic)

    def players(self):
        return {"d": [self.discriminator], "g": [self.generator]}

    def draw(self, points, run):
        return run(self.generator, keras.random.normal((tf.shape(points)[0], LATENT)))

    def d_losses(self, points, drawn, run):
        real, fake = run(self.discriminator, points), run(self.discriminator, drawn)
        return {"d_loss": crossentropy(1.0, real) + crossentropy(0.0, fake)}

    def g_losses(self, points, drawn, run):
        return {"g_loss": crossentropy(1.0, run(self.discriminator, drawn))}


class QGAN(LatentGAN):
    """InfoGAN: Q learns to read the code off fakes, and G learns to be read."""

    loss_names = ("d_loss", "q_loss", "g_loss", "g_code")

    def __init__(self, **options):
        super().__init__(**options)
        self.generator = dense(LATENT + CODES, POINT, "generator")
        self.reader = dense(POINT, CODES, "reader")

    def players(self):
        return {"d": [self.discriminator], "q": [self.reader], "g": [self.generator]}

    def draw(self, points, run):
        size = tf.shape(points)[0]
        code = tf.one_hot(tf.random.uniform((size,), maxval=CODES, dtype=tf.int32), CODES)
        noise = keras.random.normal((size, LATENT))
        return {"points": run(self.generator, tf.concat([noise, code], axis=1)), "code": code}

    def d_losses(self, points, drawn, run):
        return super().d_losses(points, drawn["points"], run)

    def q_losses(self, points, drawn, run):
        logits = run(self.reader, drawn["points"])
        read = keras.losses.categorical_crossentropy(drawn["code"], logits, from_logits=True)
        return {"q_loss": tf.reduce_mean(read)}

    def g_losses(self, points, drawn, run):
        code = self.q_losses(points, drawn, run)["q_loss"]
        return {"g_loss": super().g_losses(points, drawn["points"], run)["g_loss"] + code, "g_code": code}


class TwoWayGAN(AdversarialModel):
    """CycleGAN: a generator and a discriminator for each direction, unpaired points."""

    loss_names = ("d_loss", "g_loss", "g_cycle")

    def __init__(self, **options):
        super().__init__(**options)
        self.there, self.back = dense(POINT, POINT, "there"), dense(POINT, POINT, "back")
        self.judge_a, self.judge_b = dense(POINT, 1, "judge_a"), dense(POINT, 1, "judge_b")

    def players(self):
        return {"d": [self.judge_a, self.judge_b], "g": [self.there, self.back]}

    def draw(self, batch, run):
        a, b = batch
        return run(self.back, b), run(self.there, a)

    def d_losses(self, batch, drawn, run):
        loss = 0.0
        for judge, real, fake in zip((self.judge_a, self.judge_b), batch, drawn):
            loss += crossentropy(1.0, run(judge, real)) + crossentropy(0.0, run(judge, fake))
        return {"d_loss": loss}

    def g_losses(self, batch, drawn, run):
        (a, b), (fake_a, fake_b) = batch, drawn
        cycle = tf.reduce_mean(tf.abs(run(self.back, fake_b) - a))
        cycle += tf.reduce_mean(tf.abs(run(self.there, fake_a) - b))
        fooled = crossentropy(1.0, run(self.judge_a, fake_a)) + crossentropy(1.0, run(self.judge_b, fake_b))
        return {"g_loss": fooled + 10.0 * cycle, "g_cycle": cycle}


KINDS = {LatentGAN: 2, QGAN: 3, TwoWayGAN: 4}
every_kind = pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.__name__)


def data(kind, size=10):
    points = np.random.default_rng(0).normal(size=(size, POINT)).astype("float32")
    return tf.data.Dataset.from_tensor_slices((points, points + 1) if kind is TwoWayGAN else points).batch(4)


def networks_of(model):
    return {player: list(networks) for player, networks in model.players().items()}


@pytest.mark.parametrize(
    "options", [{}, {"update": "simultaneous"}, {"d_steps": 3, "average_decay": 0.9}], ids=str
)
@every_kind
def test_fit_trains_all_networks_and_logs_their_losses(kind, options):
    model = kind(**options)
    # As a graph once: tracing takes long.
    model.compile(run_eagerly=kind is not TwoWayGAN or bool(options))
    networks = sum(networks_of(model).values(), [])
    assert len(networks) == KINDS[kind]
    history = {}
    fit = {"epochs": 2, "validation_data": data(kind, 4), "verbose": 0}
    moved = moved_variables(lambda: history.update(model.fit(data(kind), **fit).history), *networks)
    for network in networks:
        # Weights, moving averages and seeds.
        assert moved[network.name] == sorted(variable.path for variable in network.variables)
    assert set(history) == {*kind.loss_names, *(f"val_{name}" for name in kind.loss_names)}
    assert np.isfinite(list(history.values())).all()
    steps = {player: int(optimizer.iterations) for player, optimizer in model.optimizers.items()}
    assert steps == {player: 6 * (options.get("d_steps", 1) if player == "d" else 1) for player in steps}


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
@every_kind
def test_a_players_step_moves_the_weights_of_its_own_networks_alone(kind, update):
    for learning in kind().players():
        model = kind(update=update)
        rates = {player: 0.1 if player == learning else 0.0 for player in model.players()}
        optimizers = {player: keras.optimizers.SGD(rate) for player, rate in rates.items()}
        model.compile(optimizers, run_eagerly=True)
        networks = networks_of(model)
        batch = next(iter(data(kind)))
        moved = moved_variables(lambda: model.train_on_batch(batch), *sum(networks.values(), []))
        for player, owned in networks.items():
            for network in owned:
                weights = {variable.path for variable in network.trainable_variables}
                assert weights & set(moved[network.name]) == (weights if player == learning else set())


@every_kind
def test_evaluation_moves_no_network(kind):
    model = kind()
    model.compile(run_eagerly=True)
    logs = {}
    networks = sum(networks_of(model).values(), [])
    moved = moved_variables(
        lambda: logs.update(model.evaluate(data(kind), return_dict=True, verbose=0)), *networks
    )
    assert not any(moved.values())
    assert set(logs) == set(kind.loss_names)


def test_a_latent_gan_learns_where_the_points_are():
    """All points near (2, 2, 2): so are the fakes, after a while."""
    points = 2 + 0.1 * np.random.default_rng(0).normal(size=(64, POINT)).astype("float32")
    model = LatentGAN(stochastic=False)
    optimizers = {player: keras.optimizers.Adam(0.02, beta_1=0.5) for player in "dg"}
    model.compile(optimizers, steps_per_execution=8)

    def distance():
        return np.abs(np.mean(model.generator(np.random.normal(size=(64, LATENT))), axis=0) - 2).max()

    before = distance()
    dataset = tf.data.Dataset.from_tensor_slices(points).batch(16).repeat()
    model.fit(dataset, steps_per_epoch=200, verbose=0)
    assert before > 1.5 and distance() < 0.5


@every_kind
def test_a_batch_may_come_as_a_dataset_as_arrays_or_alone(kind):
    """By SGD at rate 0: all three are the same step."""
    model = kind(stochastic=False) if kind is LatentGAN else kind()
    model.compile({player: keras.optimizers.SGD(0.0) for player in model.players()}, run_eagerly=True)
    batch = next(iter(data(kind)))
    pair = batch if isinstance(batch, tuple) else (batch,)
    names = set(kind.loss_names)
    assert set(model.train_on_batch(batch)) == set(model.train_on_batch(*pair)) == names
    assert set(model.fit(*pair, verbose=0).history) == set(model.fit(data(kind), verbose=0).history) == names


def test_optimizers_are_for_the_players():
    model = QGAN()
    with pytest.raises(ValueError, match=r"`optimizers` must be for \['d', 'q', 'g'\]. Received: \['c'\]"):
        model.compile({"c": "sgd"})
    model.compile({"q": "sgd"})
    assert type(model.optimizers["q"]).__name__ == "SGD"
    assert type(model.optimizer).__name__ == "FusedAdam"


def test_the_average_is_of_the_first_generator():
    model = TwoWayGAN(average_decay=0.5)
    with pytest.raises(ValueError, match="`averaged` needs .* Received: average_decay=0.5, compiled=False"):
        model.averaged()
    model.compile(run_eagerly=True)
    start = model.there.get_weights()[0]
    model.fit(data(TwoWayGAN, 4), verbose=0)
    # One update: 2 / 11 is left of the start.
    expected = (2 * start + 9 * model.there.get_weights()[0]) / 11
    np.testing.assert_allclose(model.averaged().get_weights()[0], expected, atol=1e-6)


def test_all_steps_of_d_are_on_the_same_fakes():
    class Watched(LatentGAN):
        def draw(self, points, run):
            self.drawn.append(super().draw(points, run))
            return self.drawn[-1]

        def d_losses(self, points, drawn, run):
            self.seen.append((points, drawn))
            return super().d_losses(points, drawn, run)

    model = Watched(d_steps=3)
    model.compile(run_eagerly=True)
    object.__setattr__(model, "drawn", [])
    object.__setattr__(model, "seen", [])
    model.train_on_batch(next(iter(data(LatentGAN))))
    assert len(model.drawn) == 1 and len(model.seen) == 3
    assert all(points is model.seen[0][0] and drawn is model.drawn[0] for points, drawn in model.seen)
    assert {player: int(optimizer.iterations) for player, optimizer in model.optimizers.items()} == {
        "d": 3,
        "g": 1,
    }


def test_fit_takes_arguments_in_the_order_of_keras():
    model = LatentGAN()
    model.compile(run_eagerly=True)
    points = np.zeros((6, POINT), "float32")
    seen = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(epoch))
    ends = []
    history = model.fit(points, None, 2, 3, 0, [seen], validation_data=points)
    assert len(history.history["d_loss"]) == 3 and "val_d_loss" in history.history
    assert ends == [0, 1, 2] and int(model.optimizer.iterations) == 9


def test_how_a_model_is_compiled_is_kept():
    model, again = LatentGAN(), LatentGAN()
    assert model.get_compile_config() is None
    optimizers = {"d": keras.optimizers.SGD(0.5, momentum=0.25), "g": "rmsprop"}
    model.compile(optimizers, steps_per_execution=3, run_eagerly=True)
    again.compile_from_config(model.get_compile_config())
    for player, optimizer in model.optimizers.items():
        twin = again.optimizers[player]
        assert type(twin) is type(optimizer)
        assert {**twin.get_config(), "name": ""} == {**optimizer.get_config(), "name": ""}
    assert (again.steps_per_execution, again.run_eagerly, again.jit_compile) == (3, True, False)


def test_the_example_of_the_docstring():
    lines = [line.strip() for line in AdversarialModel.__doc__.splitlines()]
    code = "\n".join(line[4:] for line in lines if line.startswith((">>>", "...")))
    names = {"AdversarialModel": AdversarialModel, "keras": keras, "tf": tf}
    names["images"] = np.zeros((4, POINT), "float32")
    names["generator"], names["discriminator"] = dense(64, POINT, "generator"), dense(POINT, 1, "judge")
    exec(code.replace("epochs=10", "epochs=1, verbose=0"), names)
    assert int(names["gan"].optimizer.iterations) == 1


def test_weights_slots_and_seeds_are_saved(tmp_path):
    def compiled():
        model = LatentGAN(average_decay=0.5)
        model.compile(run_eagerly=True)
        return model

    model, again = compiled(), compiled()
    batch = next(iter(data(LatentGAN)))
    model.train_on_batch(batch)
    model.save_weights(tmp_path / "gan.weights.h5")
    again.load_weights(tmp_path / "gan.weights.h5")
    for each in (model, again):
        keras.utils.set_random_seed(3)  # of the latent noise
        each.train_on_batch(batch)
    for new, old in zip(again.variables, model.variables, strict=True):
        np.testing.assert_array_equal(new.numpy(), old.numpy(), err_msg=old.path)
