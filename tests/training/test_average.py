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
    for weights in seen[1:]:
        average = [decay * old + (1 - decay) * new for old, new in zip(average, weights)]
    return average


@pytest.mark.parametrize("options", [{}, {"update": "simultaneous"}, {"d_steps": 2}], ids=str)
def test_three_steps_by_hand(options):
    """Moving averages of batch norm, which the averaged generator will draw with, among them."""
    gan = sgd_gan(networks("classifier"), average_decay=0.8, **options)
    seen = steps(gan)
    averaged = gan.averaged()
    for actual, expected in zip(averaged.get_weights(), by_hand(seen, 0.8), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)
    distance = np.abs(averaged.get_weights()[0] - gan.generator.get_weights()[0]).max()
    assert distance > 1e-4


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


def test_compiling_again_keeps_the_average():
    gan = sgd_gan(networks("pix2pix"), average_decay=0.8)
    steps(gan)
    before = gan.averaged().get_weights()
    count = len(gan.variables)
    gan.compile("sgd", "sgd")
    keras.tree.map_structure(np.testing.assert_array_equal, gan.averaged().get_weights(), before)
    assert len(gan.variables) == count


def test_without_an_average_there_is_none_to_give():
    gan = sgd_gan(networks("pix2pix"))
    with pytest.raises(ValueError, match="`averaged` needs .* Received: average_decay=None, compiled=True"):
        gan.averaged()
    gan = ConditionalGAN(*networks("pix2pix"), average_decay=0.9)
    with pytest.raises(ValueError, match="`averaged` needs .* Received: average_decay=0.9, compiled=False"):
        gan.averaged()
