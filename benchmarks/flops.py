"""The floating-point operations of a training step, by count.

Counted are the multiplications and additions (two a pair) of convolutions, transposed
convolutions and dense layers, padding included; not what is done once an element: norms,
activations, biases, Adam.

A pass forward through a network costs F. So does each of the two parts of a pass back: to
its weights, and to its inputs. The latter does not go on to the input of the whole network
where nobody asks for it: then the first layer (F1) is left out. For each pair of a batch:

    G    forward F, back to weights F, back to inputs F - F1
    D    its own loss, on real and on fake:  2 forward, 2 to weights, 2 to inputs without F1
         G's loss:                           1 forward, 1 to inputs, for G's sake
    C    its own loss, on real:              1 forward, 1 to weights, 1 to inputs without F1
         G's loss:                           1 forward, 1 to inputs

With update="simultaneous" and D's batches apart, D's pass forward on fakes serves both losses.
"""

import math
from typing import NamedTuple

from keras import layers


class PassFlops(NamedTuple):
    """Operations of one sample's pass forward, in all and in its first layer."""

    total: int
    first: int


def layer_flops(layer):
    """The operations of one sample's pass forward through a built layer.

    Raises:
        ValueError: The layer multiplies by a matrix in a way that is not known here.
    """
    if isinstance(layer, (layers.Conv2D, layers.Dense)) and not isinstance(layer, layers.Conv2DTranspose):
        places = layer.output.shape[1:-1]
    elif isinstance(layer, layers.Conv2DTranspose):
        places = layer.input.shape[1:-1]
    elif any(len(weight.shape) > 1 for weight in layer.weights):
        raise ValueError(
            "`layer` must be a Conv2D, a Conv2DTranspose or a Dense, or have no matrix of weights. "
            f"Received: {layer.name!r}, a {type(layer).__name__}"
        )
    else:
        return 0
    return 2 * math.prod(places) * math.prod(layer.kernel.shape)


def pass_flops(network):
    """The `PassFlops` of a functional Keras network with one image as input and each layer used once."""
    counts = [layer_flops(layer) for layer in network.layers]
    return PassFlops(sum(counts), next(count for count in counts if count))


def step_flops(networks, batch_size, update="sequential", joined=True):
    """The operations of one training step of G, D and C.

    Args:
        networks: Generator, discriminator and classifier, functional Keras models.
        batch_size: Pairs.
        update: `"sequential"` or `"simultaneous"`.
        joined: Whether D reads real and fake in one batch.

    Returns:
        An integer.
    """
    g, d, c = map(pass_flops, networks)
    d_passes = 2 if update == "simultaneous" and not joined else 3
    of_g = g.total + g.total + (g.total - g.first)
    of_d = d_passes * d.total + 2 * d.total + 2 * (d.total - d.first) + d.total
    of_c = 2 * c.total + c.total + (c.total - c.first) + c.total
    return batch_size * (of_g + of_d + of_c)
