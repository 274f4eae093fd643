"""CycleGAN: two generators against two judges, no pairs; there and back, the pools, what is left out."""

import numpy as np
import pytest
import steps

from keras_cgan import patch_discriminator, resnet_generator, unet_generator
from keras_cgan.recipes import CycleGAN, cyclegan
from keras_cgan.training.run import Run

BATCH = steps.images(2, channels=3), steps.images(2, seed=1)
PLAIN = steps.images(2), steps.images(2, seed=1)


def networks(channels=3):
    """16 px is too small for 70x70 patches."""
    photo, sketch = (16, 16, channels), (16, 16, 1)
    return {
        "to_sketch": resnet_generator(photo, 1, filters=2, blocks=1, name="to_sketch"),
        "to_photo": resnet_generator(sketch, channels, filters=2, blocks=1, name="to_photo"),
        "sketch_judge": patch_discriminator(sketch, 2, 1, norm="instance", name="sketch_judge"),
        "photo_judge": patch_discriminator(photo, 2, 1, norm="instance", name="photo_judge"),
    }


def small(channels=3, **options):
    model = CycleGAN(**networks(channels), **options)
    model.compile(run_eagerly=True)
    return model


def distance(images, others):
    return np.mean(np.abs(np.asarray(images) - np.asarray(others)))


def test_the_papers_networks_and_settings():
    """A recipe of 32 px, with all defaults but the widths."""
    model = cyclegan((32, 32, 3), filters=2)
    blocks = [layer.name for layer in model.to_sketch.layers if layer.name.endswith("_add")]
    assert len(blocks) == 6
    assert (model.to_sketch.output_shape, model.to_photo.output_shape) == (
        (None, 32, 32, 1),
        (None, 32, 32, 3),
    )
    assert not any("dropout" in layer.name for layer in model.to_sketch.layers)
    # Three convolutions of stride 2: 70x70 patches.
    assert [layer.strides for layer in model.photo_judge.layers if "_conv" in layer.name][:3] == [(2, 2)] * 3
    assert (model.cycle_weight, model.identity_weight, model.adversarial_weight) == (10.0, 0.0, 1.0)
    assert model.adversarial.name == "least-squares"
    assert (model.forward_cycle, model.backward_cycle) == (True, True)
    assert [pool.size for pool in model._pools] == [50, 50]
    for optimizer in model.optimizers.values():
        assert steps.adam(optimizer) == (2e-4, 0.5, 0.999)
        schedule = optimizer._learning_rate
        assert (schedule.constant_steps, schedule.decay_steps) == (100_000, 100_000)
    chosen = steps.defaults(cyclegan)
    assert (chosen["image_shape"], chosen["filters"]) == ((256, 256, 3), 64)


def test_patches_and_learning_rate_are_arguments():
    model = cyclegan((32, 32, 3), filters=2, blocks=1, n_layers=1, learning_rate=1e-3, decay_steps=7)
    assert sum(layer.name.endswith("_conv") for layer in model.sketch_judge.layers) == 2
    for optimizer in model.optimizers.values():
        assert steps.adam(optimizer)[0] == 1e-3
        assert optimizer._learning_rate.decay_steps == 7


def test_u_nets_are_those_of_pix2pix_without_dropout():
    model = cyclegan((16, 16, 3), filters=2, generators="unet", n_layers=1)
    for network, channels in ((model.to_sketch, 1), (model.to_photo, 3)):
        names = [layer.name for layer in network.layers]
        assert names == [
            layer.name
            for layer in unet_generator(
                network.input_shape[1:], channels, filters=2, norm="instance", dropout=0
            ).layers
        ]
        assert network.output_shape == (None, 16, 16, channels)
    with pytest.raises(ValueError, match="`generators` must be one of .*resnet.*unet.* Received: .*vgg"):
        cyclegan((16, 16, 3), generators="vgg")


def test_identity_is_used_where_channels_are_the_same():
    model = cyclegan((32, 32, 1), filters=2, blocks=1)
    assert model.identity_weight == 0.5 and "g_identity" in model.loss_names
    assert cyclegan((32, 32, 1), filters=2, blocks=1, identity_weight=0.0).identity_weight == 0.0


