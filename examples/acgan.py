"""AC-GAN: from noise and a label to an image of that class; the discriminator also tells the classes apart.

    python examples/acgan.py                    # drawn digits
    python examples/acgan.py --data digits      # scikit-learn's real ones

It prints how often an independent classifier sees the class that was asked for; how varied the images of a
class are beside the real ones; and their MS-SSIM, as in the paper: how alike two images of a class are. A
value above the real images' means that variety was lost. `samples.png` has a row a class, and the same
noise in a column; `interpolation.png` goes from one noise to another.
"""

import functools

import numpy as np

from keras_cgan.recipe_run import RecipeRun, class_summary, run_program


def main(arguments=None):
    run = RecipeRun(
        "acgan", __doc__, arguments, image_size=16, batch_size=64, steps=2000,
        width=(0.25, "multiple of the paper's maps in the generator"),
        d_width=(0.5, "multiple of the paper's maps in the discriminator"),
        dropout=(0.1, "rate behind the discriminator's convolutions, .5 in the paper"),
        fakes_in_class_loss=(False, "whether it learns classes from fakes too, as in the paper"),
        class_weight=(0.2, "weight of the class losses, 1 in the paper"),
        label_in=("norms", "where the generator is told the label; the paper: input"),
        minibatch=(50, "projections by which D compares the images of a batch; the paper: 0", 0),
        warp=(0.3, "how much images are bent before the discriminator sees them, 0 in the paper"),
    )  # fmt: skip
    train, test = run.open_images()

    from keras_cgan.data import write_image
    from keras_cgan.pictures import class_rows
    from keras_cgan.recipes import acgan
    from keras_cgan.training import FusedAdam

    # A generator that is faster than D, bent images, and images compared: else there is one image a class.
    names = ("width", "d_width", "dropout", "fakes_in_class_loss", "class_weight")
    names += ("label_in", "warp", "minibatch")
    model = acgan(
        train.image_shape,
        train.n_classes,
        optimizers={"d": FusedAdam(4e-4, beta_1=0.5), "g": FusedAdam(1e-3, beta_1=0.5)},
        average_decay=0.99,
        background=train.background,
        **{name: run.settings[name] for name in names},
    )
    draw = functools.partial(class_rows, latent=model.latent, class_names=train.class_names)
    generator = run.fit(model, run.batches_of(train), draw)
    write_image(run.path / "interpolation.png", draw(generator, latent=Between(model.latent)))
    results = run.measure_classes(generator, model.latent, train, test)
    run.end(results, class_summary(results))


class Between:
    """Draws not noise after noise, but from one noise to another, in equal steps."""

    def __init__(self, latent):
        self.latent = latent

    def sample(self, batch_size, seed=None):
        first, last = np.asarray(self.latent.sample(2, seed))
        return np.linspace(first, last, batch_size, dtype="float32")


if __name__ == "__main__":
    run_program(main)
