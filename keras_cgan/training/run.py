"""How networks are called within a step: who learns moves its own state, all others stay as they are."""

import keras
import tensorflow as tf

from keras_cgan.faster import faster_network
from keras_cgan.fixed import call_fixed


class Run:
    """Calls networks: those in `learning` move their state, others are only looked through.

    Args:
        training: Whether networks run in training mode.
    """

    def __init__(self, training=True):
        self.learning = ()
        self.training = training
        self._known = None
        self._before = {}

    def keep(self, networks):
        """From now on, a network that is run twice on the same tensor is run once.

        Networks that do not learn are run as they are now, whatever others do to their state.
        """
        self._known = {}
        self._before = {id(network): _state(faster_network(network)) for network in networks}

    def __call__(self, network, inputs):
        """The outputs of a network, and gradients through it to its inputs."""
        if not self.training:
            return faster_network(network)(inputs, training=False)
        if self._known is None:
            return self._call(network, inputs)
        key = (id(network), *(id(tensor) for tensor in keras.tree.flatten(inputs)))
        if key not in self._known:
            # The inputs are kept too: a tensor that is gone may leave its id to another.
            self._known[key] = (inputs, self._call(network, inputs))
        return self._known[key][1]

    def _call(self, network, inputs):
        if any(network is learner for learner in self.learning):
            return faster_network(network)(inputs, training=True)
        return call_fixed(faster_network(network), inputs, training=True, state=self._before.get(id(network)))


def _state(network):
    """The values of a network's trainable and other variables, as `call_fixed` takes them."""
    return tuple(
        [tf.identity(variable.value) for variable in variables]
        for variables in (network.trainable_variables, network.non_trainable_variables)
    )
