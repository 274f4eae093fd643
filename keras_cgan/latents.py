"""What a generator draws from: noise, and codes that it may learn to give a meaning."""

import math

import keras
from keras import ops, random

from keras_cgan.checks import check_at_least, check_choice

_NOISE = {
    "normal": random.normal,
    "uniform": lambda shape, **options: random.uniform(shape, -1.0, 1.0, **options),
    "unit": lambda shape, **options: random.uniform(shape, 0.0, 1.0, **options),
}
NOISE_DISTRIBUTIONS = tuple(_NOISE)


@keras.saving.register_keras_serializable(package="keras_cgan")
class Latent:
    """A generator's input: noise, then one-hot codes, then continuous codes, side by side.

    Args:
        noise: How many numbers of noise.
        categories: How many values each categorical code has: `(10,)` is one code of ten.
        continuous: How many codes are U(-1, 1).
        noise_distribution: `"normal"`, `"uniform"` for U(-1, 1) or `"unit"` for U(0, 1).

    Raises:
        ValueError: An argument is not one of those allowed, or nothing is left to draw from.

    Example:

    >>> latent = Latent()  # InfoGAN's on MNIST: 62 + 10 + 2 numbers
    >>> latent.size, latent.entropy
    (74, 2.302585092994046)
    >>> images = generator(latent.sample(16))

    Source: Chen et al. 2016, "InfoGAN", section 7.1 and appendix C.1; U(0, 1): Mirza and Osindero
    2014, section 4.1.
    """

    def __init__(self, noise=62, categories=(10,), continuous=2, noise_distribution="normal"):
        check_at_least(0, noise=noise, continuous=continuous)
        if not isinstance(categories, (tuple, list)):
            raise ValueError(
                "`categories` must be a tuple: the number of values of each code. "
                f"Received: categories={categories!r}"
            )
        for n_values in categories:
            check_at_least(2, categories=n_values)
        check_choice("noise_distribution", noise_distribution, NOISE_DISTRIBUTIONS)
        self.noise, self.categories, self.continuous = noise, tuple(categories), continuous
        self.noise_distribution = noise_distribution
        if self.size == 0:
            raise ValueError(
                "`noise` must be at least 1 where there are no codes. "
                "Received: noise=0, categories=(), continuous=0"
            )

    @property
    def size(self):
        """How many numbers a sample has."""
        return self.noise + sum(self.categories) + self.continuous

    @property
    def entropy(self):
        """The entropy of all categorical codes, in nats: what a generator can tell of them at most."""
        return sum(math.log(n_values) for n_values in self.categories)

    def get_config(self):
        """The arguments; with it Keras saves a model that holds a `Latent`."""
        names = ("noise", "categories", "continuous", "noise_distribution")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        """Called by Keras."""
        return cls(**{**config, "categories": tuple(config["categories"])})

    def sample(self, batch_size, seed=None):
        """Draws a batch.

        Args:
            batch_size: How many; in a graph a scalar tensor will do.
            seed: A `keras.random.SeedGenerator`; a model that keeps it as an attribute goes on
                with the very same numbers after it is loaded. By default Keras' own. An integer,
                outside of a graph only, draws the same batch at each call.

        Returns:
            Float32, `(batch_size, size)`.

        Example:

        >>> Latent(noise=100, categories=(), continuous=0).sample(2).shape
        (2, 100)
        """
        seed = _seeds(seed)
        parts = []
        if self.noise:
            draw = _NOISE[self.noise_distribution]
            parts.append(draw((batch_size, self.noise), dtype="float32", seed=seed))
        for n_values in self.categories:
            values = random.randint((batch_size,), 0, n_values, seed=seed)
            parts.append(ops.one_hot(values, n_values, dtype="float32"))
        if self.continuous:
            parts.append(random.uniform((batch_size, self.continuous), -1.0, 1.0, "float32", seed))
        return ops.concatenate(parts, axis=1)

    def split(self, latent):
        """The parts of a batch.

        Args:
            latent: `(batch, size)`, as `sample` gives it.

        Returns:
            A dict: `"noise"` -> `(batch, noise)`, `"categories"` -> a list of `(batch, n_values)`,
            one-hot, and `"continuous"` -> `(batch, continuous)`. What there is none of is 0 wide.

        Raises:
            ValueError: `latent` is not of this size.
        """
        if len(latent.shape) != 2 or latent.shape[1] != self.size:
            raise ValueError(
                f"`latent` must be of shape (batch, {self.size}). Received: a shape of {tuple(latent.shape)}"
            )
        starts = self._category_starts()
        codes = [latent[:, start : start + n] for start, n in zip(starts, self.categories)]
        end = self.size - self.continuous
        return {"noise": latent[:, : self.noise], "categories": codes, "continuous": latent[:, end:]}

    def grid(self, code, rows=10, columns=10, most=2.0, seed=None):
        """Latents for a picture in which one code runs from left to right, all else the same in a row.

        Where a continuous code runs, the first categorical code is another in each row, in order.

        Args:
            code: Which code runs, counted from 0: the categorical ones, then the continuous ones.
            rows: How many rows, each with other noise and codes.
            columns: How many values a continuous code takes; a categorical one takes all it has.
            most: A continuous code runs from -most to most; beyond 1 it was never drawn.
            seed: As `sample` takes it.

        Returns:
            Float32, `(rows * columns, size)`, row after row.

        Raises:
            ValueError: There is no such code, or an argument is not in its range.

        Example:

        >>> latent.grid(code=1, rows=10, columns=8).shape
        (80, 74)

        Source: Chen et al. 2016, figure 2.
        """
        n_codes = len(self.categories) + self.continuous
        check_at_least(0, code=code)
        check_at_least(1, rows=rows, columns=columns)
        if code >= n_codes:
            raise ValueError(f"`code` must be below {n_codes}, the number of codes. Received: code={code}")
        base = self.sample(rows, seed)
        starts = self._category_starts()
        if code < len(self.categories):
            values = ops.eye(self.categories[code], dtype="float32")
            start = starts[code]
        else:
            values = ops.linspace(-most, most, columns, dtype="float32")[:, None]
            start = self.size - n_codes + code
            if self.categories:
                classes = ops.one_hot(ops.arange(rows) % self.categories[0], self.categories[0])
                base = _replaced(base, starts[0], classes)
        columns = values.shape[0]
        return _replaced(ops.repeat(base, columns, axis=0), start, ops.tile(values, (rows, 1)))

    def _category_starts(self):
        return [self.noise + sum(self.categories[:k]) for k in range(len(self.categories))]


def _replaced(latent, start, values):
    """The latents with other values from column `start` on."""
    end = start + values.shape[1]
    return ops.concatenate([latent[:, :start], ops.cast(values, "float32"), latent[:, end:]], axis=1)


def _seeds(seed):
    """A generator of seeds: one integer for all would make noise and codes depend on one another."""
    return seed if seed is None or isinstance(seed, random.SeedGenerator) else random.SeedGenerator(seed)
