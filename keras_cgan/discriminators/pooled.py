"""One vector of n_classes + 1 units: the class and the fakeness together."""

import keras

from keras_cgan import checks
from keras_cgan.discriminators import heads


def pooled_discriminator(
    image_shape,
    n_classes,
    class_head="sigmoid",
    pooling="max",
    hidden=128,
    filters=64,
    n_layers=3,
    norm="batch",
    name="discriminator",
):
    """Builds a discriminator whose one output tells the class and the fakeness.

    Args:
        image_shape: `(height, width, channels)` of a sketch, or of the stacked pair.
        n_classes: Number of classes.
        class_head: `"sigmoid"` (Option 1: independent units) or `"softmax"` (Option 2:
            "fake" is one more class).
        pooling: `"max"` or `"avg"` over all places.
        hidden: Units of the layer before the last; 0 for none.
        filters: Maps of the first convolution.
        n_layers: Number of stride-2 convolutions 4x4, from 1.
        norm: `"batch"`, `"instance"`, `"spectral"` or `None`.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1] to
        `(batch, n_classes + 1)`: unit 0 is fakeness, units 1..n_classes are the classes.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> pooled_discriminator((64, 64, 1), n_classes=6, class_head="softmax").output_shape
    (None, 7)

    Source: Salimans et al. 2016, "Improved techniques for training GANs", section 5
    (softmax with a fake class).
    """
    checks.check_norm(norm)
    checks.check_n_classes(n_classes)
    checks.check_choice("class_head", class_head, ("sigmoid", "softmax"))
    checks.check_choice("pooling", pooling, ("max", "avg"))
    checks.check_at_least(1, filters=filters)
    checks.check_at_least(0, hidden=hidden)
    image_shape = checks.check_image_shape(image_shape)
    checks.check_fits(image_shape, n_layers)
    inputs = keras.Input(image_shape, name="image")
    x = heads.trunk(inputs, filters, n_layers, norm)
    outputs = heads.class_vector(x, n_classes + 1, class_head, pooling, hidden, "classes")
    return keras.Model(inputs, outputs, name=name)
