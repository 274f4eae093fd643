"""Blocks that the builders share: each is `f(x, filters, ..., name) -> x`.

Only layers that come with Keras are used, so a saved model needs nothing but Keras to
load. Every layer gets an initializer of its own: one shared instance would give layers
of one shape the same kernels.
"""

import keras
from keras import initializers, layers, ops

from keras_cgan.checks import check_n_classes


def _kernel():
    """The DCGAN and pix2pix initializer, N(0, .02)."""
    return initializers.RandomNormal(0.0, 0.02)


def beside_label(inputs, n_classes):
    """A network's inputs: one tensor alone, or in a dict with the label beside it.

    Args:
        inputs: A named `keras.Input`.
        n_classes: Length of the label, or `None` for a network without one.

    Returns:
        `(inputs, tensor, label)`: what goes to `keras.Model`, and its two parts (`label` is
        `None` without `n_classes`).
    """
    if n_classes is None:
        return inputs, inputs, None
    check_n_classes(n_classes)
    label = keras.Input((n_classes,), name="label")
    return {inputs.name: inputs, "label": label}, inputs, label


def image_input(network):
    """The image that a functional network takes, alone or beside the label; `None` of anything else."""
    inputs = (getattr(network, "inputs", None) or ()) if isinstance(network, keras.Model) else ()
    if len(inputs) == 1:
        return inputs[0]
    is_told = (
        len(inputs) == 2 and isinstance(network.input, dict) and set(network.input) == {"image", "label"}
    )
    return network.input["image"] if is_told else None


def conv(
    x, filters, kernel_size, name, strides=1, padding="same", norm=None, transpose=False, initializer=None
):
    """A convolution; with `norm="spectral"` its kernel is divided by its spectral norm.

    The bias is left out where a batch or instance norm follows and would cancel it.
    `initializer` is N(0, .02) by default.
    """
    layer_class = layers.Conv2DTranspose if transpose else layers.Conv2D
    layer = layer_class(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=norm in (None, "spectral"),
        kernel_initializer=initializer or _kernel(),
        name=name,
    )
    return _normalized_kernel(layer, norm)(x)


def dense(x, units, name, norm=None, initializer=None):
    """A fully connected layer, its bias, spectral norm and initializer as `conv` has them."""
    layer = layers.Dense(
        units,
        use_bias=norm in (None, "spectral"),
        kernel_initializer=initializer or _kernel(),
        name=name,
    )
    return _normalized_kernel(layer, norm)(x)


def _normalized_kernel(layer, norm):
    return layers.SpectralNormalization(layer, name=f"{layer.name}_sn") if norm == "spectral" else layer


def maxout(x, units, pieces, name, initializer=None):
    """The largest of `pieces` linear functions, for each unit (Goodfellow et al. 2013, "Maxout networks").

    Piece p of unit u is column `p * units + u` of the kernel.
    """
    x = dense(x, units * pieces, f"{name}_dense", initializer=initializer)
    x = layers.Reshape((pieces, units), name=f"{name}_pieces")(x)
    return layers.GlobalMaxPooling1D(name=f"{name}_max")(x)


def _plain_norm(norm, name, affine):
    """A norm layer with, or without, its own gamma and beta."""
    options = {"center": affine, "scale": affine, "gamma_initializer": initializers.RandomNormal(1.0, 0.02)}
    if norm == "batch":
        return layers.BatchNormalization(**options, name=name)
    return layers.GroupNormalization(groups=-1, **options, name=name)


def norm_for(norm, *sides):
    """The norm for maps with these sides, or, without any, for vectors.

    An instance norm of a single place is always zero, and at batch 1 a batch norm too. So maps
    of one place get neither; vectors keep the batch norm, which the papers give them.
    """
    alone = all(side == 1 for side in sides)
    return None if alone and (norm == "instance" or (norm == "batch" and sides)) else norm


def normalize(x, norm, name, label=None):
    """Batch or instance norm; with a label its gamma and beta are linear in it.

    Args:
        x: Feature maps `(batch, height, width, filters)`, or vectors `(batch, filters)`.
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
    shape = (1,) * (len(x.shape) - 2) + (x.shape[-1],)
    gamma = label_map(label, shape, f"{name}_gamma", initializers.RandomNormal(1.0, 0.02))
    beta = label_map(label, shape, f"{name}_beta", "zeros")
    return layers.Add(name=f"{name}_shift")([layers.Multiply(name=f"{name}_scale")([x, gamma]), beta])


def label_map(label, shape, name, bias_initializer=None, stddev=0.3, norm=None):
    """The label through one linear layer, in a shape such as `(1, 1, filters)`.

    Linear, so that scaled and mixed labels extrapolate and blend.
    """
    linear = layers.Dense(
        shape[-1],
        use_bias=bias_initializer is not None,
        bias_initializer=bias_initializer or "zeros",
        # Of the size of what it is added to: a faint label would be ignored at first.
        kernel_initializer=initializers.RandomNormal(0.0, stddev),
        name=name,
    )
    return layers.Reshape(shape, name=f"{name}_map")(_normalized_kernel(linear, norm)(label))


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


def preactivated(x, filters, name, norm=None, label=None, resize=None, activate_first=True):
    """Residual block of WGAN-GP: twice norm, ReLU and a 3x3 convolution, beside a shortcut.

    Args:
        x: Feature maps `(batch, height, width, channels)`.
        filters: Maps of both convolutions.
        name: Where the names of the layers begin.
        norm: `"batch"`, `"instance"`, `"spectral"` or `None`.
        label: Optional `(batch, n_classes)`, for `normalize`.
        resize: `"up"`: nearest neighbour before the first convolution; `"down"`: averages of 2x2
            after the second; `None`: the size stays.
        activate_first: `False` leaves out the first norm and ReLU: on an image they lose half of it.

    Returns:
        Feature maps with `filters` channels. The shortcut has a 1x1 convolution where size or
        channels change; it runs at the smaller size, where it gives the same numbers.

    Source: He et al. 2016, "Identity mappings in deep residual networks", and Gulrajani et al.
    2017, "Improved training of Wasserstein GANs", appendix C, whose code has these initializers.
    """
    y = x
    if activate_first:
        y = layers.ReLU(name=f"{name}_relu1")(normalize(y, norm, f"{name}_norm1", label))
    if resize == "up":
        y = layers.UpSampling2D(2, name=f"{name}_up")(y)
    y = conv(y, filters, 3, f"{name}_conv1", norm=norm, initializer="he_uniform")
    y = layers.ReLU(name=f"{name}_relu2")(normalize(y, norm, f"{name}_norm2", label))
    spectral = "spectral" if norm == "spectral" else None
    y = conv(y, filters, 3, f"{name}_conv2", norm=spectral, initializer="he_uniform")
    if resize == "down":
        y = layers.AveragePooling2D(2, name=f"{name}_down")(y)
        x = layers.AveragePooling2D(2, name=f"{name}_shortcut_down")(x)
    if resize or x.shape[-1] != filters:
        x = conv(x, filters, 1, f"{name}_shortcut", norm=spectral, initializer="glorot_uniform")
    if resize == "up":
        x = layers.UpSampling2D(2, name=f"{name}_shortcut_up")(x)
    return layers.Add(name=f"{name}_add")([x, y])


def output_activation(x, activation, name):
    """The named last layer, in float32 whatever the precision of the rest."""
    return layers.Activation(activation or "linear", dtype="float32", name=name)(x)
