"""A network that is looked through, and stays as it is."""


def call_fixed(network, inputs, training, state=None):
    """Calls a network as it is and drops its state updates: gradients flow through, nothing moves.

    Args:
        network: A built `keras.Model`.
        inputs: What it takes.
        training: Mode to run it in: `True`, `False` or `None`.
        state: Values of its trainable and of its other variables to run it with; by default
            those it has.

    Returns:
        The network's outputs.
    """
    state = state or (network.trainable_variables, network.non_trainable_variables)
    outputs, _ = network.stateless_call(*state, inputs, training=training)
    return outputs
