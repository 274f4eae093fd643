"""What two towers know of pairs that they have not seen, by how the pairs were bent that they learnt from.

    python benchmarks/towers.py --data my_pairs

Towers are what `PhotoInformation` looks through. They learn from pairs as they are, or from pairs of
which photo and sketch are bent together. Printed is the rank of a photo among those of its class, by
likeness to its true sketch (chance .5), of the pairs learnt from, of these bent, as a training bends them,
and of test pairs.
"""

import argparse

from side_by_side import start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of photo/sketch pairs (default: the embedded set)")
    parser.add_argument("--image-size", type=int, default=64, help="(default: %(default)s)")
    parser.add_argument("--steps", type=int, default=600, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    options = parser.parse_args()
    start(threads=1)
    import keras

    from keras_cgan import photo_towers, train_towers
    from keras_cgan.data import PairPipeline, open_pairs
    from keras_cgan.random_warp import RandomWarp
    from keras_cgan.strategies import default_warp

    train, test = open_pairs(options.data)
    size = (options.image_size,) * 2
    strength = default_warp("class-and-photo")
    pipeline = PairPipeline(train, size, len(train), shuffle=False, seed=options.seed, warp=strength)
    learnt, bent, unseen = train.as_arrays(size), pipeline.arrays(0), test.as_arrays(size)
    bending = RandomWarp(strength, shift=0.08, background=1.0)
    print("| learnt from | known pairs | known pairs, bent | test pairs |\n|---|---|---|---|", flush=True)
    for name, augment in {"pairs as they are": None, "pairs bent": bending}.items():
        keras.utils.set_random_seed(options.seed)
        towers = photo_towers((*size, 3))
        train_towers(*towers, learnt[0], learnt[2], steps=options.steps, augment=augment)
        ranks = [rank(towers, *pairs) for pairs in (learnt, bent, unseen)]
        print(f"| {name} | {' | '.join(f'{found:.2f}' for found in ranks)} |", flush=True)


def rank(towers, photos, labels, sketches):
    """The rank of each sketch's photo among those of its class."""
    from keras_cgan.judges import PairJudge, pair_distances
    from keras_cgan.metrics import photo_rank

    return photo_rank(pair_distances(PairJudge(*towers), photos, sketches), labels)


if __name__ == "__main__":
    main()
