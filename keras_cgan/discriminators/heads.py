"""What the discriminators share: trunk, real/fake heads, class heads, checks.

Every head ends in an `Activation` layer of its own, named as the output: so the
value before it (the logits) can be reached, and losses need not be computed from
saturated probabilities.
"""

from keras import layers

from keras_cgan import blocks
from keras_cgan.generators.conditions import check_at_least


def check_choice(argument, value, allowed):
    """Raises a `ValueError` that names the argument unless `value` is in `allowed`."""
    if value not in allowed:
        raise ValueError(f"`{argument}` must be one of {tuple(allowed)}. Received: {argument}={value!r}")


def check_fits(image_shape, n_layers, times=1, least=1):
    """Raises a `ValueError` where the image is too small for so many stride-2 layers.

    Args:
        image_shape: `(height, width, channels)`.
        n_layers: Number of stride-2 layers.
        times: Pixels that both sides must have left after them.
        least: Smallest `n_layers` allowed.
    """
    check_at_least(least, n_layers=n_layers)
    smallest = times * 2**n_layers
    if min(image_shape[:2]) < smallest:
        raise ValueError(
            f"`image_shape`: both sides must be at least {smallest} px for n_layers={n_layers}. "
            f"Received: image_shape={tuple(image_shape)}"
        )


def conv4(x, filters, name, strides, norm):
    """pix2pix's 4x4 convolution with a border of one pixel, norm, leaky ReLU .2."""
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = blocks.conv(x, filters, 4, f"{name}_conv", strides=strides, padding="valid", norm=norm)
    x = blocks.normalize(x, norm, f"{name}_norm")
    return layers.LeakyReLU(0.2, name=f"{name}_relu")(x)


def trunk(x, filters, n_layers, norm, name="trunk"):
    """Stride-2 convolutions of width 1, 2, 4, 8, 8, ... times `filters`.

    The first has no batch or instance norm, and neither has one that leaves a single
    pixel: at batch 1 (with an instance norm, always) that would be zero.
    """
    for step in range(n_layers):
        plain = step == 0 or max(x.shape[1:3]) < 4
        step_norm = None if plain and norm != "spectral" else norm
        x = conv4(x, filters * min(2**step, 8), f"{name}{step + 1}", strides=2, norm=step_norm)
    return x


def output_activation(x, activation, name):
    """The named last layer, in float32 whatever the precision of the rest."""
    return layers.Activation(activation or "linear", dtype="float32", name=name)(x)


def patch_head(x, filters, n_layers, norm, activation):
    """PatchGAN's last two convolutions: a `(batch, h, w, 1)` matrix named `real_fake`."""
    x = conv4(x, filters * min(2**n_layers, 8), "patch", strides=1, norm=norm)
    x = layers.ZeroPadding2D(1, name="patch_pad_out")(x)
    x = blocks.conv(x, 1, 4, "patch_logits", padding="valid", norm="spectral" if norm == "spectral" else None)
    return output_activation(x, activation, "real_fake")


def unit_head(x, activation):
    """One value a sample, `(batch, 1)`, named `real_fake`."""
    x = layers.Flatten(name="unit_flatten")(x)
    return output_activation(layers.Dense(1, dtype="float32", name="unit_logits")(x), activation, "real_fake")


def class_vector(x, units, activation, pooling, hidden, name):
    """Global pooling, one hidden layer, and a `(batch, units)` vector.

    Args:
        x: Feature maps `(batch, height, width, filters)`.
        units: Length of the vector.
        activation: `"sigmoid"` or `"softmax"`.
        pooling: `"max"` or `"avg"`, over all places.
        hidden: Units of the hidden layer; 0 for none.
        name: Name of the last layer.

    Returns:
        The vector, float32.
    """
    pool = layers.GlobalMaxPooling2D if pooling == "max" else layers.GlobalAveragePooling2D
    x = pool(name=f"{name}_pool")(x)
    if hidden:
        x = layers.Dense(hidden, name=f"{name}_hidden")(x)
        x = layers.LeakyReLU(0.2, name=f"{name}_hidden_relu")(x)
    return output_activation(layers.Dense(units, dtype="float32", name=f"{name}_logits")(x), activation, name)
