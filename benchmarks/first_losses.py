"""What the losses of the first step must be: the step in plain, eager lines that no contestant shares."""

import tensorflow as tf
from contestants import L1_WEIGHT, adams
from workloads import CONTESTANTS

# Relative, by precision. C's first step is long and, being Adam's, about the signs of its gradients:
# rounding turns the small ones, which G's class loss then shows.
TOLERANCES = {"float32": 1e-3, "bfloat16": 5e-2}
AFTER_C = {"float32": 1e-3, "bfloat16": 0.25}
LEAST = 1e-2  # Losses below it need agree to the tolerance of this only.


def expected_losses(networks, batch, kind):
    """The losses of a step from the weights as they are; the networks come back as they were.

    Args:
        networks: Generator, discriminator and classifier, in float32.
        batch: `({"photo", "label"}, sketch)`.
        kind: A `Contestant.kind`.

    Returns:
        A dict: `d_loss`, `c_loss`, `g_loss`, `g_l1`, `g_adv`, `g_class`.
    """
    before = [network.get_weights() for network in networks]
    try:
        losses = _step(*networks, *batch, *kind)
    finally:
        for network, weights in zip(networks, before):
            network.set_weights(weights)
    return {name: float(value) for name, value in losses.items()}


def _step(generator, discriminator, classifier, x, sketch, update, joined, by_predict, epsilon):
    _, d_optimizer, c_optimizer = adams(epsilon)
    photo, label = x["photo"], x["label"]
    fakes = generator(photo, training=not by_predict)

    real, fake = (tf.concat([photo, image], axis=-1) for image in (sketch, fakes))
    with tf.GradientTape() as d_tape:
        if joined:
            on_real, on_fake = tf.split(discriminator(tf.concat([real, fake], axis=0), training=True), 2)
        else:
            on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
        # Of a logit v: -log(sigmoid(v)) is softplus(-v), and -log(1 - sigmoid(v)) is softplus(v).
        d_loss = tf.reduce_mean([tf.math.softplus(-on_real), tf.math.softplus(on_fake)])
    with tf.GradientTape() as c_tape:
        c_loss = _of_class(label, classifier(sketch, training=True))

    if update == "sequential":
        for network, optimizer, tape, loss in (
            (discriminator, d_optimizer, d_tape, d_loss),
            (classifier, c_optimizer, c_tape, c_loss),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)

    drawn = generator(photo, training=True)
    g_l1 = tf.reduce_mean(tf.abs(sketch - drawn))
    g_adv = tf.reduce_mean(
        tf.math.softplus(-discriminator(tf.concat([photo, drawn], axis=-1), training=True))
    )
    g_class = _of_class(label, classifier(drawn, training=True))
    g_loss = L1_WEIGHT * g_l1 + g_adv + g_class
    return {
        "d_loss": d_loss,
        "c_loss": c_loss,
        "g_loss": g_loss,
        "g_l1": g_l1,
        "g_adv": g_adv,
        "g_class": g_class,
    }


def _of_class(label, probabilities):
    return -tf.reduce_mean(tf.reduce_sum(label * tf.math.log(probabilities), axis=-1))


def check_first_step(name, built, losses, expected, parameters):
    """Refuses a contestant that does not do what the others do.

    Args:
        name: One of `CONTESTANTS`.
        built: It, as a `Built`.
        losses: Of its first step.
        expected: What they must be, about.
        parameters: The numbers of trainable parameters of G, D and C that it must have.

    Raises:
        RuntimeError: Its parameters, its precision or its losses are others.
    """
    contestant = CONTESTANTS[name]
    if built.parameters != parameters:
        raise RuntimeError(
            f"{contestant.title}: {built.parameters} parameters, where {parameters} are asked for."
        )
    if built.precision != contestant.precision:
        raise RuntimeError(
            f"{contestant.title}: computes in {built.precision}, not in {contestant.precision}."
        )
    wrong = {}
    for loss, value in expected.items():
        tolerance = (AFTER_C if loss == "g_class" else TOLERANCES)[contestant.precision]
        if not abs(losses[loss] - value) <= tolerance * max(value, LEAST):
            wrong[loss] = f"{losses[loss]:.6g} for {value:.6g}, which must agree to {tolerance:g}"
    if wrong:
        raise RuntimeError(
            f"{contestant.title}: the first step's losses are not those of the step written by hand: {wrong}"
        )
