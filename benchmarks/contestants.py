"""The Keras and TensorFlow contestants of benchmarks/speed.py, each a function of networks and a batch."""

import contextlib

import keras
import numpy as np
import tensorflow as tf
from side_by_side import N_CLASSES
from workloads import CONTESTANTS, KERAS_EPSILON, Built

from keras_cgan import (
    ConditionalGAN,
    ReferenceTrainer,
    combined_model,
    lenet_classifier,
    patch_discriminator,
    unet_generator,
)

L1_WEIGHT = 100.0


def build(name, workload, batch, start=None):
    """Builds a contestant of Keras.

    Args:
        name: One of `CONTESTANTS`.
        workload: A `Workload`.
        batch: `({"photo", "label"}, sketch)`.
        start: Networks whose weights it starts from; by default its own.

    Returns:
        A `Built`.
    """
    with dtype_policy("mixed_bfloat16" if CONTESTANTS[name].precision == "bfloat16" else "float32"):
        parts = networks(workload)
        step = _STEPS[name](*parts, *batch)
    for network, other in zip(parts, start or ()):
        network.set_weights(other.get_weights())
    convolutions = [layer for network in parts for layer in network.layers if hasattr(layer, "kernel_size")]
    (precision,) = {layer.compute_dtype for layer in convolutions}
    return Built(step, tuple(map(count_parameters, parts)), precision)


def networks(workload, upsampling="transpose"):
    """pix2pix's networks and LeNet, without dropout: the losses of a step can then be compared."""
    size, filters = workload.image_size, workload.filters
    return (
        unet_generator((size, size, 3), 1, None, filters, norm="batch", dropout=0.0, upsampling=upsampling),
        patch_discriminator((size, size, 4), filters, norm="batch"),
        lenet_classifier((size, size, 1), N_CLASSES, dropout=0.0),
    )


def count_parameters(network):
    """The number of trainable parameters of a Keras network."""
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


@contextlib.contextmanager
def dtype_policy(name):
    """A Keras dtype policy for as long as networks are built."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def adams(epsilon=KERAS_EPSILON):
    """pix2pix's Adam for G and for D, and one for C."""
    rates = (2e-4, 0.5), (2e-4, 0.5), (1e-3, 0.9)
    return [keras.optimizers.Adam(rate, beta_1=beta, epsilon=epsilon) for rate, beta in rates]


def usual_loop(generator, discriminator, classifier, x, sketch):
    """The loop of Keras' GAN collections, right on Keras 3: predict, concatenate, three `train_on_batch`."""
    g_optimizer, d_optimizer, c_optimizer = adams()
    real_fake = keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator.compile(d_optimizer, loss=real_fake)
    classifier.compile(c_optimizer, loss="categorical_crossentropy")
    combined = combined_model(generator, discriminator, classifier)
    combined.compile(
        g_optimizer,
        loss={"sketch": "mae", "real_fake": real_fake, "label": "categorical_crossentropy"},
        loss_weights={"sketch": L1_WEIGHT, "real_fake": 1.0, "label": 1.0},
    )
    photo, label = x["photo"], x["label"]
    patches = discriminator.output_shape[1:]

    def step():
        fakes = generator.predict(photo, verbose=0)
        pairs = np.concatenate([np.concatenate([photo, drawn], axis=-1) for drawn in (sketch, fakes)])
        real = np.ones((len(photo), *patches), "float32")
        d_loss = discriminator.train_on_batch(pairs, np.concatenate([real, np.zeros_like(real)]))
        c_loss = classifier.train_on_batch(sketch, label)
        asked = {"sketch": sketch, "real_fake": real, "label": label}
        g = combined.train_on_batch(photo, asked, return_dict=True)
        return {
            "d_loss": float(d_loss),
            "c_loss": float(c_loss),
            "g_loss": float(g["loss"]),
            "g_l1": float(g["sketch_loss"]),
            "g_adv": float(g["real_fake_loss"]),
            "g_class": float(g["label_loss"]),
        }

    return step


def tutorial_step(generator, discriminator, classifier, x, sketch):
    """One `tf.function` for all, as TensorFlow's pix2pix tutorial has it, with a classifier added.

    D reads real and fake apart, and G learns from D and C as they were before their updates.
    """
    optimizers = adams()
    real_fake = keras.losses.BinaryCrossentropy(from_logits=True)
    of_class = keras.losses.CategoricalCrossentropy()
    for optimizer, network in zip(optimizers, (generator, discriminator, classifier)):
        optimizer.build(network.trainable_variables)

    @tf.function
    def update(photo, label, sketch):
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape, tf.GradientTape() as c_tape:
            drawn = generator(photo, training=True)
            on_real = discriminator(tf.concat([photo, sketch], axis=-1), training=True)
            on_fake = discriminator(tf.concat([photo, drawn], axis=-1), training=True)
            # Halved, which Adam does not see: the losses are then those of the other contestants.
            d_loss = 0.5 * (
                real_fake(tf.ones_like(on_real), on_real) + real_fake(tf.zeros_like(on_fake), on_fake)
            )
            c_loss = of_class(label, classifier(sketch, training=True))
            l1 = tf.reduce_mean(tf.abs(sketch - drawn))
            adversarial = real_fake(tf.ones_like(on_fake), on_fake)
            class_loss = of_class(label, classifier(drawn, training=True))
            g_loss = L1_WEIGHT * l1 + adversarial + class_loss
        for optimizer, network, tape, loss in zip(
            optimizers,
            (generator, discriminator, classifier),
            (g_tape, d_tape, c_tape),
            (g_loss, d_loss, c_loss),
        ):
            weights = network.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return {
            "d_loss": d_loss,
            "c_loss": c_loss,
            "g_loss": g_loss,
            "g_l1": l1,
            "g_adv": adversarial,
            "g_class": class_loss,
        }

    def step():
        losses = update(*map(tf.constant, (x["photo"], x["label"], sketch)))
        return {name: float(value) for name, value in losses.items()}

    return step


def reference_trainer(generator, discriminator, classifier, x, sketch):
    """`ReferenceTrainer` with its defaults."""
    trainer = ReferenceTrainer(generator, discriminator, classifier)
    return lambda: trainer.train_on_batch(x, sketch)


def conditional_gan(update="sequential", jit_compile=False):
    """`ConditionalGAN` with its defaults but for these."""

    def contestant(generator, discriminator, classifier, x, sketch):
        gan = ConditionalGAN(generator, discriminator, classifier, update=update)
        gan.compile(jit_compile=jit_compile)
        return lambda: gan.train_on_batch(x, sketch)

    return contestant


_STEPS = {
    "usual-loop": usual_loop,
    "tutorial": tutorial_step,
    "reference": reference_trainer,
    "cgan": conditional_gan(),
    "cgan-simultaneous": conditional_gan(update="simultaneous"),
    "cgan-xla": conditional_gan(jit_compile=True),
    "cgan-bfloat16": conditional_gan(),
}
