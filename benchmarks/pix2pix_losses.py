"""pix2pix's losses and patch sizes, one at a time: the shape of tables 1 and 2 of its paper.

    python benchmarks/pix2pix_losses.py

Each cell is trained on the embedded pairs for as many steps. Measured on test pairs: the class that an
independent classifier sees in a drawing (the idea of the paper's FCN score: it should be able to read what is
drawn), the diversity within a class, and L1, beside white paper. Patches are of 16 pixels where nothing else
is said; at 32 pixels one of 70 is the whole image. A killed run goes on: the same command.
"""

from recipe_cells import CellResults, chosen_cells, fixed_rows, parser_of
from side_by_side import start

from keras_cgan.recipe_run import run_program

# What so short a training on so few pairs needs: the norm that the paper has at batch 1, no dropout, higher
# rates; and patches of 16 pixels, as 70 would be the whole image, by which the cGAN alone learnt nothing.
SMALL = {"filters": 16, "norm": "instance", "dropout": 0.0, "learning_rates": (1e-3, 1e-3), "n_layers": 1}
BATCH_SIZE = 8
CELLS = {
    "L1": {"adversarial_weight": 0.0},
    "GAN": {"l1_weight": 0.0, "paired": False},
    "cGAN": {"l1_weight": 0.0},
    "L1+GAN": {"paired": False},
    "L1+cGAN": {},
    "L1+cGAN patch 1": {"n_layers": 0},
    "L1+cGAN patch 70": {"n_layers": 3},
}
COLUMNS = {
    "class_accuracy": "class accuracy",
    "within_class_diversity": "diversity within a class",
    "l1": "L1",
    "seconds": "s",
}


def main():
    parser = parser_of(__doc__, steps=3000, image_size=32, out="runs/pix2pix_losses")
    parser.add_argument("--misalignment", type=float, default=0.0, help="of the pairs (default: 0, traced)")
    options = parser.parse_args()
    cells = chosen_cells(parser, options, CELLS)
    start(options.threads)
    import keras

    from keras_cgan.data import PairPipeline, open_pairs
    from keras_cgan.evaluate import evaluate
    from keras_cgan.pictures import sample_grid
    from keras_cgan.recipes import pix2pix

    size = (options.image_size,) * 2
    settings = {
        name: getattr(options, name) for name in ("steps", "image_size", "judge_epochs", "misalignment")
    }
    results = CellResults(options.out, settings | {"batch_size": BATCH_SIZE, "recipe": SMALL})
    pairs, test_pairs = open_pairs(None, options.misalignment)
    judge = results.judge(pairs, options.image_size, options.judge_epochs)
    test = test_pairs.as_arrays(size)

    def train(name, cell, seed):
        keras.utils.set_random_seed(seed)
        model = pix2pix((*size, 3), **{**SMALL, **cell})
        batches = PairPipeline(pairs, size, BATCH_SIZE, seed=seed, drop_remainder=True).batches()
        model.fit(batches, steps_per_epoch=options.steps, verbose=0)
        picture = sample_grid(model.generator, *test, pairs.class_names)
        return evaluate(model.generator, judge, *test), picture

    results.run(cells, options.seeds, train)
    print(results.table(cells, COLUMNS, fixed_rows([judge], test)))


if __name__ == "__main__":
    run_program(main)
