"""A pool of earlier fakes for the discriminator, as SimGAN and CycleGAN keep one."""

import keras
import tensorflow as tf


class ImagePool(keras.layers.Layer):
    """Gives back fakes, half of them earlier ones in exchange for those that come in.

    Until it is full, what comes in is kept and given back as it is. For one device.

    Args:
        size: How many fakes are kept; CycleGAN has 50.
        shapes: A dict: part of a fake (image, label) -> its shape without the batch.
        seed: Of the choice; `None` for a random one.

    Example:

    >>> pool = ImagePool(50, {"judged": (64, 64, 4)})
    >>> shown = pool({"judged": fakes})["judged"]

    Source: Shrivastava et al. 2017, "Learning from simulated and unsupervised images through
    adversarial training", section 2.3; Zhu et al. 2017, section 4.
    """

    def __init__(self, size, shapes, seed=None, **options):
        super().__init__(dtype="float32", autocast=False, **options)
        self.size, self.shapes = size, {name: tuple(shape) for name, shape in shapes.items()}
        self._seeds = keras.random.SeedGenerator(seed)
        self._kept = {
            name: self.add_weight((size, *shape), "zeros", trainable=False, name=name)
            for name, shape in self.shapes.items()
        }
        self._count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        self.built = True

    def call(self, fakes):
        """As many fakes as come in, as a dict of the same parts; gradients stop here."""
        dtypes = {name: fakes[name].dtype for name in self._kept}
        fakes = {name: tf.stop_gradient(tf.cast(fakes[name], tf.float32)) for name in self._kept}
        # A batch larger than the pool: the rest is given back as it is.
        n = tf.minimum(tf.shape(next(iter(fakes.values())))[0], self.size)
        count = tf.convert_to_tensor(self._count)
        is_filling = count < self.size
        chosen = tf.argsort(keras.random.uniform((self.size,), seed=self._seeds))[:n]
        # Distinct places, so that no fake is given out, or replaced, twice in a batch.
        places = tf.where(is_filling, (count + tf.range(n)) % self.size, chosen)
        exchanged = tf.logical_and(~is_filling, keras.random.uniform((n,), seed=self._seeds) < 0.5)
        given = {}
        for name, kept in self._kept.items():
            new, old = fakes[name][:n], tf.gather(kept.value, places)
            column = tf.reshape(exchanged, (-1,) + (1,) * (len(new.shape) - 1))
            shown = tf.concat([tf.where(column, old, new), fakes[name][n:]], axis=0)
            given[name] = tf.cast(shown, dtypes[name])
            stored = tf.where(tf.logical_or(is_filling, column), new, old)
            # In place: at 256 px a copy of the pool would be 50 MB a step.
            kept.value.scatter_nd_update(places[:, None], stored)
        self._count.assign(tf.minimum(count + n, self.size))
        return given
