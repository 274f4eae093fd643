"""What a collapse looks like: each function returns a message with what may help, or `None`."""

import math

import numpy as np
import tensorflow as tf
from keras import ops

from keras_cgan.metrics.sketches import within_class_diversity, within_class_share

_ALIKE = 2 / 255  # one grey level, where black to white is 2
_NEARLY_ALL = 0.95
_ASK_FOR_PHOTO = (
    "asking for the photo too (`--strategy class-and-photo` in the examples, `strategy_model` or "
    "`photo_options` in code)"
)


def not_finite(trainer, logs):
    """The names of what is NaN or infinite: of the losses, the weights and what the optimizers keep."""
    kept = {}
    for network in _networks(trainer):
        kept |= {id(v): (f"{network.name}/{v.path}", v) for v in network.variables}
    rest = {id(v): (v.path, v) for v in getattr(trainer, "variables", ())}  # an average, a pool of images
    for player, optimizer in trainer.optimizers.items():
        rest |= {id(v): (f"optimizer of {player}: {v.path}", v) for v in optimizer.variables}
    bad = [name for name, v in {**rest, **kept}.values() if not bool(ops.all(ops.isfinite(v)))]
    return losses_not_finite(logs) + bad


def _networks(trainer):
    """Those of an `AdversarialModel`, or of a `ReferenceTrainer`."""
    if hasattr(trainer, "players"):
        return [network for networks in trainer.players().values() for network in networks]
    networks = trainer.generator, trainer.discriminator, trainer.classifier
    return [network for network in networks if network is not None]


def losses_not_finite(logs):
    """Those of the losses that are NaN or infinite, as `"d_loss=nan"`."""
    return [f"{name}={float(value)}" for name, value in logs.items() if not math.isfinite(value)]


def listed(names, most=4):
    """A few of the names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def no_update(model, updates):
    """Why an epoch of so many updates has left the generator's weights as they were."""
    if not updates:
        return (
            "the generator had no update. Every step has overflowed in float16, or gradients are "
            "accumulated over more steps than an epoch has: mixed_bfloat16 or float32, or fewer steps, "
            "may help"
        )
    rate = float(tf.convert_to_tensor(model.optimizers["g"].learning_rate))
    return (
        f"{updates} updates have left the generator's weights as they were: see to it that the "
        f"learning rate (now {rate:g}), the weights of the losses and the gradients are not 0"
    )


def d_wins(name, loss, least, smooths=True):
    """Whether D's loss, of this name, is about 0; `smooths`: its targets can be smoothed."""
    if loss >= least:
        return None
    smoothing = " `label_smoothing=0.1` of `ConditionalGAN`," if smooths else ""
    return (
        f"{name} is {loss:.2g}, so the discriminator tells every fake, and the generator learns little "
        "from it: augmentation of what it sees (`augment=DiffAugment()` of `patch_discriminator`, in code), "
        f"fewer `filters` in it,{smoothing} or, where sketches lie on their photos' lines, a higher "
        "l1_weight may help"
    )


def least_d_loss(told, label):
    """The least that D's loss can be by its `Objectives`: half the entropy of a smoothed target."""
    if told.adversarial_loss == "wasserstein":
        return -math.inf  # a difference of scores
    if "real_fake" not in told.d_losses:
        return 0.0
    target = float(np.max(told.d_targets(label, 1, fake=False)["real_fake"]))
    return -0.5 * sum(p * math.log(p) for p in (target, 1 - target) if p > 0)


def identical(drawn, asks_for_photo=False, weighs_class=True):
    """Whether all sketches are one, or blank.

    Args:
        drawn: Sketches of several photos.
        asks_for_photo: Whether a loss asks for the photo already.
        weighs_class: Whether `class_weight` weighs anything.

    Returns:
        What to say, or `None`.
    """
    if np.abs(drawn - drawn.mean(axis=0)).mean() >= _ALIKE:
        return None
    if drawn.std(axis=(1, 2, 3)).max() < _ALIKE:
        return (
            f"the generator draws blank paper (about {drawn.mean():.2f}) for all photos: a lower l1_weight, "
            "unless it is 0 (blank paper has a good L1), or a lower learning rate may help"
        )
    more = "" if asks_for_photo else f", or {_ASK_FOR_PHOTO},"
    return (
        f"the generator draws one picture for all photos: a lower {'class_weight or ' * weighs_class}"
        f"learning rate{more} may help"
    )


def one_a_class(
    drawn, photos, labels, sketches, least, least_share=0.0, asks_for_photo=False, weighs_class=True
):
    """Whether sketches of a class are alike, measured by the true ones (or `None`: by the photos)."""
    real = sketches
    if real is None:
        real = np.repeat(photos.mean(axis=-1, keepdims=True), drawn.shape[-1], axis=-1)
    if real.shape != drawn.shape or identical(drawn):
        return None
    diversity = within_class_diversity(drawn, real, labels)
    share, real_share = within_class_share(drawn, labels), within_class_share(real, labels)
    # Where there is nothing to compare they are NaN, and so not below.
    if not (diversity < least or share < least_share * real_share):
        return None
    others = "photos" if sketches is None else "true sketches"
    found = f"their diversity is {diversity:.2g} of that of the {others}"
    if not diversity < least:
        found = f"of how they differ, {share:.2g} lies within a class, {real_share:.2g} in the {others}"
    lower = f"a lower {'class_weight' if weighs_class else 'learning rate'}"
    more = "" if asks_for_photo else f", or {_ASK_FOR_PHOTO},"
    return f"the generator draws one sketch a class, whatever the photo: {found}: {lower}{more} may help"


def one_class(drawn, labels, sketches, judge, name="the classifier", weighs_class=True):
    """Whether a judge of this name takes nearly all sketches for one class, though their labels differ."""
    classes = np.argmax(labels, axis=1)
    if judge is None or _share(classes) >= _NEARLY_ALL:
        return None
    named = _named(judge, drawn)
    if _share(named) < _NEARLY_ALL:
        return None
    said = f"{name} takes {_share(named):.0%} of the sketches for class {np.bincount(named).argmax()}"
    if sketches is not None and _share(_named(judge, sketches)) >= _NEARLY_ALL:
        return f"{said}, and the true ones as well: it has learnt nothing. A lower rate for it may help"
    return (
        f"{said}, of {len(np.unique(classes))} that were asked for: the label as the generator's input "
        f"(`label_input`){' or a higher class_weight' * weighs_class} may help"
    )


def _named(judge, sketches):
    output = judge(sketches, training=False)
    return np.argmax(ops.convert_to_numpy(output["label"] if isinstance(output, dict) else output), axis=1)


def _share(classes):
    """The share of the most frequent one."""
    return np.bincount(classes).max() / len(classes)
