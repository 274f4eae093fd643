"""A resumed training is the same training, bit for bit."""

import keras
import numpy as np
import pytest
from keras import layers
from tiny import N_CLASSES, SIZE, batch, conv_norm, discriminator, generator

from keras_cgan import ConditionalGAN, FusedAdam, ReferenceTrainer
from keras_cgan.training.checkpoint import TrainerCheckpoint


def noisy_classifier():
    sketch = keras.Input((*SIZE, 1), name="sketch")
    x = layers.Flatten()(conv_norm(layers.GaussianNoise(0.5)(sketch), strides=4, dropout=0.5))
    x = layers.Activation("softmax", name="label")(layers.Dense(N_CLASSES)(x))
    return keras.Model(sketch, x, name="classifier")


def new_trainer(seed=0, with_classifier=True):
    """G with dropout, C with dropout and noise: what they draw must go on as well."""
    keras.utils.set_random_seed(seed)
    networks = (generator(dropout=0.5), discriminator(dropout=0.5))
    if with_classifier:
        return ReferenceTrainer(*networks, noisy_classifier(), strategy="classifier")
    return ReferenceTrainer(*networks, strategy="pix2pix")


def steps(trainer, start, stop):
    return [trainer.train_on_batch(*batch(seed=step)) for step in range(start, stop)]


def state(trainer):
    """All that a step reads, by name: weights, averages, seeds, optimizer slots."""
    networks = (trainer.generator, trainer.discriminator, trainer.classifier)
    found = {}
    for network in filter(None, networks):
        for number, variable in enumerate(network.variables):
            found[f"{network.name} {number} {variable.path}"] = variable.numpy()
    for name, optimizer in trainer.optimizers.items():
        for number, variable in enumerate(optimizer.variables):
            found[f"{name} optimizer {number}"] = variable.numpy()
    return found


def differing(one, other):
    assert len(one) == len(other)
    pairs = zip(one.items(), other.values())
    return [name for (name, value), expected in pairs if not np.array_equal(value, expected)]


def test_nothing_to_restore(tmp_path):
    trainer = new_trainer()
    before = state(trainer)
    assert TrainerCheckpoint(trainer, tmp_path / "checkpoint").restore() == 0
    assert not differing(before, state(trainer))


@pytest.mark.slow
@pytest.mark.parametrize("with_classifier", [True, False])
def test_two_steps_and_two_more_are_four(with_classifier, tmp_path):
    through = new_trainer(with_classifier=with_classifier)
    losses = steps(through, 0, 4)

    first = new_trainer(with_classifier=with_classifier)
    steps(first, 0, 2)
    TrainerCheckpoint(first, tmp_path).save(2)
    saved = state(first)

    # Another seed: what is not restored differs.
    second = new_trainer(seed=1, with_classifier=with_classifier)
    checkpoint = TrainerCheckpoint(second, tmp_path)
    assert len(differing(saved, state(second))) > len(saved) / 2
    assert checkpoint.restore() == 2
    assert not differing(saved, state(second))
    assert steps(second, 2, 4) == losses[2:]
    assert not differing(state(through), state(second))


GAN_OPTIONS = {
    "plain": {},
    "pool and average": {"image_pool": 3, "average_decay": 0.9},
    "simultaneous": {"update": "simultaneous"},
    "three steps of D": {"d_steps": 3},
    "accumulation": {},
}


def new_gan(options, seed=0):
    keras.utils.set_random_seed(seed)
    networks = (generator(dropout=0.5), discriminator(dropout=0.5), noisy_classifier())
    gan = ConditionalGAN(*networks, **GAN_OPTIONS[options])
    often = 2 if options == "accumulation" else None
    gan.compile(*[FusedAdam(0.01, gradient_accumulation_steps=often) for _ in range(3)])
    return gan


def all_of(gan):
    """The state of the networks and optimizers, and what the model has of its own."""
    return state(gan) | {f"own {n}": variable.numpy() for n, variable in enumerate(gan.variables)}


