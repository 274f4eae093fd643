"""Two towers, one for photos and one for sketches, that learn which sketch is of which photo."""

import keras
from keras import layers, ops

from keras_cgan.blocks import conv
from keras_cgan.checks import (
    check_at_least,
    check_image_shape,
    check_positive,
    check_rate,
    check_sides,
    check_weights,
)
from keras_cgan.terms import shrinkage


def photo_towers(photo_shape, sketch_channels=1):
    """Builds two towers for `PhotoInformation`: one for photos, one for sketches, not trained yet.

    They look at images shrunk to about 64 pixels, and at sketches through noise.

    Args:
        photo_shape: `(height, width, channels)` of a photo in pixels, both sides at least 16.
        sketch_channels: Channels of a sketch.

    Returns:
        `(photo_tower, sketch_tower)`, two `keras.Model`s as `image_tower` makes them.

    Raises:
        ValueError: The photo is too small.

    Example:

    >>> towers = photo_towers((64, 64, 3))
    >>> train_towers(*towers, photos, sketches)
    >>> gan = strategy_model("class-and-photo", networks, towers=towers)
    """
    height, width, _ = check_image_shape(photo_shape)
    shrink = shrinkage(height, width)
    sketch_shape = (height, width, sketch_channels)
    return (
        image_tower(photo_shape, shrink=shrink, name="photo_tower"),
        image_tower(sketch_shape, shrink=shrink, input_noise=0.5, name="sketch_tower"),
    )


def image_tower(
    image_shape, size=64, filters=32, n_blocks=4, dropout=0.3, input_noise=0.0, shrink=1, name="tower"
):
    """Builds a small network from an image to a direction: an embedding of length 1.

    Stride-2 convolutions with batch norm, then one linear layer over what is left of the places: a
    mean over them would lose where things are, by which sketches of one class differ.

    Args:
        image_shape: `(height, width, channels)` in pixels, both sides at least
            `shrink * 2 ** n_blocks`.
        size: Length of the embedding.
        filters: Maps of the first block; the second has twice, all others four times as many.
        n_blocks: Number of halvings.
        dropout: Rate before the last layer.
        input_noise: Standard deviation of Gaussian noise on the image in training. A tower that
            reads through noise cannot be told a photo by a faint pattern: a generator has to draw it.
        shrink: The image is reduced so many times first, by averages.
        name: Name of the model.

    Returns:
        A `keras.Model` from images `(batch, height, width, channels)` in [-1, 1] to float32
        embeddings `(batch, size)`.

    Raises:
        ValueError: The image is too small, or an argument is not one of those allowed.

    Example:

    >>> image_tower((64, 64, 3)).output_shape
    (None, 64)

    Source: Radford et al. 2021, "Learning transferable visual models from natural language
    supervision", figure 3, in small.
    """
    image_shape = check_image_shape(image_shape)
    check_at_least(1, size=size, filters=filters, n_blocks=n_blocks, shrink=shrink)
    check_weights(input_noise=input_noise)
    check_rate(dropout)
    check_sides(image_shape, smallest=shrink * 2**n_blocks)
    inputs = x = keras.Input(image_shape, name="image")
    if shrink > 1:
        x = layers.AveragePooling2D(shrink, name="shrink")(x)
    if input_noise:
        x = layers.GaussianNoise(input_noise, name="input_noise")(x)
    for number in range(n_blocks):
        name_of = f"block{number + 1}"
        x = conv(x, filters * min(2**number, 4), 3, f"{name_of}_conv", strides=2, norm="batch")
        x = layers.BatchNormalization(momentum=0.9, name=f"{name_of}_norm")(x)
        x = layers.LeakyReLU(0.2, name=f"{name_of}_relu")(x)
    x = conv(x, filters, 1, "places")
    return keras.Model(inputs, embedding_output(x, size, dropout), name=name)


def embedding_output(x, size, dropout):
    """The end of every tower: a direction, in float32 whatever the precision of the rest."""
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(size, dtype="float32", name="embedding")(x)
    return layers.UnitNormalization(dtype="float32", name="direction")(x)


def contrastive_loss(photos, sketches, temperature=0.1):
    """How far sketches are from being told to their photos, among those of the batch (InfoNCE).

    Args:
        photos: Embeddings of length 1, `(batch, size)`.
        sketches: Those of their sketches, in the same order.
        temperature: Lower tells nearer ones apart.

    Returns:
        A scalar: the mean cross-entropy of finding the sketch of a photo, and the photo of a sketch;
        log(batch) where none is told apart.

    Example:

    >>> contrastive_loss(photo_tower(photos), sketch_tower(sketches))

    Source: van den Oord et al. 2018, "Representation learning with contrastive predictive coding",
    equation 4; both ways as Radford et al. 2021, figure 3.
    """
    likeness = ops.matmul(photos, ops.transpose(sketches)) / temperature
    own = ops.arange(ops.shape(likeness)[0])
    ways = (likeness, ops.transpose(likeness))
    return sum(ops.mean(ops.sparse_categorical_crossentropy(own, way, from_logits=True)) for way in ways) / 2


