"""Two heads on one trunk: real/fake, and what is it."""

import keras
from keras import layers, ops

from keras_cgan import checks
from keras_cgan.discriminators import heads


def two_head_discriminator(
    image_shape,
    n_classes,
    class_head="softmax",
    patch=True,
    activation=None,
    pooling="avg",
    hidden=128,
    filters=64,
    n_layers=3,
    norm="batch",
    name="discriminator",
):
    """Builds a discriminator with a real/fake head and a head of n_classes + 1 units.

    Args:
        image_shape: `(height, width, channels)` of the stacked pair, or of a sketch alone.
        n_classes: Number of classes.
        class_head: `"softmax"` ("fake" is one more class) or `"sigmoid"` (independent
            units).
        patch: `True`: the real/fake head is PatchGAN's matrix; `False`: one value.
        activation: Of the real/fake head: `None` for logits, `"sigmoid"` for probabilities.
        pooling: `"avg"` or `"max"`, over all places, in the class head.
        hidden: Units of the class head's hidden layer; 0 for none.
        filters: Maps of the first convolution.
        n_layers: Number of shared stride-2 convolutions 4x4, from 1.
        norm: `"batch"`, `"instance"`, `"spectral"` or `None`.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1] to a dict
        `{"real_fake": (batch, h, w, 1) or (batch, 1), "classes": (batch, n_classes + 1)}`;
        in `classes` unit 0 is fakeness.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> two_head_discriminator((64, 64, 4), n_classes=6).output["classes"].shape
    (None, 7)

    Source: Odena et al. 2017, "Conditional image synthesis with auxiliary classifier
    GANs", section 3 (two heads), with the fake class of Salimans et al. 2016.
    """
    checks.check_norm(norm)
    checks.check_n_classes(n_classes)
    checks.check_choice("class_head", class_head, ("softmax", "sigmoid"))
    checks.check_choice("activation", activation, (None, "sigmoid"))
    checks.check_choice("pooling", pooling, ("avg", "max"))
    checks.check_at_least(1, filters=filters)
    checks.check_at_least(0, hidden=hidden)
    image_shape = checks.check_image_shape(image_shape)
    checks.check_fits(image_shape, n_layers, times=3 if patch else 1)
    inputs = keras.Input(image_shape, name="image")
    x = heads.trunk(inputs, filters, n_layers, norm)
    if patch:
        real_fake = heads.patch_head(x, filters, n_layers, norm, activation)
    else:
        real_fake = heads.unit_head(x, activation)
    classes = heads.class_vector(x, n_classes + 1, class_head, pooling, hidden, "classes")
    return keras.Model(inputs, {"real_fake": real_fake, "classes": classes}, name=name)


def shared_q_discriminator(
    image_shape,
    n_classes,
    sketch_channels=1,
    patch=True,
    activation=None,
    pooling="avg",
    hidden=128,
    filters=64,
    n_layers=3,
    norm="batch",
    name="discriminator",
):
    """Builds a discriminator whose trunk also reads the class: D and Q in one.

    The trunk and Q see the sketch alone. Only the real/fake head also gets a branch
    that sees the photo, so that Q cannot read the class off the photo.

    Args:
        image_shape: `(height, width, channels)` of the stacked pair, sketch channels last.
        n_classes: Number of classes.
        sketch_channels: How many of the last channels are the sketch.
        patch: `True`: the real/fake head is PatchGAN's matrix; `False`: one value.
        activation: Of the real/fake head: `None` for logits, `"sigmoid"` for probabilities.
        pooling: `"avg"` or `"max"`, over all places, in Q.
        hidden: Units of Q's hidden layer; 0 for none.
        filters: Maps of the first convolution of either branch.
        n_layers: Number of stride-2 convolutions 4x4 of either branch, from 1.
        norm: `"batch"`, `"instance"`, `"spectral"` or `None`.
        name: Name of the model.

    Returns:
        A `keras.Model` from stacked pairs `(batch, height, width, channels)` in [-1, 1]
        to a dict `{"real_fake": (batch, h, w, 1) or (batch, 1), "label": (batch,
        n_classes) softmax}`.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> shared_q_discriminator((64, 64, 4), n_classes=6).output["label"].shape
    (None, 6)

    Source: Chen et al. 2016, "InfoGAN", section 5 and appendix C: Q shares D's trunk.
    Here Q learns the given classes from real sketches.
    """
    checks.check_norm(norm)
    checks.check_n_classes(n_classes)
    checks.check_choice("activation", activation, (None, "sigmoid"))
    checks.check_choice("pooling", pooling, ("avg", "max"))
    checks.check_at_least(1, filters=filters)
    checks.check_at_least(0, hidden=hidden)
    checks.check_at_least(1, sketch_channels=sketch_channels)
    image_shape = checks.check_image_shape(image_shape)
    if sketch_channels >= image_shape[-1]:
        raise ValueError(
            "`sketch_channels` must leave at least one channel of the stacked pair for the photo. "
            f"Received: sketch_channels={sketch_channels}, image_shape={image_shape}"
        )
    checks.check_fits(image_shape, n_layers, times=3 if patch else 1)
    inputs = keras.Input(image_shape, name="image")
    photo, sketch = ops.split(inputs, [image_shape[-1] - sketch_channels], axis=-1)
    shared = heads.trunk(sketch, filters, n_layers, norm)
    photo_branch = heads.trunk(photo, filters, n_layers, norm, name="photo")
    x = layers.Concatenate(name="pair")([shared, photo_branch])
    if patch:
        real_fake = heads.patch_head(x, filters, n_layers, norm, activation)
    else:
        real_fake = heads.unit_head(x, activation)
    label = heads.class_vector(shared, n_classes, "softmax", pooling, hidden, "label")
    return keras.Model(inputs, {"real_fake": real_fake, "label": label}, name=name)
