"""Times the U-Net's convolutions as Keras computes them and as `faster_network` can, and drawing with either.

    python benchmarks/faster_networks.py

A row for each layer of G that halves or doubles the size: so one sees where the other way is faster,
and whether `faster_network` takes it then. Both ways are checked to agree before they take turns.
"""

import argparse
import statistics
from typing import NamedTuple

from side_by_side import positive, random_batch, say, start, take_turns, workloads
from workloads import WORKLOADS

PARTS = ("layers", "drawing")
WAYS = ("plain", "faster")


class Case(NamedTuple):
    """A convolution of the U-Net.

    Attributes:
        name: The layer's, and how G doubles the size where it is one that does.
        sizes: `(height, width, channels)` of what goes in and of what comes out.
        kernel_shape: Of its kernel.
        computes: One of `WAYS` -> function of the input and the kernel.
        learns_input: Whether a gradient goes to its input too; to a photo none does.
        taken: Whether `faster_network` computes it by the faster way.
    """

    name: str
    sizes: tuple
    kernel_shape: tuple
    computes: dict
    learns_input: bool
    taken: bool


def cases(workload):
    """The layers of the workload's U-Net that halve or double the size, with either upsampling."""
    import keras
    from contestants import networks

    from keras_cgan import fast_convolutions
    from keras_cgan.faster import faster_network

    def resize(x, kernel):
        x = keras.ops.repeat(keras.ops.repeat(x, 2, axis=1), 2, axis=2)
        return keras.ops.conv(x, kernel, padding="same")

    def down(x, kernel):
        return keras.ops.conv(x, kernel, strides=2, padding="same")

    def up(x, kernel):
        return keras.ops.conv_transpose(x, kernel, strides=2, padding="same")

    found = []
    for upsampling in ("transpose", "resize"):
        generator = networks(workload, upsampling)[0]
        faster = faster_network(generator)
        for before, layer in zip(generator.layers, generator.layers[1:]):
            x = layer.input
            if isinstance(layer, keras.layers.Conv2DTranspose):
                name, ways = f"{layer.name}, transposed", (up, fast_convolutions.up)
            elif isinstance(before, keras.layers.UpSampling2D):
                x, name, ways = before.input, f"{layer.name}, resize", (resize, fast_convolutions.resize_up)
            elif isinstance(layer, keras.layers.Conv2D) and upsampling == "transpose":
                name, ways = layer.name, (down, fast_convolutions.down)
            else:
                continue
            sizes = x.shape[1:], layer.output.shape[1:]
            taken = faster.get_layer(layer.name) is not layer
            computes = dict(zip(WAYS, ways))
            found.append(Case(name, sizes, layer.kernel.shape, computes, x is not generator.input, taken))
    return found


def traced_ways(case, batch_size):
    """The traced functions of one layer, without arguments.

    Args:
        case: A `Case`.
        batch_size: Images.

    Returns:
        A dict of (one of `WAYS`, `"forward"` or `"backward"`) -> function; the backward one
        goes forward too, and both return a list of tensors.
    """
    import keras
    import tensorflow as tf

    x, dy = (keras.random.normal((batch_size, *size), seed=n) for n, size in enumerate(case.sizes))
    kernel = keras.random.normal(case.kernel_shape, seed=2)

    def traced(compute):
        @tf.function
        def forward(x, kernel):
            return [compute(x, kernel)]

        @tf.function
        def backward(x, kernel, dy):
            with tf.GradientTape() as tape:
                tape.watch((x, kernel))
                y = compute(x, kernel)
            # With y, which a gradient does not need: it would be left out.
            return [y, *tape.gradient(y, [x, kernel] if case.learns_input else [kernel], dy)]

        return {"forward": lambda: forward(x, kernel), "backward": lambda: backward(x, kernel, dy)}

    return {
        (way, direction): call
        for way, compute in case.computes.items()
        for direction, call in traced(compute).items()
    }


def check_agreement(name, expected, received, tolerance=1e-4):
    """Raises a `RuntimeError` where two results differ, relative to the largest number in each tensor."""
    import numpy as np

    for wanted, got in zip(expected, received, strict=True):
        wanted, got = np.asarray(wanted), np.asarray(got)
        off = np.abs(got - wanted).max() / np.abs(wanted).max()
        if not off < tolerance:
            raise RuntimeError(f"{name}: the two ways are up to {off:g} of the largest apart.")


