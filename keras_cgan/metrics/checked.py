"""What measures are given: an error that names the argument, not a number that means nothing."""

import numpy as np


def checked_sketches(paired=False, **given):
    """All as arrays; a `ValueError` that names what is no batch of sketches of the others' size.

    Args:
        paired: Whether there must be as many of each.
        **given: Sketches by the name of the argument, `(n, height, width, channels)` in [-1, 1].
    """
    given = {argument: np.asarray(sketches) for argument, sketches in given.items()}
    for argument, sketches in given.items():
        if sketches.ndim != 4 or not sketches.size:
            raise ValueError(
                f"`{argument}` must be (n, height, width, channels), at least one sketch. "
                f"Received: a shape of {sketches.shape}"
            )
        # Of bytes none is below mid-grey: all would be blank, and alike.
        if sketches.dtype.kind == "u" or not np.isfinite(sketches).all():
            raise ValueError(
                f"`{argument}` must be finite, in [-1, 1]. Received: {sketches.dtype} from "
                f"{sketches.min()} to {sketches.max()}"
            )
    shapes = [sketches.shape for sketches in given.values()]
    if len({shape if paired else shape[1:] for shape in shapes}) > 1:
        names = " and ".join(f"`{argument}`" for argument in given)
        wanted = "one shape" if paired else "one height, width and number of channels"
        raise ValueError(f"{names} must have {wanted}. Received: {' and '.join(map(str, shapes))}")
    return list(given.values())


def checked_classes(labels, n, argument="labels"):
    """The class of each of n one-hot rows; a `ValueError` where they are none."""
    labels = np.asarray(labels)
    if labels.ndim != 2 or len(labels) != n:
        raise ValueError(
            f"`{argument}` must be ({n}, n_classes), one row an image. Received: a shape of {labels.shape}"
        )
    one_hot = (np.sum(labels == 1, axis=1) == 1) & (np.sum(labels != 0, axis=1) == 1)
    if not one_hot.all():
        raise ValueError(f"`{argument}` must be one-hot. Received: a row of {labels[np.argmin(one_hot)]}")
    return np.argmax(labels, axis=1)
