"""What the discriminators share: trunk, real/fake heads, class heads.

Every head ends in an `Activation` layer of its own, named as the output: so the
value before it (the logits) can be reached, and losses need not be computed from
saturated probabilities.
"""

from keras import layers

from keras_cgan import blocks


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


def patch_head(x, filters, n_layers, norm, activation, label=None):
    """PatchGAN's last two convolutions: a `(batch, h, w, 1)` matrix named `real_fake`; perhaps of a label."""
    x = conv4(x, filters * min(2**n_layers, 8), "patch", strides=1, norm=norm)
    x = layers.ZeroPadding2D(1, name="patch_pad_out")(x)
    spectral = "spectral" if norm == "spectral" else None
    logits = blocks.conv(x, 1, 4, "patch_logits", padding="valid", norm=spectral)
    return blocks.output_activation(add_projection(logits, x, label, 4, spectral), activation, "real_fake")


def add_projection(logits, x, label, kernel_size, norm):
    """Adds what the label says to each patch's logit: projection; no label, no change.

    That is the inner product of an embedding of the label with the features of the patch, summed over
    its places as the paper sums over those of the whole image.

    Args:
        logits: `(batch, h, w, 1)`, a convolution of `x` without a border of its own.
        x: Feature maps `(batch, height, width, filters)` that the convolution reads.
        label: `(batch, n_classes)`, or `None`.
        kernel_size: Side of the convolution's kernel, which is the patch's.
        norm: Of the embedding: `"spectral"` or `None`.

    Returns:
        A tensor of the shape of `logits`.

    Source: Miyato and Koyama 2018, "cGANs with projection discriminator", equation 3.
    """
    if label is None:
        return logits
    embedding = blocks.label_map(label, (1, x.shape[-1]), "label_embedding", stddev=0.02, norm=norm)
    projected = layers.Dot((3, 2), name="label_projection")([x, embedding])
    if kernel_size > 1:
        # Linear: the products of a patch are summed after, in one map, not its features before.
        projected = layers.AveragePooling2D(kernel_size, strides=1, name="label_projection_mean")(projected)
        projected = layers.Rescaling(float(kernel_size**2), name="label_projection_sum")(projected)
    return layers.Add(name="label_add")([logits, projected])


def unit_head(x, activation, initializer="glorot_uniform"):
    """One value a sample, `(batch, 1)`, named `real_fake`, from feature maps or vectors."""
    if len(x.shape) > 2:
        x = layers.Flatten(name="unit_flatten")(x)
    logits = layers.Dense(1, kernel_initializer=initializer, dtype="float32", name="unit_logits")(x)
    return blocks.output_activation(logits, activation, "real_fake")


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
    return vector_head(x, units, activation, name)


def vector_head(x, units, activation, name):
    """A named vector `(batch, units)`, float32, from vectors."""
    logits = layers.Dense(units, dtype="float32", name=f"{name}_logits")(x)
    return blocks.output_activation(logits, activation, name)
