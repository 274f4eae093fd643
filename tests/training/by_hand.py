"""The training step by hand, as the tests' own second opinion."""

import numpy as np
import tensorflow as tf
import tiny
from tiny import LEARNING_RATES

from keras_cgan import STRATEGIES


class HandStep:
    """The step as the design words it: three updates with explicit gradients, nothing of the package."""

    def __init__(self, parts, strategy, class_head="softmax"):
        self.G, self.D, self.C = self.parts = tiny.copies(parts)
        self.names = STRATEGIES[strategy].outputs
        self.paired = STRATEGIES[strategy].paired
        self.softmax = (STRATEGIES[strategy].class_head or class_head) == "softmax"

    def targets(self, label, fake):
        n = len(label)
        fakeness = np.full((n, 1), float(fake), "float32")
        said = np.zeros_like(label) if fake and self.softmax else label
        classes = np.concatenate([fakeness, said], axis=1)
        return {"real_fake": 1 - fakeness, "classes": classes, "label": label}

    def loss(self, name, y_true, y_pred):
        if name == "label" or (name == "classes" and self.softmax):
            return -tf.reduce_mean(tf.reduce_sum(y_true * tf.math.log(y_pred), axis=-1))
        y_pred = tf.where(y_true > 0.5, y_pred, 1 - y_pred)
        return -tf.reduce_mean(tf.math.log(y_pred))

    def outputs(self, network, image, only="real_fake"):
        outputs = network(image, training=True)
        return outputs if isinstance(outputs, dict) else {only: outputs}

    def seen(self, photo, sketch):
        return tf.concat([photo, sketch], axis=-1) if self.paired else tf.convert_to_tensor(sketch)

    def descend(self, network, tape, loss, rate):
        weights = network.trainable_variables
        for weight, gradient in zip(weights, tape.gradient(loss, [weight.value for weight in weights])):
            if gradient is not None:
                weight.assign(weight - rate * gradient)

    def d_step(self, photo, label, sketch, fakes, joined):
        images = [self.seen(photo, image) for image in (sketch, fakes)]
        targets = [self.targets(label, fake) for fake in (False, True)]
        if joined:
            images = [tf.concat(images, axis=0)]
            targets = [{name: np.concatenate([half[name] for half in targets]) for name in self.names}]
        losses = []
        for number, (image, target) in enumerate(zip(images, targets)):
            with tf.GradientTape() as tape:
                outputs = self.outputs(self.D, image, self.names[0])
                told = [name for name in self.names if name != "label"]
                parts = [self.loss(name, target[name], outputs[name]) for name in told]
                if "label" in self.names and number == 0:
                    # Q learns from the real sketches only.
                    parts.append(self.loss("label", label, outputs["label"][: len(label)]))
                loss = sum(parts)
            self.descend(self.D, tape, loss, LEARNING_RATES["d"])
            losses.append(float(loss))
        return np.mean(losses)

    def c_step(self, sketch, label):
        with tf.GradientTape() as tape:
            loss = self.loss("label", label, self.C(sketch, training=True))
        self.descend(self.C, tape, loss, LEARNING_RATES["c"])
        return float(loss)

    def g_step(self, x, photo, label, sketch):
        judge, reader = tiny.copy(self.D), tiny.copy(self.C)
        with tf.GradientTape() as tape:
            drawn = self.G(x, training=True)
            l1 = tf.reduce_mean(tf.abs(sketch - drawn))
            outputs = self.outputs(judge, self.seen(photo, drawn), self.names[0])
            if reader is not None:
                outputs["label"] = reader(drawn, training=True)
            logs = self.g_losses(l1, outputs, label)
        self.descend(self.G, tape, logs["g_loss"], LEARNING_RATES["g"])
        return logs

    def g_losses(self, l1, outputs, label):
        asked = self.targets(label, fake=0)
        losses = {name: self.loss(name, asked[name], output) for name, output in outputs.items()}
        adversarial = losses.pop("real_fake" if "real_fake" in losses else "classes")
        of_class = sum(losses.values())
        loss = 10.0 * l1 + 0.7 * adversarial + 0.3 * of_class
        logs = {"g_loss": loss, "g_l1": l1, "g_adv": adversarial}
        return logs | ({"g_class": of_class} if losses else {})

    def __call__(self, x, sketch, joined=True, update="sequential"):
        photo, label = x["photo"], x["label"]
        conditions = x if isinstance(self.G.input, dict) else photo
        fakes = tiny.copy(self.G)(conditions, training=True)
        logs = {}
        if update == "simultaneous":
            logs |= self.g_step(conditions, photo, label, sketch)
        logs["d_loss"] = self.d_step(photo, label, sketch, fakes, joined)
        if self.C is not None:
            logs["c_loss"] = self.c_step(sketch, label)
        if update == "sequential":
            logs |= self.g_step(conditions, photo, label, sketch)
        return logs

    def tutorial(self, x, sketch):
        """As TensorFlow's pix2pix tutorial: D in two passes, all gradients from before any update."""
        photo, label = x["photo"], x["label"]
        # Read as it is before its own step, and without its state being moved.
        reader = tiny.copy(self.C)
        with tf.GradientTape(persistent=True) as tape:
            drawn = self.G(x if isinstance(self.G.input, dict) else photo, training=True)
            real = self.outputs(self.D, self.seen(photo, sketch), self.names[0])
            fake = self.outputs(self.D, self.seen(photo, drawn), self.names[0])
            # Halved "to slow down the rate at which D learns" (Isola et al.), which the tutorial leaves out.
            d_loss = 0.0
            for name in [name for name in self.names if name != "label"]:
                d_loss += self.loss(name, self.targets(label, fake=False)[name], real[name]) / 2
                d_loss += self.loss(name, self.targets(label, fake=True)[name], fake[name]) / 2
            if "label" in self.names:
                d_loss += self.loss("label", label, real["label"])
            c_loss = self.C and self.loss("label", label, self.C(sketch, training=True))
            outputs = fake | ({"label": reader(drawn, training=True)} if reader else {})
            logs = self.g_losses(tf.reduce_mean(tf.abs(sketch - drawn)), outputs, label)
        self.descend(self.D, tape, d_loss, LEARNING_RATES["d"])
        if self.C is not None:
            self.descend(self.C, tape, c_loss, LEARNING_RATES["c"])
        self.descend(self.G, tape, logs["g_loss"], LEARNING_RATES["g"])
        return logs | {"d_loss": d_loss} | ({} if self.C is None else {"c_loss": c_loss})