def time_layers(workload, rounds):
    """Prints a row for each layer of the workload's U-Net."""
    import tensorflow as tf

    layers = cases(workload)
    ways = {}
    for layer in layers:
        ways[layer.name] = traced_ways(layer, workload.batch_size)
        for direction in ("forward", "backward"):
            check_agreement(layer.name, *(ways[layer.name][way, direction]() for way in WAYS))
    # By direction and way first: between two calls with one kernel lie all the others, as in training.
    steps = {
        (layer.name, way, direction): ways[layer.name][way, direction]
        for direction in ("forward", "backward")
        for way in WAYS
        for layer in layers
    }
    nothing = tf.function(lambda x: [x])
    zero = tf.zeros(())
    steps["nothing"] = lambda: nothing(zero)
    take_turns(steps, 1)
    say(f"{workload.title}: {len(layers)} layers agree; {rounds} rounds of all")
    median = {name: statistics.median(times) for name, times in take_turns(steps, rounds).items()}

    print(f"{workload.title}: ms of either way, and how many times as fast the second is")
    print(f"  {'':51}  {'forward':>21}  {'forward and backward':>21}")
    figures = f"  {WAYS[0]:>7} {WAYS[1]:>7} {'times':>5}"
    print(f"  {'layer':22} {'map':>14} {'channels':>13}{figures}{figures}  faster_network")
    for layer in layers:
        maps = " -> ".join(f"{height}x{width}" for height, width, _ in layer.sizes)
        channels = " -> ".join(str(channels) for _, _, channels in layer.sizes)
        row = f"  {layer.name:22} {maps:>14} {channels:>13}"
        for direction in ("forward", "backward"):
            plain, faster = (median[layer.name, way, direction] for way in WAYS)
            row += f"  {plain:7.2f} {faster:7.2f} {plain / faster:5.2f}"
        print(f"{row}  {'taken' if layer.taken else 'left'}")
    print(f"  a call that computes nothing takes {median['nothing']:.2f} ms, which is in each of these")


def time_drawing(workload, rounds):
    """Prints the images a second of the workload's U-Net, as it is and `faster_network`."""
    import keras
    from contestants import networks
    from throughput import BATCH_SIZES, traced_drawing

    from keras_cgan.faster import faster_network

    keras.utils.set_random_seed(0)
    generator = networks(workload)[0]
    # Statistics of a real batch: with the first ones, 0 and 1, the sketches would be next to 0.
    settle_statistics(generator, random_batch(workload.image_size, 4, seed=1)[0]["photo"])
    steps = {}
    for batch_size in BATCH_SIZES:
        photo = random_batch(workload.image_size, batch_size)[0]["photo"]
        for title, network in {"plain": generator, "faster_network": faster_network(generator)}.items():
            steps[title, batch_size] = traced_drawing(network, photo)
        plain, faster = (steps[title, batch_size]() for title in ("plain", "faster_network"))
        check_agreement(
            f"drawing at {workload.image_size} px, batch {batch_size}", [plain], [faster], tolerance=1e-5
        )
    say(f"{workload.image_size} px: sketches agree; {rounds} rounds of all")
    times = take_turns(steps, rounds, per_turn=3, untimed=1)
    rates = {key: 1000 * key[1] / statistics.median(values) for key, values in times.items()}
    print(f"drawing at {workload.image_size} px, {workload.filters} filters: images a second")
    for batch_size in BATCH_SIZES:
        plain, faster = (rates[title, batch_size] for title in ("plain", "faster_network"))
        print(
            f"  batch {batch_size:2}: plain {plain:7.1f}, faster_network {faster:7.1f}, "
            f"{faster / plain:.2f} times as fast"
        )


def settle_statistics(network, photo):
    """Gives the batch norms of a network the statistics of a batch."""
    import keras

    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    network(photo, training=True)
    for norm, momentum in zip(norms, before):
        norm.momentum = momentum


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=positive, default=10, help="turns of each (default: %(default)s)")
    parser.add_argument("--threads", type=positive, default=2, help="of TensorFlow (default: %(default)s)")
    parser.add_argument(
        "--workloads",
        type=workloads,
        default=WORKLOADS,
        help="image size x batch size x filters, by commas (default: %(default)s)",
    )
    parser.add_argument("--only", choices=PARTS, help="one part (default: both)")
    options = parser.parse_args()
    start(options.threads)
    if options.only != "drawing":
        for workload in options.workloads:
            time_layers(workload, options.rounds)
    if options.only != "layers":
        # Drawing has batch sizes of its own.
        sizes = {(workload.image_size, workload.filters): workload for workload in options.workloads}
        for workload in sizes.values():
            time_drawing(workload, options.rounds)


if __name__ == "__main__":
    main()
