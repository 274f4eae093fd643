"""The reference trainer: what each strategy trains, and each step against one written by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from by_hand import HandStep
from tiny import LOG_KEYS, assert_same_values, networks, present, sgd_trainer

from keras_cgan import STRATEGIES, ReferenceTrainer, strategy_networks
from keras_cgan.testing import moved_variables

every_strategy = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


def assert_step_by_hand(
    parts, strategy, class_head="softmax", joined=True, update="sequential", run_eagerly=True
):
    hand = HandStep(parts, strategy, class_head)
    options = {"joined_batch": joined, "update": update, "run_eagerly": run_eagerly}
    trainer = sgd_trainer(parts, strategy=strategy, **options)
    for size in (4, 3):
        x, sketch = tiny.batch(size, seed=size)
        expected = hand(x, sketch, joined, update)
        logs = trainer.train_on_batch(x, sketch)
        assert logs == pytest.approx({name: float(value) for name, value in expected.items()}, rel=2e-5)
        assert_same_values(parts, hand.parts)


@every_strategy
def test_two_steps_are_those_written_by_hand(strategy):
    """All of the state: weights, moving averages, dropout seeds, power-iteration vectors."""
    assert_step_by_hand(networks(strategy, stochastic=True), strategy, run_eagerly=False)


def test_a_sigmoid_class_head_by_hand():
    assert_step_by_hand(networks("two-head", class_head="sigmoid"), "two-head", class_head="sigmoid")


@pytest.mark.parametrize("strategy", ["pix2pix", "shared-q"])
def test_two_batches_instead_of_a_joined_one_by_hand(strategy):
    assert_step_by_hand(networks(strategy), strategy, joined=False)


@pytest.mark.parametrize("strategy", ["classifier", "shared-q"])
def test_a_simultaneous_update_by_hand(strategy):
    assert_step_by_hand(networks(strategy), strategy, update="simultaneous")


@pytest.mark.parametrize("strategy", ["sigmoid", "two-head"])
def test_activations_inside_the_last_layer_by_hand(strategy):
    assert_step_by_hand(networks(strategy, inside=True), strategy)


@pytest.mark.parametrize(
    "label", [pytest.param(True, id="label", marks=pytest.mark.slow), pytest.param(False, id="no label")]
)
@every_strategy
def test_built_networks_learn_and_log_what_applies(strategy, label):
    parts = strategy_networks(strategy, (16, 16, 3), tiny.N_CLASSES, label_input=label, filters=4, n_layers=1)
    trainer = ReferenceTrainer(*parts, strategy=strategy, run_eagerly=not label)
    logs = {}
    for size in (4, 3):
        x, sketch = tiny.batch(size)
        moved = moved_variables(lambda: logs.update(trainer.train_on_batch(x, sketch)), *present(parts))
        assert set(logs) == LOG_KEYS[strategy]
        assert all(type(value) is float and np.isfinite(value) for value in logs.values())
        total = 100 * logs["g_l1"] + logs["g_adv"] + logs.get("g_class", 0.0)
        assert logs["g_loss"] == pytest.approx(total, rel=1e-5)
        for network in present(parts):
            averages = [v for v in network.non_trainable_variables if "moving" in v.path]
            expected = {variable.path for variable in [*network.trainable_variables, *averages]}
            assert expected <= set(moved[network.name])


@pytest.mark.parametrize("strategy", ["classifier", "two-head", "shared-q"])
def test_each_compiled_step_moves_its_own_network(strategy):
    parts = networks(strategy, stochastic=True)
    trainer = sgd_trainer(parts)
    x, sketch = tiny.batch()
    trainer.train_on_batch(x, sketch)
    zeros = _zeros(trainer.d_model)
    steps = {
        "generator": lambda: trainer.combined.train_on_batch(x, _zeros(trainer.combined)),
        "discriminator": lambda: trainer.d_model.train_on_batch(tiny.pair(x, sketch), zeros),
        "classifier": lambda: trainer.c_model.train_on_batch(sketch, {"label": x["label"]}),
    }
    for network in present(parts):
        moved = moved_variables(steps[network.name], *present(parts))
        assert moved.pop(network.name)
        assert not any(moved.values())
        assert network.trainable is True


def _zeros(model, size=4):
    return {name: np.zeros((size, *output.shape[1:]), "float32") for name, output in model.output.items()}


def test_the_pass_that_draws_the_fakes_moves_nothing_of_the_generator():
    parts = networks("pix2pix", stochastic=True)
    trainer = sgd_trainer(parts, {"g": 0.0, "d": 0.1, "c": 0.0})
    twin = tiny.copy(parts[0])
    x, sketch = tiny.batch()
    trainer.train_on_batch(x, sketch)
    twin(x, training=True)
    # One pass in training mode, that of G's own step, moved averages and seeds; not two.
    assert_same_values(parts[:1], [twin])


def test_joined_and_separate_batches_differ_with_batch_norm():
    parts = networks("pix2pix")
    twins = tiny.copies(parts)
    x, sketch = tiny.batch()
    joined = sgd_trainer(parts).train_on_batch(x, sketch)
    separate = sgd_trainer(twins, joined_batch=False).train_on_batch(x, sketch)
    assert abs(joined["d_loss"] - separate["d_loss"]) > 1e-4


@pytest.mark.parametrize("strategy", ["two-head", "classifier"])
def test_the_order_of_the_pairs_in_a_batch_does_not_matter(strategy):
    parts = networks(strategy)
    twins = tiny.copies(parts)
    x, sketch = tiny.batch()
    order = np.array([2, 0, 3, 1])
    logs = sgd_trainer(parts).train_on_batch(x, sketch)
    shuffled = {name: value[order] for name, value in x.items()}
    assert sgd_trainer(twins).train_on_batch(shuffled, sketch[order]) == pytest.approx(logs, rel=1e-5)
    assert_same_values(parts, twins)


def test_eager_steps_and_tensors_give_the_same():
    parts = networks("classifier", stochastic=True)
    twins = tiny.copies(parts)
    trainer, twin = sgd_trainer(parts, run_eagerly=False), sgd_trainer(twins)
    for size in (4, 3):
        arrays = tiny.batch(size)
        logs = trainer.train_on_batch(*arrays)
        tensors = keras.tree.map_structure(tf.convert_to_tensor, arrays)
        assert twin.train_on_batch(*tensors) == pytest.approx(logs, rel=1e-5)
    assert_same_values(parts, twins)


def test_l2():
    parts = networks("pix2pix")
    x, sketch = tiny.batch()
    drawn = tiny.copy(parts[0])(x, training=True)
    logs = sgd_trainer(parts, reconstruction="l2").train_on_batch(x, sketch)
    assert logs["g_l1"] == pytest.approx(np.mean((sketch - drawn) ** 2), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(10 * logs["g_l1"] + 0.7 * logs["g_adv"], rel=1e-5)


def test_logits_without_an_activation_give_the_same_step():
    parts = networks("pix2pix")
    twins = list(tiny.copies(parts))
    dense = twins[1].get_layer("real_fake_dense")
    twins[1] = keras.Model(twins[1].input, dense.output, name="discriminator")
    x, sketch = tiny.batch()
    logs = [sgd_trainer(nets).train_on_batch(x, sketch) for nets in (parts, twins)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)
    assert_same_values(parts, twins)


@pytest.mark.parametrize("inside", [False, True])
def test_a_saturated_discriminator_still_teaches(inside):
    """An `Activation` layer is left off; inside the last layer nothing but the clip is possible."""
    parts = networks("pix2pix", inside=inside)
    parts[1].get_layer("real_fake_dense").bias.assign([-200.0])
    trainer = sgd_trainer(parts, {"g": 0.05, "d": 0.0}, l1_weight=0.0)
    before = tiny.values(parts[0])
    logs = trainer.train_on_batch(*tiny.batch())
    changes = [np.abs(new - old).max() for new, old in zip(tiny.values(parts[0]), before)]
    weights = [k for k, variable in enumerate(parts[0].variables) if "kernel" in variable.path]
    assert all((changes[k] > 0) is not inside for k in weights)
    assert logs["g_adv"] == pytest.approx(-np.log(1e-7) if inside else 200.0, rel=0.05)


def test_optimizers_by_name_and_by_default():
    trainer = ReferenceTrainer(*networks("classifier"), g_optimizer="sgd", d_optimizer="rmsprop")
    kinds = {name: type(optimizer).__name__ for name, optimizer in trainer.optimizers.items()}
    assert kinds == {"generator": "SGD", "discriminator": "RMSprop", "classifier": "Adam"}
    optimizers = ReferenceTrainer(*networks("classifier")).optimizers
    settings = {name: (float(o.learning_rate), o.beta_1) for name, o in optimizers.items()}
    expected = {"generator": (2e-4, 0.5), "discriminator": (2e-4, 0.5), "classifier": (1e-3, 0.9)}
    assert {name: pytest.approx(setting) for name, setting in expected.items()} == settings
    assert set(ReferenceTrainer(*networks("two-head")).optimizers) == {"generator", "discriminator"}


def test_a_class_blind_trainer_takes_bare_photos():
    trainer = sgd_trainer(networks("pix2pix", label=False))
    x, sketch = tiny.batch()
    assert set(trainer.train_on_batch(x["photo"], sketch)) == LOG_KEYS["pix2pix"]
    assert set(trainer.train_on_batch({"photo": x["photo"]}, sketch)) == LOG_KEYS["pix2pix"]


def test_sequential_networks():
    generator = keras.Sequential([keras.Input((*tiny.SIZE, 3)), keras.layers.Conv2D(1, 3, padding="same")])
    discriminator = keras.Sequential(
        [keras.Input((*tiny.SIZE, 4)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")]
    )
    classifier = keras.Sequential(
        [keras.Input((*tiny.SIZE, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )
    parts = (generator, discriminator, classifier)
    trainer = sgd_trainer(parts, strategy="classifier")
    moved = moved_variables(lambda: trainer.train_on_batch(*tiny.batch()), *parts)
    assert [len(paths) for paths in moved.values()] == [2, 2, 2]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    parts = strategy_networks("classifier", (24, 24, 3), 3, filters=2)
    trainer = ReferenceTrainer(*parts)
    x, sketch = tiny.batch()
    x["photo"], sketch = (np.pad(image, ((0, 0), (4, 4), (4, 4), (0, 0))) for image in (x["photo"], sketch))
    for _ in range(2):
        assert all(np.isfinite(value) for value in trainer.train_on_batch(x, sketch).values())
    scales = [type(optimizer).__name__ == "LossScaleOptimizer" for optimizer in trainer.optimizers.values()]
    assert scales == [policy == "mixed_float16"] * 3
