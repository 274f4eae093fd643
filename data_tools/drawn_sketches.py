"""Sketches that OpenCV makes of photos: lines traced from the photo, without anything an artist would add.

They align with their photo to the pixel. A model that is trained on them learns the filter, which is there
already and is faster: they serve for trying things out and for comparison.
"""

import cv2
import numpy as np

WHITE = 255
_EDGE_SHARE = 0.1  # of the pixels that have a gradient are sure edges, as in Canny's own program
_WEAK = 0.4  # times the sure edges' gradient: what goes on from one is an edge as well
_XDOG = {"k": 1.6, "p": 20.0, "epsilon": 0.7, "phi": 10.0}
_LEAST_GRADIENT = 20  # levels, of Sobel's operator: below is noise


def edges(photo):
    """Canny's edges, black on white, one pixel wide.

    The thresholds are the photo's own: an edge begins where the gradient is among the greatest tenth of those
    above noise, and goes on down to .4 of that.

    Args:
        photo: uint8 `(height, width)` grey or `(height, width, 3)` RGB.

    Returns:
        uint8 `(height, width)`, 0 on edges and 255 elsewhere.

    Example:

    >>> edges(photo).min()
    0

    Source: Canny 1986, "A Computational Approach to Edge Detection".
    """
    smooth = cv2.GaussianBlur(_grey(photo), (0, 0), _sigma(photo))
    dx, dy = (cv2.Sobel(smooth, cv2.CV_16S, *order) for order in ((1, 0), (0, 1)))
    gradient = np.hypot(dx.astype(np.float32), dy.astype(np.float32))
    clear = gradient[gradient > _LEAST_GRADIENT]
    if not clear.size:
        return np.full_like(smooth, WHITE)
    sure = float(np.quantile(clear, 1 - _EDGE_SHARE))
    return WHITE - cv2.Canny(dx, dy, _WEAK * sure, sure, L2gradient=True)


def dodge(photo):
    """A pencil drawing by colour dodge: the photo divided by its own blur, grey on white.

    Args:
        photo: uint8 `(height, width)` grey or `(height, width, 3)` RGB.

    Returns:
        uint8 `(height, width)`: white where the photo is even, darker beside what is lighter than it.

    Example:

    >>> drawing = dodge(photo)
    """
    grey = _grey(photo)
    blurred = cv2.GaussianBlur(grey, (0, 0), 4 * _sigma(photo))
    return cv2.divide(grey, np.maximum(blurred, 1), scale=WHITE)


def threshold(photo):
    """Black where the photo is darker than its neighbourhood, white elsewhere: lines and dark patches.

    Args:
        photo: uint8 `(height, width)` grey or `(height, width, 3)` RGB.

    Returns:
        uint8 `(height, width)`, 0 or 255.

    Example:

    >>> drawing = threshold(photo)
    """
    grey = cv2.GaussianBlur(_grey(photo), (0, 0), _sigma(photo))
    block = max(3, min(grey.shape) // 16 * 2 + 1)  # an odd number of pixels, an eighth of the photo
    return cv2.adaptiveThreshold(
        grey, WHITE, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, block, _LEAST_GRADIENT // 4
    )


def xdog(photo):
    """Extended difference of Gaussians: soft ink lines and dark areas on white.

    The photo, sharpened by the difference of two blurs, is white above a level and falls off below it by a
    hyperbolic tangent.

    Args:
        photo: uint8 `(height, width)` grey or `(height, width, 3)` RGB.

    Returns:
        uint8 `(height, width)`.

    Example:

    >>> drawing = xdog(photo)

    Source: Winnemoeller, Kyprianidis and Olsen 2012, "XDoG: An eXtended difference-of-Gaussians compendium
    including advanced image stylization", equations 5 and 7, with k = 1.6 and p = 20; the level is taken
    relative to the brightness of the neighbourhood, so that dark photos are not black all over.
    """
    grey = _grey(photo).astype(np.float32) / WHITE
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), _sigma(photo) * k) for k in (1.0, _XDOG["k"]))
    sharpened = (1 + _XDOG["p"]) * fine - _XDOG["p"] * coarse
    ground = cv2.GaussianBlur(grey, (0, 0), 16 * _sigma(photo))
    level = _XDOG["epsilon"] * ground
    soft = 1 + np.tanh(_XDOG["phi"] * np.minimum(sharpened - level, 0))
    return np.rint(WHITE * soft).astype(np.uint8)


SKETCHES = {drawn.__name__: drawn for drawn in (edges, dodge, threshold, xdog)}


def draw_sketch(photo, how="edges", side=256):
    """Makes a sketch of a photo, of the photo's size.

    Args:
        photo: uint8 `(height, width)` grey or `(height, width, 3)` RGB.
        how: One of `SKETCHES`.
        side: The photo's longer side is brought down to so many pixels before lines are drawn: fewer pixels
            make fewer and thicker lines.

    Returns:
        uint8 `(height, width)`, dark on white.

    Raises:
        ValueError: `how` is none of `SKETCHES`.

    Example:

    >>> sketch = draw_sketch(decode_image("photo/cat/1.jpg"), "xdog")
    """
    if how not in SKETCHES:
        raise ValueError(f"`how` must be one of {tuple(SKETCHES)}. Received: how={how!r}")
    height, width = photo.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return SKETCHES[how](photo)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    drawn = SKETCHES[how](cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    return cv2.resize(drawn, (width, height), interpolation=cv2.INTER_LINEAR)


def _grey(photo):
    return photo if photo.ndim == 2 else cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)


def _sigma(photo):
    """Of the blur that takes away what is no line, in pixels: 1 in a photo of 256 pixels."""
    return max(0.5, max(photo.shape[:2]) / 256)
