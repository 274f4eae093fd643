"""What noise on the classifier's input does to the class that is drawn.

    python benchmarks/classifier_noise.py --data my_pairs

Trains the strategy `classifier` twice, without and with noise, on the same pairs in the
same order, and prints the classifier's loss on the generator's sketches beside what an
independent judge sees in them. Where the first is low and the second too, the generator
misleads the classifier instead of drawing the class.
"""

import argparse

from keras_cgan.startup import start_tensorflow

start_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from keras_cgan import ReferenceTrainer, resnet_classifier, strategy_networks  # noqa: E402
from keras_cgan.data import EmbeddedPairs, FolderPairs, PairPipeline  # noqa: E402
from keras_cgan.evaluate import evaluate  # noqa: E402
from keras_cgan.judges import train_judge  # noqa: E402
from keras_cgan.strategies import CLASSIFIER_NOISE  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of pairs; by default the embedded set")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    size = (options.image_size,) * 2
    if options.data:
        train = FolderPairs(options.data, "train")
        test = FolderPairs(options.data, "test", class_names=train.class_names)
    else:
        train, test = EmbeddedPairs(420, seed=0), EmbeddedPairs(120, seed=1)

    def whole(pairs):
        return PairPipeline(pairs, size, len(pairs), shuffle=False, augment=False).arrays(0)

    _, labels, sketches = whole(train)
    judge = train_judge(sketches, labels)
    for noise in (0.0, CLASSIFIER_NOISE):
        keras.utils.set_random_seed(options.seed)
        generator, discriminator, _ = strategy_networks(
            "classifier", (*size, 3), train.n_classes, filters=32, upsampling="transpose"
        )
        classifier = resnet_classifier((*size, 1), train.n_classes, input_noise=noise)
        trainer = ReferenceTrainer(generator, discriminator, classifier, l1_weight=100, class_weight=10)
        batches = PairPipeline(train, size, 8, seed=options.seed).batches(0, options.steps)
        losses = [trainer.train_on_batch(x, y)["g_class"] for x, y in batches]
        results = evaluate(generator, judge, *whole(test))
        shown = {name: f"{value:.2f}" for name, value in results.items()}
        print(
            f"noise {noise}: classifier's loss on fakes {np.mean(losses[-100:]):.2f}; judge: "
            f"class accuracy {shown['class_accuracy']} (real sketches {shown['class_accuracy_real']}), "
            f"swap {shown['swap_asked']}, within-class diversity {shown['within_class_diversity']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
