"""The moving average of the generator's weights."""

import keras
import numpy as np
import pytest
import tiny
from tiny import assert_same_values, networks, sgd_gan

from keras_cgan import ConditionalGAN
from keras_cgan.testing import moved_variables


def steps(gan, n=3):
    """The generator's weights at the start and after each step."""
    seen = [gan.generator.get_weights()]
    for number in range(n):
        gan.train_on_batch(*tiny.batch(4 if number else 3, seed=number))
        seen.append(gan.generator.get_weights())
    return seen


def by_hand(seen, decay):
    average = seen[0]
    for number, weights in enumerate(seen[1:], start=1):
        share = min(decay, (1 + number) / (10 + number))
        average = [share * old + (1 - share) * new for old, new in zip(average, weights)]
    return average


def assert_average(gan, expected):
    for actual, weights in zip(gan.averaged().get_weights(), expected, strict=True):
        np.testing.assert_allclose(actual, weights, atol=1e-6)


def assert_still_at(gan, start):
    """No update was averaged; until one is, the averaged generator is the generator as it is."""
    for average, weights in zip(gan._average.weights[:-1], start, strict=True):
        np.testing.assert_array_equal(average.numpy(), weights)
    assert_average(gan, gan.generator.get_weights())


@pytest.mark.parametrize("decay", [0.2, 0.8])
@pytest.mark.parametrize("options", [{}, {"update": "simultaneous"}, {"d_steps": 2}], ids=str)
def test_three_steps_by_hand(options, decay):
    """Moving averages of batch norm, which the averaged generator will draw with, among them.

    0.2 is reached in the second step, 0.8 is not.
    """
    gan = sgd_gan(networks("classifier"), average_decay=decay, **options)
    seen = steps(gan)
    assert_average(gan, by_hand(seen, decay))
    distance = np.abs(gan.averaged().get_weights()[0] - gan.generator.get_weights()[0]).max()
    assert distance > 1e-4


def test_after_a_few_steps_the_average_is_near_the_weights_and_not_near_the_start():
    """With 0.999 alone it would still be 99 % the random weights."""
    gan = sgd_gan(networks("pix2pix"), average_decay=0.999)
    seen = steps(gan, 10)
    start, averaged, end = seen[0][0], gan.averaged().get_weights()[0], gan.generator.get_weights()[0]
    assert np.linalg.norm(averaged - end) < 0.5 * np.linalg.norm(averaged - start)


@pytest.mark.slow
@pytest.mark.parametrize("run_eagerly", [True, False])
def test_accumulated_gradients_are_averaged_once_an_update(run_eagerly):
    """Batches 2 and 4 update: between, moving averages of batch norm alone go on."""
    optimizer = keras.optimizers.SGD(0.1, gradient_accumulation_steps=2)
    gan = sgd_gan(
        networks("pix2pix"), average_decay=0.8, run_eagerly=run_eagerly, compiled={"g_optimizer": optimizer}
    )
    seen = steps(gan, 1)
    assert_still_at(gan, seen[0])
    seen += steps(gan, 4)[1:]
    assert_average(gan, by_hand([seen[0], seen[2], seen[4]], 0.8))


def test_a_step_skipped_for_an_overflow_is_not_averaged():
    keras.config.set_dtype_policy("mixed_float16")
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8)
    gan.optimizer.dynamic_scale.assign(2.0**100)
    assert_still_at(gan, steps(gan, 1)[0])
    assert gan.averaged().get_weights()[0].dtype == "float32"


def test_counts_among_the_weights_are_copied():
    """Those of a Normalization layer are integers."""
    photo = keras.Input((*tiny.SIZE, 3), name="photo")
    normalization = keras.layers.Normalization()
    sketch = keras.layers.Conv2D(1, 3, padding="same")(normalization(photo))
    gan = sgd_gan((keras.Model(photo, sketch), tiny.discriminator(), None), average_decay=0.8)
    seen = steps(gan)
    assert len(seen[0]) == 5
    assert_average(gan, by_hand(seen, 0.8))


def test_weights_loaded_into_the_generator_before_training_are_the_start():
    gan = ConditionalGAN(*networks("pix2pix"), average_decay=0.8)
    gan.generator.set_weights([weights + 1 for weights in gan.generator.get_weights()])
    assert_average(gan, gan.generator.get_weights())
    gan.compile("sgd", "sgd", run_eagerly=True)
    assert_average(gan, by_hand(steps(gan), 0.8))


