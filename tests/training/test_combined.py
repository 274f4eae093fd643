"""What must hold of the combined model, whenever and in whatever order steps are traced."""

import itertools
import re

import keras
import numpy as np
import pytest
import tiny
from keras import layers

from keras_cgan import ClassLoss, DiscriminatorLoss, L1Loss, ReferenceTrainer, combined_model
from keras_cgan.testing import moved_variables

ORDERS = ["".join(order) for order in itertools.permutations("DCG")]
OWNERS = {"D": "discriminator", "C": "classifier", "G": "generator"}
SIZES = (4, 3, 4)
LOSSES = {"real_fake": DiscriminatorLoss(), "label": ClassLoss()}


class Setup:
    """G, D and C, the combined model, and the three steps by letter, compiled in a given order.

    `traced` has the letters of the steps that run as graphs; the others run eagerly.
    """

    def __init__(self, networks=None, order="DCG", traced="DCG", l1_weight=1.0, jit_compile=False):
        options = {"dropout": 0.3}
        self.networks = networks or (
            tiny.generator(**options),
            tiny.discriminator(spectral=True, **options),
            tiny.classifier(**options),
        )
        self.G, self.D, self.C = self.networks
        self.combined = combined_model(*self.networks)
        self.loss_weights = {"sketch": l1_weight, "real_fake": 1.0, "label": 1.0}
        self.traced, self.jit_compile = traced, jit_compile
        for letter in order:
            self.compile(letter)

    def compile(self, letter):
        model, loss, weights = {
            "D": (self.D, LOSSES["real_fake"], None),
            "C": (self.C, LOSSES["label"], None),
            "G": (self.combined, {"sketch": L1Loss(), **LOSSES}, self.loss_weights),
        }[letter]
        model.compile(
            keras.optimizers.Adam(1e-2),
            loss=loss,
            loss_weights=weights,
            run_eagerly=letter not in self.traced,
            jit_compile=self.jit_compile and letter == "G",
        )

    def step(self, letter, size=4):
        x, sketch = tiny.batch(size)
        real = np.ones((size, 1), "float32")
        if letter == "D":
            return self.D.train_on_batch(tiny.pair(x, sketch), real)
        if letter == "C":
            return self.C.train_on_batch(sketch, x["label"])
        targets = {"sketch": sketch, "real_fake": real, "label": x["label"]}
        return self.combined.train_on_batch(x, targets, return_dict=True)

    def assert_moves_its_own(self, letter, size=4):
        """All variables of the step's own network move, and nothing of another."""
        moved = moved_variables(lambda: self.step(letter, size), *self.networks)
        owner = next(network for network in self.networks if network.name == OWNERS[letter])
        # Everything: weights, moving averages, power-iteration vectors, dropout seeds.
        assert moved.pop(owner.name) == sorted(variable.path for variable in owner.variables)
        assert not any(moved.values()), moved

    def assert_all_hold(self, order, sizes=SIZES):
        for size, letter in itertools.product(sizes, order):
            self.assert_moves_its_own(letter, size)
        self.assert_owned_by_the_generator_alone()

    def assert_owned_by_the_generator_alone(self):
        owned = {id(variable) for variable in self.G.trainable_variables}
        assert {id(variable) for variable in self.combined.trainable_variables} == owned
        assert {id(variable) for variable in self.combined.trainable_weights} == owned
        assert self.D.trainable is True and self.C.trainable is True and self.G.trainable is True


@pytest.fixture(scope="module")
def stepped():
    """A setup whose networks have all taken their steps; tests leave its flags as they were."""
    setup = Setup()
    for letter in "DCG":
        setup.step(letter)
    return setup


@pytest.fixture(scope="module")
def plain():
    """G, D, C without dropout or spectral norm, with moving averages far from the batch's statistics."""
    networks = tiny.generator(), tiny.discriminator(), tiny.classifier()
    for network in networks[1:]:
        for variable in network.non_trainable_variables:
            if "moving_variance" in variable.path:
                variable.assign(variable + 5.0)
    return networks


