"""What a generator may be asked beside the class and the true sketch: terms of its loss, one by one."""

import math

import keras
import numpy as np
from keras import layers, ops

from keras_cgan.checks import check_at_least, check_positive, check_weights

LOOKED_AT = 64  # px: what tells a photo from a sketch looks at both shrunk to about this
STEEP = 1.0  # by Sobel's operator, whose most is 8 in [-1, 1]: from here up all edges are alike


class GeneratorTerm(layers.Layer):
    """A term of the generator's loss, for `ConditionalGAN(..., terms=[...])`.

    A subclass has `loss`. Terms have no weights that learn.

    Args:
        weight: What the term is multiplied by in `g_loss`, at least 0; `g_<name>` in the logs is
            without it.
        name: Name of the term.

    Attributes:
        own_class_only: Whether the term is left out where the generator is asked for another class than
            the photo's, as one that compares with the true sketch must be.

    Example:

    >>> class Ink(GeneratorTerm):
    ...     def loss(self, drawn, asked, photo, label, sketch):
    ...         return ops.mean(1 - drawn, axis=(1, 2, 3))
    >>> gan = ConditionalGAN(generator, discriminator, terms=[Ink(weight=0.1, name="ink")])
    """

    own_class_only = False

    def __init__(self, weight, name, **options):
        check_weights(weight=weight)
        super().__init__(name=name, dtype="float32", autocast=False, trainable=False, **options)
        self.weight = weight

    def loss(self, drawn, asked, photo, label, sketch):
        """One value a sample.

        Args:
            drawn: What the generator drew, `(batch, height, width, channels)` in [-1, 1], float32.
            asked: The classes that were asked for, `(batch, n_classes)`, or `None`.
            photo: The photos, `(batch, height, width, channels)` in [-1, 1].
            label: The photos' own classes, or `None`.
            sketch: The true sketches, of the shape of `drawn`.

        Returns:
            A tensor `(batch,)`.
        """
        raise NotImplementedError(f"{type(self).__name__} must have a method `loss`.")

    def bind(self, gan):
        """Called by the `ConditionalGAN` that takes the term, once its networks are known; does nothing."""

    def call(self, drawn, asked, photo, label, sketch, training=True):
        return self.loss(drawn, asked, photo, label, sketch)

    def get_config(self):
        return {"weight": self.weight, "name": self.name}


def check_terms(terms, taken):
    """The terms as a list; raises a `ValueError` where one is none, or has the name of another loss.

    Args:
        terms: What was given as terms.
        taken: Names of other losses, as they stand in the logs.
    """
    taken = list(taken)
    for term in terms:
        if not isinstance(term, GeneratorTerm):
            raise ValueError(f"`terms` must be a list of `GeneratorTerm`s. Received: {term!r} among them")
        if f"g_{term.name}" in taken:
            raise ValueError(
                f"`terms` must have names of their own. Received: another one named {term.name!r}"
            )
        taken.append(f"g_{term.name}")
    return list(terms)


@keras.saving.register_keras_serializable(package="keras_cgan")
class BlurredL1(GeneratorTerm):
    """L1 between sketches that are blurred, each by several widths: where lines are near, it is small.

    Sharp L1 on pairs that do not align is least for blank paper, for a line next to the true one costs
    twice. Blurred, such a line costs less than none.

    Args:
        weight: As in `GeneratorTerm`.
        sigmas: Standard deviations of the blur, in pixels; 0 is sharp.
        name: Name of the term.

    Raises:
        ValueError: An argument is below 0, or there is no sigma.

    Example:

    >>> BlurredL1(20.0, sigmas=(2.0, 4.0))
    """

    own_class_only = True

    def __init__(self, weight=20.0, sigmas=(2.0, 4.0), name="blurred_l1"):
        super().__init__(weight, name)
        if not isinstance(sigmas, (tuple, list)) or not sigmas:
            raise ValueError(f"`sigmas` must be a tuple of at least one number. Received: sigmas={sigmas!r}")
        check_weights(**{f"sigmas[{n}]": sigma for n, sigma in enumerate(sigmas)})
        self.sigmas = tuple(sigmas)

    def loss(self, drawn, asked, photo, label, sketch):
        # Of the difference: blurring is linear.
        apart = [ops.abs(blur(drawn - sketch, sigma)) for sigma in self.sigmas]
        return ops.mean(sum(apart), axis=(1, 2, 3)) / len(self.sigmas)

    def get_config(self):
        return {**super().get_config(), "sigmas": self.sigmas}


