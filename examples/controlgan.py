"""ControlGAN: how far the generator heeds a classifier C is held by a rule, and labels can be turned up.

    python examples/controlgan.py                               # drawn digits, a few minutes
    python examples/controlgan.py --data digits --target 0.5    # scikit-learn's real ones

It prints C's loss on fakes over its loss on real images, which the rule holds at `--target`, and how sure C
is of the class where the label is taken times -1, 0, 1, 2 and 3. `samples.png` shows what that draws; the
generator has only ever learnt from times 1.
"""

import csv
import functools

import numpy as np

from keras_cgan.recipe_run import RecipeRun, class_summary, run_program

FACTORS = (-1, 0, 1, 2, 3)
EACH = 3  # images of each class and factor in the picture


def drawn_for(generator, latent, labels):
    """Images of the labels times each factor, `(factors, labels, ...)`; the noise is the same for all."""
    noise = np.tile(latent.sample(len(labels), seed=0), (len(FACTORS), 1))
    scaled = np.concatenate([factor * labels for factor in FACTORS])
    drawn = generator.predict({"latent": noise, "label": scaled}, batch_size=256, verbose=0)
    return drawn.reshape(len(FACTORS), len(labels), *drawn.shape[1:])


def factor_rows(generator, latent, class_names):
    """A row a class; across, the label times each factor."""
    from keras_cgan.pictures import SMALL_CELL, image_grid

    labels = np.repeat(np.eye(len(class_names), dtype="float32")[:10], EACH, axis=0)
    drawn = drawn_for(generator, latent, labels)
    rows = [np.concatenate(drawn[:, i : i + EACH]) for i in range(0, len(labels), EACH)]
    headers = [f"x {factor}" for factor in FACTORS for _ in range(EACH)]
    return image_grid([list(row) for row in rows], headers, class_names[:10], cell=SMALL_CELL)


def margin(logits, labels):
    """How far the logit of the class asked for is above the highest other one, in the mean."""
    return float(np.mean(logits[labels > 0] - np.max(logits - 1e9 * labels, axis=1)))


def loss_ratio(path):
    """C's loss on fakes over its loss on real images, in the last quarter of the training."""
    rows = list(csv.DictReader((path / "losses.csv").read_text().splitlines()))[-5:]
    return sum(float(row["g_class"]) for row in rows) / sum(float(row["c_loss"]) for row in rows)


def main(arguments=None):
    options = {"target": (1.0, "E: what C's loss on fakes over that on real images is held at")}
    run = RecipeRun("controlgan", __doc__, arguments, image_size=16, batch_size=32, steps=2000, **options)
    train, test = run.open_images()

    from keras_cgan import resnet_classifier
    from keras_cgan.recipes import controlgan

    # A small C that sees noise, so that a few hundred images do not bring its loss to 0; no dropout in so
    # narrow a D; a faster rule and higher rates than the paper's, for a short training.
    shape, n_classes = train.image_shape, train.n_classes
    teller = resnet_classifier(shape, n_classes, filters=8, stages=2, input_noise=0.3, stem_strides=1)
    short = {"rate": 0.02, "most": 20.0, "dropout": (), "learning_rate": 7e-4, "average_decay": 0.99}
    model = controlgan(shape, n_classes, 16, teller, run.settings["target"], **short)
    draw = functools.partial(factor_rows, latent=model.latent, class_names=train.class_names)
    generator = run.fit(model, run.batches_of(train), draw)
    results = run.measure_classes(generator, model.latent, train, test)
    line, ratio = class_summary(results), loss_ratio(run.path)
    pictures = drawn_for(generator, model.latent, test.labels)
    told = [model.c_model.predict(images, verbose=0)["label"] for images in pictures]
    margins = [margin(logits, test.labels) for logits in told]
    line += f"\nC's loss on fakes over that on real images {ratio:.2f}, asked {model.equilibrium.target:g}"
    line += "\nC's logit margin: " + ", ".join(f"{m:+.1f} (label x {f})" for m, f in zip(margins, FACTORS))
    run.end({**results, "loss_ratio": ratio, "margins": margins}, line)


if __name__ == "__main__":
    run_program(main)
