"""A procedural set of small class images, digits as if written by hand: there without a download."""

import numpy as np

from keras_cgan.checks import check_at_least
from keras_cgan.data.class_images import ClassImages
from keras_cgan.data.embedded_drawing import Frame, draw_stroke
from keras_cgan.data.images import check_channels, check_image_size

LEAST_SIDE = 16  # Below it a 3 and an 8 are one blot.
_CANVAS = 96  # Pixels of the canvas's shorter side, at least.
_INK = 255
# Each way of writing a digit: strokes between slashes, each the points x,y that a smooth line passes, in
# hundredths of the digit's height, y downwards. At a point with an exclamation mark the line turns sharply.
_WAYS = {
    "0": (
        "41,1 18,10 6,43 13,81 33,100 56,88 66,52 58,15 36,0",
        "50,12 29,0 12,20 10,59 25,92 47,98 62,74 60,34 44,5",
        "25,3 49,5 65,34 64,73 45,98 21,94 6,64 9,25 28,2",
    ),
    "1": (
        "36,0 35,50 34,100",
        "17,20 29,12 40,0! 40,50 38,100",
        "14,20 38,0! 37,50 37,100 / 10,100 38,98 66,100",
    ),
    "2": (
        "8,24 30,0 60,14 56,42 30,74 6,98! 40,96 72,98",
        "10,16 34,0 60,20 50,54 26,88 8,94 10,78 30,80 50,96 74,92",
        "12,8 40,2 60,20 42,54 10,96! 36,92 68,100",
    ),
    "3": (
        "10,12 36,0 60,18 48,40 28,47! 52,52 66,74 42,100 6,90",
        "8,2 34,2 60,2! 30,42! 56,48 64,74 40,100 6,88",
        "12,6 40,-2 60,20 44,42 24,48 26,42 46,46 66,68 50,96 10,98",
    ),
    "4": (
        "14,2 10,30 6,56! 36,54 74,52 / 52,10 50,50 46,100",
        "50,0 28,34 2,68! 40,66 74,66 / 52,0 50,50 50,100",
        "20,4 8,34 20,52 44,48 58,36 / 62,0 58,50 52,100",
    ),
    "5": (
        "18,4 15,24 12,44! 38,38 64,62 46,96 6,92 / 18,4 42,4 68,0",
        "68,2 44,2 20,6! 17,26 14,48! 40,42 62,66 42,100 4,90",
        "66,0 36,4 22,26 28,44 54,56 56,82 34,100 4,94",
    ),
    "6": (
        "52,0 24,28 8,66 28,100 58,86 56,60 32,54 10,74",
        "30,0 14,40 10,80 36,100 62,80 48,58 24,66 12,84",
        "62,6 38,4 12,36 6,72 32,100 62,78 44,52 16,60 8,72",
    ),
    "7": (
        "4,4 36,4 68,2! 48,46 30,100",
        "6,6 36,2 66,4! 46,50 34,100 / 22,50 44,48 66,48",
        "6,20 10,4! 38,6 70,2! 56,32 36,64 28,100",
        "4,10 26,0 54,6 62,20 48,56 40,100",
    ),
    "8": (
        "58,14 38,0 16,20 36,45 60,72 36,100 12,76 36,46 56,26 50,6",
        "36,46 14,24 38,0 58,22 36,46 10,74 34,100 64,74 38,46",
        "66,6 40,2 20,20 40,46 54,74 30,100 8,80 32,52 56,28 68,6",
    ),
    "9": (
        "60,20 38,0 10,20 26,46 50,38 60,12! 57,50 52,100",
        "58,12 34,0 12,24 32,48 60,24 60,10! 62,60 44,98 12,92",
        "50,44 20,46 14,16 40,0 62,22 54,58 36,100",
    ),
}