def train_towers(
    photo_tower,
    sketch_tower,
    photos,
    sketches,
    steps=600,
    batch_size=64,
    augment=None,
    temperature=0.1,
    learning_rate=1e-3,
    verbose=0,
):
    """Trains two towers on real pairs, until each photo is near its own sketch and far from the others.

    Args:
        photo_tower: Model from photos to embeddings of length 1, as `image_tower` makes it.
        sketch_tower: Likewise from sketches.
        photos: `(n, height, width, channels)` in [-1, 1].
        sketches: Their sketches, `(n, height, width, channels)` in [-1, 1].
        steps: Batches to learn from, to whole passes over the pairs.
        batch_size: Pairs a batch; at most n. Each is told from the others of its batch.
        augment: Optional Keras layer that changes photo and sketch alike, such as `small_changes()` or
            `RandomWarp(0.7, background=1.0)`: it is called on the two stacked, channels last.
        temperature: As in `contrastive_loss`.
        learning_rate: Of AdamW, with cosine decay.
        verbose: As in `keras.Model.fit`.

    Raises:
        ValueError: There are fewer than two pairs, or not a sketch for each photo.

    Example:

    >>> towers = image_tower((64, 64, 3)), image_tower((64, 64, 1), input_noise=0.5)
    >>> train_towers(*towers, photos, sketches)
    """
    import tensorflow as tf  # Here, so that the rest runs under any backend.

    check_positive(temperature=temperature, learning_rate=learning_rate)
    check_at_least(1, steps=steps)
    check_at_least(2, batch_size=batch_size)
    if len(photos) != len(sketches) or len(photos) < 2:
        raise ValueError(
            "`photos` and `sketches` must be two or more pairs. "
            f"Received: {len(photos)} photos and {len(sketches)} sketches"
        )
    trained = _Towers(photo_tower, sketch_tower, augment, temperature)
    batch_size = min(batch_size, len(photos))
    steps_per_epoch = len(photos) // batch_size
    epochs = -(-steps // steps_per_epoch)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps_per_epoch)
    trained.compile(keras.optimizers.AdamW(schedule, weight_decay=1e-3))
    with tf.device("CPU"):
        photos, sketches = (tf.convert_to_tensor(images, "float32") for images in (photos, sketches))
    pairs = tf.data.Dataset.range(len(photos)).shuffle(len(photos))  # numbers: images would be there twice
    # A short last batch would be an easier question, and one of a single pair none.
    pairs = pairs.batch(batch_size, drop_remainder=True)
    pairs = pairs.map(
        lambda chosen: {"photo": tf.gather(photos, chosen), "sketch": tf.gather(sketches, chosen)}
    )
    trained.fit(pairs, epochs=epochs, shuffle=False, verbose=verbose)


def small_changes(seed=None, mirror=True, background=1.0):
    """A layer that mirrors, turns, scales and shifts images a little, in training only.

    Args:
        seed: Of its random numbers; `None`: Keras' global seed.
        mirror: Whether images are mirrored too.
        background: What is left free, in [-1, 1]: 1 for paper.

    Returns:
        A `keras.Sequential` of images `(batch, height, width, channels)`.

    Example:

    >>> train_towers(*towers, photos, sketches, augment=small_changes())
    """
    paper = {"fill_mode": "constant", "fill_value": background}
    seeds = [None] * 4 if seed is None else range(seed, seed + 4)
    flip = [layers.RandomFlip("horizontal", seed=seeds[0])] if mirror else []
    return keras.Sequential(
        [
            *flip,
            layers.RandomRotation(0.03, **paper, seed=seeds[1]),
            layers.RandomZoom(0.15, **paper, seed=seeds[2]),
            layers.RandomTranslation(0.1, 0.1, **paper, seed=seeds[3]),
        ],
        name="augment",
    )


class _Towers(keras.Model):
    """Both towers and their loss, while they learn."""

    def __init__(self, photo_tower, sketch_tower, augment, temperature):
        super().__init__(name="towers")  # TensorFlow takes no name with an underscore in front
        self.photo_tower, self.sketch_tower = photo_tower, sketch_tower
        self.augment, self.temperature = augment, temperature

    def call(self, inputs, training=None):
        photo, sketch = inputs["photo"], inputs["sketch"]
        if self.augment is not None:
            both = self.augment(ops.concatenate([photo, sketch], axis=-1), training=training)
            photo, sketch = both[..., : photo.shape[-1]], both[..., photo.shape[-1] :]
        return self.photo_tower(photo, training=training), self.sketch_tower(sketch, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return contrastive_loss(*y_pred, self.temperature)