@pytest.mark.slow
def test_a_compiled_step_with_several_a_call():
    compiled = {"steps_per_execution": 2}
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8, run_eagerly=False, compiled=compiled)
    twin = sgd_gan(tiny.copies((gan.generator, gan.discriminator)), average_decay=0.8)
    for each in (gan, twin):
        each.fit(*tiny.batch(10), batch_size=4, shuffle=False, verbose=0)
    assert_same_values([gan.averaged()], [twin.averaged()], atol=5e-6)


def test_averaging_does_not_change_the_training():
    parts = networks("classifier")
    twins = tiny.copies(parts)
    steps(sgd_gan(parts, average_decay=0.8))
    steps(sgd_gan(twins))
    assert_same_values(parts, twins, atol=0.0)


def test_what_is_averaged_is_a_network_of_its_own():
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8)
    steps(gan, 1)
    averaged = gan.averaged()
    before = averaged.get_weights()
    moved = moved_variables(lambda: steps(gan, 1), averaged)
    assert not any(moved.values())
    assert not np.array_equal(gan.averaged().get_weights()[0], before[0])
    x, _ = tiny.batch()
    assert averaged(x).shape == (4, *tiny.SIZE, 1)


@pytest.mark.parametrize("whole", [True, False])
def test_the_average_is_saved_with_the_model(whole, tmp_path):
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8)
    steps(gan)
    if whole:
        gan.save(tmp_path / "gan.keras")
        again = keras.models.load_model(tmp_path / "gan.keras")
    else:
        gan.save_weights(tmp_path / "gan.weights.h5")
        again = sgd_gan(networks("pix2pix"), average_decay=0.8)
        again.load_weights(tmp_path / "gan.weights.h5")
    assert_same_values([again.averaged()], [gan.averaged()], atol=0.0)
    # And goes on from there.
    for each in (gan, again):
        each.train_on_batch(*tiny.batch(seed=9))
    assert_same_values([again.averaged()], [gan.averaged()], atol=1e-6)


@pytest.mark.parametrize("whole", [True, False])
def test_the_average_loads_without_compile(whole, tmp_path):
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8)
    steps(gan)
    if whole:
        gan.save(tmp_path / "gan.keras")
        again = keras.models.load_model(tmp_path / "gan.keras", compile=False)
    else:
        again = ConditionalGAN(*networks("pix2pix"), average_decay=0.8)
        gan.save_weights(tmp_path / "gan.weights.h5")
        again.load_weights(tmp_path / "gan.weights.h5")
    assert not again.compiled
    assert_same_values([again.averaged()], [gan.averaged()], atol=0.0)
    # Nor does compiling it later begin a new one.
    again.compile("sgd", "sgd")
    assert_same_values([again.averaged()], [gan.averaged()], atol=0.0)


def test_compiling_again_keeps_the_average():
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8)
    steps(gan)
    before = gan.averaged().get_weights()
    count = len(gan.variables)
    gan.compile("sgd", "sgd")
    keras.tree.map_structure(np.testing.assert_array_equal, gan.averaged().get_weights(), before)
    assert len(gan.variables) == count
    # And the number of updates: a new optimizer does not make it forget.
    assert int(gan._average._updates.numpy()) == 3


def test_without_an_average_there_is_none_to_give():
    gan = sgd_gan(networks("pix2pix"))
    with pytest.raises(ValueError, match="`averaged` needs .* Received: average_decay=None, compiled=True"):
        gan.averaged()
    # `ConditionalGAN` has one from the start, other models where they are compiled: test_adversarial.py.


def test_the_kept_generator_is_the_averaged_one_where_there_is_one():
    gan = sgd_gan(networks("pix2pix"))
    assert gan.kept_generator() is gan.generator
    gan = sgd_gan(networks("pix2pix"), average_decay=0.9)
    steps(gan)
    kept, averaged, last = (
        each.get_weights()[0] for each in (gan.kept_generator(), gan.averaged(), gan.generator)
    )
    assert np.array_equal(kept, averaged) and not np.array_equal(kept, last)
