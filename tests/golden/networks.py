"""The tiny networks of the recordings, in plain Keras layers, and their recorded weights."""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers

FOLDER = Path(__file__).parent
RECORDINGS = sorted(path.name.removesuffix("_sgd.npz") for path in FOLDER.glob("*.npz"))
IMAGE = (32, 32)
N_CLASSES = 6
LEARNING_RATE = 0.01


class Recording:
    """One file: its arrays by key, and what it is a recording of."""

    def __init__(self, name):
        with np.load(FOLDER / f"{name}_sgd.npz") as file:
            self.arrays = {key: file[key] for key in file.files}
        self.meta = json.loads(str(self.arrays.pop("meta.json")))
        self.name, self.variant = name, self.meta["variant"]
        self.with_norm = self.meta["bn_mode"] is not None
        self.photo, self.sketch, self.label = (self[f"in.{key}"] for key in ("photo", "sketch", "label"))
        self.paired = self.variant not in ("opt1", "opt2")
        self.has_classifier = self.variant in ("patch", "unit")

    def __getitem__(self, key):
        return self.arrays[key]

    def listed(self, prefix):
        """All arrays whose keys are `prefix` and a number, in order."""
        keys = sorted(key for key in self.arrays if key.rpartition(".")[0] == prefix)
        return [self.arrays[key] for key in keys]

    def networks(self):
        """G, D and C (or `None`) with the weights from before the first step."""
        classifier = build_classifier() if self.has_classifier else None
        built = build_generator(self.with_norm), build_discriminator(self.variant, self.with_norm), classifier
        for letter, network in zip("GDC", built):
            if network is not None:
                values = self.listed(f"w0.{letter}")
                for variable, value in zip(recorded(network.weights), values, strict=True):
                    variable.assign(value)
        return built


def build_generator(with_norm):
    """Two convolutions."""
    photo = keras.Input((*IMAGE, 1), name="photo")
    x = layers.Conv2D(4, 3, padding="same", name="g_c1")(photo)
    x = layers.Activation("relu")(_norm(x, with_norm))
    sketch = layers.Conv2D(1, 3, padding="same", activation="tanh", name="g_c2")(x)
    return keras.Model(photo, sketch, name="G")


def build_discriminator(variant, with_norm):
    """A trunk of two convolutions, and the variant's head or heads."""
    image = keras.Input((*IMAGE, 1 if variant in ("opt1", "opt2") else 2), name="image")
    x = image
    for number, filters in enumerate((4, 5), start=1):
        x = layers.Conv2D(filters, 4, padding="same", name=f"d_c{number}")(x)
        x = layers.MaxPooling2D(2)(layers.Activation("tanh")(_norm(x, with_norm)))
    return keras.Model(image, HEADS[variant](x), name="D")


def build_classifier():
    """The answer's LeNet, much narrower and without dropout."""
    sketch = keras.Input((*IMAGE, 1), name="sketch")
    x = sketch
    for number, filters in enumerate((4, 5), start=1):
        x = layers.MaxPooling2D(2)(layers.Conv2D(filters, 5, activation="relu", name=f"c_c{number}")(x))
    x = layers.Flatten()(x)
    for number, units in enumerate((16, 10), start=1):
        x = layers.Dense(units, activation="relu", name=f"c_h{number}")(x)
    return keras.Model(sketch, layers.Dense(N_CLASSES, activation="softmax", name="c_out")(x), name="C")


def recorded(variables):
    """In the recorded order: Keras sorts a dict of outputs by name, there real/fake came first."""
    return sorted(variables, key=lambda variable: variable.path.startswith("d_class"))


def compared(network, with_norm):
    """Positions in the recorded order of the weights that a step sets alike, then and now.

    Moving averages never moved in the recordings. A bias right in front of a norm has no
    effect: its gradient is rounding noise.
    """
    noise = {"g_c1/bias", "d_c1/bias", "d_c2/bias"} if with_norm else set()
    paths = [weight.path for weight in recorded(network.weights)]
    return [k for k, path in enumerate(paths) if "moving" not in path and path not in noise]


def _norm(x, with_norm):
    return layers.BatchNormalization(momentum=0.99, epsilon=1e-3)(x) if with_norm else x


def _patch(x):
    return layers.Conv2D(1, 4, padding="same", activation="sigmoid", name="d_c3")(x)


def _unit(x):
    return layers.Dense(1, activation="sigmoid", name="d_out")(layers.Flatten()(x))


def _vector(activation):
    def head(x):
        x = layers.Dense(8, activation="tanh", name="d_h")(layers.GlobalMaxPooling2D()(x))
        return layers.Dense(N_CLASSES + 1, activation=activation, name="d_out")(x)

    return head


def _two_heads(x):
    x = layers.GlobalAveragePooling2D()(x)
    valid = layers.Dense(1, activation="sigmoid", name="d_valid")(x)
    # Six classes and no fake class: by the name that `combined_model` has for such a head.
    return {"real_fake": valid, "label": layers.Dense(N_CLASSES, activation="softmax", name="d_class")(x)}


HEADS = {
    "patch": _patch,
    "unit": _unit,
    "opt1": _vector("sigmoid"),
    "opt2": _vector("softmax"),
    "twohead": _two_heads,
}
