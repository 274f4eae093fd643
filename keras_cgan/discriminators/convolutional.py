"""A plain convolutional discriminator with the heads of InfoGAN and AC-GAN."""

import keras

from keras_cgan import blocks, checks
from keras_cgan.discriminators import heads
from keras_cgan.minibatch_discrimination import MinibatchDiscrimination


def conv_discriminator(
    image_shape,
    layers=((64, 2), (128, 2)),
    kernel_size=4,
    norm="batch",
    norm_first=False,
    leak=0.2,
    dropout=0.0,
    dense=0,
    n_classes=None,
    code_size=0,
    q_hidden=0,
    augment=None,
    minibatch=0,
    name="discriminator",
):
    """Builds a convolutional discriminator that may also read class and codes off the image.

    InfoGAN's for 28 pixels, D and Q in one: `leak=.1, dense=1024, n_classes=10, code_size=2,
    q_hidden=128`. AC-GAN's: `layers=((16, 2), (32, 1), (64, 2), (128, 1), (256, 2), (512, 1)),
    kernel_size=3, dropout=.5, n_classes=10`.

    Args:
        image_shape: `(height, width, channels)` of the image.
        layers: `(filters, stride)` of each convolution; sides that do not divide are rounded up.
        kernel_size: Of all convolutions.
        norm: `"batch"` (papers), `"instance"`, `"spectral"` or `None`. An instance norm has
            nothing to do in a fully connected layer, and neither norm in a map of a single place.
        norm_first: Whether the first convolution has a norm; in the papers it has none.
        leak: Slope of the leaky ReLU below 0.
        dropout: Rate after every convolution.
        dense: Units of a fully connected layer that all heads share; 0 for none.
        n_classes: Number of classes that a softmax tells apart: of a given label or, in
            InfoGAN, of a categorical code; `None` for no such head.
        code_size: Length of the continuous codes whose means are read off; 0 for no such head.
        q_hidden: Units of a layer that class and codes share; 0 for none.
        augment: Optional layer that the image goes through first, such as a `RandomWarp`.
        minibatch: Projections of a `MinibatchDiscrimination` before the real/fake unit alone; 0 for none.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1] to logits
        `(batch, 1)`. With `n_classes` or `code_size` to a dict `{"real_fake": (batch, 1)
        logits, "label": (batch, n_classes) softmax, "codes": (batch, code_size)}` of those that
        apply.

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> discriminator = conv_discriminator((28, 28, 1), n_classes=10, code_size=2, q_hidden=128)
    >>> {name: output.shape for name, output in discriminator.output.items()}
    {'real_fake': (None, 1), 'label': (None, 10), 'codes': (None, 2)}

    Source: Chen et al. 2016, "InfoGAN", appendix C.1; Odena et al. 2017, "Conditional image
    synthesis with auxiliary classifier GANs", appendix A.
    """
    image_shape = checks.check_image_shape(image_shape)
    checks.check_pairs("layers", layers, "(filters, stride)")
    checks.check_at_least(1, kernel_size=kernel_size)
    checks.check_norm(norm)
    checks.check_rate(leak, "leak")
    checks.check_rate(dropout)
    checks.check_at_least(0, dense=dense, code_size=code_size, q_hidden=q_hidden, minibatch=minibatch)
    if n_classes is not None:
        checks.check_n_classes(n_classes)
    if q_hidden and n_classes is None and not code_size:
        raise ValueError(
            "`q_hidden` is of the heads for class and codes: it needs `n_classes` or `code_size`. "
            f"Received: q_hidden={q_hidden}, n_classes=None, code_size=0"
        )

    def finish(x, norm, name):
        x = blocks.normalize(x, norm, f"{name}_norm")
        return keras.layers.LeakyReLU(leak, name=f"{name}_relu")(x)

    def hidden(x, units, name):
        vector_norm = blocks.norm_for(norm)
        return finish(blocks.dense(x, units, f"{name}_dense", vector_norm), vector_norm, name)

    inputs = x = keras.Input(image_shape, name="image")
    if augment is not None:
        x = augment(x)
    for number, (filters, stride) in enumerate(layers, start=1):
        sides = (-(-side // stride) for side in x.shape[1:3])
        plain = number == 1 and not norm_first and norm != "spectral"
        map_norm = None if plain else blocks.norm_for(norm, *sides)
        x = blocks.conv(x, filters, kernel_size, f"conv{number}_conv", strides=stride, norm=map_norm)
        x = finish(x, map_norm, f"conv{number}")
        if dropout:
            x = keras.layers.Dropout(dropout, name=f"conv{number}_dropout")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    if dense:
        x = hidden(x, dense, "shared")
    judged = MinibatchDiscrimination(minibatch, name="minibatch")(x) if minibatch else x
    real_fake = heads.unit_head(judged, None)
    if n_classes is None and not code_size:
        return keras.Model(inputs, real_fake, name=name)
    outputs = {"real_fake": real_fake}
    if q_hidden:
        x = hidden(x, q_hidden, "q")
    if n_classes is not None:
        outputs["label"] = heads.vector_head(x, n_classes, "softmax", "label")
    if code_size:
        outputs["codes"] = heads.vector_head(x, code_size, None, "codes")
    return keras.Model(inputs, outputs, name=name)
