"""Which inputs and outputs a network has: their names, and of outputs the activations and logits."""

from typing import NamedTuple

import keras
from keras import layers

from keras_cgan.losses import ClassLoss, DiscriminatorLoss

# Layers that only change the shape of what an activation made.
_RESHAPING = (layers.Reshape, layers.Flatten, layers.Permute)


class Head(NamedTuple):
    """One output of a network: its activation, and whether what comes out is from before it."""

    activation: str
    from_logits: bool

    def loss(self, reduction="sum_over_batch_size"):
        """The cross-entropy that fits: over classes for a softmax, else over independent units."""
        loss_class = ClassLoss if self.activation == "softmax" else DiscriminatorLoss
        return loss_class(from_logits=self.from_logits, reduction=reduction)


def as_functional(network, argument):
    """A network as a functional model; raises a `ValueError` that names the argument where it is none.

    A built `keras.Sequential` becomes a functional model of the same layers.
    """
    if isinstance(network, keras.Sequential) and network.built:
        return keras.Model(network.inputs[0], network.outputs[0], name=network.name)
    if not isinstance(network, keras.Model) or getattr(network, "output", None) is None:
        raise ValueError(
            f"`{argument}` must be a model made with the Functional API, or a Sequential model that begins "
            f"with an Input. Received: {argument}={network!r}"
        )
    return network


def named_inputs(network, argument="discriminator", first="image"):
    """The inputs of a network by name: `first`, and perhaps the label.

    Args:
        network: A functional `keras.Model`.
        argument: What to call it in an error.
        first: Name of what it takes beside the label.

    Returns:
        A dict: input name -> symbolic tensor.

    Raises:
        ValueError: Its inputs are others.

    Example:

    >>> sorted(named_inputs(patch_discriminator((64, 64, 4), n_classes=6)))
    ['image', 'label']
    """
    inputs = network.input
    if isinstance(inputs, dict) and set(inputs) == {first, "label"}:
        return inputs
    if isinstance(inputs, (dict, list, tuple)):
        raise ValueError(
            f"`{argument}` must take one tensor, or a dict of {first!r} and 'label'. "
            f"Received: inputs {list(inputs)}"
        )
    return {first: inputs}


def named_outputs(network, argument="discriminator", vector="classes", one_input=True):
    """The outputs of a network by name.

    A dict output keeps its names. A single output is a vector (`vector`) where it has more
    than one unit a sample, else `real_fake`.

    Args:
        network: A functional `keras.Model`.
        argument: What to call it in an error.
        vector: Name of a single output that is a vector.
        one_input: Whether it must have one input, and not a dict.

    Returns:
        A dict: output name -> symbolic tensor.

    Raises:
        ValueError: The network is not functional, or its outputs or inputs are a list.

    Example:

    >>> list(named_outputs(patch_discriminator((64, 64, 4))))
    ['real_fake']
    """
    network = as_functional(network, argument)
    refused = (list, tuple, dict) if one_input else (list, tuple)
    if isinstance(network.output, (list, tuple)) or isinstance(network.input, refused):
        raise ValueError(
            f"`{argument}` must have one input, and one output or a dict of outputs named 'real_fake', "
            f"'classes' or 'label'. Received: {argument} with inputs {network.input!r} and outputs "
            f"{network.output!r}"
        )
    if isinstance(network.output, dict):
        return dict(network.output)
    is_vector = len(network.output.shape) == 2 and network.output.shape[-1] > 1
    return {vector if is_vector else "real_fake": network.output}


def logits_network(network, argument="discriminator", vector="classes", one_input=True):
    """The same network, with the same variables, up to its logits.

    A last layer that is an `Activation` (as in every builder of this package) is left
    off; where the activation sits inside the last layer, the output stays as it is.
    Losses on logits have gradients where saturated probabilities have none.

    Args:
        network: A functional `keras.Model`.
        argument: What to call it in an error.
        vector: Name of a single output that is a vector.
        one_input: Whether it must have one input, and not a dict.

    Returns:
        `(model, heads)`: a `keras.Model` with a dict of outputs, and a dict: output name
        -> `Head`.

    Raises:
        ValueError: The network is not functional, or it cannot be told what activation an
            output has been through.

    Example:

    >>> model, heads = logits_network(pooled_discriminator((64, 64, 1), 6, "softmax"))
    >>> heads
    {'classes': Head(activation='softmax', from_logits=True)}
    """
    network = as_functional(network, argument)
    outputs, heads = {}, {}
    for name, tensor in named_outputs(network, argument, vector, one_input).items():
        layer = _last_layer(tensor)
        activation = _activation(layer)
        if activation is None:
            raise ValueError(
                f"`{argument}`: the last layer of output {name!r} must have a linear, sigmoid or softmax "
                f"activation, so that its loss can be told. Received: a {type(layer).__name__} layer"
            )
        before = isinstance(layer, layers.Activation) and layer.output is tensor
        outputs[name] = layer.input if before else tensor
        heads[name] = Head(activation, from_logits=before or activation == "linear")
    return keras.Model(network.input, outputs, name=network.name), heads


def _last_layer(tensor):
    """The layer that made the values of a tensor: reshapes are looked through."""
    layer = tensor._keras_history.operation
    while isinstance(layer, _RESHAPING):
        layer = layer.input._keras_history.operation
    return layer


def _activation(layer):
    """`"linear"`, `"sigmoid"`, `"softmax"`, or `None` for anything else."""
    if isinstance(layer, layers.Softmax):
        return "softmax"
    activation = getattr(layer, "activation", None)
    for name in ("linear", "sigmoid", "softmax"):
        if activation is keras.activations.get(name):
            return name
    return None
