"""The builders in other Keras code: four ways, each on the embedded pairs and each with a figure.

    python examples/reuse_builders.py     # two minutes

1. `fit()` on a classifier alone.
2. The discriminator of a GAN as a feature extractor in a model of one's own.
3. A generator inside a bigger functional model.
4. The weights of one generator in another one, which is told the class.
"""

import argparse

from keras_cgan.recipe_run import run_program
from keras_cgan.startup import start_tensorflow

SIZE = (32, 32)
PHOTO, SKETCH = (*SIZE, 3), (*SIZE, 1)


def fit_classifier(train, test):
    """A builder's model is a plain `keras.Model`: compile it, fit it."""
    import keras

    import keras_cgan

    classifier = keras_cgan.vgg_classifier(SKETCH, n_classes=6)
    classifier.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", metrics=["accuracy"])
    classifier.fit(train["sketch"], train["label"], batch_size=16, epochs=20, verbose=0)
    return classifier, classifier.evaluate(test["sketch"], test["label"], verbose=0)[1]


def frozen_copy(network):
    """A copy that does not learn. A flag set on the network itself would be set for its own training, too."""
    import keras

    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    copy.trainable = False
    return copy


def probe_features(discriminator, train, test):
    """What a discriminator knows of classes: its last features, frozen, under a layer of one's own."""
    import keras
    from keras import layers

    copy = frozen_copy(discriminator)
    features = keras.Model(copy.input, copy.get_layer("patch_relu").output, name="features")
    pairs = keras.Input((*SIZE, 4), name="pair")
    x = layers.BatchNormalization(momentum=0.9)(layers.Flatten()(features(pairs)))
    probe = keras.Model(pairs, layers.Dense(6, activation="softmax")(layers.Dropout(0.5)(x)))
    probe.compile(keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", metrics=["accuracy"])
    probe.fit(train["pair"], train["label"], batch_size=16, epochs=20, verbose=0)
    return probe.evaluate(test["pair"], test["label"], verbose=0)[1]


def train_in_front(generator, classifier, train, test):
    """A generator of colour photos fed by a grey camera: what is in front of it learns, it does not."""
    import keras
    from keras import layers

    generator = frozen_copy(generator)
    grey = keras.Input((*SIZE, 1), name="grey")
    colours = layers.Conv2D(16, 3, padding="same", activation="relu")(grey)
    colours = layers.Conv2D(3, 3, padding="same", activation="tanh", name="colours")(colours)
    sketch = generator(colours)
    whole = keras.Model(grey, {"sketch": sketch, "class": classifier(sketch)})
    front = keras.Model(grey, sketch)
    front.compile(keras.optimizers.Adam(2e-3), loss="mean_absolute_error")
    before = front.evaluate(test["grey"], test["sketch"], verbose=0)
    front.fit(train["grey"], train["sketch"], batch_size=16, epochs=10, verbose=0)
    after = front.evaluate(test["grey"], test["sketch"], verbose=0)
    # One model more, of the same layers: what class does the classifier see in the drawings?
    seen = whole.predict(test["grey"], verbose=0)["class"]
    return before, after, float((seen.argmax(axis=1) == test["label"].argmax(axis=1)).mean())


def transfer_weights(source, target):
    """Copies the weights of layers of the same name and shapes; returns how many, and how many are new."""
    known = {layer.name: [weight.shape for weight in layer.weights] for layer in source.layers}
    weighty = [layer for layer in target.layers if layer.weights]
    same = [layer for layer in weighty if known.get(layer.name) == [weight.shape for weight in layer.weights]]
    for layer in same:
        layer.set_weights(source.get_layer(layer.name).get_weights())
    return len(same), len(weighty) - len(same)


def fit_labelled(generator, train, test):
    """Two passes with L1 alone; returns the distance to the true sketches of the test."""
    import keras

    def inputs(part):
        return {"photo": part["photo"], "label": part["label"]}

    generator.compile(keras.optimizers.Adam(2e-4, beta_1=0.5), loss="mean_absolute_error")
    generator.fit(inputs(train), train["sketch"], batch_size=8, epochs=2, verbose=0)
    return generator.evaluate(inputs(test), test["sketch"], verbose=0)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=10, help="of the GAN (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1. Received: {options.epochs}")
    start_tensorflow(options.seed)
    import numpy as np

    import keras_cgan
    from keras_cgan.data import open_pairs
    from keras_cgan.recipes import pix2pix

    parts = []
    for pairs in open_pairs(misalignment=0.0):
        photo, label, sketch = pairs.as_arrays(SIZE)
        grey = photo.mean(axis=-1, keepdims=True)
        pair = np.concatenate([photo, sketch], axis=-1)
        parts.append({"photo": photo, "label": label, "sketch": sketch, "grey": grey, "pair": pair})
    train, test = parts

    classifier, accuracy = fit_classifier(train, test)
    print(f"1. a classifier alone: accuracy {accuracy:.2f} on test sketches", flush=True)

    model = pix2pix(PHOTO, filters=16, n_layers=2)
    untrained = probe_features(model.discriminator, train, test)
    model.fit(train["photo"], train["sketch"], batch_size=8, epochs=options.epochs, verbose=0)
    trained = probe_features(model.discriminator, train, test)
    print(f"2. classes in a discriminator's features: {trained:.2f}; in an untrained one's: {untrained:.2f}")

    before, after, right = train_in_front(model.generator, classifier, train, test)
    print(
        f"3. a generator behind a grey camera: L1 {before:.3f} before, {after:.3f} after learning;\n"
        f"   the classifier sees the right class in {right:.2f} of its drawings"
    )

    fresh, labelled = (keras_cgan.unet_generator(PHOTO, n_classes=6, filters=16) for _ in range(2))
    same, others = transfer_weights(model.generator, labelled)
    from_fresh, from_trained = (fit_labelled(network, train, test) for network in (fresh, labelled))
    print(
        f"4. a generator that is told the class: {same} layers from the other generator, {others} new ones;"
    )
    print(f"   {from_trained:.3f} from the true sketch after two passes, {from_fresh:.3f} where all are new")


if __name__ == "__main__":
    run_program(main)
