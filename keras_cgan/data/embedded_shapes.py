"""What the objects of the embedded pairs are made of: parts, random traits, outlines."""

import colorsys
import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Part:
    """One surface or line of an object.

    Args:
        points: Outline or line, float, `(n, 2)`.
        colour: RGB in [0, 1].
        shading: "flat", "tube" (a vertical cylinder) or "round" (a ball).
        texture: "plain", "wood", "leaves" or "peel".
        width: 0 for a filled outline, otherwise the thickness of an open line.
        inked: Whether a sketch shows it.
    """

    points: np.ndarray
    colour: tuple
    shading: str = "flat"
    texture: str = "plain"
    width: float = 0.0
    inked: bool = True


class Traits:
    """Draws the traits of one object, and for a redrawn sketch the same ones, bent.

    The counts and kinds are always those of `rng`. Only what a person would
    misjudge, the proportions, is displaced by `jitter` times its range.

    Args:
        rng: Generator of the traits.
        jitter: Standard deviation of the displacement, as a share of a range.
        jitter_rng: Generator of the displacement, apart so as not to disturb `rng`.
    """

    def __init__(self, rng, jitter=0.0, jitter_rng=None):
        self._rng = rng
        self._jitter = jitter
        self._jitter_rng = jitter_rng

    def between(self, low, high):
        """A proportion, the one kind of trait that the jitter displaces."""
        value = self._rng.uniform(low, high)
        if self._jitter:
            value += self._jitter * (high - low) * self._jitter_rng.normal()
        return float(np.clip(value, low, high))

    def count(self, low, high):
        """A whole number, `high` included."""
        return int(self._rng.integers(low, high + 1))

    def choice(self, *options):
        """One of the options, each as likely."""
        return options[self._rng.integers(len(options))]

    def chance(self, probability):
        """Whether something is there that is there with a probability."""
        return bool(self._rng.uniform() < probability)

    def colour(self, hues, saturations=(0.35, 0.9), values=(0.45, 0.95)):
        """An RGB colour, the hue in degrees."""
        hue, saturation, value = (self._rng.uniform(*limits) for limits in (hues, saturations, values))
        return colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value)


def darker(colour, factor=0.6):
    """A colour towards black."""
    return tuple(factor * channel for channel in colour)


def lighter(colour, share=0.5):
    """A colour towards white."""
    return tuple(channel + share * (1 - channel) for channel in colour)


def arc(x, y, radius_x, radius_y, start=0.0, stop=360.0, n_points=36):
    """Points on an ellipse, from one angle in degrees to another, clockwise from the right."""
    angle = np.radians(np.linspace(start, stop, n_points, endpoint=stop - start < 360))
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=-1)


def box(left, top, right, bottom):
    """The corners of an upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=float)


def curve(start, control, stop, n_points=16):
    """Points on a quadratic Bezier curve."""
    t = np.linspace(0, 1, n_points)[:, None]
    start, control, stop = (np.asarray(point, dtype=float) for point in (start, control, stop))
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * stop


def ribbon(line, widths):
    """The outline of a band along a line; `widths` is a number or one a point."""
    along = np.gradient(line, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    offset = normal * (np.broadcast_to(widths, len(line))[:, None] / 2)
    return np.concatenate([line + offset, (line - offset)[::-1]])


def leaf(start, control, stop, width):
    """A pointed leaf along a bent midrib."""
    return ribbon(curve(start, control, stop), width * np.sin(np.linspace(0.02, 0.98, 16) * np.pi))


def polar(x, y, radius, degrees):
    """The point at a distance and an angle, 0 to the right and 90 upwards."""
    return np.array([x + radius * np.cos(np.radians(degrees)), y - radius * np.sin(np.radians(degrees))])
