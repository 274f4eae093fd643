"""Tiny networks and batches that the training tests share."""

import keras
import numpy as np
from keras import layers

from keras_cgan import STRATEGIES, ConditionalGAN, ReferenceTrainer

SIZE = (16, 16)
N_CLASSES = 3
WEIGHTS = {"l1_weight": 10.0, "adversarial_weight": 0.7, "class_weight": 0.3}
LEARNING_RATES = {"g": 0.05, "d": 0.1, "c": 0.2}
LOG_KEYS = {
    "pix2pix": {"d_loss", "g_loss", "g_l1", "g_adv"},
    "sigmoid": {"d_loss", "g_loss", "g_l1", "g_adv"},
    "fake-class": {"d_loss", "g_loss", "g_l1", "g_adv"},
    "two-head": {"d_loss", "g_loss", "g_l1", "g_adv", "g_class"},
    "classifier": {"d_loss", "c_loss", "g_loss", "g_l1", "g_adv", "g_class"},
    "shared-q": {"d_loss", "g_loss", "g_l1", "g_adv", "g_class"},
    "class-and-photo": {"d_loss", "c_loss", "g_loss", "g_l1", "g_adv", "g_class"},
}


def batch(size=4, seed=0, photo_channels=3):
    """`(x, y)` as both trainers take them."""
    rng = np.random.default_rng(seed)
    photo = rng.uniform(-1, 1, (size, *SIZE, photo_channels)).astype("float32")
    label = np.eye(N_CLASSES, dtype="float32")[np.arange(size) % N_CLASSES]
    return {"photo": photo, "label": label}, rng.uniform(-1, 1, (size, *SIZE, 1)).astype("float32")


def pair(x, sketch):
    return np.concatenate([x["photo"], np.asarray(sketch)], axis=-1)


def conv_norm(x, filters=4, strides=1, spectral=False, dropout=0.0, batch_norm=True):
    """Convolution, BatchNormalization, leaky ReLU, Dropout: all that could leak."""
    conv = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)
    x = (layers.SpectralNormalization(conv) if spectral else conv)(x)
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(x) if batch_norm else x)
    return layers.Dropout(dropout)(x) if dropout else x


def generator(label=True, dropout=0.0, photo_channels=3, batch_norm=True):
    """Convolutions, of which `faster_network` takes three; the label is added after the first."""
    photo = keras.Input((*SIZE, photo_channels), name="photo")
    x = conv_norm(photo, dropout=dropout, batch_norm=batch_norm)
    inputs = photo
    if label:
        inputs = {"photo": photo, "label": keras.Input((N_CLASSES,), name="label")}
        x = layers.Add()([x, layers.Reshape((1, 1, 4))(layers.Dense(4)(inputs["label"]))])
    # 16 x 16 to 8, to 4, and back: as products, and as a transposed convolution.
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(4, 4, strides=2, padding="same", activation="tanh")(x)
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="same", activation="tanh")(x)
    x = layers.UpSampling2D(2)(x)
    sketch = layers.Conv2D(1, 3, padding="same", activation="tanh")(x)
    return keras.Model(inputs, sketch, name="generator")


def discriminator(
    outputs=("real_fake",),
    channels=4,
    dropout=0.0,
    spectral=False,
    inside=False,
    class_head="sigmoid",
    batch_norm=True,
):
    """Logits, and an `Activation` for each output; `inside`: as part of the last layer."""
    units = {"real_fake": 1, "classes": N_CLASSES + 1, "label": N_CLASSES}
    kinds = {"real_fake": "sigmoid", "classes": class_head, "label": "softmax"}
    image = keras.Input((*SIZE, channels), name="image")
    x = image
    for _ in range(2):
        x = conv_norm(x, strides=2, spectral=spectral, dropout=dropout, batch_norm=batch_norm)
    flat = layers.Flatten()(x)
    heads = {}
    for name in outputs:
        dense = layers.Dense(units[name], activation=kinds[name] if inside else None, name=f"{name}_dense")
        heads[name] = dense(flat)
        if not inside:
            heads[name] = layers.Activation(kinds[name], name=name)(heads[name])
    return keras.Model(image, heads if len(heads) > 1 else heads[outputs[0]], name="discriminator")


def classifier(dropout=0.0, channels=1, batch_norm=True):
    """One convolution and a softmax."""
    sketch = keras.Input((*SIZE, channels), name="sketch")
    x = layers.Flatten()(conv_norm(sketch, strides=4, dropout=dropout, batch_norm=batch_norm))
    x = layers.Activation("softmax", name="label")(layers.Dense(N_CLASSES)(x))
    return keras.Model(sketch, x, name="classifier")


def copy(network):
    """A network of its own with the same weights and seeds."""
    if network is None:
        return None
    twin = keras.models.clone_model(network)
    for new, old in zip(twin.variables, network.variables, strict=True):
        new.assign(old)
    return twin


def copies(parts):
    return tuple(copy(network) for network in parts)


def present(parts):
    return [network for network in parts if network is not None]


def assert_same_values(parts, others, atol=2e-6):
    for network, other in zip(present(parts), present(others), strict=True):
        for variable, twin in zip(network.variables, other.variables, strict=True):
            actual, expected = variable.numpy(), twin.numpy()
            np.testing.assert_allclose(actual, expected, atol=atol, rtol=1e-5, err_msg=variable.path)


def values(network):
    return [variable.numpy() for variable in network.variables]


def networks(strategy, label=True, class_head="softmax", inside=False, stochastic=False, batch_norm=True):
    """Tiny networks of a strategy; `stochastic`: with dropout, and spectral norm in D."""
    chosen = STRATEGIES[strategy]
    dropout = 0.3 if stochastic else 0.0
    d = discriminator(
        chosen.outputs,
        channels=4 if chosen.paired else 1,
        dropout=dropout,
        spectral=stochastic,
        inside=inside,
        class_head=chosen.class_head or class_head,
        batch_norm=batch_norm,
    )
    c = classifier(dropout, batch_norm=batch_norm) if chosen.classifier else None
    return generator(label, dropout, batch_norm=batch_norm), d, c


def sgd(learning_rates=LEARNING_RATES):
    """SGD for each network: it shows any error of scale."""
    return {f"{network}_optimizer": keras.optimizers.SGD(rate) for network, rate in learning_rates.items()}


def sgd_trainer(parts, learning_rates=LEARNING_RATES, run_eagerly=True, **options):
    """A `ReferenceTrainer` with SGD and unequal weights."""
    options = {**sgd(learning_rates), **WEIGHTS, **options}
    return ReferenceTrainer(*parts, **options, run_eagerly=run_eagerly)


def sgd_gan(parts, learning_rates=LEARNING_RATES, compiled=None, run_eagerly=True, **options):
    """The same as a compiled `ConditionalGAN`; `compiled`: further arguments of `compile`."""
    gan = ConditionalGAN(*parts, **{**WEIGHTS, **options})
    compiled = {**sgd(learning_rates), "run_eagerly": run_eagerly, **(compiled or {})}
    if gan.classifier is None:
        compiled.pop("c_optimizer", None)
    gan.compile(**compiled)
    return gan
