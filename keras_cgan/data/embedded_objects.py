"""The six kinds of object of the embedded pairs, as lists of drawable parts.

An object function reads its traits (counts, proportions, colours) from a
`Traits` source and lists its parts from the farthest to the nearest. The photo
and the sketch are both rendered from such a list (`embedded_drawing`), so all
that varies within a class is there to be seen in either. Coordinates are free:
`object_parts` moves and scales an object into the unit square around 0, with
x to the right and y downwards.
"""

import dataclasses

import numpy as np

from keras_cgan.data.embedded_living import fish, orange, tree
from keras_cgan.data.embedded_made import chair, cup, house

OBJECTS = {"chair": chair, "tree": tree, "orange": orange, "cup": cup, "fish": fish, "house": house}


def object_parts(class_name, traits):
    """An object of a class, centred on 0 and with its longer extent scaled to 1.

    Args:
        class_name: A key of `OBJECTS`.
        traits: A `Traits` source.

    Returns:
        The list of `Part`, from the farthest to the nearest.
    """
    parts = OBJECTS[class_name](traits)
    points = np.concatenate([part.points for part in parts])
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 1 / (high - low).max()
    return [
        dataclasses.replace(part, points=(part.points - (low + high) / 2) * scale, width=part.width * scale)
        for part in parts
    ]
