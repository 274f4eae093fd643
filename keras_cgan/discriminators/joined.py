"""Several discriminators as one: at several scales, or of the pair and of the sketch alone."""

import keras
from keras import layers

from keras_cgan import blocks, checks


def joined_discriminator(image_shape, discriminators, activation=None, augment=None, name="discriminator"):
    """Builds one discriminator of several, each of which has its say: a map of its own in `real_fake`.

    What each is shown follows from its input: of fewer channels, it is shown the last ones (the sketch of a
    stacked pair); of a smaller image, averages (a coarser scale). Matrices of fewer patches are repeated to
    the size of the largest, so that each discriminator weighs the same in a mean loss; papers sum them.

    Args:
        image_shape: `(height, width, channels)` of the stacked pair, or of a sketch alone.
        discriminators: Models with names of their own, from images, or `{"image", "label"}`, to logits
            `(batch, h, w, 1)`, such as `patch_discriminator(..., name="coarse")`.
        activation: `None` for logits, `"sigmoid"` for probabilities.
        augment: Optional layer that images pass first, such as `DiffAugment()`: all see the same change.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1], or from a dict
        `{"image", "label"}` where one of the discriminators takes it, to
        `(batch, h, w, number of discriminators)`.

    Raises:
        ValueError: There is no discriminator, or one that does not fit; two have the same name.

    Example:

    >>> pair = patch_discriminator((64, 64, 4), name="pair")
    >>> coarse = patch_discriminator((32, 32, 4), name="coarse_pair")
    >>> sketch = patch_discriminator((64, 64, 1), name="sketch")
    >>> joined_discriminator((64, 64, 4), [pair, coarse, sketch]).output_shape
    (None, 6, 6, 3)

    Source: Wang et al. 2018, "High-resolution image synthesis and semantic manipulation with conditional
    GANs" (pix2pixHD), section 3.2: discriminators at several scales.
    """
    checks.check_choice("activation", activation, (None, "sigmoid"))
    image_shape = checks.check_image_shape(image_shape)
    for discriminator in discriminators:
        _check_part(discriminator, image_shape)
    names = [discriminator.name for discriminator in discriminators]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            "`discriminators` must be at least one model, each with a `name` of its own. "
            f"Received: names {names}"
        )
    lengths = {each.input["label"].shape[-1] for each in discriminators if len(each.inputs) == 2}
    if len(lengths) > 1:
        raise ValueError(
            f"`discriminators` must take labels of one length. Received: labels of lengths {sorted(lengths)}"
        )
    inputs, image, label = blocks.beside_label(
        keras.Input(image_shape, name="image"), min(lengths, default=None)
    )
    x = image if augment is None else augment(image)
    matrices = [each(_seen(x, label, each)) for each in discriminators]
    size = tuple(max(matrix.shape[axis] for matrix in matrices) for axis in (1, 2))
    # In float32, as the logits are.
    to_size = layers.Resizing(*size, interpolation="nearest", dtype="float32", name="to_one_size")
    same = [matrix if matrix.shape[1:3] == size else to_size(matrix) for matrix in matrices]
    logits = layers.Concatenate(dtype="float32", name="joined")(same) if len(same) > 1 else same[0]
    return keras.Model(inputs, blocks.output_activation(logits, activation, "real_fake"), name=name)


def _seen(x, label, discriminator):
    """What a discriminator takes of the images: the last channels, or averages, or all; and of the label."""
    height, width, channels = blocks.image_input(discriminator).shape[1:]
    if channels < x.shape[-1]:
        x = x[..., -channels:]
    times = x.shape[1] // height, x.shape[2] // width
    if times != (1, 1):
        x = layers.AveragePooling2D(times, name=f"{discriminator.name}_scale")(x)
    return {"image": x, "label": label} if len(discriminator.inputs) == 2 else x


def _check_part(discriminator, image_shape):
    """Raises a `ValueError` where a part makes no logits of patches, or takes no part of the images."""
    image, output = blocks.image_input(discriminator), getattr(discriminator, "output", None)
    is_matrix = len(getattr(output, "shape", ())) == 4 and output.shape[-1] == 1
    if image is None or not is_matrix or not _is_linear(discriminator.layers[-1]):
        raise ValueError(
            "`discriminators` must be functional models from images, or a dict of 'image' and 'label', to "
            f"logits (batch, h, w, 1). Received: {discriminator!r} with output {output!r}"
        )
    (height, width, channels), seen = image_shape, tuple(image.shape[1:])
    if None in seen or height % seen[0] or width % seen[1] or channels < seen[2]:
        raise ValueError(
            f"`discriminators` must take images of {height}x{width} pixels or a whole number of times fewer, "
            f"and at most {channels} channels. Received: {discriminator.name!r}, which takes {seen}"
        )


def _is_linear(layer):
    return getattr(layer, "activation", None) is keras.activations.linear
