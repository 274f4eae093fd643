"""Times a step of `ConditionalGAN.fit` with one thing changed at a time: Keras' loop, input, upsampling.

    python benchmarks/fit_options.py

For each workload calls of `fit` take turns, and medians are compared. The base takes one step an
execution, on one batch kept in memory, with transposed convolutions. Every call makes an iterator,
and reads its first batch anew, so the input's share is the more exact the more `--steps` a call has.
"""

import argparse
import statistics
import tempfile

from side_by_side import positive, say, start, take_turns, workloads

STEPS_PER_EXECUTION = 8
BASE = "a batch kept in memory"


def gan_of(workload, upsampling="transpose", steps_per_execution=1):
    """A compiled `ConditionalGAN`; those with the same upsampling start from the same weights."""
    import keras
    from contestants import networks

    from keras_cgan import ConditionalGAN

    keras.utils.set_random_seed(0)
    gan = ConditionalGAN(*networks(workload, upsampling))
    gan.compile(steps_per_execution=steps_per_execution)
    return gan


def fit_calls(workload, steps, folder):
    """What is compared: functions that `fit` for so many steps.

    Args:
        workload: A `Workload`.
        steps: Steps a call.
        folder: An empty folder, for the PNG files of the pairs.

    Returns:
        A dict of title -> function without arguments, `BASE` the first.

    Raises:
        RuntimeError: Several steps an execution do not lose what the base loses.
    """
    import tensorflow as tf
    from throughput import write_pairs

    from keras_cgan.data import EmbeddedPairs, PairPipeline

    size = (workload.image_size,) * 2
    pairs = write_pairs(EmbeddedPairs(max(48, workload.batch_size)), size, folder)
    # Without a shorter last batch, so that shapes are those of the batch in memory, and so is the trace.
    pipeline = PairPipeline(pairs, size, workload.batch_size, drop_remainder=True, memory_limit=0)
    files = pipeline.batches()
    kept = tf.data.Dataset.from_tensors(next(iter(files))).repeat()
    if kept.element_spec != files.element_spec:
        raise RuntimeError(f"batches differ: {kept.element_spec} in memory, {files.element_spec} read.")

    per_execution = min(STEPS_PER_EXECUTION, steps)
    base = gan_of(workload)
    several = gan_of(workload, steps_per_execution=per_execution)
    resized = gan_of(workload, upsampling="resize")
    check_losses(*(_fit(gan, kept, per_execution) for gan in (base, several)))
    return {
        BASE: lambda: _fit(base, kept, steps),
        f"{per_execution} steps an execution": lambda: _fit(several, kept, steps),
        # By the same model as the base: nothing but where the batches come from can tell them apart.
        "PNG files, decoded each time": lambda: _fit(base, files, steps),
        'upsampling="resize"': lambda: _fit(resized, kept, steps),
    }


def _fit(gan, batches, steps):
    """The mean losses of so many steps of `fit`."""
    history = gan.fit(batches, steps_per_epoch=steps, verbose=0).history
    return {name: values[0] for name, values in history.items()}


def check_losses(expected, received):
    """Raises a `RuntimeError` where the mean losses of the first steps differ."""
    for name, value in expected.items():
        # Rounding grows from step to step: Adam's first are about the signs of gradients.
        if not abs(received[name] - value) <= 1e-2 * max(abs(value), 1e-2):
            raise RuntimeError(
                f"several steps an execution: {name} is {received[name]:.6g}, for {value:.6g} one by one."
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=positive, default=5, help="calls of each (default: %(default)s)")
    parser.add_argument("--steps", type=positive, default=24, help="steps a call (default: %(default)s)")
    parser.add_argument("--threads", type=positive, default=2, help="of TensorFlow (default: %(default)s)")
    parser.add_argument(
        "--workloads",
        type=workloads,
        default="64x8x32,256x1x64",
        help="image size x batch size x filters, by commas (default: %(default)s)",
    )
    options = parser.parse_args()
    if options.steps > STEPS_PER_EXECUTION and options.steps % STEPS_PER_EXECUTION:
        parser.error(
            f"argument --steps: must be at most {STEPS_PER_EXECUTION}, the steps an execution, or a multiple "
            f"of it. Received: {options.steps}"
        )
    start(options.threads)
    for workload in options.workloads:
        with tempfile.TemporaryDirectory() as folder:
            calls = fit_calls(workload, options.steps, folder)
            say(f"{workload.title}: first steps agree; {options.rounds} rounds of all")
            # The first calls trace what has not run yet.
            take_turns(calls, 1)
            times = take_turns(calls, options.rounds)
        # Of a step.
        times = {title: [value / options.steps for value in values] for title, values in times.items()}
        base = statistics.median(times[BASE])
        print(f"ConditionalGAN.fit, {workload.title}")
        for title, values in times.items():
            median, spread = statistics.median(values), f"{min(values):.1f} to {max(values):.1f}"
            print(f"  {title:29} {median:7.1f} ms a step ({spread}), {median / base:.3f} times the base")
    print('upsampling="resize" is other maths: not checked to agree.')


if __name__ == "__main__":
    main()