def embedded_images(n=12_000, image_size=(28, 28), channels=1, seed=0):
    """Draws digits as white strokes on black, none like another, of ten classes.

    Each is one of several ways to write the digit, its points displaced, bent, slanted, turned, stretched and
    drawn by a pen of its own width.

    Args:
        n: Number of images, at least 10. The class of an image is its index modulo 10.
        image_size: `(height, width)` in pixels, each at least 16.
        channels: 1 for grey, 3 for RGB of equal channels.
        seed: Non-negative integer. An image depends on it and on its index only.

    Returns:
        A `ClassImages`, named "0/0000" and so on.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> train, test = embedded_images(5000, image_size=(32, 32)).split(test_share=0.2)
    >>> train.images.shape
    (4000, 32, 32, 1)
    """
    height, width = check_image_size(image_size)
    if min(height, width) < LEAST_SIDE:
        raise ValueError(
            f"`image_size` must be at least {LEAST_SIDE} px on both sides for digits to differ. "
            f"Received: image_size={image_size!r}"
        )
    check_at_least(len(_STROKES), n=n)
    check_at_least(0, seed=seed)
    check_channels("channels", channels)
    frame = Frame((height, width), least=_CANVAS)
    digits = list(_STROKES)
    classes = np.arange(n) % len(digits)
    images = np.empty((n, height, width, 1), np.uint8)
    for index, label in enumerate(classes):
        rng = np.random.default_rng([seed, index])
        images[index, ..., 0] = _draw(_written(_STROKES[digits[label]], rng), frame, rng)
    return ClassImages(
        np.repeat(images, channels, axis=-1),
        np.eye(len(digits), dtype="float32")[classes],
        class_names=digits,
        names=[f"{digits[label]}/{index // len(digits):04d}" for index, label in enumerate(classes)],
    )


def _strokes(way):
    """The strokes of a way as points `(n, 2)`, and how often each point counts: twice makes a corner."""
    strokes = [stroke.split() for stroke in way.split("/")]
    return [
        (
            np.array([point.strip("!").split(",") for point in stroke], float) / 100,
            np.array([1 + point.endswith("!") for point in stroke]),
        )
        for stroke in strokes
    ]


def _spline_basis(n_samples):
    """The weights of four points in a row along the Catmull-Rom piece between the middle two."""
    t = np.linspace(0, 1, n_samples, endpoint=False)[:, None]
    powers = np.concatenate([t**0, t, t**2, t**3], axis=1)
    return powers @ (np.array([(0, 2, 0, 0), (-1, 0, 1, 0), (2, -5, 4, -1), (-1, 3, -3, 1)]) / 2)


_STROKES = {digit: [_strokes(way) for way in ways] for digit, ways in _WAYS.items()}
_BASIS = _spline_basis(8)


def _smooth(points):
    """A smooth line through points, `(n, 2)`."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    windows = np.stack([padded[i : i + len(points) - 1] for i in range(4)], axis=1)
    return np.concatenate([(_BASIS @ windows).reshape(-1, 2), points[-1:]])


def _written(ways, rng):
    """One way of writing a digit as lines around 0 whose longer extent is 1."""
    way = ways[rng.integers(len(ways))]
    hand = rng.uniform(0.008, 0.036)  # How far the hand strays, as a share of the height.
    lines = [_smooth(np.repeat(p + rng.normal(0, hand, p.shape), times, axis=0)) for p, times in way]
    ends = np.cumsum([len(line) for line in lines])[:-1]
    points = np.concatenate(lines) - (0.36, 0.5)
    # A slow wave through the whole digit, so that strokes that meet still do.
    points += rng.normal(0, 0.03, 2) * np.sin(points @ rng.normal(0, 5, (2, 2)) + rng.uniform(0, 6.3, 2))
    points *= np.exp(rng.normal(0, (0.16, 0.05)))
    points[:, 0] -= np.clip(rng.normal(0.12, 0.17), -0.25, 0.45) * points[:, 1]
    angle = rng.normal(0, 0.1)
    cos, sin = np.cos(angle), np.sin(angle)
    points = points @ np.array([(cos, sin), (-sin, cos)])
    low, high = points.min(axis=0), points.max(axis=0)
    return np.split((points - (low + high) / 2) / (high - low).max(), ends)


def _draw(lines, frame, rng):
    """The lines in a frame, uint8 `(height, width)`, ink 255 on 0."""
    pen, scale = rng.uniform(0.045, 0.105), rng.uniform(0.6, 0.76)
    room = 0.46 - scale / 2 - 0.65 * pen  # So that a digit keeps clear of the frame.
    centre = 0.5 + np.clip(rng.normal(0, 0.025, 2), -room, room)
    canvas = np.zeros((frame.height, frame.width), np.uint8)
    for line in lines:
        draw_stroke(canvas, frame.pixels(line * scale + centre), pen * frame.side, _INK, rng)
    return frame.finish(canvas)
