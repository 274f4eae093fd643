"""Renders the parts of an object as a shaded photo or as a line sketch.

Both renderers place the unit square of a `Pose` in the middle square of the
frame, and take every random draw on a grid of fixed size, so that a picture is
the same one at whatever size it is rendered.
"""

import dataclasses

import cv2
import numpy as np

_SHIFT = 4  # Sub-pixel bits of the coordinates that OpenCV is handed.
_PAPER = 255


@dataclasses.dataclass(frozen=True)
class Pose:
    """Where an object stands in the frame.

    Args:
        centre: `(x, y)` as a share of the middle square of the frame.
        scale: The object's longer extent, as a share of that square.
        rotation: In radians.
        stretch: Horizontal over vertical magnification.
        mirrored: Whether left and right are exchanged.
    """

    centre: tuple
    scale: float
    rotation: float = 0.0
    stretch: float = 1.0
    mirrored: bool = False

    def place(self, points):
        """Object coordinates, `(n, 2)`, to shares of the middle square."""
        across = np.sqrt(self.stretch) * (-1 if self.mirrored else 1)
        points = points * (across, 1 / np.sqrt(self.stretch)) * self.scale
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        return points @ np.array([(cos, sin), (-sin, cos)]) + self.centre


class Frame:
    """The canvas a picture is drawn on before it is reduced to its size.

    Args:
        image_size: `(height, width)` in pixels of the finished picture.
        least: The least short side of the canvas. The canvas is a whole multiple
            of the picture, so that reducing it averages whole blocks of pixels.
    """

    def __init__(self, image_size, least=256):
        self.image_size = image_size
        factor = max(1, -(-least // min(image_size)))
        self.height, self.width = (factor * side for side in image_size)
        self.side = min(self.height, self.width)

    def pixels(self, points):
        """Shares of the middle square to canvas pixels."""
        return points * self.side + ((self.width - self.side) / 2, (self.height - self.side) / 2)

    def finish(self, canvas):
        """The canvas at the size of the picture."""
        height, width = self.image_size
        if canvas.shape[:2] == (height, width):
            return canvas
        return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def _fixed(points):
    """Points as the fixed-point integers OpenCV draws sub-pixel positions from."""
    return np.round(points * (1 << _SHIFT)).astype(np.int32)


def _noise(rng, grid, frame_size):
    """Smooth noise of about unit deviation from a grid, so that it does not depend on the size."""
    height, width = frame_size
    values = rng.standard_normal(grid, dtype=np.float32)
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)


# Photo --------------------------------------------------------------------------------------


def draw_photo(parts, pose, frame, rng):
    """A shaded picture of an object before a background.

    Args:
        parts: List of `Part` in object coordinates.
        pose: The object's `Pose`.
        frame: The `Frame` to draw in.
        rng: Generator of the background and the light.

    Returns:
        RGB, uint8, `(height, width, 3)` of the frame's picture.
    """
    outlines = [frame.pixels(pose.place(part.points)) for part in parts]
    widths = [part.width * pose.scale * frame.side for part in parts]
    mean_colour = np.mean([part.colour for part in parts if not part.width], axis=0)
    low = max(outline[:, 1].max() for outline in outlines)
    light = np.array([rng.choice([-1, 1]) * rng.uniform(0.35, 0.8), -rng.uniform(0.3, 0.6), 0.65])
    canvas = _background(frame, mean_colour, low / frame.height, rng)
    canvas *= 1 - _shadow(frame, outlines, widths, low, light, rng)[..., None]
    textures = _textures(frame, rng)
    for part, outline, width in zip(parts, outlines, widths):
        _paint(canvas, part, outline, width, light, textures)
    grain = _noise(rng, (96, 96), canvas.shape[:2])
    canvas += rng.uniform(0.003, 0.012) * grain[..., None]
    return frame.finish(np.clip(255 * canvas, 0, 255).astype(np.uint8))


def _background(frame, object_colour, ground, rng):
    """Wall and floor, each a gradient with a pattern, at half resolution: it is out of focus."""
    height, width = frame.height // 2, frame.width // 2
    # The most distant of a few colours, otherwise some objects could not be seen.
    greys, tints = rng.uniform(0.12, 0.95, (6, 1)), rng.uniform(-0.22, 0.22, (6, 3))
    colours = sorted(np.clip(greys + tints, 0.05, 1), key=lambda colour: abs(colour - object_colour).sum())
    wall, floor = colours[-1], 0.6 * colours[-2] + 0.4 * colours[-1]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = np.linspace(0, 1, width, dtype=np.float32)[None]
    tilt = rng.uniform(-0.35, 0.35, 2)
    shade = (1 + tilt[0] * (down - 0.5) + tilt[1] * (across - 0.5)).astype(np.float32)
    level = ground - rng.uniform(0.05, 0.3) if rng.uniform() < 0.65 else 2.0
    is_floor = np.clip((down - level) * frame.height / 2, 0, 1)
    pattern = _pattern(rng, (height, width), down, across) * (1 - is_floor)
    pattern += _pattern(rng, (height, width), down, across) * is_floor
    colour = wall + is_floor[..., None] * (floor - wall)
    canvas = (colour * (shade * (1 + pattern))[..., None]).astype(np.float32)
    return cv2.resize(canvas, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR)


def _pattern(rng, size, down, across):
    """One of plain, stripes, wood, grass, blobs or tiles, as a small relative brightness."""
    kind, strength, pitch = rng.integers(6), rng.uniform(0.03, 0.1), rng.uniform(5, 14)
    angle = rng.uniform(0, np.pi)
    grids = {2: (40, 4), 3: (16, 90), 4: (7, 7)}
    if kind in grids:
        return strength * _noise(rng, grids[kind], size)
    if kind == 1:
        return strength * np.sin(2 * np.pi * pitch * (np.cos(angle) * across + np.sin(angle) * down))
    if kind == 5:
        joints = np.maximum(np.cos(np.pi * pitch * across) ** 2, np.cos(np.pi * pitch * down) ** 2)
        return -strength * joints**8
    return np.zeros(size, dtype=np.float32)


def _shadow(frame, outlines, widths, low, light, rng):
    """The silhouette laid on the ground away from the light, blurred, as a share of darkness."""
    shrink = 4
    mask = np.zeros((frame.height // shrink, frame.width // shrink), dtype=np.uint8)
    slant, flat = -light[0] * rng.uniform(0.5, 1.2), rng.uniform(0.15, 0.4)
    for outline, width in zip(outlines, widths):
        up = low - outline[:, 1]
        laid = _fixed(np.stack([outline[:, 0] + slant * up, low - flat * up], axis=-1) / shrink)
        if width:
            cv2.polylines(mask, [laid], False, 255, max(1, round(width / shrink)), shift=_SHIFT)
        else:
            cv2.fillPoly(mask, [laid], 255, shift=_SHIFT)
    mask = cv2.GaussianBlur(mask, (0, 0), frame.side / shrink / 40)
    mask = cv2.resize(mask, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR)
    return mask.astype(np.float32) * (rng.uniform(0.3, 0.55) / 255)


def _textures(frame, rng):
    size = frame.height, frame.width
    strength = rng.uniform(0.6, 1.2)
    return {
        "wood": 0.04 * strength * _noise(rng, (24, 90), size),
        "leaves": 0.09 * strength * _noise(rng, (56, 56), size),
        "peel": 0.04 * strength * _noise(rng, (80, 80), size),
    }


def _paint(canvas, part, outline, width, light, textures):
    """Paints one part, within its bounding box only."""
    margin = width / 2 + 2
    left, top = np.maximum(np.floor(outline.min(axis=0) - margin), 0).astype(int)
    right, bottom = np.ceil(outline.max(axis=0) + margin).astype(int)
    region = canvas[top:bottom, left:right]
    if not region.size:
        return
    mask = np.zeros(region.shape[:2], dtype=np.uint8)
    points = _fixed(outline - (left, top))
    if width:
        cv2.polylines(mask, [points], False, 255, max(1, round(width)), cv2.LINE_AA, _SHIFT)
    else:
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA, _SHIFT)
    brightness = _shading(part.shading, region.shape[:2], light)
    if part.texture in textures:
        brightness = brightness + textures[part.texture][top:bottom, left:right]
    if not width:
        # The dark line where a surface turns away, which parts neighbours of one colour.
        rim = np.zeros_like(mask)
        cv2.polylines(rim, [points], True, 255, max(1, round(len(canvas) / 110)), cv2.LINE_AA, _SHIFT)
        brightness = brightness * (1 - rim * np.float32(0.3 / 255))
    colour = np.asarray(part.colour, dtype=np.float32)
    region += (mask * np.float32(1 / 255))[..., None] * (brightness[..., None] * colour - region)


def _shading(kind, size, light):
    """Relative brightness of a box around a surface under a light."""
    down = np.linspace(-1, 1, size[0], dtype=np.float32)[:, None]
    across = np.linspace(-1, 1, size[1], dtype=np.float32)[None]
    light = light.astype(np.float32)
    slope = light[0] * across + light[1] * down
    if kind == "flat":
        return 0.95 + 0.12 * slope
    if kind == "tube":
        facing = light[0] * across + light[2] * np.sqrt(np.maximum(1 - across**2, 0)) + 0 * down
        return 0.5 + 0.6 * np.maximum(facing, 0)
    facing = np.maximum(slope + light[2] * np.sqrt(np.maximum(1 - across**2 - down**2, 0)), 0)
    return 0.5 + 0.6 * facing + 0.3 * facing**12


# Sketch -------------------------------------------------------------------------------------


def draw_sketch(parts, pose, frame, rng, wobble):
    """A line drawing of an object on white paper.

    Args:
        parts: List of `Part` in object coordinates.
        pose: The object's `Pose` on the paper.
        frame: The `Frame` to draw in.
        rng: Generator of the hand's wobble and the pen's width.
        wobble: Deviation of the strokes, as a share of the frame's short side.

    Returns:
        uint8, `(height, width, 1)` of the frame's picture, paper 255.
    """
    canvas = np.full((frame.height, frame.width), _PAPER, dtype=np.uint8)
    # A small drawing is made with a finer line.
    pen, ink = rng.uniform(0.0205, 0.026) * (0.6 + 0.5 * pose.scale), int(rng.integers(10, 50))
    for part in parts:
        if not part.inked:
            continue
        outline = pose.place(part.points)
        if not part.width:
            # Paper over what the part hides, so that only visible edges are drawn.
            cv2.fillPoly(canvas, [_fixed(frame.pixels(outline))], _PAPER, cv2.LINE_AA, _SHIFT)
        for line in _strokes(outline, not part.width, rng):
            # Details are drawn more lightly than outlines.
            width = frame.side * pen * min(1.0, 0.6 + np.ptp(line, axis=0).max())
            for _ in range(2 if rng.uniform() < 0.06 else 1):
                draw_stroke(canvas, frame.pixels(_by_hand(line, rng, wobble)), width, ink, rng)
    return frame.finish(canvas)[..., None]


def _strokes(points, closed, rng):
    """Cuts an outline into the strokes a person would draw: corner to corner, or once around."""
    if not closed:
        return [points]
    edges = np.roll(points, -1, axis=0) - points
    edges, points = edges[(edges**2).sum(axis=-1) > 1e-10], points[(edges**2).sum(axis=-1) > 1e-10]
    heading = np.arctan2(edges[:, 1], edges[:, 0])
    turn = np.abs((heading - np.roll(heading, 1) + np.pi) % (2 * np.pi) - np.pi)
    corners = np.flatnonzero(turn > np.radians(50))
    small = np.ptp(points, axis=0).max() < 0.12
    if len(corners) < 2 or small:
        start = corners[0] if len(corners) else rng.integers(len(points))
        ring = np.roll(points, -start, axis=0)
        return [np.concatenate([ring, ring[:1]])]
    ring = np.roll(points, -corners[0], axis=0)
    cuts = np.append(corners - corners[0], len(points))
    ring = np.concatenate([ring, ring[:1]])
    return [ring[first : last + 1] for first, last in zip(cuts[:-1], cuts[1:])]


def _by_hand(line, rng, wobble):
    """A line resampled, bent by low-frequency noise, and ended a little early or late."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    total = length[-1]
    at = np.linspace(0, total, max(4, int(total / 0.02)))
    line = np.stack([np.interp(at, length, line[:, axis]) for axis in (0, 1)], axis=-1)
    n_knots = 3 + int(total / 0.15)
    # A short stroke strays less than a long one.
    reach = wobble * min(1.0, 0.35 + total)
    knots = rng.normal(0, reach, (n_knots, 2)).astype(np.float32)
    line = line + cv2.resize(knots, (2, len(line)), interpolation=cv2.INTER_CUBIC)
    late = rng.normal(0.1, 0.5, 2)[:, None] * reach
    line[0] -= late[0] * _direction(line[1] - line[0])
    line[-1] += late[1] * _direction(line[-1] - line[-2])
    return line


def _direction(step):
    return step / (np.hypot(*step) + 1e-9)


def draw_stroke(canvas, line, pen, ink, rng):
    """A line whose width changes from piece to piece, as the pressure of a hand does."""
    n_pieces = max(1, len(line) // 6)
    cuts = np.linspace(0, len(line) - 1, n_pieces + 1).astype(int)
    widths = pen * (1 + np.cumsum(rng.normal(0, 0.07, n_pieces)).clip(-0.2, 0.2))
    points = _fixed(line)
    for first, last, width in zip(cuts[:-1], cuts[1:], widths):
        piece = points[first : last + 1]
        cv2.polylines(canvas, [piece], False, ink, max(1, round(width)), cv2.LINE_AA, _SHIFT)
