"""The measurements of benchmarks/speed.py. Import it once TensorFlow has started."""

import gc
import os
import platform
import time

import contestants
import keras
import tensorflow as tf
from first_losses import check_first_step, expected_losses
from flops import step_flops
from peak_memory import measure_in_child
from side_by_side import random_batch, take_turns
from throughput import inference_rates, input_rates
from workloads import CONTESTANTS

PEAK_SIZE = 2048
D_PASS = "one pass of D forward"

try:
    import torch
    import torch_pix2pix
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    torch = torch_pix2pix = None


def skipped(names):
    """Those contestants that cannot run here: a dict of name -> reason."""
    reason = "PyTorch is not installed (it comes with keras_cgan[benchmark])"
    return {name: reason for name in names if CONTESTANTS[name].torch and torch is None}


def machine(threads):
    """Where this runs, and on how many threads: a dict for the report.

    Raises:
        RuntimeError: PyTorch does not take so many threads.
    """
    versions = {"Python": platform.python_version(), "TensorFlow": tf.__version__, "Keras": keras.__version__}
    if torch is not None:
        versions["PyTorch"] = torch.__version__
        torch.set_num_threads(threads)
        if torch.get_num_threads() != threads:
            raise RuntimeError(f"PyTorch runs on {torch.get_num_threads()} threads, not on {threads}.")
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "threads": threads, "versions": versions}


def cpu_model():
    """The name of the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = [line.partition(":") for line in file]
    except OSError:
        return platform.processor() or platform.machine()
    return next((value.strip() for key, _, value in lines if key.strip() == "model name"), platform.machine())


def matmul_peak(precision, size=PEAK_SIZE, repeats=8):
    """Operations a second of a matrix multiplication in `precision`, the best of several."""
    matrix = tf.cast(tf.random.uniform((size, size)), precision)
    tf.matmul(matrix, matrix)
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        tf.matmul(matrix, matrix)[0, 0].numpy()
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best


def measure(workload, names, options, say):
    """All figures of one workload.

    Args:
        workload: A `Workload`.
        names: Contestants that can run here.
        options: The program's options.
        say: Function of a line for who is waiting.

    Returns:
        A dict for the report and for `--json`.
    """
    keras.utils.set_random_seed(0)
    batch = random_batch(workload.image_size, workload.batch_size)
    start = contestants.networks(workload)
    built, first_steps = first_step_of_all(names, workload, batch, start)
    say(f"{workload.title}: parameters and first losses agree; {options.rounds} rounds of all")
    steps = {name: one.step for name, one in built.items()}
    result = {
        "workload": str(workload),
        "parameters": list(map(contestants.count_parameters, start)),
        "first_steps": first_steps,
        "times": take_turns(
            {**steps, D_PASS: d_pass(start[1], *batch)}, options.rounds, options.steps, untimed=1
        ),
        "flops": {
            "sequential": step_flops(start, workload.batch_size),
            "simultaneous": step_flops(start, workload.batch_size, "simultaneous", joined=False),
        },
    }
    del built, steps
    gc.collect()

    say(f"{workload.title}: inference and input")
    result["inference"] = inference_rates(start[0], options.rounds, torch_pix2pix)
    result["input"] = input_rates(workload.image_size, workload.batch_size)
    del start
    keras.backend.clear_session()
    gc.collect()

    result["memory"] = {}
    for name in names if options.memory else ():
        say(f"{workload.title}: memory of {CONTESTANTS[name].title}")
        result["memory"][name] = measure_in_child(name, workload, options.threads)
    return result


def first_step_of_all(names, workload, batch, start):
    """Builds contestants, and takes and checks the first step of each.

    Returns:
        Two dicts by name: the `Built`, and `{"seconds", "losses"}` of the first step.

    Raises:
        RuntimeError: One does not do what the others do.
    """
    parameters = tuple(map(contestants.count_parameters, start))
    expected, built, first_steps = {}, {}, {}
    for name in names:
        kind = CONTESTANTS[name].kind
        if kind not in expected:
            expected[kind] = expected_losses(start, batch, kind)
        if CONTESTANTS[name].torch:
            built[name] = torch_pix2pix.build(workload, batch, CONTESTANTS[name].precision, start)
        else:
            built[name] = contestants.build(name, workload, batch, start)
        begin = time.perf_counter()
        losses = built[name].step()
        first_steps[name] = {"seconds": time.perf_counter() - begin, "losses": losses}
        check_first_step(name, built[name], losses, expected[kind], parameters)
    return built, first_steps


def d_pass(discriminator, x, sketch):
    """A pass of D forward over a batch, in training mode: what a sequential step may cost more."""
    run = tf.function(lambda pair: discriminator(pair, training=True))
    pair = tf.concat([x["photo"], sketch], axis=-1)
    run(pair)
    return lambda: run(pair).numpy()
