"""The convolutional generator of DCGAN, which InfoGAN and AC-GAN took over."""

import keras
from keras import layers

from keras_cgan import blocks, checks
from keras_cgan.generators.conditions import joined, latent_inputs, tanh_output


def dcgan_generator(
    image_shape,
    latent_size=100,
    n_classes=None,
    dense=(),
    filters=(512, 256, 128, 64),
    kernel_size=4,
    norm="batch",
    norm_first=True,
    upsampling="transpose",
    label_in="input",
    name="generator",
):
    """Builds DCGAN's generator: latent (and label) to a small map, doubled up to an image.

    As it stands it is DCGAN's. InfoGAN's for 28 pixels is `latent_size=74, dense=(1024,),
    filters=(128, 64)`; AC-GAN's for 32 pixels `n_classes=10, filters=(768, 384, 256, 192),
    kernel_size=5, norm_first=False`.

    Args:
        image_shape: `(height, width, channels)` of the image. Both sides must halve evenly as
            often as there are `filters`.
        latent_size: Length of the latent: noise and, in InfoGAN, codes.
        n_classes: Length of the label; `None` for a generator without label input.
        dense: Units of each fully connected layer before the first map.
        filters: Maps at each size, from the smallest on; each is followed by a doubling.
        kernel_size: Of the transposed convolutions, at least 2.
        norm: `"batch"` (papers), `"instance"`, `"spectral"` or `None`. An instance norm has
            nothing to do in a `dense` layer, and neither norm in a map of a single place.
        norm_first: Whether the smallest map has a norm; AC-GAN's has none.
        upsampling: `"transpose"`: transposed convolutions (papers); `"resize"`: nearest
            neighbour and a 3x3 convolution.
        label_in: `"input"`: the label goes in beside the latent (AC-GAN); `"norms"`: it sets
            gamma and beta of every norm, linearly.
        name: Name of the model.

    Returns:
        A `keras.Model` from latents `(batch, latent_size)`, or from a dict `{"latent",
        "label"}`, to images `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: `image_shape` does not halve so often, or another argument is not one of
            those allowed.

    Example:

    >>> generator = dcgan_generator((28, 28, 1), latent_size=74, dense=(1024,), filters=(128, 64))
    >>> generator(latents).shape
    (8, 28, 28, 1)

    Source: Radford et al. 2016, "Unsupervised representation learning with DCGANs", section 3;
    Chen et al. 2016, "InfoGAN", appendix C.1; Odena et al. 2017, "Conditional image synthesis
    with auxiliary classifier GANs", appendix A.
    """
    image_shape = checks.check_image_shape(image_shape)
    checks.check_widths("dense", dense, least=0)
    checks.check_widths("filters", filters)
    checks.check_at_least(2, kernel_size=kernel_size)
    checks.check_norm(norm)
    checks.check_upsampling(upsampling)
    _check_label_in(label_in, n_classes, norm, norm_first or len(filters) > 1)
    times = 2 ** len(filters)
    checks.check_sides(image_shape, multiple=times, reason=f" for {len(filters)} `filters`")
    inputs, x, label = latent_inputs(latent_size, n_classes)
    in_norms = label if label_in == "norms" else None
    if label_in == "input":
        x = joined(x, label)

    def finish(x, norm, name):
        return layers.ReLU(name=f"{name}_relu")(blocks.normalize(x, norm, f"{name}_norm", in_norms))

    vector_norm = blocks.norm_for(norm)
    for number, units in enumerate(dense, start=1):
        x = blocks.dense(x, units, f"dense{number}_dense", vector_norm)
        x = finish(x, vector_norm, f"dense{number}")
    height, width = image_shape[0] // times, image_shape[1] // times
    start_norm = blocks.norm_for(norm, height, width) if norm_first or norm == "spectral" else None
    x = blocks.dense(x, height * width * filters[0], "start_dense", start_norm)
    x = layers.Reshape((height, width, filters[0]), name="start_map")(x)
    x = finish(x, start_norm, "start")
    for number, maps in enumerate(filters[1:], start=1):
        x = blocks.double_size(x, maps, kernel_size, f"up{number}", norm, upsampling)
        x = finish(x, norm, f"up{number}")
    spectral = "spectral" if norm == "spectral" else None
    x = blocks.double_size(x, image_shape[-1], kernel_size, "image", spectral, upsampling)
    return keras.Model(inputs, tanh_output(x, "image"), name=name)


def _check_label_in(label_in, n_classes, norm, has_norms):
    """Raises a `ValueError` where a label would have no norm to go to."""
    checks.check_choice("label_in", label_in, ("input", "norms"))
    if label_in == "input":
        return
    if n_classes is None or norm not in ("batch", "instance") or not has_norms:
        raise ValueError(
            "`label_in` may be 'norms' only with `n_classes`, with norm='batch' or 'instance', and with "
            "norm_first=True or more than one of `filters`. "
            f"Received: label_in={label_in!r}, n_classes={n_classes!r}, norm={norm!r}"
        )
