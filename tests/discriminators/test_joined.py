"""Several discriminators as one: what each sees, that each weighs the same, and that the engine takes it."""

import keras
import numpy as np
import pytest

from keras_cgan import ConditionalGAN, joined_discriminator, patch_discriminator, unet_generator
from keras_cgan.diff_augment import DiffAugment
from keras_cgan.testing import moved_variables

PAIR = (32, 32, 4)


def patch(shape, name, **options):
    return patch_discriminator(shape, name=name, **{"filters": 2, "n_layers": 2, "norm": None, **options})


def three():
    return [patch(PAIR, "pair"), patch((16, 16, 4), "coarse"), patch((32, 32, 1), "sketch")]


def images(n=2, shape=PAIR):
    return np.random.default_rng(0).uniform(-1, 1, (n, *shape)).astype("float32")


def test_each_sees_its_part_and_has_its_own_map():
    pair, coarse, sketch = parts = three()
    seen = images()
    found = joined_discriminator(PAIR, parts)(seen).numpy()
    averages = seen.reshape(2, 16, 2, 16, 2, 4).mean(axis=(2, 4))
    coarse_matrix = coarse(averages).numpy()
    assert found.shape == (2, 6, 6, 3) and coarse_matrix.shape == (2, 2, 2, 1)
    np.testing.assert_allclose(found[..., :1], pair(seen), atol=1e-6)
    np.testing.assert_allclose(found[..., 1:2], coarse_matrix.repeat(3, axis=1).repeat(3, axis=2), atol=1e-6)
    np.testing.assert_allclose(found[..., 2:], sketch(seen[..., 3:]), atol=1e-6)


def test_only_those_that_take_the_label_are_told_it():
    told, other = patch(PAIR, "told", n_classes=3), patch((32, 32, 1), "other")
    joined = joined_discriminator(PAIR, [told, other])
    assert joined.input["label"].shape == (None, 3)
    label = np.eye(3, dtype="float32")[[0, 2]]
    found = joined({"image": images(), "label": label}).numpy()
    np.testing.assert_allclose(found[..., :1], told({"image": images(), "label": label}), atol=1e-6)
    np.testing.assert_allclose(found[..., 1:], other(images()[..., 3:]), atol=1e-6)


def test_the_size_is_that_of_the_largest_matrix_though_others_do_not_divide_it():
    parts = [patch((48, 64, 1), "fine", n_layers=3), patch((48, 64, 1), "wide", n_layers=2)]
    assert [part.output_shape[1:3] for part in parts] == [(4, 6), (10, 14)]
    joined = joined_discriminator((48, 64, 1), parts)
    found = joined(images(1, (48, 64, 1))).numpy()
    assert found.shape == (1, 10, 14, 2)
    assert set(found[0, ..., 0].ravel()) == set(parts[0](images(1, (48, 64, 1))).numpy().ravel())


@pytest.mark.parametrize("r1_weight", [0.0, 1.0])
def test_the_engine_trains_all_of_them(r1_weight):
    parts = three()
    discriminator = joined_discriminator(PAIR, parts, augment=DiffAugment())
    gan = ConditionalGAN(
        unet_generator((32, 32, 3), filters=2), discriminator, r1_weight=r1_weight, r1_every=1
    )
    gan.compile()
    rng = np.random.default_rng(0)
    photos, sketches = (rng.uniform(-1, 1, (2, 32, 32, n)).astype("float32") for n in (3, 1))
    moved = moved_variables(lambda: gan.train_on_batch(photos, sketches), *parts)
    for part in parts:
        assert moved[part.name] == sorted(variable.path for variable in part.trainable_variables)


def test_it_is_saved_with_its_parts(tmp_path):
    joined = joined_discriminator(PAIR, three(), activation="sigmoid")
    joined.save(tmp_path / "joined.keras")
    loaded = keras.saving.load_model(tmp_path / "joined.keras")
    np.testing.assert_allclose(loaded(images()), joined(images()), atol=1e-6)
    assert ((joined(images()).numpy() > 0) & (joined(images()).numpy() < 1)).all()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (lambda: [], "at least one"),
        (lambda: [patch(PAIR, "one"), patch(PAIR, "one")], r"names \['one', 'one'\]"),
        (lambda: [patch(PAIR, "one", activation="sigmoid")], "logits"),
        (lambda: ["one"], "Received: 'one'"),
        (lambda: [patch(PAIR, "one", n_classes=2), patch(PAIR, "two", n_classes=3)], r"lengths \[2, 3\]"),
        (lambda: [patch((32, 32, 5), "one")], "at most 4 channels"),
        (lambda: [patch((24, 24, 4), "one")], r"whole number.*\(24, 24, 4\)"),
        (lambda: [patch((64, 64, 4), "one")], r"whole number.*\(64, 64, 4\)"),
    ],
)
def test_parts_that_do_not_fit_are_named(parts, message):
    with pytest.raises(ValueError, match=message):
        joined_discriminator(PAIR, parts())
