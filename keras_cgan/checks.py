"""Checks of the arguments that builders share: each raises a `ValueError` that names the argument."""

import math
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


def shapes_fit(one, other):
    """Whether two shapes are the same, as far as they are known: `None` fits every side."""
    return len(one) == len(other) and all(a == b or None in (a, b) for a, b in zip(one, other))


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


def check_rate(dropout, argument="dropout"):
    """Raises a `ValueError` that names the argument unless its value is in [0, 1)."""
    if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
        raise ValueError(f"`{argument}` must be in [0, 1). Received: {argument}={dropout!r}")


def check_positive(**values):
    """Raises a `ValueError` that names the first argument that is no number above 0."""
    for argument, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < float("inf"):
            raise ValueError(f"`{argument}` must be a number above 0. Received: {argument}={value!r}")


def check_weights(**values):
    """Raises a `ValueError` that names the first argument that is no finite number of at least 0."""
    for argument, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < float("inf"):
            raise ValueError(f"`{argument}` must be a number of at least 0. Received: {argument}={value!r}")


def check_widths(argument, value, least=1):
    """Raises a `ValueError` unless `value` is a tuple of `least` or more positive integers."""
    if not isinstance(value, (tuple, list)) or len(value) < least or not all(map(_is_count, value)):
        raise ValueError(
            f"`{argument}` must be a tuple of at least {least} positive integers. "
            f"Received: {argument}={value!r}"
        )


def check_pairs(argument, value, meaning):
    """Raises a `ValueError` unless `value` is a tuple of at least one pair of positive integers."""
    if not isinstance(value, (tuple, list)) or not value or not all(map(_is_pair, value)):
        raise ValueError(
            f"`{argument}` must be a tuple of pairs {meaning}, positive integers. "
            f"Received: {argument}={value!r}"
        )


def check_pair(argument, value, meaning):
    """Raises a `ValueError` unless `value` is `None` or a pair of positive integers."""
    if value is not None and not _is_pair(value):
        raise ValueError(
            f"`{argument}` must be {meaning}, two positive integers, or None. Received: {argument}={value!r}"
        )


def check_needs_classes(n_classes, **arguments):
    """Raises a `ValueError` that names the first argument that is set although there is no label."""
    for argument, value in arguments.items():
        if n_classes is None and value is not None:
            raise ValueError(
                f"`{argument}` is of a network with a label: it needs `n_classes`, or must be None. "
                f"Received: {argument}={value!r}, n_classes=None"
            )


def _is_count(value):
    return not isinstance(value, bool) and isinstance(value, numbers.Integral) and value > 0


def _is_pair(value):
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_is_count, value))


def check_choice(argument, value, allowed):
    """Raises a `ValueError` that names the argument unless `value` is in `allowed`."""
    if value not in allowed:
        raise ValueError(f"`{argument}` must be one of {tuple(allowed)}. Received: {argument}={value!r}")


def check_sides(image_shape, smallest=1, multiple=1, reason=""):
    """Raises a `ValueError` unless both sides are large enough and multiples of a number.

    Args:
        image_shape: `(height, width, channels)`.
        smallest: Smallest side in pixels.
        multiple: Both sides must be multiples of it.
        reason: What follows in the message, such as `" for 3 blocks"`.
    """
    if min(image_shape[:2]) < smallest or any(side % multiple for side in image_shape[:2]):
        wanted = f"at least {smallest} px" if multiple == 1 else f"multiples of {multiple}"
        raise ValueError(
            f"`image_shape`: both sides must be {wanted}{reason}. Received: image_shape={tuple(image_shape)}"
        )


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


def flag(name):
    """The option of a program by which a setting is given."""
    return "--" + name.replace("_", "-")


def check_flags(leasts, settings):
    """Raises a `ValueError` unless each of `leasts` is given, is finite and no less, or is `None`."""
    for name, least in leasts.items():
        if settings[name] is not None and not least <= settings[name] < math.inf:  # NaN neither
            raise ValueError(f"{flag(name)} must be at least {least}. Received: {settings[name]}")