@pytest.mark.slow
def test_all_learn_as_a_graph():
    model = small()
    model.run_eagerly = False
    steps.assert_all_learn(model, *BATCH)
    assert model.predict(BATCH[0], verbose=0).shape == (2, 16, 16, 1)


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_each_moves_its_own(update):
    steps.assert_each_moves_its_own(small(1, identity_weight=0.5), update, *PLAIN)


OPTIONS = [
    {},
    {"backward_cycle": False, "cycle_weight": 3.0},
    {"forward_cycle": False},
    {"forward_cycle": False, "backward_cycle": False},
    {"adversarial_weight": 0.0},
    {"identity_weight": 0.5},
    {"loss": "nonsaturating"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_losses_by_hand(options):
    """Equations 1 to 3, and the identity loss of section 5.2."""
    model = steps.compiled(small(1, **options))
    photo, sketch = PLAIN
    logs = model.train_on_batch(photo, sketch)
    there, back = model.to_sketch(photo), model.to_photo(sketch)
    on_sketch = [model.sketch_judge(seen).numpy() for seen in (sketch, there)]
    on_photo = [model.photo_judge(seen).numpy() for seen in (photo, back)]
    if options.get("loss") == "nonsaturating":
        d_loss = sum(steps.softplus(-real) + steps.softplus(fake) for real, fake in (on_sketch, on_photo)) / 2
        fooled = steps.softplus(-on_sketch[1]) + steps.softplus(-on_photo[1])
    else:
        pairs = on_sketch, on_photo
        d_loss = sum(np.mean((real - 1) ** 2) + np.mean(fake**2) for real, fake in pairs) / 2
        fooled = sum(np.mean((fake - 1) ** 2) for _, fake in pairs)
    cycle = 0.0
    if options.get("forward_cycle", True):
        cycle += distance(model.to_photo(there), photo)
    if options.get("backward_cycle", True):
        cycle += distance(model.to_sketch(back), sketch)
    weight = options.get("cycle_weight", 10.0)
    expected = {"d_loss": d_loss, "g_adv": fooled, "g_cycle": cycle}
    expected["g_loss"] = options.get("adversarial_weight", 1.0) * fooled + weight * cycle
    if "identity_weight" in options:
        expected["g_identity"] = distance(model.to_sketch(sketch), sketch)
        expected["g_identity"] += distance(model.to_photo(photo), photo)
        expected["g_loss"] += 0.5 * weight * expected["g_identity"]
    assert logs == pytest.approx(expected, rel=1e-4)


def test_without_the_way_back_the_other_generator_still_learns():
    model = steps.compiled(small(backward_cycle=False, adversarial_weight=0.0), g=0.1)
    steps.assert_all_learn(steps.compiled(model, d=0.1, g=0.1), *BATCH)


def test_the_judges_are_shown_earlier_fakes():
    """A full pool of one: half of the time its fake is what the judge sees."""
    model = steps.compiled(small(image_pool=1))
    assert [pool.size for pool in model._pools] == [1, 1]
    model.train_on_batch(*(part[:1] for part in BATCH))
    kept = [next(iter(pool._kept.values())).numpy() for pool in model._pools]
    photo, sketch = BATCH[0][:1], BATCH[1][:1]
    np.testing.assert_allclose(kept[0], model.to_sketch(photo), atol=1e-5)
    np.testing.assert_allclose(kept[1], model.to_photo(sketch), atol=1e-5)
    shown = []

    class Watched(Run):
        def __call__(self, network, inputs):
            shown.append(np.asarray(inputs))
            return super().__call__(network, inputs)

    run = Watched()
    run.learning = model.players()["d"]
    other = steps.images(1, channels=3, seed=5), steps.images(1, seed=6)
    drawn = model.draw(other, Run())
    exchanged = []
    for _ in range(12):
        for pool, value in zip(model._pools, kept):
            next(iter(pool._kept.values())).assign(value)
        model.d_losses(other, drawn, run)
        fakes = shown[-3], shown[-1]
        for fake, old, new in zip(fakes, kept, drawn, strict=True):
            exchanged.append(np.allclose(fake, old))
            assert exchanged[-1] or np.allclose(fake, new)
    assert 3 < sum(exchanged) < 21


def test_cycle_errors_are_of_what_comes_back():
    model = small()
    photos, sketches = BATCH
    errors = model.cycle_errors(photos, sketches)
    expected = {
        "photo_back": distance(model.to_photo(model.to_sketch(photos)), photos) / 2,
        "sketch_back": distance(model.to_sketch(model.to_photo(sketches)), sketches) / 2,
    }
    assert errors == pytest.approx(expected, rel=1e-4)


def test_no_pool():
    model = small(image_pool=0)
    assert model._pools is None
    steps.assert_all_learn(model, *BATCH)
    with pytest.raises(ValueError, match="`image_pool` must be .*Received: image_pool=-1"):
        small(image_pool=-1)


def test_evaluation_leaves_the_pools_alone():
    model = small()
    model.evaluate(*BATCH, verbose=0)
    assert all(int(pool._count) == 0 for pool in model._pools)


def test_an_activation_at_the_end_of_a_judge_is_left_off():
    parts = networks()
    plain = steps.compiled(CycleGAN(**parts))
    photo_judge = patch_discriminator((16, 16, 3), 2, 1, "sigmoid", "instance", name="photo_judge")
    photo_judge.set_weights(parts["photo_judge"].get_weights())
    model = steps.compiled(CycleGAN(**{**parts, "photo_judge": photo_judge}))
    assert model.train_on_batch(*BATCH) == pytest.approx(plain.train_on_batch(*BATCH), rel=1e-5)


SIZED = (16, 16, 2)
REFUSED = [
    ({"to_photo": resnet_generator((16, 16, 1), 2, filters=2, blocks=1)}, "`to_sketch` and `to_photo` must"),
    ({"photo_judge": patch_discriminator(SIZED, 2, 1)}, r"`photo_judge` must take .*Received: .*16, 2\)"),
    ({"sketch_judge": patch_discriminator(SIZED, 2, 1)}, r"`sketch_judge` must take .*Received: .*16, 2\)"),
    ({"identity_weight": 0.5}, "`identity_weight` must be 0 where.*Received: identity_weight=0.5"),
    ({"loss": "square"}, "`loss` must be one of.*Received: loss='square'"),
    ({"cycle_weight": -1.0}, "`cycle_weight` must be a number of at least 0. Received: cycle_weight=-1.0"),
    ({"adversarial_weight": float("nan")}, "`adversarial_weight` must be .*Received: .*nan"),
    (
        {"to_sketch": unet_generator((16, 16, 3), n_classes=3, filters=2)},
        "`to_sketch` must have one input.*Rec",
    ),
    ({"to_photo": "unet"}, "`to_photo` must be a model made with the Functional.*Received: to_photo='unet'"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_networks_and_arguments_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        CycleGAN(**{**networks(), **options})


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (BATCH[:1], "`x` and `y` must be photos and sketches.*Received: y=None"),
        ((*BATCH, np.ones(2)), r"`x` and `y` must be .*Received: y=given, sample_weight of shape \(2,\)"),
        (BATCH[::-1], r"`x` must be of shape \(batch, 16, 16, 3\). Received: \(2, 16, 16, 1\)"),
        ((BATCH[0], BATCH[0]), r"`y` must be of shape \(batch, 16, 16, 1\). Received: \(2, 16, 16, 3\)"),
        ((BATCH[0].astype("uint8"), BATCH[1]), r"`x` must hold floats in \[-1, 1\]. Received: .*uint8"),
        ((BATCH[0], BATCH[1] * 255), r"`y` must hold floats in \[-1, 1\].*Received: y with values up to"),
    ],
)
def test_batches_that_do_not_fit(batch, message):
    with pytest.raises(ValueError, match=message):
        small().train_on_batch(*batch)


@pytest.mark.slow
def test_a_loaded_model_goes_on_with_its_pools(tmp_path):
    model = small(1, identity_weight=0.25, image_pool=3, average_decay=0.9, name="mine")
    for _ in range(2):
        model.train_on_batch(*PLAIN)
    loaded = steps.assert_goes_on(model, tmp_path / "cyclegan.keras", *PLAIN)
    assert [int(pool._count) for pool in loaded._pools] == [3, 3]
