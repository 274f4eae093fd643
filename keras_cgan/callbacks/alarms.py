"""Training that says so when it collapses."""

import math
import warnings
import zlib

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_cgan.callbacks import signs
from keras_cgan.checks import check_at_least, check_weights
from keras_cgan.photo_information import PhotoInformation
from keras_cgan.strategies import STRATEGIES
from keras_cgan.terms import EdgeLikeness
from keras_cgan.training.objectives import relative_outputs

_MOST = 32  # photos that are looked at
_BATCH = 8
_AT_ONCE = ("not finite", "frozen")
_NOT_FINITE = (
    "not finite: {}. It does not pass by itself: go back to a checkpoint (`RestoreIfNotFinite` does), with a "
    "lower learning rate, or with mixed_bfloat16 or float32"
)
_LOSSES_NOT_FINITE = (
    "not finite: {}, and the weights are: so it is where `RestoreIfNotFinite` has just gone back to a "
    "checkpoint, or float16 has left steps out. If it comes again, a lower learning rate, mixed_bfloat16 or "
    "float32 may help"
)


class CollapseWarning(UserWarning):
    """Training has gone wrong, or is about to."""


class CollapseAlarm(keras.callbacks.Callback):
    """Warns, with what may help, where a `ConditionalGAN` collapses in `fit`.

    After each epoch it looks at the mean losses, the weights, and what the generator draws of a few
    photos that it does not learn from (in inference mode; not the moving average). There are six kinds:

    - `"not finite"`: a loss, a weight or an output is NaN or infinite. Then nothing else is looked at.
    - `"frozen"`: an epoch has left the generator's weights as they were.
    - `"d wins"`: `d_loss`, without `d_penalty`, is about 0, so D tells every fake and G, where it is asked to
      fool D, has nothing left to learn from. Where D names classes too, and there are true sketches, it is
      what D loses by real and fake alone, of the photos that are looked at.
    - `"identical"`: one picture, or blank paper, for all photos.
    - `"one a class"`: one picture for all photos of a class, or one but for a trace of the photo.
    - `"one class"`: the classifier, or D's class head, takes all sketches for one class, though their labels
      differ.

    The last four must last for `patience` epochs, after `warm_up` updates of the generator. Each is
    said once, and once more where it was over and comes back.

    Args:
        photos: Held-out photos, `(n, height, width, channels)` in [-1, 1]; of up to 32 of them sketches
            are drawn, at least 4 a class where there are as many.
        labels: Theirs, `(n, n_classes)`, one-hot; also for a generator without a label input.
        sketches: Optional true sketches of the photos. Diversity is then a share of theirs, else of the
            photos' own.
        judge: Optional model from sketches to `(batch, n_classes)`; by default the GAN's classifier, or what
            D says of the class (`label`, or `classes` without the unit of fakeness). With none of them, "one
            class" is not looked for.
        patience: How many epochs in a row.
        warm_up: Updates of the generator, in which all sketches may still be alike.
        least_d_loss: Below it `d_loss` is about 0; above the least that label smoothing allows.
        least_diversity: Below this share all of a class are alike (`within_class_diversity`), ...
        least_share: ... or below this share of what the true sketches have, of how sketches differ within a
            class rather than between classes (`within_class_share`).

    Attributes:
        raised: What was said so far: a list of `(epoch, kind, message)`, with epochs from 1.

    Raises:
        ValueError: An argument is not of these shapes, or not in its range; in `fit`, the model is no
            `ConditionalGAN`, or of another image size.

    Example:

    >>> alarm = CollapseAlarm(*test.as_arrays((64, 64), 200))  # photos, labels, sketches
    >>> gan.fit(dataset, epochs=50, callbacks=[alarm])
    """

    def __init__(
        self,
        photos,
        labels,
        sketches=None,
        *,
        judge=None,
        patience=3,
        warm_up=500,
        least_d_loss=0.002,
        least_diversity=0.05,
        least_share=0.1,
    ):
        super().__init__()
        given = {"photos": photos, "labels": labels}
        given |= {} if sketches is None else {"sketches": sketches}
        given = {argument: np.asarray(array, "float32") for argument, array in given.items()}
        _check_arrays(**given)
        check_at_least(1, patience=patience)
        check_at_least(0, warm_up=warm_up)
        check_weights(least_d_loss=least_d_loss, least_diversity=least_diversity, least_share=least_share)
        chosen = _chosen(np.argmax(given["labels"], axis=1))
        given = {argument: array[chosen] for argument, array in given.items()}
        self._photos, self._labels, self._sketches = given["photos"], given["labels"], given.get("sketches")
        self.judge, self.patience, self.warm_up = judge, patience, warm_up
        self.least_d_loss, self.least_diversity = least_d_loss, least_diversity
        self.least_share = least_share
        self.raised = []
        self._in_a_row = {}

    def on_train_begin(self, logs=None):
        told = getattr(self.model, "objectives", None)
        if told is None:
            raise ValueError(
                f"`CollapseAlarm` is for a `ConditionalGAN`. Received: a {type(self.model).__name__}"
            )
        shape = [side or 1 for side in told.generator.output.shape[1:]]
        sketches = np.zeros((len(self._photos), *shape)) if self._sketches is None else self._sketches
        told.check_pairs(self._photos, self._labels if told.needs_label else None, sketches)
        self._before = self._state()
        # Layer by layer, outside of a graph, it would take as long as many steps of a small model.
        self._draw = tf.function(lambda x: self.model(x, training=False), reduce_retracing=True)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        before, self._before = self._before, self._state()
        drawn = self._drawn()
        found = self._found(logs, drawn, before)
        for kind, message in found.items():
            self._in_a_row[kind] = self._in_a_row.get(kind, 0) + 1 if message else 0
            if self._in_a_row[kind] == (1 if kind in _AT_ONCE else self.patience):
                self.raised.append((epoch + 1, kind, f"epoch {epoch + 1}: {message}"))
                warnings.warn(self.raised[-1][2], CollapseWarning, stacklevel=2)

    def _found(self, logs, drawn, before):
        """What was looked at: kind -> message, or `None` where all is well."""
        bad = signs.not_finite(self.model, {}) + ([] if np.isfinite(drawn).all() else ["the sketches"])
        bad_losses = signs.losses_not_finite(logs)
        if bad or bad_losses:
            text = _NOT_FINITE if bad else _LOSSES_NOT_FINITE
            return {"not finite": text.format(signs.listed(bad_losses + bad))}
        (old, had), (new, updates) = before, self._before
        found = {
            "not finite": None,
            "frozen": signs.no_update(self.model, updates - had) if old == new else None,
        }
        if updates < self.warm_up:
            return found
        told = self.model.objectives
        least = self.least_d_loss + signs.least_d_loss(told, self._labels[:1])
        asks_for_photo, weighs_class = _asks_for_photo(self.model), bool(told.class_outputs)
        smooths = "real_fake" in told.d_losses and told.adversarial_loss == "nonsaturating"
        fools = self.model._g_weights[told.adversarial] > 0
        return found | {
            "d wins": signs.d_wins(*self._loss_by_fakes(logs, drawn), least, smooths) if fools else None,
            "identical": signs.identical(drawn, asks_for_photo, weighs_class),
            "one a class": signs.one_a_class(
                drawn,
                self._photos,
                self._labels,
                self._sketches,
                self.least_diversity,
                self.least_share,
                asks_for_photo,
                weighs_class,
            ),
            "one class": signs.one_class(
                drawn, self._labels, self._sketches, *self._judge(), weighs_class=weighs_class
            ),
        }

    def _loss_by_fakes(self, logs, drawn):
        """What D loses by telling fakes, its name first: not by classes, and not what R1 and R2 add to it."""
        told = self.model.objectives
        if set(told.d_losses) == {"real_fake"} or self._sketches is None:
            return "d_loss", logs.get("d_loss", math.inf) - logs.get("d_penalty", 0.0)
        on_real, on_fake = self._judged(self._sketches), self._judged(drawn)
        if told.relativistic:
            on_real, on_fake = relative_outputs(on_real, on_fake), relative_outputs(on_fake, on_real)
        loss = told.loss_by_fakes(on_real, fake=False) + told.loss_by_fakes(on_fake, fake=True)
        return "what d_loss has by real and fake alone", loss / 2

    def _judged(self, sketches):
        """D's outputs for sketches of the photos that are looked at, in inference mode."""
        told = self.model.objectives
        judged = self.model._judged(self._photos, ops.convert_to_tensor(sketches))
        return told.d_model(told.discriminator_inputs(judged, self._labels), training=False)

    def _judge(self):
        """What names the class of the sketches that are looked at, or `None`, and what it is called."""
        judge = self.model.classifier if self.judge is None else self.judge
        told = self.model.objectives
        head = next((name for name in ("label", "classes") if name in told.d_losses), None)
        if judge is not None or head is None:
            return judge, "the classifier"

        def class_head(sketches, training):
            said = self._judged(sketches)[head]
            return said[:, 1:] if head == "classes" else said  # the first unit is fakeness

        return class_head, "the class head of the discriminator"

    def _state(self):
        """A checksum of each of the generator's weights, and how many updates it has had."""
        weights = [weight for network in self.model.players()["g"] for weight in network.trainable_weights]
        sums = [zlib.crc32(ops.convert_to_numpy(weight).tobytes()) for weight in weights]
        return sums, int(tf.convert_to_tensor(self.model.optimizers["g"].iterations))

    def _drawn(self):
        batches = [slice(start, start + _BATCH) for start in range(0, len(self._photos), _BATCH)]
        conditions = [{"photo": self._photos[part], "label": self._labels[part]} for part in batches]
        drawn = [ops.cast(self._draw(x), "float32") for x in conditions]
        return ops.convert_to_numpy(ops.concatenate(drawn))


