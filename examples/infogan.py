"""InfoGAN: codes that nobody labelled find the classes of images.

    python examples/infogan.py                    # drawn digits, a few minutes
    python examples/infogan.py --data digits      # scikit-learn's real ones

It prints how much an image tells at least of its ten-valued code c1, of H(c1), and the share of test images
that are wrong when each value of c1 stands for one class: the matching is the best for these very images, as
in the paper; beside it, that of the training images' classes. Labels serve for nothing else. In `c1.png`
c1 runs from left to right, in `c2.png` and `c3.png` these codes run from -2 to 2, a row for each c1.
"""

import numpy as np

from keras_cgan.recipe_run import RecipeRun, run_program

MEASURED = 2000  # drawn images, for the bound


def code_rows(generator, latent, code):
    """One code from left to right, all else the same in a row: figure 2 of the paper."""
    from keras_cgan.pictures import image_grid

    images = generator.predict_on_batch(latent.grid(code, seed=0))
    n_values = latent.categories[0]
    columns = range(n_values) if code == 0 else [f"{value:.1f}" for value in np.linspace(-2, 2, 10)]
    grid = images.reshape(-1, len(columns), *images.shape[1:])
    captions = [f"c1={row % n_values}" if code else "" for row in range(len(grid))]
    return image_grid(list(map(list, grid)), [str(column) for column in columns], captions, cell=48)


def measured(model, generator, train, test):
    """The bound on fakes, and the errors of Q's c1 on real images."""
    from keras_cgan.metrics import matching_error, mutual_information_bound

    latents = model.latent.sample(MEASURED, 1)
    codes = np.asarray(model.latent.split(latents)["categories"][0])
    read = [
        model.discriminator.predict(images, batch_size=500, verbose=0)["label"]
        for images in (generator.predict(latents, batch_size=500, verbose=0), train.images, test.images)
    ]
    losses = -np.log(np.maximum((codes * read[0]).sum(axis=1), 1e-12))
    return {
        "entropy": model.latent.entropy,
        "mutual_information": mutual_information_bound(model.latent.entropy, losses),
        "matching_error": matching_error(read[2], test.labels),
        "matching_error_train": matching_error(read[1], train.labels),
    }


def main(arguments=None):
    run = RecipeRun(
        "infogan", __doc__, arguments, image_size=16, batch_size=128, steps=4000,
        width=(0.25, "multiple of the paper's numbers of units and maps"),
        noise=(8, "numbers of noise, 62 in the paper"),
        warp=(0.7, "how much images are bent before D and Q see them, 0 in the paper"),
        codes=(10, "values of c1"),
    )  # fmt: skip
    train, test = run.open_images()

    from keras_cgan.data import write_image
    from keras_cgan.recipes import infogan

    # On small sets codes find the classes where there is less noise, and what D and Q see is bent.
    options = {name: run.settings[name] for name in ("width", "noise", "warp")}
    model = infogan(train.image_shape, run.settings["codes"], background=train.background, **options)
    batches = run.batches_of(train, labels=False)
    generator = run.fit(model, batches, lambda generator: code_rows(generator, model.latent, 0))
    for code in range(3):
        write_image(run.path / f"c{code + 1}.png", code_rows(generator, model.latent, code))
    results = measured(model, generator, train, test)
    line = (
        f"mutual information at least {results['mutual_information']:.2f} of {results['entropy']:.2f} nats; "
        f"matching error {results['matching_error']:.1%} of test images "
        f"(training images {results['matching_error_train']:.1%})"
    )
    run.end(results, line)


if __name__ == "__main__":
    run_program(main)
