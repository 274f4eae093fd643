"""What a real/fake output loses, by the papers' names, and the loss of InfoGAN's continuous codes.

Outputs are logits, or scores: a discriminator's last layer without an activation. Each loss is
one value a sample, in float32, so that the caller can weigh samples; it is the mean over all that
a discriminator says of a sample, so that patch matrices and single units weigh the same.
"""

from keras import ops

from keras_cgan.checks import check_choice, shapes_fit


class AdversarialLoss:
    """What both sides lose by a discriminator's outputs; made by `adversarial_loss`.

    Args:
        name: One of `ADVERSARIAL_LOSSES`.
        real, fake: Functions of the outputs on real samples, and on fakes: the two halves of what
            the discriminator loses. Papers add them (InfoGAN, AC-GAN) or take half of the sum
            (pix2pix, CycleGAN): the caller does.
        generator: Function of the outputs on fakes: what the generator loses.
    """

    def __init__(self, name, real, fake, generator):
        self.name = name
        self._real, self._fake, self._generator = real, fake, generator

    def real(self, outputs):
        """What the discriminator loses on real samples: float32, one value a sample."""
        return _each_sample(self._real, outputs)

    def fake(self, outputs):
        """What the discriminator loses on fakes: float32, one value a sample."""
        return _each_sample(self._fake, outputs)

    def generator(self, outputs):
        """What the generator loses on its fakes: float32, one value a sample."""
        return _each_sample(self._generator, outputs)

    def __repr__(self):
        return f"adversarial_loss({self.name!r})"


def _each_sample(function, outputs):
    """The mean of a function of each sample's outputs; half precision is widened first."""
    values = function(ops.cast(outputs, "float32"))
    axes = tuple(range(1, len(values.shape)))
    return ops.mean(values, axis=axes) if axes else values


def _squared_from(target):
    return lambda outputs: ops.square(outputs - target)


# With s a logit, softplus(-s) is -log D and softplus(s) is -log(1 - D), for D = sigmoid(s): both
# stay finite where the sigmoid itself is 0 or 1.
def _minus_log_real(outputs):
    return ops.softplus(-outputs)


def _plus_log_fake(outputs):
    return -ops.softplus(outputs)


_ALL = {
    loss.name: loss
    for loss in (
        AdversarialLoss("nonsaturating", _minus_log_real, ops.softplus, _minus_log_real),
        AdversarialLoss("saturating", _minus_log_real, ops.softplus, _plus_log_fake),
        AdversarialLoss("least-squares", _squared_from(1.0), ops.square, _squared_from(1.0)),
        AdversarialLoss("hinge", lambda s: ops.relu(1.0 - s), lambda s: ops.relu(1.0 + s), ops.negative),
        AdversarialLoss("wasserstein", ops.negative, lambda s: s, ops.negative),
    )
}
ADVERSARIAL_LOSSES = tuple(_ALL)


def adversarial_loss(name, argument="name"):
    """The losses of a real/fake output, by name; s is the output:

    | name | D on real | D on fakes | G on fakes |
    |---|---|---|---|
    | `"nonsaturating"` | -log D | -log(1 - D) | -log D |
    | `"saturating"` | -log D | -log(1 - D) | log(1 - D) |
    | `"least-squares"` | (s - 1)^2 | s^2 | (s - 1)^2 |
    | `"hinge"` | max(0, 1 - s) | max(0, 1 + s) | -s |
    | `"wasserstein"` | -s | s | -s |

    D is sigmoid(s): give logits, not probabilities. Mao et al. halve the least squares; here, as
    in CycleGAN's code, they are whole. `"wasserstein"` needs a critic that is kept smooth, as by
    `keras_cgan.training.gradient_penalty`.

    Args:
        name: One of `ADVERSARIAL_LOSSES`.
        argument: What an error calls it.

    Returns:
        An `AdversarialLoss`: `real`, `fake` and `generator` are functions of outputs `(batch, 1)`,
        `(batch, h, w, 1)` or any other shape, and give `(batch,)`.

    Raises:
        ValueError: `name` is not one of those allowed.

    Example:

    >>> loss = adversarial_loss("least-squares")
    >>> loss.real([[1.0], [0.0]])
    array([0., 1.], dtype=float32)

    Source: Goodfellow et al. 2014, equation 1 and section 3; Mao et al. 2017, "Least squares
    generative adversarial networks", equation 2 with a, b, c = 0, 1, 1; Lim and Ye 2017,
    "Geometric GAN"; Arjovsky et al. 2017, "Wasserstein GAN", algorithm 1.
    """
    check_choice(argument, name, ADVERSARIAL_LOSSES)
    return _ALL[name]


def gaussian_loss(codes, means):
    """Half the squared distance of codes to the means that Q reads: the code loss of InfoGAN.

    It is -log Q(c|x) of normal distributions with standard deviation 1, without the constant
    log(2 pi) / 2 of each code.

    Args:
        codes: What the generator was given, `(batch, n_codes)`.
        means: What Q reads off the fakes, of the same shape.

    Returns:
        The sum over the codes: float32, one value a sample.

    Raises:
        ValueError: The shapes differ: nothing is broadcast.

    Example:

    >>> gaussian_loss([[0.0, 1.0]], [[1.0, -1.0]])
    array([2.5], dtype=float32)

    Source: Chen et al. 2016, "InfoGAN", section 6, the factored Gaussian.
    """
    codes, means = ops.cast(codes, "float32"), ops.cast(means, "float32")
    shapes = tuple(codes.shape), tuple(means.shape)
    if not shapes_fit(*shapes):
        raise ValueError(
            f"`codes` and `means` must have one shape. Received: codes of shape {shapes[0]}, "
            f"means of shape {shapes[1]}"
        )
    return 0.5 * ops.sum(ops.square(codes - means), axis=-1)
