"""pix2pix: photos to sketches by L1 and a PatchGAN that sees photo and sketch; rows of its tables 1 and 2.

    python examples/pix2pix.py                            # drawn pairs, a few minutes
    python examples/pix2pix.py --adversarial-weight 0     # L1 alone
    python examples/pix2pix.py --l1-weight 0              # the cGAN alone
    python examples/pix2pix.py --data my_pairs --image-size 64

It prints the class that an independent classifier sees in drawings of test photos, how much they vary
within a class, and how far they are from the true sketches, beside white paper. `samples.png` shows photo,
drawing and true sketch. Sketches lie on the outlines of their photos; `--misalignment 0.4` shows how much
pix2pix relies on that.
"""

from keras_cgan.recipe_run import RecipeRun, pair_summary, run_program


def main(arguments=None):
    run = RecipeRun(
        "pix2pix", __doc__, arguments, image_size=32, batch_size=8, steps=3000,
        data="a folder of pairs",
        misalignment=(0.0, "of the embedded pairs: how far sketches depart from outlines"),
        filters=(16, "maps of the first convolutions, 64 in the paper"),
        l1_weight=(100.0, "of G's L1"),
        adversarial_weight=(1.0, "of G's adversarial loss"),
        layers=(1, "stride-2 convolutions of D: 0, 1, 2, 3 for patches of 1, 16, 34, 70 pixels"),
    )  # fmt: skip
    train, test_pairs = run.open_pairs()

    from keras_cgan.data import PairPipeline
    from keras_cgan.pictures import sample_grid
    from keras_cgan.recipes import pix2pix

    settings, test = run.settings, run.test_arrays(test_pairs)
    # For so few steps: higher rates than the paper's, no dropout, and the norm that the paper has at batch 1.
    model = pix2pix(
        (*run.image_size, test[0].shape[-1]),
        test[2].shape[-1],
        settings["filters"],
        settings["l1_weight"],
        settings["adversarial_weight"],
        settings["layers"],
        dropout=0.0,
        norm="instance",
        learning_rates=(1e-3, 1e-3),
    )
    batch_size, seed = settings["batch_size"], settings["seed"]
    batches = PairPipeline(train, run.image_size, batch_size, seed=seed, drop_remainder=True)
    generator = run.fit(model, batches, lambda generator: sample_grid(generator, *test, train.class_names))
    results = run.measure_pairs(generator, train, test)
    run.end(results, pair_summary(results))


if __name__ == "__main__":
    run_program(main)
