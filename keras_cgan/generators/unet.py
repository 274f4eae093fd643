"""The U-Net generator of pix2pix, with and without the label."""

import keras
from keras import layers

from keras_cgan import blocks, checks
from keras_cgan.generators.conditions import add_label, condition_inputs, tanh_output


def unet_depth(image_shape, most=8):
    """How often both sides of an image halve evenly, at most `most` times.

    Args:
        image_shape: `(height, width, ...)` in pixels.
        most: Upper limit.

    Returns:
        The number of halvings: 8 for 256 x 256, 5 for 64 x 96.

    Example:

    >>> unet_depth((64, 96, 3))
    5
    """
    height, width = image_shape[:2]
    depth = 0
    while depth < most and height % 2 == 0 and width % 2 == 0:
        height, width, depth = height // 2, width // 2, depth + 1
    return depth


def unet_generator(
    image_shape,
    out_channels=1,
    n_classes=None,
    filters=64,
    norm="batch",
    dropout=0.5,
    upsampling="transpose",
    label_in="norms",
    name="generator",
):
    """Builds pix2pix's U-Net: photo (and label) to sketch.

    The depth follows from the size: as often as both sides halve evenly, at most 8.
    Widths are 1, 2, 4, 8, 8, ... times `filters`. With `n_classes` the label is added
    to the bottleneck and, by default, sets gamma and beta of every decoder norm, each linearly.
    A bottleneck of 1 x 1 pixel has no norm: at batch 1 it would be zero.

    Args:
        image_shape: `(height, width, channels)` of the photo, in pixels.
        out_channels: Channels of the sketch.
        n_classes: Length of the label; `None` for a generator without label input.
        filters: Maps of the first encoder step; the paper has 64.
        norm: `"batch"` (paper), `"instance"`, `"spectral"` or `None`. The label
            reaches the norms with `"batch"` and `"instance"` only.
        dropout: Rate in the first three decoder steps; the paper has .5. The paper keeps
            dropout and batch statistics at test time: `generator(x, training=True)` does. By
            default a trained generator draws the same photo the same way.
        upsampling: `"transpose"`: transposed convolutions (paper); `"resize"`: nearest
            neighbour and a 3x3 convolution, for strokes without a checkerboard.
        label_in: Where the label goes in: `"norms"`, at the bottleneck and into every decoder norm;
            `"bottleneck"`, there alone.
        name: Name of the model.

    Returns:
        A `keras.Model` from photos `(batch, height, width, channels)` in [-1, 1], or
        from a dict `{"photo", "label"}`, to sketches `(batch, height, width,
        out_channels)` in [-1, 1].

    Raises:
        ValueError: `image_shape` does not halve evenly at least twice, or another
            argument is not one of those allowed.

    Example:

    >>> generator = unet_generator((64, 64, 3), n_classes=6, filters=32)
    >>> generator({"photo": photos, "label": labels}).shape
    (8, 64, 64, 1)

    Source: Isola et al. 2017, "Image-to-image translation with conditional adversarial
    networks", section 6.1.1.
    """
    checks.check_norm(norm)
    checks.check_at_least(1, filters=filters, out_channels=out_channels)
    checks.check_rate(dropout)
    checks.check_upsampling(upsampling)
    checks.check_choice("label_in", label_in, ("norms", "bottleneck"))
    inputs, photo, label = condition_inputs(image_shape, n_classes)
    depth = unet_depth(image_shape)
    if depth < 2:
        raise ValueError(
            "`image_shape`: height and width must both halve evenly at least twice (be multiples of 4). "
            f"Received: image_shape={tuple(image_shape)}"
        )
    widths = [filters * min(2**i, 8) for i in range(depth)]

    x = blocks.conv(photo, widths[0], 4, "down1_conv", strides=2)
    skips = []
    for step, width in enumerate(widths[1:], start=2):
        skips.append(x)
        at_one_pixel = x.shape[1] == x.shape[2] == 2
        step_norm = None if at_one_pixel and norm != "spectral" else norm
        x = blocks.down(x, width, f"down{step}", step_norm)

    x = add_label(x, label)
    in_norms = label if label_in == "norms" else None
    for step, (width, skip) in enumerate(zip(reversed(widths[:-1]), reversed(skips)), start=1):
        rate = dropout if step <= 3 else 0.0
        x = blocks.up(x, width, f"up{step}", norm, in_norms, rate, upsampling)
        x = layers.Concatenate(name=f"up{step}_skip")([x, skip])

    x = blocks.up(x, out_channels, f"up{depth}", norm=None, upsampling=upsampling)
    return keras.Model(inputs, tanh_output(x), name=name)
