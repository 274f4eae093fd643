"""What a discriminator sees in the true sketch, it has to see in what was drawn."""

import keras
from keras import ops

from keras_cgan.blocks import image_input
from keras_cgan.fixed import call_fixed
from keras_cgan.terms import GeneratorTerm

OWN = ("discriminator", "classifier")  # networks that the gan trains: known by name, never copied


@keras.saving.register_keras_serializable(package="keras_cgan")
class FeatureMatching(GeneratorTerm):
    """How far a network's features of what was drawn are from those of the true sketch.

    The mean absolute difference, in each layer and then over the layers: the paper sums over them, so
    that its weight of 10 is here 10 times the number of layers. The network is looked through and stays
    as it is. By its input channels it is seen whether it is given the stacked pair or the sketch alone.

    The gan's own discriminator or classifier is looked through as it is at that step, in the mode of its
    own step; what is random in it, such as `DiffAugment`, falls alike for both sketches. Any other network
    is run in inference mode. Either costs two more passes a step, one of them with its gradient.

    Args:
        network: `"discriminator"` or `"classifier"`, that of the `ConditionalGAN` that takes the term, or a
            functional `keras.Model`. One that is the gan's own is taken by its name: a saved gan has it once.
        weight: As in `GeneratorTerm`.
        layers: Names of the layers of the network whose outputs are compared; those of a model within it,
            such as a part of a `joined_discriminator`, as `"part/layer"`. By default those of a
            nonlinearity, before the outputs of the network, or of the model within. They must not read the
            label, where the network is a discriminator that takes it.
        name: Name of the term.

    Raises:
        ValueError: `network` is neither name nor model, or has no such layers; when the gan takes the term:
            it has no such network, or the term is another gan's.

    Example:

    >>> gan = ConditionalGAN(generator, discriminator, terms=[FeatureMatching(weight=40.0)])

    Source: Wang et al. 2018, "High-resolution image synthesis and semantic manipulation with conditional
    GANs" (pix2pixHD), equation 3; Salimans et al. 2016, "Improved techniques for training GANs", section
    3.1, where the features' means over a batch are matched.
    """

    own_class_only = True

    def __init__(self, network="discriminator", weight=1.0, layers=None, name="feature_matching"):
        super().__init__(weight, name)
        is_model = isinstance(network, keras.Model)
        if network not in OWN if isinstance(network, str) else not is_model:
            raise ValueError(
                f"`network` must be one of {OWN} or a functional `keras.Model`. Received: network={network!r}"
            )
        if layers is not None and (not isinstance(layers, (tuple, list)) or not layers):
            raise ValueError(
                f"`layers` must be a tuple of names of layers, or None. Received: layers={layers!r}"
            )
        self.network, self.layer_names = network, None if layers is None else tuple(layers)
        self._bound = None
        if is_model:
            self._look_through(network)
        self.built = True

    def _look_through(self, network):
        features = feature_network(network, self.layer_names)
        # A closure: Keras would track an attribute, and the term would own a network of the gan.
        self._get_features = lambda: features

    def bind(self, gan):
        own = {name: getattr(gan, name) for name in OWN}
        if not isinstance(self.network, str):
            names = [name for name, network in own.items() if network is self.network]
            if not names:
                return
            self.network = names[0]
        network = own[self.network]
        if network is None:
            raise ValueError(
                f"`network` must be one that the gan has. Received: network={self.network!r}, and a gan "
                f"without"
            )
        if self._bound is not None and self._bound() is not network:
            raise ValueError(
                "`terms`: a `FeatureMatching` is of the networks of one gan, make another one. "
                f"Received: {self.name!r}, which looks through another gan's {self.network}"
            )
        self._bound = lambda: network
        self._look_through(network)

    def call(self, drawn, asked, photo, label, sketch, training=True):
        is_own = isinstance(self.network, str)
        if is_own and self._bound is None:
            raise ValueError(
                "`network` of a term alone must be a model: a name is that of the gan that takes the term. "
                f"Received: network={self.network!r}"
            )
        network = self._get_features()

        def features(images):
            # The network's seeds do not move: what is random in it is the same for both.
            found = call_fixed(network, _seen(network, photo, images), training=training and is_own)
            return keras.tree.flatten(found)  # of one layer it is no list

        apart = [_difference(*both) for both in zip(features(drawn), features(sketch))]
        return sum(apart) / len(apart)

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "layers": self.layer_names}

    @classmethod
    def from_config(cls, config):
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})