def count(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


# All orders in both modes; in graphs, which take long to trace, only two are for every day.
ORDERS_AND_MODES = [
    pytest.param(
        order, traced, id=f"{order}-{mode}", marks=pytest.mark.slow if traced and order[0] != "G" else ()
    )
    for order in ORDERS
    for mode, traced in {"graph": "DCG", "eager": ""}.items()
]


@pytest.mark.parametrize("order, traced", ORDERS_AND_MODES)
def test_each_step_moves_its_own_network_only(order, traced):
    setup = Setup(order=order[::-1], traced=traced)
    setup.assert_all_hold(order)


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_of_compile_calls_matters(order):
    setup = Setup(order=order, traced="")
    for letter in "GDC":
        setup.assert_moves_its_own(letter)


def test_optimizers_hold_the_slots_of_their_own_network_only(stepped):
    for model, network in ((stepped.combined, stepped.G), (stepped.D, stepped.D), (stepped.C, stepped.C)):
        # Adam: two moments a variable, the number of iterations, the learning rate.
        assert len(model.optimizer.variables) == 2 * len(network.trainable_variables) + 2


def test_summary_counts_the_generator_only(stepped):
    lines = []
    stepped.combined.summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(map(str, lines))
    trainable = int(re.search(r"\bTrainable params: ([\d,]+)", text)[1].replace(",", ""))
    frozen = int(re.search(r"Non-trainable params: ([\d,]+)", text)[1].replace(",", ""))
    assert trainable == count(stepped.G.trainable_weights) == count(stepped.combined.trainable_weights)
    assert frozen == count(stepped.G.non_trainable_weights)
    assert stepped.combined.count_params() == stepped.G.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("saved", ["as they are", "frozen"])
def test_a_combined_model_of_loaded_parts_keeps_all_this(saved, tmp_path):
    setup = Setup(traced="")
    for letter in "DCG":
        setup.step(letter)
    loaded = []
    for network in setup.networks:
        network.trainable = saved != "frozen" or network is setup.G
        network.save(tmp_path / f"{network.name}.keras")
        loaded.append(keras.models.load_model(tmp_path / f"{network.name}.keras"))
        # A flag is saved with its network, as in any Keras model.
        loaded[-1].trainable = True
        for old, new in zip(network.weights, loaded[-1].weights, strict=True):
            np.testing.assert_array_equal(old.numpy(), new.numpy())
    traced = "DCG" if saved == "as they are" else "G"
    Setup(tuple(loaded), traced=traced).assert_all_hold("GDC", sizes=(4, 3))


@pytest.mark.parametrize(
    "save",
    [
        lambda model, path: model.save(path / "combined.keras"),
        lambda model, path: model.save_weights(path / "combined.weights.h5"),
        lambda model, path: model.export(path / "combined"),
        lambda model, path: keras.saving.save_model(model, path / "combined.keras"),
        lambda model, path: keras.saving.save_weights(model, path / "combined.weights.h5"),
        lambda model, path: model.to_json(),
    ],
    ids=["save", "save_weights", "export", "saving.save_model", "saving.save_weights", "to_json"],
)
def test_saving_says_what_to_save_instead(stepped, save, tmp_path):
    with pytest.raises(NotImplementedError) as error:
        save(stepped.combined, tmp_path)
    assert all(word in str(error.value) for word in ("generator", "discriminator", "classifier"))


FROZEN = ["before building", "before compile", "in the first step", "between steps"]


@pytest.mark.parametrize("frozen", FROZEN)
def test_flags_set_in_odd_places_move_nothing_wrongly(frozen):
    """D and C are frozen in one place and thawed before their own steps."""
    networks = tiny.generator(), tiny.discriminator(spectral=True, dropout=0.3), tiny.classifier()

    def freeze(here):
        for network in networks[1:]:
            network.trainable = here != frozen

    freeze("before building")
    setup = Setup(networks, traced="G")
    freeze("before compile")
    setup.compile("G")
    freeze("in the first step")
    setup.assert_moves_its_own("G")
    freeze("thawed")
    for letter in "DC":
        setup.assert_moves_its_own(letter)
    freeze("between steps")
    for size in (4, 3):
        setup.assert_moves_its_own("G", size)
    freeze("thawed")
    for size, letter in itertools.product((3, 4), "GDC"):
        setup.assert_moves_its_own(letter, size)
    setup.assert_owned_by_the_generator_alone()


@pytest.mark.parametrize("training", [True, False])
def test_fixed_networks_run_in_the_mode_of_the_step(plain, training):
    """In the G step by the batch's statistics, as in D's own step; in prediction by moving averages."""
    generator, discriminator, classifier = map(tiny.copy, plain)
    combined = combined_model(generator, discriminator, classifier)
    x, _ = tiny.batch()
    outputs = {}
    moved = moved_variables(lambda: outputs.update(combined(x, training=training)), discriminator, classifier)
    assert not any(moved.values())
    judged = tiny.pair(x, outputs["sketch"])
    for mode, same in ((training, True), (not training, False)):
        for network, image, name in (
            (discriminator, judged, "real_fake"),
            (classifier, outputs["sketch"], "label"),
        ):
            expected = tiny.copy(network)(image, training=mode)
            assert np.allclose(outputs[name], expected, atol=1e-6) is same


def test_losses_of_the_generator_step_come_from_batch_statistics(plain):
    setup = Setup(tuple(map(tiny.copy, plain)))
    x, sketch = tiny.batch()
    drawn = tiny.copy(setup.G)(x, training=True)
    verdict = tiny.copy(setup.D)(tiny.pair(x, drawn), training=True)
    said = tiny.copy(setup.C)(drawn, training=True)
    expected = {
        "sketch_loss": np.abs(sketch - drawn).mean(),
        "real_fake_loss": -np.log(verdict).mean(),
        "label_loss": -(x["label"] * np.log(said)).sum(axis=-1).mean(),
    }
    logs = setup.step("G")
    assert {name: float(logs[name]) for name in expected} == pytest.approx(expected, rel=1e-5)
    assert float(logs["loss"]) == pytest.approx(sum(expected.values()), rel=1e-5)


def test_the_generator_step_sees_the_updated_discriminator(plain):
    setup = Setup(tuple(map(tiny.copy, plain)))
    setup.step("G")
    setup.combined.optimizer.learning_rate = 0.0
    before = float(setup.step("G")["real_fake_loss"])
    for _ in range(3):
        setup.step("D")
    verdict = setup.step("G")["real_fake_loss"]
    x, _ = tiny.batch()
    drawn = tiny.copy(setup.G)(x, training=True)
    expected = -np.log(tiny.copy(setup.D)(tiny.pair(x, drawn), training=True)).mean()
    assert float(verdict) == pytest.approx(expected, rel=1e-5)
    assert abs(float(verdict) - before) > 1e-3


@pytest.mark.parametrize("by", ["real_fake", "label"])
def test_gradients_reach_the_generator_through_each_fixed_network(by):
    generator, classifier = tiny.generator(), tiny.classifier(dropout=0.3)
    discriminator = tiny.discriminator(spectral=True, dropout=0.3)
    combined = combined_model(generator, discriminator, classifier)
    weights = {"sketch": 0.0, "real_fake": 0.0, "label": 0.0, by: 1.0}
    losses = {"sketch": L1Loss(), **LOSSES}
    combined.compile(keras.optimizers.SGD(1.0), loss=losses, loss_weights=weights, run_eagerly=True)
    x, sketch = tiny.batch()
    targets = {"sketch": sketch, "real_fake": np.ones((4, 1)), "label": x["label"]}
    moved = moved_variables(lambda: combined.train_on_batch(x, targets), generator)
    assert {weight.path for weight in generator.trainable_variables} <= set(moved["generator"])


def test_the_generator_learns_what_the_fixed_networks_say():
    setup = Setup((tiny.generator(), tiny.discriminator(), tiny.classifier()), l1_weight=0.0)
    first = setup.step("G")
    for _ in range(20):
        last = setup.step("G")
    assert float(last["real_fake_loss"]) < 0.8 * float(first["real_fake_loss"])
    assert float(last["label_loss"]) < float(first["label_loss"])


@pytest.mark.slow
def test_jit_compiled():
    setup = Setup((tiny.generator(), tiny.discriminator(spectral=True), tiny.classifier()), jit_compile=True)
    for letter in "GDC":
        setup.assert_moves_its_own(letter)
    setup.assert_moves_its_own("G", size=3)


def test_sees_the_sketch_alone_unless_paired(plain):
    generator, _, classifier = map(tiny.copy, plain)
    discriminator = tiny.discriminator(("classes",), channels=1)
    combined = combined_model(generator, discriminator, classifier, paired=False)
    x, _ = tiny.batch()
    outputs = combined(x)
    np.testing.assert_allclose(outputs["classes"], discriminator(outputs["sketch"]), atol=1e-6)
    assert set(outputs) == {"sketch", "classes", "label"}


def test_the_photo_comes_first_in_the_pair_and_gray_photos_work(plain):
    generator = tiny.generator(label=False, photo_channels=1)
    discriminator = tiny.discriminator(channels=2)
    x, _ = tiny.batch(photo_channels=1)
    outputs = combined_model(generator, discriminator)(x["photo"])
    np.testing.assert_allclose(outputs["sketch"], generator(x["photo"]), atol=1e-6)
    expected = discriminator(tiny.pair(x, outputs["sketch"]))
    np.testing.assert_allclose(outputs["real_fake"], expected, atol=1e-6)
    swapped = discriminator(np.concatenate([outputs["sketch"], x["photo"]], axis=-1))
    assert not np.allclose(outputs["real_fake"], swapped, atol=1e-4)


@pytest.mark.parametrize(
    "heads, with_classifier, expected",
    [
        (("real_fake",), False, {"sketch", "real_fake"}),
        (("real_fake",), True, {"sketch", "real_fake", "label"}),
        (("classes",), False, {"sketch", "classes"}),
        (("real_fake", "classes"), False, {"sketch", "real_fake", "classes"}),
        (("real_fake", "classes"), True, {"sketch", "real_fake", "classes", "label"}),
        (("real_fake", "label"), False, {"sketch", "real_fake", "label"}),
    ],
)
@pytest.mark.parametrize("label_input", [True, False])
def test_outputs_by_name(heads, with_classifier, expected, label_input):
    generator = tiny.generator(label=label_input)
    classifier = tiny.classifier() if with_classifier else None
    combined = combined_model(generator, tiny.discriminator(heads), classifier)
    assert set(combined.output) == expected
    assert combined.output["sketch"].shape == (None, *tiny.SIZE, 1)
    widths = {"real_fake": 1, "classes": tiny.N_CLASSES + 1, "label": tiny.N_CLASSES}
    assert all(combined.output[name].shape == (None, widths[name]) for name in expected - {"sketch"})
    assert (set(combined.input) == {"photo", "label"}) if label_input else combined.input.shape[-1] == 3


@pytest.mark.parametrize(
    "wrong, argument",
    [
        ({"discriminator": 1}, "discriminator"),
        ({"discriminator": 3}, "discriminator"),
        ({"discriminator": 4, "paired": False}, "discriminator"),
        ({"classifier": 2}, "classifier"),
    ],
)
def test_wrong_channels(wrong, argument):
    networks = {
        "discriminator": tiny.discriminator(channels=wrong.get("discriminator", 4)),
        "classifier": tiny.classifier(channels=wrong.get("classifier", 1)),
    }
    message = f"`{argument}` must take images of shape .*Received: {argument} with input shape"
    with pytest.raises(ValueError, match=message):
        combined_model(tiny.generator(), **networks, paired=wrong.get("paired", True))


def test_a_classifier_beside_a_label_output_is_refused():
    message = "`classifier` must be None.*'label'.*Received: classifier='classifier'"
    with pytest.raises(ValueError, match=message):
        combined_model(tiny.generator(), tiny.discriminator(("real_fake", "label")), tiny.classifier())


def test_unnamed_inputs_and_outputs_are_refused():
    image = keras.Input((*tiny.SIZE, 4))
    flat = keras.layers.Flatten()(image)
    unnamed = keras.Model(image, [keras.layers.Dense(1)(flat), keras.layers.Dense(4)(flat)])
    with pytest.raises(ValueError, match="`discriminator` must have one input, and one output or a dict"):
        combined_model(tiny.generator(), unnamed)
    inputs = {"image": keras.Input((*tiny.SIZE, 3), name="image")}
    without_photo = keras.Model(inputs, keras.layers.Conv2D(1, 3, padding="same")(inputs["image"]))
    with pytest.raises(ValueError, match="`generator`: where .* one of its inputs must be 'photo'"):
        combined_model(without_photo, tiny.discriminator())


def test_targets_of_another_number_of_classes_are_refused():
    setup = Setup(traced="")
    x, sketch = tiny.batch()
    targets = {"sketch": sketch, "real_fake": np.ones((4, 1)), "label": np.eye(4)}
    with pytest.raises(ValueError, match="`y_true` must have the shape of `y_pred`"):
        setup.combined.train_on_batch(x, targets)


@pytest.fixture
def old_idiom():
    """The idiom of Keras 1 and 2: compile D, freeze it by its flag, compile plain G + D."""
    generator, discriminator = tiny.generator(label=False), tiny.discriminator(channels=1)
    discriminator.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy")
    discriminator.trainable = False
    combined = keras.Model(generator.input, discriminator(generator.output))
    combined.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy")
    x, sketch = tiny.batch()
    ones = np.ones((4, 1))

    def d_step():
        discriminator.train_on_batch(sketch, ones)

    def g_step():
        combined.train_on_batch(x["photo"], ones)

    return generator, discriminator, d_step, g_step


def test_why_not_the_old_idiom_it_never_trains_the_discriminator(old_idiom):
    generator, discriminator, d_step, g_step = old_idiom
    for step in (d_step, g_step, d_step):
        assert not moved_variables(step, generator, discriminator)["discriminator"]


def test_why_not_the_old_idiom_thawed_it_lets_the_generator_step_train_the_discriminator(old_idiom):
    generator, discriminator, d_step, g_step = old_idiom
    discriminator.trainable = True
    weights = {weight.path for weight in discriminator.trainable_weights}
    assert weights <= set(moved_variables(d_step, generator, discriminator)["discriminator"])
    moved = set(moved_variables(g_step, generator, discriminator)["discriminator"])
    assert moved & weights, "the combined model trains D to call fakes real"


def test_a_classifier_with_other_outputs_than_one_label():
    generator, discriminator = tiny.generator(), tiny.discriminator()
    one_unit = keras.Sequential([keras.Input((*tiny.SIZE, 1)), layers.Flatten(), layers.Dense(1)])
    for wrong in (one_unit, tiny.discriminator(("real_fake", "classes"), channels=1)):
        with pytest.raises(ValueError, match="`classifier` must have one output"):
            combined_model(generator, discriminator, wrong)


def test_a_generator_with_lists_is_refused():
    photo, label = keras.Input((*tiny.SIZE, 3)), keras.Input((2,))
    sketch = layers.Conv2D(1, 3, padding="same")(photo)
    for inputs, outputs in (([photo, label], sketch), (photo, {"sketch": sketch}), (photo, [sketch, sketch])):
        with pytest.raises(ValueError, match="`generator` must take a photo, or a dict .* give one sketch"):
            combined_model(keras.Model(inputs, outputs), tiny.discriminator())
        with pytest.raises(ValueError, match="`generator` must take a photo, or a dict .* give one sketch"):
            ReferenceTrainer(keras.Model(inputs, outputs), tiny.discriminator())
