"""Conditional GAN: from noise and a label to an image of that class, by fully connected networks.

    python examples/cgan.py                    # drawn digits, a few minutes
    python examples/cgan.py --data digits      # scikit-learn's real ones

It prints how often an independent classifier sees the class that was asked for, and how varied the images
of a class are beside the real ones. `samples.png` has a row a class, and the same noise in a column.
"""

import functools

from keras_cgan.recipe_run import RecipeRun, class_summary, run_program


def main(arguments=None):
    run = RecipeRun(
        "cgan", __doc__, arguments, image_size=16, batch_size=50, steps=8000,
        units=(480, "units of the generator's last hidden layer, 1200 in the paper; the others go with it"),
    )  # fmt: skip
    train, test = run.open_images()

    from keras_cgan.pictures import class_rows
    from keras_cgan.recipes import cgan, marginal_bias
    from keras_cgan.training import FusedAdam

    # In thousands of steps: Adam, noise of more variance, and no dropout in the generator.
    units = run.settings["units"]
    model = cgan(
        train.image_shape,
        train.n_classes,
        latent_units=max(1, units // 6),
        label_units=max(1, units * 5 // 6),
        hidden=(units,),
        noise_distribution="normal",
        output_bias=marginal_bias(train.images),
        dropout=0.0,
        optimizers={"d": FusedAdam(1e-3, beta_1=0.5), "g": FusedAdam(5e-4, beta_1=0.5)},
        average_decay=0.99,
    )
    draw = functools.partial(class_rows, latent=model.latent, class_names=train.class_names)
    generator = run.fit(model, run.batches_of(train), draw)
    results = run.measure_classes(generator, model.latent, train, test)
    run.end(results, class_summary(results))


if __name__ == "__main__":
    run_program(main)
