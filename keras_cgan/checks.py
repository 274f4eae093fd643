"""Checks of the arguments that builders share: each raises a `ValueError` that names the argument."""

import numbers

NORMS = ("batch", "instance", "spectral", None)
UPSAMPLINGS = ("transpose", "resize")


def check_image_shape(image_shape):
    """Raises a `ValueError` unless `image_shape` is three positive integers."""
    shape = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    if len(shape) != 3 or not all(isinstance(n, numbers.Integral) and n > 0 for n in shape):
        raise ValueError(
            "`image_shape` must be (height, width, channels), three positive integers. "
            f"Received: image_shape={image_shape!r}"
        )
    return tuple(int(n) for n in shape)


def check_n_classes(n_classes):
    """Raises a `ValueError` unless `n_classes` is an integer of at least 2."""
    check_at_least(2, n_classes=n_classes)


def check_at_least(least, **counts):
    """Raises a `ValueError` that names the first argument that is no integer of at least `least`."""
    for argument, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
            raise ValueError(
                f"`{argument}` must be an integer of at least {least}. Received: {argument}={value!r}"
            )


def check_rate(dropout):
    """Raises a `ValueError` unless `dropout` is in [0, 1)."""
    if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout!r}")


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


def check_norm(norm):
    """Raises a `ValueError` unless `norm` is one of `NORMS`."""
    check_choice("norm", norm, NORMS)


def check_upsampling(upsampling):
    """Raises a `ValueError` unless `upsampling` is one of `UPSAMPLINGS`."""
    check_choice("upsampling", upsampling, UPSAMPLINGS)
