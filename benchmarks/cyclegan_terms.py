"""CycleGAN's terms, one at a time: the shape of tables 4 and 5 of its paper, with pix2pix beside.

    python benchmarks/cyclegan_terms.py

Photos of one half of the embedded pairs and sketches of the other: no pair is seen. Only pix2pix sees pairs,
all of them, for as many steps. So that it can be learnt in minutes, photos are of an easier kind: an object
as dark as it is unlike its ground, which is white. All but the last of CycleGAN's rows have the identity term
too, which the paper's have not. Measured on test pairs: the class that an independent classifier sees in the
drawings, the diversity within a class, L1 to the true sketches, and how far from a photo (and from a sketch)
what comes back of it is. To be beaten: white paper, and the photos themselves, taken for drawings. A killed
run goes on: the same command.
"""

from pix2pix_losses import BATCH_SIZE, SMALL
from recipe_cells import CellResults, chosen_cells, fixed_rows, parser_of
from side_by_side import start

from keras_cgan.recipe_run import run_program

# What so short a training on so small images needs: U-Nets and a higher rate than the paper's. With a weight
# of 3 for the cycle, not 10, shades are drawn as somewhat fewer dots; they are not gone.
SETTINGS = {"filters": 16, "generators": "unet", "n_layers": 1, "learning_rate": 1e-3, "cycle_weight": 3.0}
PIX2PIX = "pix2pix (pairs)"
CELLS = {
    "cycle alone": {"adversarial_weight": 0.0},
    "GAN alone": {"forward_cycle": False, "backward_cycle": False},
    "GAN + forward cycle": {"backward_cycle": False},
    "GAN + backward cycle": {"forward_cycle": False},
    "CycleGAN": {},
    "CycleGAN no identity": {"identity_weight": 0.0},
    PIX2PIX: None,
}
COLUMNS = {
    "class_accuracy": "class accuracy",
    "within_class_diversity": "diversity within a class",
    "l1": "L1 to the true sketch",
    "photo_back": "L1, photo and back",
    "sketch_back": "L1, sketch and back",
    "seconds": "s",
}


def main():
    parser = parser_of(__doc__, steps=800, image_size=32, out="runs/cyclegan_terms")
    options = parser.parse_args()
    cells = chosen_cells(parser, options, CELLS)
    start(options.threads)
    import keras

    from keras_cgan.data import GreyPairs, PairPipeline, UnpairedPipeline, open_pairs
    from keras_cgan.evaluate import evaluate
    from keras_cgan.pictures import cycle_grid, sample_grid
    from keras_cgan.recipes import cyclegan, pix2pix

    size = (options.image_size,) * 2
    settings = {name: getattr(options, name) for name in ("steps", "image_size", "judge_epochs")}
    results = CellResults(options.out, settings | {"batch_size": BATCH_SIZE, "recipe": SETTINGS})
    # Photos of one channel, as sketches are: the identity term wants that.
    pairs, test_pairs = (GreyPairs(each, "white") for each in open_pairs(None, misalignment=0.0))
    judge = results.judge(pairs, options.image_size, options.judge_epochs)
    test = test_pairs.as_arrays(size)

    def train(name, cell, seed):
        keras.utils.set_random_seed(seed)
        if cell is None:
            model = pix2pix((*size, 1), **SMALL)
            batches = PairPipeline(pairs, size, BATCH_SIZE, seed=seed, drop_remainder=True).batches()
        else:
            half = options.steps // 2
            model = cyclegan(
                (*size, 1), **SETTINGS, constant_steps=half, decay_steps=options.steps - half, **cell
            )
            batches = UnpairedPipeline(pairs, size, BATCH_SIZE, seed=seed).batches()
        model.fit(batches, steps_per_epoch=options.steps, verbose=0)
        if cell is None:
            measures = evaluate(model.generator, judge, *test)
            return measures, sample_grid(model.generator, *test, pairs.class_names)
        measures = evaluate(model.to_sketch, judge, *test) | model.cycle_errors(test[0], test[2])
        return measures, cycle_grid(model.to_sketch, model.to_photo, *test, pairs.class_names)

    results.run(cells, options.seeds, train)
    print(results.table(cells, COLUMNS, fixed_rows([judge], test, {"photos": test[0]})))


if __name__ == "__main__":
    run_program(main)