def _asks_for_photo(gan):
    """Whether a loss of the generator asks for the photo already, beside the class."""
    strategy = gan._given["strategy"]
    by_terms = any(isinstance(term, (EdgeLikeness, PhotoInformation)) for term in gan.terms)
    return by_terms or (strategy is not None and STRATEGIES[strategy].photo)


def _chosen(classes):
    """Up to 32 places, as many of each class as of the others, of few enough classes for four of each."""
    kept = np.unique(classes)[: _MOST // 4]
    rank = [np.count_nonzero(classes[:place] == c) for place, c in enumerate(classes)]
    order = np.argsort(rank, kind="stable")
    return np.sort(order[np.isin(classes[order], kept)][:_MOST])


def _check_arrays(photos, labels, sketches=None):
    n = len(photos) if photos.ndim == 4 else 0
    if n < 2:
        raise ValueError(
            "`photos` must be (n, height, width, channels), at least two of them. "
            f"Received: a shape of {photos.shape}"
        )
    for argument, array, shape in (
        ("labels", labels, "(n, n_classes)"),
        ("sketches", sketches, "(n, height, width, channels)"),
    ):
        if array is not None and (array.ndim != shape.count(",") + 1 or len(array) != n):
            raise ValueError(
                f"`{argument}` must be {shape}, one for each of {n} photos. "
                f"Received: a shape of {array.shape}"
            )
