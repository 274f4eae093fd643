"""What an `AdversarialModel` must be like to be trained: the errors a subclass's mistakes get."""

import keras
import numpy as np
import tensorflow as tf

from keras_cgan.training.image_pool import ImagePool

MISSING = "`{0}` must be defined by the subclass. Received: {1}, without it"


def trainable(networks):
    """The trainable variables of networks, each once."""
    variables = {id(v): v for network in networks for v in network.trainable_variables}
    return list(variables.values())


def check_players(model):
    """The players of a model; raises an error where they, or its other members, do not fit together.

    Raises:
        ValueError: `players`, `loss_names` or `d_steps` is not as it must be.
        NotImplementedError: A player has no `<player>_losses`.
    """
    players = model.players()
    if not isinstance(players, dict) or "g" not in players or not all(map(_are_networks, players.values())):
        raise ValueError(
            "`players` must return a dict of player -> list of `keras.Model`, with a player 'g'. "
            f"Received: {players!r}"
        )
    for player, networks in players.items():
        if not trainable(networks):
            raise ValueError(
                "`players`: each must have trainable variables, in networks that are built. "
                f"Received: {player!r} with none"
            )
        if not callable(getattr(model, f"{player}_losses", None)):
            raise NotImplementedError(MISSING.format(f"{player}_losses", type(model).__name__))
        if f"{player}_loss" not in model.loss_names:
            raise ValueError(
                f"`loss_names` must hold '{player}_loss'. Received: loss_names={model.loss_names!r}"
            )
    if model.d_steps > 1 and "d" not in players:
        raise ValueError(
            f"`d_steps` must be 1 where no player is 'd'. Received: d_steps={model.d_steps}, "
            f"players {list(players)}"
        )
    return players


def check_losses(player, losses, loss_names):
    """A player's losses as a dict of its own; raises a `ValueError` where they are not as they must be."""
    said = f"`{player}_losses` must return"
    if not isinstance(losses, dict) or f"{player}_loss" not in losses:
        given = sorted(losses) if isinstance(losses, dict) else type(losses).__name__
        raise ValueError(f"{said} a dict with '{player}_loss'. Received: {given}")
    unknown = sorted(set(losses) - set(loss_names))
    if unknown:
        raise ValueError(f"{said} names that are in `loss_names`, {loss_names}. Received: {unknown}")
    for name, loss in losses.items():
        shape = tf.TensorShape(getattr(loss, "shape", ()))
        if shape.rank not in (0, None):
            raise ValueError(f"{said} scalars, means over the batch. Received: {name!r} of shape {shape}")
    return dict(losses)


def merged_losses(losses, loss_names):
    """The losses of all players by name.

    Args:
        losses: A dict of player -> what `check_losses` returned.
        loss_names: The names that there must be.

    Raises:
        ValueError: A name is of several players, whose losses would hide one another, or of none,
            where it would be logged as 0.0.
    """
    owners = {name: [player for player in losses if name in losses[player]] for name in loss_names}
    for name, players in owners.items():
        if len(players) > 1:
            raise ValueError(
                f"`{players[-1]}_losses` must return names that no other player returns. "
                f"Received: {name!r}, of the players {players}"
            )
    missing = [name for name, players in owners.items() if not players]
    if missing:
        raise ValueError(
            "`loss_names` must hold what the players' losses return and nothing else. "
            f"Received: {missing}, of no player"
        )
    return {name: losses[players[0]][name] for name, players in owners.items()}


def check_batch(**parts):
    """Raises a `ValueError` that names the first part of a batch that is not as it must be.

    Shapes that do not fit would be broadcast, or fail deep within a network.

    Args:
        **parts: Name -> (what was given, the shape of one sample); images, of three dimensions, must
            be floats, and all parts as many as the first.
    """
    size = None
    for name, (given, shape) in parts.items():
        found = tf.TensorShape(getattr(given, "shape", None))  # unknown for what has none, such as a list
        if given is None or not found.is_compatible_with((None, *shape)):
            wanted = ", ".join("any" if side is None else str(side) for side in shape)
            kind = "one-hot, " if name == "label" else ""
            raise ValueError(
                f"`{name}` must be {kind}of shape (batch{', ' if shape else ','}{wanted}). "
                f"Received: {type(given).__name__ if found.rank is None else found}"
            )
        dtype = getattr(given, "dtype", None)
        dtype = type(given).__name__ if dtype is None else keras.backend.standardize_dtype(dtype)
        if len(shape) == 3 and "float" not in dtype:
            raise ValueError(f"`{name}` must hold floats in [-1, 1]. Received: {dtype}")
        if size is None:
            first, size = name, found[:1]
        if not found[:1].is_compatible_with(size):
            raise ValueError(f"`{name}` must be as many as `{first}`, {size[0]}. Received: {found[0]}")


def check_range(**images):
    """Raises a `ValueError` that names the first array of images that is plainly not in [-1, 1].

    Tensors and datasets pass: to read them would cost a step.
    """
    for argument, array in images.items():
        is_float = isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.size
        # Far above what resizing, or a photo of unit variance, comes to.
        if is_float and array.max() > 16:
            raise ValueError(
                f"`{argument}` must hold floats in [-1, 1], such as x / 127.5 - 1 of 0..255. "
                f"Received: {argument} with values up to {array.max():g}"
            )


def check_devices(model):
    """Raises a `ValueError` for what a compiled model cannot do on several devices."""
    accumulated = [
        getattr(optimizer, "inner_optimizer", optimizer).gradient_accumulation_steps
        for optimizer in model.optimizers.values()
    ]
    pools = [layer.size for layer in model._flatten_layers() if isinstance(layer, ImagePool)]
    for name, allowed, value in (
        ("image_pool", 0, max(pools, default=0)),
        ("gradient_accumulation_steps", None, next(filter(None, accumulated), None)),
        ("steps_per_execution", 1, model.steps_per_execution),
        ("jit_compile", False, model.jit_compile),
    ):
        if value != allowed:
            raise ValueError(f"`{name}` must be {allowed} on several devices. Received: {name}={value}")


def _are_networks(value):
    return isinstance(value, (list, tuple)) and all(isinstance(network, keras.Model) for network in value)
