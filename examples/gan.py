"""GAN: from noise to images, by fully connected networks.

    python examples/gan.py                    # drawn digits, a few minutes
    python examples/gan.py --data digits      # scikit-learn's real ones

It prints the log-likelihood of test images under normal distributions around 10,000 drawn ones (Parzen), in
nats, for pixels in [0, 1], and beside it the same for draws of the untrained generator, for draws of one
normal distribution with the training images' mean and covariance, and for the training images themselves.
"""

import numpy as np

from keras_cgan.recipe_run import RecipeRun, run_program

DRAWN, MOST_VALIDATION, MOST_TEST = 10_000, 500, 1000


def noise_rows(generator, latent, rows=8, columns=12):
    """Images of other noise each."""
    from keras_cgan.pictures import image_grid

    drawn = generator.predict_on_batch(latent.sample(rows * columns, 0))
    grid = drawn.reshape(rows, columns, *drawn.shape[1:])
    return image_grid(list(map(list, grid)), [""] * columns, [""] * rows, cell=48)


def normal_draws(images, n):
    """Draws of the normal distribution with the images' mean and full covariance, kept to [-1, 1]."""
    rows = images.reshape(len(images), -1)
    values, vectors = np.linalg.eigh(np.cov(rows.T, dtype="float64"))
    scaled = np.random.default_rng(0).normal(size=(n, len(values))) * np.sqrt(np.maximum(values, 0))
    return np.clip(rows.mean(axis=0) + scaled @ vectors.T, -1, 1).reshape(n, *images.shape[1:])


def main(arguments=None):
    run = RecipeRun(
        "gan", __doc__, arguments, image_size=16, batch_size=50, steps=6000,
        units=(480, "units of the generator's hidden layers, 1200 in the paper"),
        dropout=(0.2, "rate behind the discriminator's layers, .5 in the paper"),
    )  # fmt: skip
    train, test = run.open_images()
    train, validation = train.split(test_share=0.1)  # the width is chosen on images that are not tested on

    from keras_cgan.metrics import parzen_log_likelihood
    from keras_cgan.recipes import gan, marginal_bias
    from keras_cgan.training import FusedAdam

    # In thousands of steps: Adam, and less dropout.
    model = gan(
        train.image_shape,
        hidden=(run.settings["units"],) * 2,
        output_bias=marginal_bias(train.images),
        d_dropout=(0.0, run.settings["dropout"]),
        optimizers={"d": FusedAdam(1e-3, beta_1=0.5), "g": FusedAdam(5e-4, beta_1=0.5)},
        average_decay=0.99,
    )
    latents = model.latent.sample(DRAWN, 1)
    samples = {
        "untrained": model.generator.predict(latents, batch_size=500, verbose=0),
        "normal": normal_draws(train.images, DRAWN),
        "train": train.images[:DRAWN],
    }
    batches = run.batches_of(train, labels=False)
    generator = run.fit(model, batches, lambda generator: noise_rows(generator, model.latent))
    samples = {"drawn": generator.predict(latents, batch_size=500, verbose=0), **samples}
    print("measuring log-likelihoods ...", flush=True)
    real = [((images + 1) / 2) for images in (validation.images[:MOST_VALIDATION], test.images[:MOST_TEST])]
    results = {name: parzen_log_likelihood((images + 1) / 2, *real) for name, images in samples.items()}
    text = {name: f"{r['log_likelihood']:.1f} +- {r['standard_error']:.1f}" for name, r in results.items()}
    line = f"Parzen log-likelihood {text['drawn']} nats (untrained {text['untrained']}, normal distribution "
    run.end(results, f"{line}{text['normal']}, training images {text['train']})")


if __name__ == "__main__":
    run_program(main)
