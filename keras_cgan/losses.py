"""The answer's losses, made right: functions by its names, and `keras.losses.Loss` classes.

As with Keras' own losses, a function averages over the last axis: it gives one value a
sample for `(batch, n)`, one a patch or pixel for `(batch, h, w, c)`. A class does the
same with `reduction=None`, and by default averages over everything.

`y_true` alone says what is real and what is fake, never the position in the batch. A
shape that does not fit is an error: nothing is broadcast.

To load a model that was compiled with one of these, import this module first.
"""

import keras
from keras import ops

from keras_cgan.adversarial_losses import adversarial_loss
from keras_cgan.checks import shapes_fit

_PACKAGE = "keras_cgan"


def _same_shape(y_true, y_pred):
    """Both as float tensors; raises where their shapes differ.

    Half precision is widened: in it 1 - epsilon is 1, and a saturated unit's loss NaN.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_pred = ops.cast(y_pred, keras.backend.result_type(y_pred.dtype, "float32"))
    y_true = ops.cast(y_true, y_pred.dtype)
    true_shape, pred_shape = _static_shape(y_true), _static_shape(y_pred)
    if None not in (true_shape, pred_shape) and not shapes_fit(true_shape, pred_shape):
        raise ValueError(
            "`y_true` must have the shape of `y_pred`; targets are not broadcast. "
            f"Received: y_true of shape {true_shape}, y_pred of shape {pred_shape}"
        )
    if true_shape is None or pred_shape is None or None in true_shape + pred_shape:
        # Once traced for batches of several sizes, TensorFlow knows shapes at run time only.
        # Stacking, unlike arithmetic, fails there on shapes that differ.
        stacked = ops.stack([y_true, y_pred])
        y_true, y_pred = stacked[0], stacked[1]
    return y_true, y_pred


def _static_shape(tensor):
    """The shape as far as it is known: a tuple with `None`s, or `None` where not even the rank is."""
    try:
        return tuple(tensor.shape)
    except ValueError:
        return None


def _clip(probabilities):
    """Keeps the logarithms finite.

    It also hides from TensorFlow that a sigmoid or softmax made these numbers: Keras
    would then go back to the logits in a graph, but not eagerly, and one batch would
    have two losses.
    """
    epsilon = keras.config.epsilon()
    return ops.clip(probabilities, epsilon, 1.0 - epsilon)


def _check_smoothing(label_smoothing):
    if not 0.0 <= label_smoothing < 1.0:
        raise ValueError(f"`label_smoothing` must be in [0, 1). Received: label_smoothing={label_smoothing}")


def _binary_crossentropy(y_true, y_pred, from_logits, label_smoothing):
    _check_smoothing(label_smoothing)
    y_true, y_pred = _same_shape(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if not from_logits:
        # Logits taken for probabilities would train on, wrongly and without a word: NaN tells.
        is_probability = ops.logical_and(y_pred >= 0.0, y_pred <= 1.0)
        y_pred = ops.where(is_probability, _clip(y_pred), float("nan"))
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=-1)


@keras.saving.register_keras_serializable(package=_PACKAGE)
def generator_l1_loss(y_true, y_pred):
    """Mean absolute difference of two images.

    Args:
        y_true: True sketches, `(batch, height, width, channels)` (any shape will do).
        y_pred: Drawn sketches, of the same shape.

    Returns:
        The mean over the last axis: one value a pixel.

    Raises:
        ValueError: The shapes differ.

    Example:

    >>> generator_l1_loss([[0.0, 1.0]], [[0.5, 0.5]])
    array([0.5], dtype=float32)

    Source: Isola et al. 2017, equation 3.
    """
    y_true, y_pred = _same_shape(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable(package=_PACKAGE)
def generator_l2_loss(y_true, y_pred):
    """Mean squared difference of two images: as `generator_l1_loss`, squared.

    Args:
        y_true: True sketches, `(batch, height, width, channels)` (any shape will do).
        y_pred: Drawn sketches, of the same shape.

    Returns:
        The mean over the last axis: one value a pixel.

    Raises:
        ValueError: The shapes differ.

    Example:

    >>> generator_l2_loss([[0.0, 1.0]], [[0.5, 0.5]])
    array([0.25], dtype=float32)

    Source: the L2 alternative of Isola et al. 2017, section 3.1.
    """
    y_true, y_pred = _same_shape(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable(package=_PACKAGE)
def discriminator_loss(y_true, y_pred, from_logits=False, label_smoothing=0.0):
    """Binary cross-entropy of a discriminator's output: patch matrix, scalar or vector.

    Args:
        y_true: Targets, 1 real and 0 fake (or `fakeness_targets`), in the shape of
            `y_pred`, real and fake in any order.
        y_pred: `(batch, 1)`, `(batch, h, w, 1)` or `(batch, n_classes + 1)`.
        from_logits: Whether `y_pred` are logits, as the discriminators here give by default;
            else probabilities, and anything outside [0, 1] gives NaN.
        label_smoothing: In [0, 1): how far targets move towards one half.

    Returns:
        The mean over the last axis: one value a sample, or a patch.

    Raises:
        ValueError: The shapes differ.

    Example:

    >>> discriminator_loss([[1.0], [0.0]], [[0.5], [0.5]])
    array([0.6931472, 0.6931472], dtype=float32)

    Source: Goodfellow et al. 2014, equation 1.
    """
    return _binary_crossentropy(y_true, y_pred, from_logits, label_smoothing)


@keras.saving.register_keras_serializable(package=_PACKAGE)
def discriminator_on_generator_loss(y_true, y_pred, from_logits=False):
    """Binary cross-entropy of a discriminator's output on fakes, for the generator.

    The generator asks for `y_true` = real: ones for a real/fake output.

    Args:
        y_true: What the generator asks for, in the shape of `y_pred`.
        y_pred: `(batch, 1)`, `(batch, h, w, 1)` or `(batch, n_classes + 1)`.
        from_logits: Whether `y_pred` are logits, as the discriminators here give by default;
            else probabilities, and anything outside [0, 1] gives NaN.

    Returns:
        The mean over the last axis: one value a sample, or a patch.

    Raises:
        ValueError: The shapes differ.

    Example:

    >>> discriminator_on_generator_loss([[1.0]], [[0.5]])
    array([0.6931472], dtype=float32)

    Source: Goodfellow et al. 2014, section 3, the non-saturating form.
    """
    return _binary_crossentropy(y_true, y_pred, from_logits, 0.0)


def _categorical_crossentropy(y_true, y_pred, from_logits):
    y_true, y_pred = _same_shape(y_true, y_pred)
    if from_logits:
        log_probabilities = ops.log_softmax(y_pred, axis=-1)
    else:
        log_probabilities = ops.log(_clip(y_pred / ops.sum(y_pred, axis=-1, keepdims=True)))
    return -ops.sum(y_true * log_probabilities, axis=-1)


class _PairLoss(keras.losses.Loss):
    """A loss of two tensors of one shape, by a function; not the caller's to subclass."""

    def __init__(self, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def get_config(self):
        return {"name": self.name, "reduction": self.reduction}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class L1Loss(_PairLoss):
    """`generator_l1_loss` as a `keras.losses.Loss`.

    Args:
        reduction: As in Keras; `None` for one value a pixel.
        name: Name of the loss.

    Example:

    >>> model.compile("adam", loss=L1Loss())

    Source: Isola et al. 2017, equation 3.
    """

    def call(self, y_true, y_pred):
        return generator_l1_loss(y_true, y_pred)


@keras.saving.register_keras_serializable(package=_PACKAGE)
class L2Loss(_PairLoss):
    """`generator_l2_loss` as a `keras.losses.Loss`.

    Args:
        reduction: As in Keras; `None` for one value a pixel.
        name: Name of the loss.

    Example:

    >>> model.compile("adam", loss=L2Loss())

    Source: the L2 alternative of Isola et al. 2017, section 3.1.
    """

    def call(self, y_true, y_pred):
        return generator_l2_loss(y_true, y_pred)


@keras.saving.register_keras_serializable(package=_PACKAGE)
class DiscriminatorLoss(_PairLoss):
    """`discriminator_loss` as a `keras.losses.Loss`; it serves the generator's step too.

    Args:
        from_logits: Whether predictions are logits; else probabilities.
        label_smoothing: In [0, 1): how far targets move towards one half.
        reduction: As in Keras; `None` for one value a sample or patch.
        name: Name of the loss.

    Example:

    >>> discriminator.compile("adam", loss=DiscriminatorLoss(from_logits=True))

    Source: Goodfellow et al. 2014, equation 1.
    """

    def __init__(self, from_logits=False, label_smoothing=0.0, **options):
        super().__init__(**options)
        _check_smoothing(label_smoothing)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        return discriminator_loss(y_true, y_pred, self.from_logits, self.label_smoothing)

    def get_config(self):
        config = super().get_config()
        return {**config, "from_logits": self.from_logits, "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class ClassLoss(_PairLoss):
    """Categorical cross-entropy of a softmax: the classes, or Option 2's classes and fake.

    Args:
        from_logits: Whether predictions are logits; else probabilities.
        reduction: As in Keras; `None` for one value a sample.
        name: Name of the loss.

    Example:

    >>> classifier.compile("adam", loss=ClassLoss())

    Source: Odena et al. 2017, equation 3 (L_C).
    """

    def __init__(self, from_logits=False, **options):
        super().__init__(**options)
        self.from_logits = from_logits

    def call(self, y_true, y_pred):
        return _categorical_crossentropy(y_true, y_pred, self.from_logits)

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits}


@keras.saving.register_keras_serializable(package=_PACKAGE)
class RealFakeLoss(_PairLoss):
    """An `adversarial_loss` as a `keras.losses.Loss`: D's side, where targets say what is real, or G's.

    Args:
        loss: One of `ADVERSARIAL_LOSSES`.
        generator: Whether this is what G loses on its fakes, whatever the targets; else what D loses:
            on real samples where the target is 1, on fakes where it is 0.
        reduction: As in Keras; `None` for one value a sample or patch.
        name: Name of the loss.

    Raises:
        ValueError: `loss` is not one of those allowed.

    Example:

    >>> discriminator.compile("adam", loss=RealFakeLoss("hinge"))

    Source: as for `adversarial_loss`; hinge: Lim and Ye 2017, "Geometric GAN".
    """

    def __init__(self, loss, generator=False, **options):
        super().__init__(**options)
        self.loss, self.generator = adversarial_loss(loss, "loss"), generator

    def call(self, y_true, y_pred):
        y_true, y_pred = _same_shape(y_true, y_pred)
        # As if each patch were a sample, whose mean would be taken.
        outputs = ops.reshape(y_pred, (-1,))
        if self.generator:
            values = self.loss.generator(outputs)
        else:
            is_real = ops.reshape(y_true, (-1,)) > 0.5
            values = ops.where(is_real, self.loss.real(outputs), self.loss.fake(outputs))
        return ops.mean(ops.reshape(values, ops.shape(y_pred)), axis=-1)

    def get_config(self):
        return {**super().get_config(), "loss": self.loss.name, "generator": self.generator}
