"""A network that is looked through, and stays as it is."""


def call_fixed(network, inputs, training, state=None, seeds=None):
    """Calls a network as it is and drops its state updates: gradients flow through, nothing moves.

    Args:
        network: A built `keras.Model`.
        inputs: What it takes.
        training: Mode to run it in: `True`, `False` or `None`.
        state: Values of its trainable and of its other variables to run it with; by default
            those it has.
        seeds: Optional `keras.random.SeedGenerator` for its noise and dropout, other ones at each call. Its
            own seeds do not move either, so that without it they are the same until something moves them.

    Returns:
        The network's outputs.
    """
    trainable, others = state or (network.trainable_variables, network.non_trainable_variables)
    if seeds is not None:
        weights = {id(variable) for variable in network.non_trainable_weights}  # all but states of seeds
        own = zip(network.non_trainable_variables, others)
        others = [value if id(variable) in weights else seeds.next() for variable, value in own]
    outputs, _ = network.stateless_call(trainable, others, inputs, training=training)
    return outputs
