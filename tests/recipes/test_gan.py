"""GAN: two fully connected networks, SGD as in 2014, no label."""

import keras
import numpy as np
import pytest
import steps

from keras_cgan import Latent
from keras_cgan.recipes import gan, marginal_bias
from keras_cgan.recipes.gan import paper_sgd

SMALL = {"image_shape": (16, 16, 1), "hidden": (8, 8), "maxout": ((6, 2), (4, 3))}


def small(**options):
    model = gan(**SMALL, **options)
    model.run_eagerly = True
    return model


def test_the_papers_networks():
    model = gan()
    assert model.generator.count_params() == 101 * 1200 + 1201 * 1200 + 1201 * 784
    assert model.discriminator.count_params() == 785 * 1200 + 241 * 1200 + 241
    assert model.generator.output_shape == (None, 28, 28, 1)
    latent = model.latent
    assert latent.get_config() == Latent(100, (), 0, "normal").get_config()
    rates = [layer.rate for layer in model.discriminator.layers if "dropout" in layer.name]
    assert rates == [0.2, 0.5, 0.5]


def test_the_papers_settings():
    model = small()
    assert (model.adversarial.name, model.penalty_weight, model.d_steps) == ("nonsaturating", 0, 1)
    for optimizer in model.optimizers.values():
        schedule = optimizer._learning_rate
        assert (schedule.learning_rate, schedule.factor, schedule.least) == (0.1, 1.000004, 1e-6)
        assert (optimizer.momentum, optimizer.final_momentum) == (0.5, 0.7)
        assert optimizer.ramp_steps == 250 * 500


def test_a_rate_below_the_papers_least():
    assert paper_sgd(learning_rate=1e-8)["g"]._learning_rate.least == 1e-8


def test_what_may_be_chosen_instead():
    optimizers = {player: keras.optimizers.Adam(1e-3) for player in ("d", "g")}
    model = small(d_dropout=(0.0, 0.3), optimizers=optimizers, average_decay=0.9)
    rates = [layer.rate for layer in model.discriminator.layers if "dropout" in layer.name]
    assert rates == [0.3, 0.3]
    assert model.optimizers == optimizers and model.average_decay == 0.9


def test_a_scale_that_sgd_survives():
    """D sees pixels in [0, 1] and G ends in the paper's sigmoid: at a rate of .1 nothing diverges."""
    keras.utils.set_random_seed(0)
    model = gan((16, 16, 1), hidden=(64, 64), maxout=((32, 3), (32, 3)))
    images = np.sign(steps.images(64))
    # A dozen updates are enough for what diverges to be far off.
    for _ in range(30):
        logs = model.train_on_batch(images)
    assert logs["d_loss"] < 5 and logs["g_loss"] < 5


def test_all_learn_as_a_graph():
    model = gan(**SMALL)
    steps.assert_all_learn(model, steps.images())
    assert model.predict(model.latent.sample(5), verbose=0).shape == (5, 16, 16, 1)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(), update, steps.images())


def test_the_losses_by_hand():
    """Equation 1, and the generator's -log D of section 3; D's dropout included."""
    model = steps.compiled(small())
    images = steps.images()
    drawn = steps.drawn_next(model, images)["image"]
    judge = steps.twin(model.d_model)
    logs = model.train_on_batch(images)
    real, fake, asked = (judge(seen, training=True)["real_fake"] for seen in (images, drawn, drawn))
    assert logs["d_loss"] == pytest.approx(steps.softplus(-real) + steps.softplus(fake), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(steps.softplus(-asked), rel=1e-5)


def test_momentum_and_rate_by_hand():
    """The second update of a bias of G is (momentum * first - rate * gradient)."""
    model = small(optimizers=paper_sgd(ramp_steps=1, decay_factor=2.0))
    bias = model.generator.trainable_variables[-1]
    gradients, values = [], [bias.numpy()]
    apply = model.optimizer.apply
    model.optimizer.apply = lambda found, weights: (
        gradients.append(found[-1].numpy()),
        apply(found, weights),
    )
    for _ in range(2):
        model.train_on_batch(steps.images())
        values.append(bias.numpy())
    first = -0.1 * gradients[0]
    np.testing.assert_allclose(values[1] - values[0], first, atol=1e-6)
    np.testing.assert_allclose(values[2] - values[1], 0.7 * first - 0.05 * gradients[1], atol=1e-6)


def test_it_begins_at_the_mean_image():
    images = np.clip(0.3 * steps.images(50) + 0.4, -1, 1)
    images[:, 0, 0] = -1.0
    model = small(output_bias=marginal_bias(images))
    drawn = model.generator(np.zeros((1, 100), "float32"))
    np.testing.assert_allclose(drawn[0], images.mean(axis=0), atol=2e-3)


def test_a_loaded_model_goes_on(tmp_path):
    steps.assert_goes_on(small(), tmp_path / "gan.keras", steps.images())
