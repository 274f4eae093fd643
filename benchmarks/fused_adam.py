"""Times an update by Keras' Adam, by FusedAdam, and by Keras' Adam compiled by XLA.

    python benchmarks/fused_adam.py

For the variables of the U-Net at 64 px with 32 filters, and at 256 px with 64. The three take
turns, and the medians are compared; their updates are checked to agree.
"""

import argparse
import statistics

from side_by_side import start, take_turns


def update_of(optimizer, variables, gradients, jit_compile=False):
    """A compiled update of variables by given gradients."""
    import tensorflow as tf

    optimizer.build(variables)
    apply = tf.function(lambda: optimizer.apply(gradients, variables), jit_compile=jit_compile)
    apply()
    return apply


def size_of(text):
    """`(image size, filters)` of an entry such as 64x32."""
    size, times, filters = text.partition("x")
    if not (times and size.isdecimal() and filters.isdecimal() and int(size) and int(filters)):
        raise argparse.ArgumentTypeError(
            f"sizes must be <image size>x<filters>, as in 64x32. Received: {text}"
        )
    return int(size), int(filters)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="turns of each (default: 10)")
    parser.add_argument("--threads", type=int, default=2, help="of TensorFlow (default: 2)")
    parser.add_argument(
        "--sizes",
        type=lambda text: [size_of(entry) for entry in text.split(",")],
        default="64x32,256x64",
        help="image size x filters, by commas (default: 64x32,256x64)",
    )
    options = parser.parse_args()
    start(options.threads)

    import keras
    import numpy as np

    from keras_cgan import FusedAdam, unet_generator

    kinds = {
        "Keras' Adam": (keras.optimizers.Adam, False),
        "FusedAdam": (FusedAdam, False),
        "Keras' Adam, XLA": (keras.optimizers.Adam, True),
    }
    for size, filters in options.sizes:
        networks, steps = {}, {}
        for name, (kind, jit_compile) in kinds.items():
            keras.utils.set_random_seed(0)
            variables = unet_generator((size, size, 3), filters=filters).trainable_variables
            gradients = [keras.random.normal(v.shape, seed=n) for n, v in enumerate(variables)]
            networks[name] = variables
            steps[name] = update_of(kind(2e-4, beta_1=0.5), variables, gradients, jit_compile)
        for name, variables in networks.items():
            for value, expected in zip(variables, networks["Keras' Adam"], strict=True):
                np.testing.assert_allclose(value, expected, atol=1e-6, err_msg=name)
        times = take_turns(steps, options.rounds, per_turn=2, untimed=1)
        median = {name: statistics.median(values) for name, values in times.items()}
        count = sum(int(np.prod(v.shape)) for v in networks["FusedAdam"])
        print(f"{size} px, {filters} filters, {count / 1e6:.1f} M parameters")
        for name, value in median.items():
            print(f"  {name:17} {value:7.1f} ms, {value / median['FusedAdam']:.2f} times FusedAdam's")


if __name__ == "__main__":
    main()
