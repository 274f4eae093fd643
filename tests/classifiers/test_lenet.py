"""LeNet, layer by layer as the answer gives it."""

import keras
import numpy as np

from keras_cgan import lenet_classifier, resnet_classifier, vgg_classifier


def describe(layer):
    """A layer's kind and settings, as in the table below."""
    kind = type(layer).__name__
    settings = {
        "Conv2D": lambda: (layer.filters, layer.kernel_size, layer.padding, layer.activation.__name__),
        "MaxPooling2D": lambda: (layer.pool_size, layer.strides),
        "Dense": lambda: (layer.units, layer.activation.__name__),
        "Dropout": lambda: (layer.rate,),
        "Activation": lambda: (layer.activation.__name__,),
    }
    return (kind, *settings.get(kind, tuple)())


def test_layers_are_those_of_the_answer():
    classifier = lenet_classifier((64, 64, 1), n_classes=6)
    assert [describe(layer) for layer in classifier.layers] == [
        ("InputLayer",),
        ("Conv2D", 12, (5, 5), "valid", "relu"),
        ("MaxPooling2D", (2, 2), (2, 2)),
        ("Conv2D", 25, (5, 5), "valid", "relu"),
        ("MaxPooling2D", (2, 2), (2, 2)),
        ("Flatten",),
        ("Dense", 180, "relu"),
        ("Dropout", 0.5),
        ("Dense", 100, "relu"),
        ("Dropout", 0.5),
        ("Dense", 6, "linear"),
        ("Activation", "softmax"),
    ]


def test_he_normal_throughout():
    classifier = lenet_classifier((32, 32, 1), n_classes=3)
    weighted = [layer for layer in classifier.layers if hasattr(layer, "kernel")]
    assert len(weighted) == 5
    assert all(isinstance(layer.kernel_initializer, keras.initializers.HeNormal) for layer in weighted)
    assert len({id(layer.kernel_initializer) for layer in weighted}) == 5


def test_features_are_penultimate():
    sketch = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 1)).astype("float32")
    for classifier in (
        lenet_classifier((32, 32, 1), 3),
        vgg_classifier((32, 32, 1), 3, filters=4),
        resnet_classifier((32, 32, 1), 3, filters=4),
    ):
        features = keras.Model(classifier.input, classifier.get_layer("features").output)(sketch)
        logits = classifier.get_layer("logits")(features)
        np.testing.assert_allclose(keras.ops.softmax(logits), classifier(sketch), atol=1e-6)
    assert lenet_classifier((32, 32, 1), 3).get_layer("features").units == 100
