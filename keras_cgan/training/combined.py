"""The combined model: the generator through a discriminator and a classifier that stay fixed.

The idiom of Keras 1 and 2 (`discriminator.trainable = False` before the combined model is
compiled) trains the wrong weights on Keras 3, where flags count when a step is *traced*.
Here no flag is touched: the networks are called without being owned.
"""

import keras
from keras import layers

from keras_cgan.checks import shapes_fit
from keras_cgan.fixed import call_fixed
from keras_cgan.training.heads import as_functional, named_inputs, named_outputs
from keras_cgan.unsaved import Unsaved


class FixedNetwork(layers.Layer):
    """Calls a network without owning, or moving, any of its variables.

    The network runs as in its own training step (batch statistics, dropout, spectral
    norm) and gradients flow through it to its input, but its state updates (moving
    averages, dropout seeds, power iterations) are dropped. As the layer owns no
    variables, no optimizer of a model around it can move the network's, whatever the
    `trainable` flags say and in whatever order models are compiled or first called.

    Args:
        network: A built `keras.Model`.
        training: Mode to run it in, always; `None` for that of the model around it.
        **options: As for any layer.

    Example:

    >>> verdict = FixedNetwork(discriminator)(generator(photo))
    """

    def __init__(self, network, training=None, **options):
        super().__init__(**options)
        # Not left to call(..., training=True): a functional model overrides that by its own mode.
        self._training = training
        # A closure: Keras would track an attribute, and the layer would own the network.
        self._get_network = lambda: network

    def call(self, inputs, training=None):
        return call_fixed(
            self._get_network(), inputs, training=training if self._training is None else self._training
        )

    def compute_output_spec(self, inputs, training=None):
        return self._get_network().compute_output_spec(inputs)


class CombinedModel(Unsaved, keras.Model):
    """A functional model whose only variables are the generator's; `combined_model` makes it."""

    why_unsaved = (
        "The combined model cannot be saved: it owns the generator only. Save the generator, the "
        "discriminator and the classifier each by its own save(), and call combined_model() on them again."
    )

    def export(self, *args, **kwargs):
        self.get_config()


def combined_model(generator, discriminator, classifier=None, paired=True, name="combined"):
    """Builds the generator's training model: G, then D and C, both fixed.

    Ready for `compile` and `train_on_batch`. Its trainable variables are exactly the
    generator's. D and C keep `trainable` True, and are trained by steps of their own.

    Args:
        generator: Model from a photo, or a dict with `"photo"` (and `"label"`), to a sketch.
        discriminator: Model from the stacked pair (or a sketch), or a dict of it as `"image"` and
            `"label"` where the generator takes the label too, to one output or a dict.
        classifier: Optional model from a sketch to `(batch, n_classes)`.
        paired: Whether D sees photo and sketch stacked; else the sketch alone.
        name: Name of the model.

    Returns:
        A `keras.Model` with the generator's inputs and a dict of outputs: `"sketch"`,
        `"real_fake"` (D's), `"classes"` (D's n_classes + 1 vector), `"label"` (C's or
        Q's): those that apply.

    Raises:
        ValueError: The networks do not fit together.

    Example:

    >>> combined = combined_model(generator, discriminator, classifier)
    >>> combined.compile(
    ...     keras.optimizers.Adam(2e-4, beta_1=0.5),
    ...     loss={"sketch": L1Loss(), "real_fake": DiscriminatorLoss(from_logits=True), "label": ClassLoss()},
    ...     loss_weights={"sketch": 100.0, "real_fake": 1.0, "label": 1.0},
    ... )
    >>> combined.train_on_batch(x, {"sketch": sketch, "real_fake": ones, "label": x["label"]})

    Source: the combined model of the answer; Isola et al. 2017, equation 4.
    """
    generator = functional_generator(generator)
    inputs = keras.tree.map_structure(
        lambda tensor: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name), generator.input
    )
    sketch = generator(inputs)
    judged = layers.Concatenate(name="pair")([photo_of(inputs), sketch]) if paired else sketch
    label = inputs.get("label") if isinstance(inputs, dict) else None
    if label is None and "label" in named_inputs(as_functional(discriminator, "discriminator")):
        raise ValueError(
            "`generator` must take the label where the discriminator does; `ConditionalGAN` trains one that "
            f"does not. Received: generator={generator.name!r} without an input 'label'"
        )
    outputs = {
        "sketch": sketch,
        **_call_fixed("discriminator", discriminator, judged, "classes", label),
    }
    if classifier is not None:
        label = _call_fixed("classifier", classifier, sketch, "label")
        check_classifier(classifier.name, label, outputs)
        outputs.update(label)
    return CombinedModel(inputs, outputs, name=name)


def functional_generator(generator):
    """A generator as a functional model; raises a `ValueError` unless it takes and gives what one does."""
    generator = as_functional(generator, "generator")
    if isinstance(generator.input, (list, tuple)) or not hasattr(generator.output, "shape"):
        raise ValueError(
            "`generator` must take a photo, or a dict with 'photo' (and 'label'), and give one sketch. "
            f"Received: generator with inputs {generator.input!r} and outputs {generator.output!r}"
        )
    return generator


def photo_of(inputs):
    """The photo among a generator's inputs; raises a `ValueError` where there is none."""
    if not isinstance(inputs, dict):
        return inputs
    if "photo" not in inputs:
        raise ValueError(
            "`generator`: where the discriminator sees the pair, one of its inputs must be 'photo'. "
            f"Received: inputs {sorted(inputs)}"
        )
    return inputs["photo"]


def check_classifier(name, outputs, d_outputs):
    """Raises a `ValueError` where a classifier has other outputs than one label, or D has that too."""
    if "label" in d_outputs:
        raise ValueError(
            "`classifier` must be None where the discriminator has a 'label' output of its own. "
            f"Received: classifier={name!r}"
        )
    if list(outputs) != ["label"]:
        raise ValueError(
            "`classifier` must have one output, (batch, n_classes) with at least two classes. "
            f"Received: classifier={name!r} with outputs {list(outputs)}"
        )


def check_takes(argument, expected, image_shape):
    """Raises a `ValueError` where a network does not take images of a shape; `None` fits every side."""
    expected, given = tuple(expected), tuple(image_shape)
    if not shapes_fit(expected, given):
        raise ValueError(
            f"`{argument}` must take images of shape {given} here (photo and sketch stacked for a "
            f"discriminator with paired=True, else the sketch alone). "
            f"Received: {argument} with input shape {expected}"
        )


def _call_fixed(argument, network, image, vector, label=None):
    """A fixed network's outputs by name; raises a `ValueError` where it does not take the image."""
    network = as_functional(network, argument)
    names = named_outputs(network, argument, vector, one_input=label is None)
    seen = named_inputs(network, argument)
    check_takes(argument, seen["image"].shape[1:], image.shape[1:])
    inputs = {"image": image, "label": label} if "label" in seen else image
    outputs = FixedNetwork(network, name=f"fixed_{argument}")(inputs)
    return outputs if isinstance(outputs, dict) else dict.fromkeys(names, outputs)