@pytest.mark.slow
@pytest.mark.parametrize("options", list(GAN_OPTIONS))
def test_a_conditional_gan_goes_on_bit_for_bit(options, tmp_path):
    through = new_gan(options)
    losses = steps(through, 0, 5)
    first = new_gan(options)
    steps(first, 0, 3)
    TrainerCheckpoint(first, tmp_path).save(3)

    second = new_gan(options, seed=1)
    assert TrainerCheckpoint(second, tmp_path).restore() == 3
    assert not differing(all_of(first), all_of(second))
    assert steps(second, 3, 5) == losses[3:]
    assert not differing(all_of(through), all_of(second))


def test_each_epoch_is_saved_and_counted(tmp_path):
    gan = new_gan("plain")
    checkpoint = TrainerCheckpoint(gan, tmp_path)
    gan.fit(*batch(8), batch_size=4, epochs=3, verbose=0, callbacks=[checkpoint.each_epoch()])
    assert saves(tmp_path) == [2, 3]
    other = new_gan("plain", seed=1)
    assert TrainerCheckpoint(other, tmp_path).restore() == 3
    assert not differing(all_of(gan), all_of(other))


def test_a_model_without_its_optimizers_is_refused(tmp_path):
    gan = ConditionalGAN(generator(), discriminator())
    with pytest.raises(ValueError, match="`trainer` must be compiled.*Received: 'conditional_gan'"):
        TrainerCheckpoint(gan, tmp_path)


@pytest.mark.slow
def test_dropout_and_noise_have_seeds_that_move():
    """What the test above restores is there to be lost."""
    trainer = new_trainer()
    before = state(trainer)
    steps(trainer, 0, 1)
    moved = [name for name in differing(before, state(trainer)) if "seed" in name]
    assert [name.split()[0] for name in moved].count("classifier") == 2
    assert {name.split()[0] for name in moved} == {"generator", "discriminator", "classifier"}


def test_a_trainer_that_has_stepped_is_set_back(tmp_path):
    trainer = new_trainer()
    checkpoint = TrainerCheckpoint(trainer, tmp_path)
    steps(trainer, 0, 1)
    checkpoint.save(1)
    saved = state(trainer)
    losses = steps(trainer, 1, 2)
    assert checkpoint.restore() == 1
    assert not differing(saved, state(trainer))
    assert steps(trainer, 1, 2) == losses


def saves(folder):
    return sorted(int(file.stem.split("-")[1]) for file in folder.glob("*.index"))


def test_the_last_two_saves_are_kept(tmp_path):
    trainer = new_trainer()
    checkpoint = TrainerCheckpoint(trainer, tmp_path)
    for step in (3, 6, 9):
        checkpoint.save(step)
    assert saves(tmp_path) == [6, 9]
    again = TrainerCheckpoint(trainer, tmp_path)
    assert again.restore() == 9
    again.save(12)
    assert saves(tmp_path) == [9, 12]


@pytest.mark.slow
def test_a_save_that_was_cut_off_is_as_if_not_there(tmp_path):
    trainer = new_trainer()
    steps(trainer, 0, 1)
    TrainerCheckpoint(trainer, tmp_path).save(1)
    saved = state(trainer)
    # As TensorFlow leaves them when it is killed: parts, and data without its index.
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2_temp" / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"half")
    (tmp_path / "ckpt-2.data-00000-of-00001").write_bytes(b"half")
    (tmp_path / "checkpoint.tmp0123").write_text("model_checkpoint_path: ")

    other = new_trainer(seed=1)
    checkpoint = TrainerCheckpoint(other, tmp_path)
    assert checkpoint.restore() == 1
    assert not differing(saved, state(other))
    checkpoint.save(2)
    assert TrainerCheckpoint(new_trainer(seed=2), tmp_path).restore() == 2


def test_a_checkpoint_of_other_networks_is_refused(tmp_path):
    TrainerCheckpoint(new_trainer(with_classifier=True), tmp_path).save(1)
    with pytest.raises(
        ValueError, match="`folder` must hold a save of the same networks.*Received: .*ckpt-1"
    ):
        TrainerCheckpoint(new_trainer(with_classifier=False), tmp_path).restore()
