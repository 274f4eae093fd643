"""Times a ReferenceTrainer step against the same updates written by hand as tf.functions.

    python benchmarks/reference_step.py

Same networks, batch, optimizers and threads; the two take turns step by step, and the
medians are compared. Both start from the same weights, and the losses of the first step
are checked to agree.
"""

import argparse
import statistics

from keras_cgan.startup import start_tensorflow

start_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from side_by_side import N_CLASSES, random_batch, take_turns  # noqa: E402

from keras_cgan import ReferenceTrainer, strategy_networks  # noqa: E402


def by_hand(generator, discriminator, classifier):
    """D, C and G updates as four tf.functions; returns a step like `ReferenceTrainer.train_on_batch`."""
    d_optimizer, g_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))
    c_optimizer = keras.optimizers.Adam(1e-3)
    optimizers = {d_optimizer: discriminator, g_optimizer: generator, c_optimizer: classifier}
    for optimizer, network in optimizers.items():
        optimizer.build(network.trainable_variables)
    real_fake = keras.losses.BinaryCrossentropy(from_logits=True)
    of_class = keras.losses.CategoricalCrossentropy()

    def update(network, optimizer, loss, tape):
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)

    @tf.function
    def draw(x):
        return generator(x, training=True)

    @tf.function
    def d_step(photo, sketch, fakes):
        pairs = tf.concat([tf.concat([photo, sketch], -1), tf.concat([photo, fakes], -1)], 0)
        with tf.GradientTape() as tape:
            verdict = discriminator(pairs, training=True)
            n = tf.shape(photo)[0]
            is_real = tf.cast(tf.range(2 * n) < n, tf.float32)[:, None, None, None] * tf.ones_like(verdict)
            loss = real_fake(is_real, verdict)
        update(discriminator, d_optimizer, loss, tape)
        return loss

    @tf.function
    def c_step(sketch, label):
        with tf.GradientTape() as tape:
            loss = of_class(label, classifier(sketch, training=True))
        update(classifier, c_optimizer, loss, tape)
        return loss

    @tf.function
    def g_step(x, sketch):
        with tf.GradientTape() as tape:
            drawn = generator(x, training=True)
            verdict = discriminator(tf.concat([x["photo"], drawn], -1), training=True)
            loss = 100 * tf.reduce_mean(tf.abs(drawn - sketch)) + real_fake(tf.ones_like(verdict), verdict)
            loss += of_class(x["label"], classifier(drawn, training=True))
        update(generator, g_optimizer, loss, tape)
        return loss

    def step(x, sketch):
        x = {name: tf.constant(value) for name, value in x.items()}
        sketch = tf.constant(sketch)
        fakes = draw(x)
        d_loss = d_step(x["photo"], sketch, fakes)
        c_loss = c_step(sketch, x["label"])
        g_loss = g_step(x, sketch)
        return {"d_loss": float(d_loss), "c_loss": float(c_loss), "g_loss": float(g_loss)}

    return step


def networks(size, filters):
    """Networks without dropout and noise: the first losses can then be compared to the digit."""

    def without_dropout(layer):
        config = layer.get_config()
        config.update({name: 0.0 for name in ("rate", "stddev") if name in config})
        return layer.__class__.from_config(config)

    generator, discriminator, classifier = strategy_networks(
        "classifier", (size, size, 3), N_CLASSES, filters=filters
    )
    generator, classifier = (
        keras.models.clone_model(network, clone_function=without_dropout)
        for network in (generator, classifier)
    )
    return generator, discriminator, classifier


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    x, sketch = random_batch(options.image_size, options.batch_size)

    ours, theirs = (networks(options.image_size, options.filters) for _ in range(2))
    for a, b in zip(ours, theirs):
        b.set_weights(a.get_weights())
    steps = {"reference": ReferenceTrainer(*ours).train_on_batch, "by hand": by_hand(*theirs)}
    first = {name: step(x, sketch) for name, step in steps.items()}
    for name in ("d_loss", "c_loss", "g_loss"):
        np.testing.assert_allclose(first["reference"][name], first["by hand"][name], rtol=1e-4)

    calls = {name: lambda step=step: step(x, sketch) for name, step in steps.items()}
    take_turns(calls, rounds=5)
    times = take_turns(calls, options.steps)
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, value in median.items():
        print(f"{name:10} {value:7.1f} ms a step")
    print(f"reference / by hand: {median['reference'] / median['by hand']:.3f}")


if __name__ == "__main__":
    main()