def feature_network(network, layers=None):
    """A network up to its features, with the same variables.

    Args:
        network: A functional `keras.Model`, or a `keras.Sequential` that is built.
        layers: Names of its layers, as `FeatureMatching` takes them.

    Returns:
        A `keras.Model` with a list of outputs, one a layer.

    Raises:
        ValueError: The network is not functional, has other inputs than an image and perhaps a label, or
            has no such layers.

    Example:

    >>> discriminator = patch_discriminator((64, 64, 4), n_layers=2)
    >>> [output.shape[1:] for output in feature_network(discriminator).outputs]
    [(32, 32, 64), (16, 16, 128), (15, 15, 256)]
    """
    image = image_input(network)
    if image is None:
        raise ValueError(
            "`network` must be a functional model with one input, the sketch or the stacked pair, or with a "
            f"dict of it as 'image' and 'label'. Received: network={network!r}"
        )
    known = _named_layers(network)
    if layers is None:
        layers = [name for name, is_default in known.items() if is_default]
    if not layers or not set(layers) <= set(known):
        raise ValueError(
            f"`layers` must be names of layers of {network.name!r}, which has {list(known)}. "
            f"Received: layers={tuple(layers)}"
        )
    try:
        return keras.Model(image, _outputs(network, layers), name=network.name)
    except ValueError as error:  # Keras': not all can be computed from the image
        raise ValueError(
            f"`layers` must be names of layers of {network.name!r} that do not read the label. "
            f"Received: layers={tuple(layers)}"
        ) from error


def _named_layers(network):
    """Names of layers, also of a model within -> whether each is a nonlinearity before the outputs."""
    ends, names = {id(tensor) for tensor in network.outputs}, {}
    for layer in network.layers:
        if image_input(layer) is None:
            names[layer.name] = _is_nonlinear(layer) and id(layer.output) not in ends
        else:
            names |= {f"{layer.name}/{name}": chosen for name, chosen in _named_layers(layer).items()}
    return names


def _outputs(network, layers):
    """What layers put out in the graph of their network; those of a model within by a pass up to them."""
    outputs, within = {}, {}
    for name in layers:
        layer, _, rest = name.partition("/")
        if rest:
            within.setdefault(layer, []).append(rest)
        else:
            outputs[name] = network.get_layer(layer).output
    for part, names in within.items():
        features = feature_network(network.get_layer(part), names)
        found = keras.tree.flatten(features(_shown(network, part)))
        outputs |= {f"{part}/{name}": feature for name, feature in zip(names, found, strict=True)}
    return [outputs[name] for name in layers]


def _shown(network, part):
    """The image that a model within a network is given there: it may be part of other networks too."""
    levels = getattr(network, "_functional", network)._nodes_by_depth  # a Sequential holds a functional one
    (given, *_), *_ = (
        node.arguments.args for nodes in levels.values() for node in nodes if node.operation.name == part
    )
    return given["image"] if isinstance(given, dict) else given


def _is_nonlinear(layer):
    kinds = keras.layers.LeakyReLU, keras.layers.ReLU, keras.layers.PReLU, keras.layers.ELU
    linear = None, keras.activations.linear
    return isinstance(layer, kinds) or getattr(layer, "activation", None) not in linear


def _seen(network, photo, sketch):
    """What a network is given: the stacked pair, or the sketch alone."""
    channels, pair = network.inputs[0].shape[-1], photo.shape[-1] + sketch.shape[-1]
    if channels == sketch.shape[-1]:
        return sketch
    if channels != pair:
        raise ValueError(
            f"`network` must take {sketch.shape[-1]} channels (the sketch) or {pair} (photo and sketch "
            f"stacked). Received: {network.name!r} with {channels} input channels"
        )
    return ops.concatenate([photo, sketch], axis=-1)


def _difference(drawn, true):
    """The mean absolute difference of features, one value a sample, in single precision."""
    apart = ops.cast(drawn, "float32") - ops.stop_gradient(ops.cast(true, "float32"))
    return ops.mean(ops.abs(apart), axis=tuple(range(1, len(apart.shape))))
