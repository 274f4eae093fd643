"""The photo has to be found from the sketch, among others of its class."""

import keras
from keras import ops

from keras_cgan.checks import check_at_least, check_positive, shapes_fit
from keras_cgan.fixed import call_fixed
from keras_cgan.terms import GeneratorTerm

QUEUE = 128  # photos that a sketch is told among, beside those of its batch
SAME = 0.999  # by cosine: photos alike to the tower, such as one with several sketches


@keras.saving.register_keras_serializable(package="keras_cgan")
class PhotoInformation(GeneratorTerm):
    """How far what was drawn is from being told to its photo, among recent photos of the same class.

    A lower bound of the information that the sketch holds on the photo beyond its class: InfoGAN's
    argument, for the other condition. Two towers that have learnt from real pairs tell it (`train_towers`);
    they stay as they are, and are looked through, with other noise and dropout at each call in training.

    Args:
        photo_tower: A trained `keras.Model` from photos to embeddings of length 1.
        sketch_tower: Likewise from sketches; made with `input_noise`, it cannot be misled by a faint
            pattern.
        weight: As in `GeneratorTerm`.
        temperature: As in `contrastive_loss`: that which the towers learnt with.
        queue: How many of the last photos of the training are kept as others, beside those of the batch. One
            that the pipeline has mirrored, cut or bent anew is another of itself, while it is there still:
            1 in 20 where there are three times as many photos, every second one where there are as many.
        name: Name of the term.

    Raises:
        ValueError: An argument is not in its range, or the towers' embeddings are of two lengths; when the
            gan takes the term: a tower takes other images than the gan's photos or sketches.

    Example:

    >>> towers = image_tower((64, 64, 3)), image_tower((64, 64, 1), input_noise=0.5)
    >>> train_towers(*towers, photos, sketches)
    >>> gan = ConditionalGAN(*networks, terms=[PhotoInformation(*towers, weight=1.0)])

    Source: van den Oord et al. 2018, "Representation learning with contrastive predictive coding",
    equation 5; Chen et al. 2016, "InfoGAN", section 4; the queue: He et al. 2020, "Momentum contrast".
    """

    def __init__(
        self, photo_tower, sketch_tower, weight=1.0, temperature=0.1, queue=QUEUE, name="photo_information"
    ):
        super().__init__(weight, name)
        check_positive(temperature=temperature)
        check_at_least(0, queue=queue)
        size, other = photo_tower.output.shape[-1], sketch_tower.output.shape[-1]
        if size != other:
            raise ValueError(
                "`photo_tower` and `sketch_tower` must have embeddings of one length. "
                f"Received: {size} and {other}"
            )
        self.photo_tower, self.sketch_tower = photo_tower, sketch_tower
        self.temperature, self.queue = temperature, queue
        options = {"trainable": False, "aggregation": "only_first_replica"}
        self._recent = self.add_weight((queue, size), "zeros", name="recent", **options)
        # Of no class until the place is filled.
        nothing = keras.initializers.Constant(-1.0)
        self._classes = self.add_weight((queue,), nothing, name="classes", **options)
        self._seeds = keras.random.SeedGenerator()
        self.built = True

    def bind(self, gan):
        inputs = gan.objectives.generator.input
        _check_takes("photo_tower", self.photo_tower, inputs["photo"] if isinstance(inputs, dict) else inputs)
        _check_takes("sketch_tower", self.sketch_tower, gan.objectives.generator.output)

    def call(self, drawn, asked, photo, label, sketch, training=True):
        size = ops.shape(drawn)[0]
        # Without labels all photos are of one class.
        classes = ops.zeros((size,)) if label is None else ops.cast(ops.argmax(label, axis=-1), "float32")
        seeds = self._seeds if training else None
        found = call_fixed(self.sketch_tower, drawn, training=training, seeds=seeds)
        photos = ops.stop_gradient(call_fixed(self.photo_tower, photo, training=False))
        others, others_classes = photos, classes
        if training:  # what is measured in between neither reads the queue nor fills it
            others = ops.concatenate([photos, ops.convert_to_tensor(self._recent)])
            others_classes = ops.concatenate([classes, ops.convert_to_tensor(self._classes)])
            self._recent.assign(others[: self.queue])
            self._classes.assign(others_classes[: self.queue])
        likeness = ops.matmul(found, ops.transpose(others)) / self.temperature
        likeness = ops.where(self._counted(photos, classes, others, others_classes), likeness, -1e9)
        own = ops.sum(found * photos, axis=-1) / self.temperature
        return ops.logsumexp(likeness, axis=-1) - own

    @staticmethod
    def _counted(photos, classes, others, others_classes):
        """Which photos a sketch is told among: its own, and those of its class that are not the same."""
        is_own = ops.arange(ops.shape(others)[0])[None] == ops.arange(ops.shape(photos)[0])[:, None]
        is_same = ops.matmul(photos, ops.transpose(others)) > SAME
        return (classes[:, None] == others_classes[None]) & (is_own | ~is_same)

    def get_config(self):
        towers = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("photo_tower", "sketch_tower")
        }
        return {**super().get_config(), **towers, "temperature": self.temperature, "queue": self.queue}

    @classmethod
    def from_config(cls, config):
        towers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("photo_tower", "sketch_tower")
        }
        return cls(**{**config, **towers})


def _check_takes(argument, tower, images):
    """Raises a `ValueError` where a tower takes other images than these; `None` fits every side."""
    taken, shape = tower.input.shape[1:], images.shape[1:]
    if not shapes_fit(taken, shape):
        raise ValueError(
            f"`{argument}` must take the gan's {argument.removesuffix('_tower')}, of shape {tuple(shape)}. "
            f"Received: {argument} with input shape {tuple(taken)}"
        )
