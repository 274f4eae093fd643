"""The ResNet generator of CycleGAN, with and without the label."""

import keras
from keras import layers

from keras_cgan import checks
from keras_cgan.blocks import conv, double_size, normalize, reflect_conv, residual
from keras_cgan.generators.conditions import add_label, condition_inputs, tanh_output


def resnet_generator(
    image_shape,
    out_channels=1,
    n_classes=None,
    filters=64,
    norm="instance",
    blocks=None,
    upsampling="transpose",
    name="generator",
):
    """Builds CycleGAN's generator: two steps down, residual blocks, two steps up.

    With `n_classes` the label is added where the residual blocks begin and sets gamma
    and beta of every norm from there on, each linearly.

    Args:
        image_shape: `(height, width, channels)` of the photo, in pixels; both sides
            multiples of 4, at least 16.
        out_channels: Channels of the sketch.
        n_classes: Length of the label; `None` for a generator without label input.
        filters: Maps of the first convolution; the paper has 64.
        norm: `"instance"` (paper), `"batch"`, `"spectral"` or `None`. The label
            reaches the norms with `"instance"` and `"batch"` only.
        blocks: Number of residual blocks; by default the paper's 9 where the shorter
            side has 256 pixels or more, else 6.
        upsampling: `"transpose"`: transposed convolutions (paper); `"resize"`: nearest
            neighbour and a 3x3 convolution, for strokes without a checkerboard.
        name: Name of the model.

    Returns:
        A `keras.Model` from photos `(batch, height, width, channels)` in [-1, 1], or
        from a dict `{"photo", "label"}`, to sketches `(batch, height, width,
        out_channels)` in [-1, 1].

    Raises:
        ValueError: An argument is not one of those allowed.

    Example:

    >>> generator = resnet_generator((64, 64, 3), n_classes=6, filters=16, blocks=3)
    >>> generator({"photo": photos, "label": labels}).shape
    (8, 64, 64, 1)

    Source: Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent
    adversarial networks", appendix 7.2. With 9 blocks at 256 x 256 x 3 it has the paper
    code's 11.378 M parameters plus 5,248: its norms have gamma and beta, the code's
    have none but keeps convolution biases in front of them.
    """
    checks.check_norm(norm)
    checks.check_upsampling(upsampling)
    inputs, photo, label = condition_inputs(image_shape, n_classes)
    height, width = image_shape[:2]
    if height % 4 or width % 4 or min(height, width) < 16:
        raise ValueError(
            "`image_shape`: height and width must be multiples of 4, at least 16. "
            f"Received: image_shape={tuple(image_shape)}"
        )
    if blocks is None:
        blocks = 9 if min(height, width) >= 256 else 6
    checks.check_at_least(1, filters=filters, out_channels=out_channels, blocks=blocks)

    def finish(x, name, label=None):
        return layers.ReLU(name=f"{name}_relu")(normalize(x, norm, f"{name}_norm", label))

    x = finish(reflect_conv(photo, filters, 7, "stem_conv", norm), "stem")
    x = finish(conv(x, 2 * filters, 3, "down1_conv", strides=2, norm=norm), "down1")
    x = finish(conv(x, 4 * filters, 3, "down2_conv", strides=2, norm=norm), "down2")
    x = add_label(x, label)
    for number in range(1, blocks + 1):
        x = residual(x, f"block{number}", norm, label)
    x = finish(double_size(x, 2 * filters, 3, "up1", norm, upsampling), "up1", label)
    x = finish(double_size(x, filters, 3, "up2", norm, upsampling), "up2", label)
    x = reflect_conv(x, out_channels, 7, "sketch_conv")
    return keras.Model(inputs, tanh_output(x), name=name)
