"""The only place where real, fake and class targets are made."""

import numpy as np
from keras import ops


def fakeness_targets(labels, fake, option="sigmoid"):
    """Makes the targets of a discriminator with n_classes + 1 units.

    Unit 0 is fakeness, units 1..n_classes are the classes.

    Args:
        labels: `(batch, n_classes)`, one-hot, multi-hot or scaled.
        fake: Whether these sketches are fakes.
        option: `"sigmoid"` (Option 1): real = [0, label], fake = [1, label];
            `"softmax"` (Option 2): real = [0, label], fake = [1, 0...0].

    Returns:
        `(batch, n_classes + 1)`, float32: a tensor where `labels` is one, else an array.

    Raises:
        ValueError: `labels` is not a matrix, or `option` is not one of the two.

    Example:

    >>> fakeness_targets([[0.0, 1.0]], fake=True)
    array([[1., 0., 1.]], dtype=float32)

    Source: the answer's Options 1 and 2; Salimans et al. 2016, section 5, for the latter.
    """
    if option not in ("sigmoid", "softmax"):
        raise ValueError(f"`option` must be 'sigmoid' or 'softmax'. Received: option={option!r}")
    is_tensor = ops.is_tensor(labels)
    labels = ops.cast(labels, "float32") if is_tensor else np.asarray(labels, dtype="float32")
    if len(labels.shape) != 2:
        raise ValueError(
            "`labels` must have the shape (batch, n_classes), one-hot. "
            f"Received: labels of shape {tuple(labels.shape)}"
        )
    xp = ops if is_tensor else np
    fakeness = xp.full_like(labels[:, :1], float(bool(fake)))
    if fake and option == "softmax":
        labels = xp.zeros_like(labels)
    return xp.concatenate([fakeness, labels], axis=1)


def real_fake_targets(batch_size, output_shape, fake, smoothing=0.0):
    """Makes the targets of a real/fake output: ones for real, zeros for fake.

    Args:
        batch_size: Number of samples: an integer, or a scalar tensor.
        output_shape: Shape of the discriminator's output, `(None, 1)` or
            `(None, h, w, 1)`; its first entry is not read.
        fake: Whether these are fakes.
        smoothing: How far below 1 the target of real samples is.

    Returns:
        `(batch_size, *output_shape[1:])`, float32: a tensor where `batch_size` is one, else
        an array.

    Raises:
        ValueError: Height or width of the output is not known.

    Example:

    >>> real_fake_targets(2, (None, 1), fake=False)
    array([[1.],
           [1.]], dtype=float32)

    Source: Goodfellow et al. 2014, equation 1; for the generator's step, its targets
    are those of real samples (the same paper's section 3, the non-saturating form).
    One-sided smoothing: Salimans et al. 2016, section 3.4.
    """
    shape = (batch_size, *output_shape[1:])
    if None in shape:
        raise ValueError(
            "`output_shape`: all but the batch size must be known: build the discriminator for one image "
            f"size. Received: output_shape={tuple(output_shape)}"
        )
    full = ops.full if ops.is_tensor(batch_size) else np.full
    return full(shape, 0.0 if fake else 1.0 - smoothing, "float32")
