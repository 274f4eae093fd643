"""Blocks that the builders share: each is `f(x, filters, ..., name) -> x`.

Only layers that come with Keras are used, so a saved model needs nothing but Keras to
load. Every layer gets an initializer of its own: one shared instance would give layers
of one shape the same kernels.
"""

from keras import initializers, layers, ops


def _kernel():
    """The DCGAN and pix2pix initializer, N(0, .02)."""
    return initializers.RandomNormal(0.0, 0.02)


def conv(x, filters, kernel_size, name, strides=1, padding="same", norm=None, transpose=False):
    """A convolution; with `norm="spectral"` its kernel is divided by its spectral norm.

    The bias is left out where a batch or instance norm follows and would cancel it.
    """
    layer_class = layers.Conv2DTranspose if transpose else layers.Conv2D
    layer = layer_class(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=norm in (None, "spectral"),
        kernel_initializer=_kernel(),
        name=name,
    )
    if norm == "spectral":
        layer = layers.SpectralNormalization(layer, name=f"{name}_sn")
    return layer(x)


def _plain_norm(norm, name, affine):
    """A norm layer with, or without, its own gamma and beta."""
    options = {"center": affine, "scale": affine, "gamma_initializer": initializers.RandomNormal(1.0, 0.02)}
    if norm == "batch":
        return layers.BatchNormalization(**options, name=name)
    return layers.GroupNormalization(groups=-1, **options, name=name)


def normalize(x, norm, name, label=None):
    """Batch or instance norm; with a label its gamma and beta are linear in it.

    Args:
        x: Feature maps `(batch, height, width, filters)`.
        norm: `"batch"`, `"instance"`; `"spectral"` and `None` return `x`.
        name: Name of the norm layer.
        label: Optional `(batch, n_classes)`. Then gamma = gamma_0 + W label and
            beta = beta_0 + V label (conditional norm: Dumoulin et al. 2017,
            "A learned representation for artistic style", section 2.2).

    Returns:
        A tensor of the shape of `x`.
    """
    if norm not in ("batch", "instance"):
        return x
    if label is None:
        return _plain_norm(norm, name, affine=True)(x)
    x = _plain_norm(norm, name, affine=False)(x)
    filters = x.shape[-1]
    gamma = label_map(label, filters, f"{name}_gamma", initializers.RandomNormal(1.0, 0.02))
    beta = label_map(label, filters, f"{name}_beta", "zeros")
    return layers.Add(name=f"{name}_shift")([layers.Multiply(name=f"{name}_scale")([x, gamma]), beta])


def label_map(label, filters, name, bias_initializer=None, stddev=0.3):
    """The label through one linear layer, as a `(batch, 1, 1, filters)` map.

    Linear, so that scaled and mixed labels extrapolate and blend.
    """
    dense = layers.Dense(
        filters,
        use_bias=bias_initializer is not None,
        bias_initializer=bias_initializer or "zeros",
        # Of the size of what it is added to: a faint label would be ignored at first.
        kernel_initializer=initializers.RandomNormal(0.0, stddev),
        name=name,
    )
    return layers.Reshape((1, 1, filters), name=f"{name}_map")(dense(label))


def down(x, filters, name, norm="batch"):
    """Encoder step of pix2pix: leaky ReLU, 4x4 stride-2 convolution, norm."""
    x = layers.LeakyReLU(0.2, name=f"{name}_relu")(x)
    x = conv(x, filters, 4, f"{name}_conv", strides=2, norm=norm)
    return normalize(x, norm, f"{name}_norm")


def double_size(x, filters, kernel_size, name, norm=None, upsampling="transpose"):
    """A convolution that doubles both sides.

    `"transpose"`: stride-2 transposed convolution, as the papers have it. `"resize"`: nearest
    neighbour, then a 3x3 convolution, which leaves no checkerboard (Odena et al. 2016,
    "Deconvolution and checkerboard artifacts").
    """
    if upsampling == "transpose":
        return conv(x, filters, kernel_size, f"{name}_conv", strides=2, norm=norm, transpose=True)
    x = layers.UpSampling2D(2, name=f"{name}_resize")(x)
    return conv(x, filters, 3, f"{name}_conv", norm=norm)


def up(x, filters, name, norm="batch", label=None, dropout=0.0, upsampling="transpose"):
    """Decoder step of pix2pix: ReLU, 4x4 stride-2 transposed convolution, norm, dropout."""
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = double_size(x, filters, 4, name, norm, upsampling)
    x = normalize(x, norm, f"{name}_norm", label)
    if dropout:
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return x


def reflect_conv(x, filters, kernel_size, name, norm=None):
    """A stride-1 convolution over a border that mirrors the image (CycleGAN)."""
    pad = kernel_size // 2
    x = ops.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]], mode="reflect")
    return conv(x, filters, kernel_size, name, padding="valid", norm=norm)


def residual(x, name, norm="instance", label=None):
    """Residual block of CycleGAN: two 3x3 convolutions with norms, added to the input."""
    filters = x.shape[-1]
    y = reflect_conv(x, filters, 3, f"{name}_conv1", norm)
    y = layers.ReLU(name=f"{name}_relu")(normalize(y, norm, f"{name}_norm1", label))
    y = reflect_conv(y, filters, 3, f"{name}_conv2", norm)
    y = normalize(y, norm, f"{name}_norm2", label)
    return layers.Add(name=f"{name}_add")([x, y])


def output_activation(x, activation, name):
    """The named last layer, in float32 whatever the precision of the rest."""
    return layers.Activation(activation or "linear", dtype="float32", name=name)(x)
