"""What the tests of the recipes share: small batches, the next step by hand, who moves, what is saved."""

import inspect

import keras
import numpy as np

from keras_cgan.testing import moved_variables
from keras_cgan.training.run import Run

N_CLASSES = 3


def images(size=4, side=16, channels=1, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (size, side, side, channels)).astype("float32")


def labels(size=4):
    return np.eye(N_CLASSES, dtype="float32")[np.arange(size) % N_CLASSES]


def again(model, **options):
    """A model made anew with other options, its networks with new weights."""
    return type(model).from_config({**model.get_config(), **options})


def compiled(model, **rates):
    """The model with SGD, which shows any error of scale; players that are not named stand still."""
    optimizers = {player: keras.optimizers.SGD(rates.get(player, 0.0)) for player in model.players()}
    if hasattr(model, "objectives"):  # a ConditionalGAN
        optimizers = {f"{player}_optimizer": optimizer for player, optimizer in optimizers.items()}
    model.compile(
        **optimizers if hasattr(model, "objectives") else {"optimizers": optimizers}, run_eagerly=True
    )
    return model


def twin(network):
    """A network of its own with the same weights and seeds."""
    other = keras.models.clone_model(network)
    for new, old in zip(other.variables, network.variables, strict=True):
        new.assign(old)
    return other


def drawn_next(model, *batch):
    """What the model's next step draws of a batch: drawn by its own `draw`, all seeds then put back."""
    before = [(variable, variable.numpy()) for variable in model.variables]
    drawn = model.draw(model.unpack(batch), Run())
    for variable, value in before:
        variable.assign(value)
    return drawn


def defaults(recipe):
    return {name: given.default for name, given in inspect.signature(recipe).parameters.items()}


def adam(optimizer):
    """`(learning rate, beta_1, beta_2)`."""
    assert type(optimizer).__name__ == "FusedAdam"
    values = (float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2)
    return tuple(round(value, 9) for value in values)


def class_loss(label, logits):
    logits = np.asarray(logits, "float64")
    log_sum = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    return np.mean(log_sum - np.sum(label * logits, axis=1))


def softplus(logits):
    return np.mean(np.logaddexp(0, np.asarray(logits, "float64")))


def trained(network, still):
    """The paths of its trainable variables, but for the one that nothing moves."""
    return {variable.path for variable in network.trainable_variables} - {still}


def assert_all_learn(model, *batch, still=None):
    """Two steps move every variable that can be trained, of every network; losses are finite."""
    networks = [network for networks in model.players().values() for network in networks]
    logs = []
    moved = moved_variables(lambda: logs.extend(model.train_on_batch(*batch) for _ in range(2)), *networks)
    for network in networks:
        assert trained(network, still) <= set(moved[network.name])
    assert all(list(log) == list(model.loss_names) for log in logs)
    assert np.isfinite([list(log.values()) for log in logs]).all()


def assert_each_moves_its_own(model, update, *batch, still=None):
    """The step of a player moves the weights of its own networks, all of them, and no others."""
    for learning in model.players():
        made = compiled(again(model, update=update), **{learning: 0.1})
        networks = {player: list(networks) for player, networks in made.players().items()}
        moved = moved_variables(lambda: made.train_on_batch(*batch), *sum(networks.values(), []))
        for player, owned in networks.items():
            for network in owned:
                weights = trained(network, still)
                expected = weights if player == learning else set()
                assert weights & set(moved[network.name]) == expected, (learning, network.name)


def assert_goes_on(model, path, *batch):
    """A loaded model takes the very same steps: weights, slots, seeds, pools, gamma."""
    model.train_on_batch(*batch)
    model.save(path)
    loaded = keras.models.load_model(path)
    assert type(loaded) is type(model) and loaded.name == model.name
    plain = [{k: v for k, v in m.get_config().items() if not isinstance(v, dict)} for m in (loaded, model)]
    assert plain[0] == plain[1]
    for player, optimizer in model.optimizers.items():
        twin = loaded.optimizers[player]
        assert {**twin.get_config(), "name": ""} == {**optimizer.get_config(), "name": ""}
    for _ in range(2):
        assert loaded.train_on_batch(*batch) == model.train_on_batch(*batch)
    for new, old in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(new.numpy(), old.numpy(), err_msg=old.path)
    return loaded