@keras.saving.register_keras_serializable(package="keras_cgan")
class EdgeLikeness(GeneratorTerm):
    """One minus the correlation of the ink with the photo's edges, both blurred: the photo has to be seen.

    It needs no network that could be misled, and asks of an unseen photo what it asked in training. The
    correlation does not care how much ink there is: thick lines and filled shapes are left to the style.

    Args:
        weight: As in `GeneratorTerm`.
        sigma: Standard deviation of the blur, in pixels of what is looked at: how far a line may be from
            the edge.
        own_class_only: Whether another class than the photo's may be drawn by other lines.
        looked_at: Photo and sketch are first shrunk, by averages, until their shorter side has about so
            many pixels: what is asked of a sketch is the same at every size.
        name: Name of the term.

    Raises:
        ValueError: `weight` is below 0, `sigma` not above it, or `looked_at` not at least 1.

    Example:

    >>> EdgeLikeness(20.0)

    Source: edges by Canny 1986 (`photo_edges`).
    """

    def __init__(self, weight=20.0, sigma=0.7, own_class_only=False, looked_at=LOOKED_AT, name="edges"):
        super().__init__(weight, name)
        check_positive(sigma=sigma)
        check_at_least(1, looked_at=looked_at)
        self.sigma, self.own_class_only, self.looked_at = sigma, own_class_only, looked_at

    def loss(self, drawn, asked, photo, label, sketch):
        if (times := shrinkage(*photo.shape[1:3], self.looked_at)) > 1:
            drawn, photo = (ops.average_pool(images, times) for images in (drawn, photo))
        ink = blur(ops.mean(1 - drawn, axis=-1, keepdims=True), self.sigma)
        return 1 - correlation(ink, blur(photo_edges(photo), self.sigma))

    def get_config(self):
        own = {name: getattr(self, name) for name in ("sigma", "own_class_only", "looked_at")}
        return {**super().get_config(), **own}


def shrinkage(height, width, looked_at=LOOKED_AT):
    """How many times an image is reduced until its shorter side has about so many pixels.

    Args:
        height, width: Of the image, in pixels.
        looked_at: Pixels of the shorter side.

    Returns:
        An integer, at least 1.

    Example:

    >>> shrinkage(256, 320)
    4
    """
    return max(1, min(height, width) // looked_at)


def photo_edges(photos):
    """Thin lines where photos are steepest: Canny's edges, with their steepness for his thresholds.

    Lines as wide as Sobel's operator alone makes them are of no sketch, and traced they tell less of the
    photo than thin ones.

    Args:
        photos: `(batch, height, width, channels)` in [-1, 1].

    Returns:
        `(batch, height, width, 1)` in [0, 1]: 0 beside the lines, and 1 where a photo is as steep as
        `STEEP` or more, in its steepest channel.

    Source: Canny 1986, "A computational approach to edge detection", section IV; the gradient by Sobel
    and Feldman 1968.
    """
    height, width, channels = photos.shape[1:]
    down, right = _gradient(photos)
    # Of 0 the root has no gradient.
    steep = ops.sqrt(ops.square(down) + ops.square(right) + 1e-8) - 1e-4
    steepest = ops.one_hot(ops.argmax(steep, axis=1), channels, axis=1, dtype=steep.dtype)
    steep, down, right = (ops.sum(x * steepest, axis=1) for x in (steep, down, right))
    around = ops.pad(steep, [[0, 0], [1, 1], [1, 1]])

    def beside(rows, columns):
        return around[:, 1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    wide, alike = ops.abs(right) >= ops.abs(down), down * right > 0
    slant = ops.minimum(ops.abs(right), ops.abs(down)) / (ops.maximum(ops.abs(right), ops.abs(down)) + 1e-8)

    def across(step):
        """What is a step on along the slope, to one side, between the two pixels that lie there."""
        straight = ops.where(wide, beside(0, step), beside(step, 0))
        other = ops.where(wide, beside(-step, step), beside(step, -step))
        return straight + slant * (ops.where(alike, beside(step, step), other) - straight)

    # Of two that are alike, one.
    thin = ops.logical_and(steep >= across(-1), steep > across(1))
    return ops.where(thin, ops.minimum(steep / STEEP, 1.0), 0.0)[..., None]


def _gradient(photos):
    """The slopes of smoothed photos down and to the right, each `(batch, channels, height, width)`."""
    height, width, channels = photos.shape[1:]
    # Each channel as an image of its own; a mirrored border is no edge.
    x = ops.reshape(ops.transpose(photos, (0, 3, 1, 2)), (-1, height, width, 1))
    x = ops.pad(x, [[0, 0], [3, 3], [3, 3], [0, 0]], mode="reflect")
    x = blur(x, 0.7)[:, 2:-2, 2:-2]
    across = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "float32")
    kernel = np.stack([across.T, across], axis=-1)[:, :, None]  # (3, 3, 1, 2)
    slopes = ops.reshape(ops.conv(x, kernel, padding="valid"), (-1, channels, height, width, 2))
    return slopes[..., 0], slopes[..., 1]


def correlation(images, others):
    """Pearson's correlation of each image with the other of its place.

    Args:
        images, others: `(batch, height, width, channels)`.

    Returns:
        `(batch,)` in [-1, 1]; about 0 for a flat image.
    """
    places = (1, 2, 3)
    images -= ops.mean(images, places, keepdims=True)
    others -= ops.mean(others, places, keepdims=True)
    both = ops.sum(images**2, places) * ops.sum(others**2, places)
    return ops.sum(images * others, places) / ops.sqrt(both + 1e-4)


def blur(images, sigma):
    """Images through a Gaussian, zero outside.

    Args:
        images: `(batch, height, width, channels)`, each channel by itself.
        sigma: Standard deviation in pixels; 0 changes nothing.

    Returns:
        A tensor of the same shape.
    """
    if not sigma:
        return images
    reach = math.ceil(2.5 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype("float32")
    convolve = ops.conv
    if (channels := images.shape[-1]) > 1:
        convolve, weights = ops.depthwise_conv, np.repeat(weights[:, None], channels, axis=1)
    x = convolve(images, weights.reshape(-1, 1, channels, 1), padding="same")
    return convolve(x, weights.reshape(1, -1, channels, 1), padding="same")
