"""A procedural set of labelled photo/sketch pairs, there without a download."""

import dataclasses

import numpy as np

from keras_cgan.data.embedded_drawing import Frame, Pose, draw_photo, draw_sketch
from keras_cgan.data.embedded_objects import OBJECTS, object_parts
from keras_cgan.data.embedded_shapes import Traits
from keras_cgan.data.pairs import Pairs

LEAST_SIDE = 16  # Below it no object can be told from another.
_MARGIN = 0.03  # Between an object and the frame, as a share of its middle square.
# What each random stream of an item is for. Apart, so that no draw for the
# sketch can change the photo.
_TRAITS, _SCENE, _JITTER, _REDRAWING, _PEN = range(5)


class EmbeddedPairs(Pairs):
    """Photo/sketch pairs of chairs, trees, oranges, cups, fish and houses.

    Each pair is drawn on request from its seed and index alone: a shaded photo
    before a varied background, and a line sketch of the same object with its
    details. The colours of the classes overlap and their backgrounds are alike.

    Args:
        n_pairs: Number of pairs, at least 1. The class of a pair is its index
            modulo 6, so every prefix of the set is as balanced as can be.
        misalignment: How far a sketch departs from its photo's outlines, at
            least 0. At 0 its strokes follow them; at 1 the object is drawn from
            memory: large and centred wherever it was in the photo, mirrored half
            of the time, its proportions changed. Beyond 1 only wobble and
            proportions go on to worsen.
        seed: Non-negative integer. An item depends on it and on its index only,
            and a photo not on `misalignment`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> pairs = EmbeddedPairs(n_pairs=12)
    >>> photo, sketch = pairs.load(0, (64, 64))
    >>> photo.shape, sketch.shape
    ((64, 64, 3), (64, 64, 1))
    """

    def __init__(self, n_pairs=420, misalignment=0.4, seed=0):
        if not isinstance(n_pairs, (int, np.integer)) or n_pairs < 1:
            raise ValueError(f"`n_pairs` must be an integer of at least 1. Received: {n_pairs!r}")
        if not 0 <= misalignment < float("inf"):
            raise ValueError(
                f"`misalignment` must be a finite number of at least 0. Received: {misalignment!r}"
            )
        if not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"`seed` must be an integer of at least 0. Received: {seed!r}")
        class_names = tuple(OBJECTS)
        labels = np.arange(n_pairs) % len(class_names)
        names = [f"{class_names[label]}/{i // len(class_names):04d}" for i, label in enumerate(labels)]
        super().__init__(labels, class_names, names)
        self.misalignment = float(misalignment)
        self.seed = int(seed)

    def load(self, index, image_size):
        """Draws one pair.

        Args:
            index: Which pair, from 0 to `len(self) - 1`.
            image_size: `(height, width)` in pixels, each at least 16. The object
                keeps its proportions in a frame that is not square.

        Returns:
            The photo, `(height, width, 3)` in RGB, and the sketch,
            `(height, width, 1)` with paper at 255, both uint8.

        Raises:
            IndexError: If there is no such pair.
            ValueError: If `image_size` is not two integers of at least 16.

        Example:

        >>> photo, sketch = EmbeddedPairs(seed=1).load(7, (32, 48))
        """
        if not isinstance(index, (int, np.integer)) or not 0 <= index < len(self):
            raise IndexError(f"`index` must be an integer from 0 to {len(self) - 1}. Received: {index!r}")
        frame = Frame(_checked_size(image_size))
        class_name = self.class_names[self.labels[index]]
        parts = object_parts(class_name, Traits(self._rng(index, _TRAITS)))
        scene = self._rng(index, _SCENE)
        pose = _photo_pose(parts, scene)
        photo = draw_photo(parts, pose, frame, scene)
        jittered = Traits(self._rng(index, _TRAITS), 0.16 * self.misalignment, self._rng(index, _JITTER))
        parts = object_parts(class_name, jittered)
        pose = _redrawn(pose, parts, self._rng(index, _REDRAWING), self.misalignment)
        wobble = 0.004 + 0.011 * self.misalignment
        sketch = draw_sketch(parts, pose, frame, self._rng(index, _PEN), wobble)
        return photo, sketch

    def _rng(self, index, stream):
        return np.random.default_rng([self.seed, int(index), stream])


def _checked_size(image_size):
    sizes = tuple(image_size) if np.iterable(image_size) else ()
    whole = all(isinstance(side, (int, np.integer)) for side in sizes)
    if len(sizes) != 2 or not whole or min(sizes) < LEAST_SIDE:
        raise ValueError(
            f"`image_size` must be (height, width), two integers of at least {LEAST_SIDE}. "
            f"Received: {image_size!r}"
        )
    return tuple(int(side) for side in sizes)


def _photo_pose(parts, rng):
    """A random size and place in the frame."""
    pose = Pose((0.5, 0.5), rng.uniform(0.52, 0.88), rng.normal(0, 0.05))
    extent = np.ptp(_all_points(parts, pose), axis=0)
    centre = 0.5 + rng.uniform(-1, 1, 2) * np.maximum(1 - 2 * _MARGIN - extent, 0) / 2
    return _fitted(dataclasses.replace(pose, centre=tuple(centre)), parts)


def _redrawn(pose, parts, rng, misalignment):
    """The pose of the sketch: the photo's, drawn towards where people put what they draw."""
    weight = min(misalignment, 1.0)
    centre, scale = 0.5 + rng.normal(0, 0.04, 2), rng.uniform(0.64, 0.9)
    redrawn = Pose(
        tuple((1 - weight) * np.array(pose.centre) + weight * centre),
        (1 - weight) * pose.scale + weight * scale,
        (1 - weight) * pose.rotation + weight * rng.normal(0, 0.08),
        float(np.exp(weight * np.clip(rng.normal(0, 0.12), -0.25, 0.25))),
        bool(rng.uniform() < 0.5 * weight),
    )
    return _fitted(redrawn, parts)


def _fitted(pose, parts):
    """The nearest pose, and if need be a smaller one, that leaves a margin in the frame."""
    points = _all_points(parts, pose)
    scale = pose.scale * min(1, (1 - 2 * _MARGIN) / np.ptp(points, axis=0).max())
    pose = dataclasses.replace(pose, scale=scale)
    points = _all_points(parts, pose)
    shift = np.maximum(_MARGIN - points.min(axis=0), 0) + np.minimum(1 - _MARGIN - points.max(axis=0), 0)
    return dataclasses.replace(pose, centre=tuple(pose.centre + shift))


def _all_points(parts, pose):
    return pose.place(np.concatenate([part.points for part in parts]))
