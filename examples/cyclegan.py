"""CycleGAN: photos to sketches and back, learnt from photos and sketches that are no pairs.

    python examples/cyclegan.py                     # drawn pairs, a few minutes
    python examples/cyclegan.py --ground kept       # harder: photos in grey, with their backgrounds
    python examples/cyclegan.py --data my_pairs --ground kept
    python examples/cyclegan.py --data my_pairs --sketches quickdraw    # of a set that has sketches alone

Photos of one half of the training pairs and sketches of the other, or of another set: no drawing is ever
compared with its true sketch. To learn in minutes, photos are of an easier kind: an object as dark as it is
unlike its background, which is white. It prints how far from a photo and from a sketch what comes back of
it is (black to white is 1), and what pix2pix's script does: the class that an independent classifier sees
in drawings of test photos, their diversity, and L1 to the true sketches beside white paper. `samples.png`
shows photos to sketches and back, and sketches to photos and back.
"""

from keras_cgan.recipe_run import RecipeRun, pair_summary, run_program


def main(arguments=None):
    run = RecipeRun(
        "cyclegan", __doc__, arguments, image_size=32, batch_size=8, steps=1600,
        data="a folder of pairs",
        sketches=("", "a folder of sketches alone, for those of the pairs' other half"),
        misalignment=(0.0, "of the embedded pairs: how far sketches depart from outlines"),
        ground=("white", "of photos: white, light (dark ones as negatives) or kept"),
        filters=(16, "maps of the first convolutions, 64 in the paper"),
        cycle_weight=(3.0, "of L1 between an image and what comes back of it, 10 in the paper"),
        adversarial_weight=(1.0, "of the adversarial losses"),
    )  # fmt: skip
    train, test_pairs = run.open_pairs()

    from keras_cgan.data import GreyPairs, UnpairedPipeline, open_images
    from keras_cgan.pictures import cycle_grid
    from keras_cgan.recipes import cyclegan

    settings, names, steps = run.settings, train.class_names, run.settings["steps"]
    train, test_pairs = (GreyPairs(pairs, settings["ground"]) for pairs in (train, test_pairs))
    test = run.test_arrays(test_pairs)
    # For few steps on small images: U-Nets, smaller patches and a higher rate than the paper's.
    model = cyclegan(
        test[0].shape[1:],
        test[2].shape[-1],
        settings["filters"],
        generators="unet",
        n_layers=1,
        learning_rate=1e-3,
        constant_steps=steps // 2,
        decay_steps=steps - steps // 2,
        cycle_weight=settings["cycle_weight"],
        adversarial_weight=settings["adversarial_weight"],
    )
    others = open_images(settings["sketches"], run.image_size)[0] if settings["sketches"] else None
    batches = UnpairedPipeline(
        train, run.image_size, settings["batch_size"], seed=settings["seed"], sketches=others
    )
    generator = run.fit(model, batches, lambda generator: cycle_grid(generator, model.to_photo, *test, names))
    results = run.measure_pairs(generator, train, test) | model.cycle_errors(test[0], test[2])
    line = f"L1 of a photo and what comes back {results['photo_back']:.3f}, of a sketch "
    run.end(results, f"{line}{results['sketch_back']:.3f}\n{pair_summary(results)}")


if __name__ == "__main__":
    run_program(main)
