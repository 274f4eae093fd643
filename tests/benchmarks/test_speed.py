"""The speed benchmark: what it counts, that all contestants take the same step, what it prints."""

import importlib
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import keras_cgan
from keras_cgan import ConditionalGAN

FOLDER = Path(keras_cgan.__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(FOLDER))  # The benchmarks are programs, not a package.

import contestants  # noqa: E402
import first_losses  # noqa: E402
import flops  # noqa: E402
import peak_memory  # noqa: E402
import speed  # noqa: E402
import speed_measure  # noqa: E402
import speed_tables  # noqa: E402
import throughput  # noqa: E402
from side_by_side import random_batch, take_turns  # noqa: E402
from workloads import BASE, CONTESTANTS, Built, Workload  # noqa: E402

TINY = Workload(24, 2, 4)
BATCH = random_batch(TINY.image_size, TINY.batch_size)


@pytest.fixture(scope="module")
def start():
    """Networks that contestants start from."""
    return contestants.networks(TINY)


def torch_twins():
    """The module with PyTorch's contestants; skips the test where PyTorch is not installed."""
    pytest.importorskip("torch", reason="PyTorch is not installed: it comes with the extra `benchmark`")
    return importlib.import_module("torch_pix2pix")


# ---- operations


def graph_of(function, *shapes):
    """The graph of a function of tensors."""
    return tf.function(function).get_concrete_function(*map(tf.TensorSpec, shapes)).graph


def profiled(graph):
    """All operations in a graph by TensorFlow's profiler."""
    v1 = tf.compat.v1.profiler
    options = v1.ProfileOptionBuilder(v1.ProfileOptionBuilder.float_operation()).with_empty_output().build()
    return v1.profile(graph, options=options).total_float_ops


def run_products(graph):
    """The operations of the convolutions and matrix products that a graph runs, by their shapes.

    A convolution's gradient comes with both its parts, to weights and to inputs, whether or not
    both are asked for; a part that nothing needs is not run. (The profiler would count it, and
    takes every padding for "same" in gradients.)
    """
    needed, left = set(), [op for op in graph.get_operations() if op.op_def.is_stateful]
    while left:
        op = left.pop()
        if op not in needed:
            needed.add(op)
            left += [*op.control_inputs, *(tensor.op for tensor in op.inputs)]
    return sum(2 * multiplications(op) for op in needed)


def multiplications(op):
    """Of a convolution, of either of its gradients, or of a matrix product; else 0."""
    inputs, outputs = ([tuple(tensor.shape) for tensor in tensors] for tensors in (op.inputs, op.outputs))
    if op.type == "MatMul":  # (n k) (k m) (n m)
        return math.isqrt(math.prod(inputs[0]) * math.prod(inputs[1]) * math.prod(outputs[0]))
    if op.type not in ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"):
        return 0
    convolved = outputs[0] if op.type == "Conv2D" else inputs[2]
    kernel = outputs[0] if op.type == "Conv2DBackpropFilter" else inputs[1]
    return math.prod(convolved[:3]) * math.prod(kernel)


@pytest.mark.parametrize(
    "layer, expected",
    [
        (layers.Conv2D(5, 3, padding="same"), 2 * (8 * 6) * (3 * 3 * 4) * 5),
        (layers.Conv2D(5, 4, strides=2), 2 * (3 * 2) * (4 * 4 * 4) * 5),
        # Each pixel of its input is spread by a kernel.
        (layers.Conv2DTranspose(5, 4, strides=2, padding="same"), 2 * (8 * 6) * (4 * 4 * 4) * 5),
        (layers.Dense(7), 2 * (8 * 6) * 4 * 7),
        (layers.BatchNormalization(), 0),
    ],
)
def test_operations_of_a_layer_by_hand(layer, expected):
    layer(keras.Input((8, 6, 4)))
    assert flops.layer_flops(layer) == expected


def test_a_layer_that_cannot_be_counted_is_an_error():
    layer = layers.DepthwiseConv2D(3, name="deep")
    layer(keras.Input((8, 8, 4)))
    with pytest.raises(ValueError, match="`layer` must be.*Received: 'deep', a DepthwiseConv2D"):
        flops.layer_flops(layer)


@pytest.mark.parametrize("number", range(3), ids=["generator", "discriminator", "classifier"])
def test_operations_of_a_pass_are_the_profilers(start, number):
    network = start[number]
    shape = (2, *network.input.shape[1:])
    seen = profiled(graph_of(lambda image: network(image, training=False), shape))
    counted = 2 * flops.pass_flops(network).total
    # The profiler also has some of the norms, biases and activations.
    assert counted <= seen <= 1.12 * counted


@pytest.mark.slow
@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_operations_of_a_step_are_those_of_its_graph(start, update):
    gan = ConditionalGAN(*start, update=update)
    gan.compile()

    def step(photo, label, sketch):
        return gan.train_step(({"photo": photo, "label": label}, sketch))

    size = (TINY.image_size, TINY.image_size)
    graph = graph_of(step, (2, *size, 3), (2, 6), (2, *size, 1))
    assert run_products(graph) == flops.step_flops(start, 2, update, joined=update == "sequential")


def test_simultaneous_saves_one_pass_of_d(start):
    sequential = flops.step_flops(start, 3)
    assert flops.step_flops(start, 3, "simultaneous") == sequential
    saved = sequential - flops.step_flops(start, 3, "simultaneous", joined=False)
    assert saved == 3 * flops.pass_flops(start[1]).total


# ---- the same step


def parameters_of(networks):
    return tuple(map(contestants.count_parameters, networks))


def by_keras(name):
    is_quick = name in ("tutorial", "cgan")
    return pytest.param(name, marks=() if is_quick else pytest.mark.slow)


@pytest.mark.slow
@pytest.mark.parametrize("name", [by_keras(name) for name, c in CONTESTANTS.items() if not c.torch])
def test_first_losses_agree(name, start):
    built = contestants.build(name, TINY, BATCH, start)
    expected = first_losses.expected_losses(start, BATCH, CONTESTANTS[name].kind)
    first_losses.check_first_step(name, built, built.step(), expected, parameters_of(start))
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("name", [name for name, c in CONTESTANTS.items() if c.torch])
@pytest.mark.parametrize("image_size", [32, 40])
def test_first_losses_agree_in_torch(name, image_size):
    twins = torch_twins()
    workload = Workload(image_size, 2, 4)
    start, batch = contestants.networks(workload), random_batch(image_size, 2)
    built = twins.build(workload, batch, CONTESTANTS[name].precision, start)
    expected = first_losses.expected_losses(start, batch, CONTESTANTS[name].kind)
    first_losses.check_first_step(name, built, built.step(), expected, parameters_of(start))


def test_the_kinds_of_step_have_losses_of_their_own(start):
    before = [weights.copy() for network in start for weights in network.get_weights()]
    kinds = {contestant.kind for contestant in CONTESTANTS.values()}
    losses = [first_losses.expected_losses(start, BATCH, kind) for kind in kinds]
    assert len(losses) == 4
    # Beyond what the check lets pass, so that it can tell them apart.
    for number, one in enumerate(losses):
        for other in losses[:number]:
            assert any(abs(one[name] / other[name] - 1) > 1e-3 for name in one), (one, other)
    after = [weights for network in start for weights in network.get_weights()]
    for weights, others in zip(before, after, strict=True):
        np.testing.assert_array_equal(weights, others)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"losses": {"d_loss": 0.7007}},
            "first step's losses.*'d_loss': '0.7007 for 0.7, which must agree to 0.001'",
        ),
        ({"losses": {"d_loss": float("nan")}}, "first step's losses"),
        ({"parameters": (1, 2)}, r"tutorial's fused step: \(1, 2\) parameters"),
        ({"precision": "bfloat16"}, "computes in bfloat16, not in float32"),
    ],
)
def test_figures_of_another_step_are_refused(change, message):
    right = {"losses": {"d_loss": 0.7001}, "parameters": (1, 2, 3), "precision": "float32"}
    for case in (right, {**right, **change}):
        built = Built(None, case["parameters"], case["precision"])
        arguments = BASE, built, case["losses"], {"d_loss": 0.7}, (1, 2, 3)
        if case is right:
            first_losses.check_first_step(*arguments)
        else:
            with pytest.raises(RuntimeError, match=message):
                first_losses.check_first_step(*arguments)


def test_all_ways_draw_the_same(start):
    rates = throughput.inference_rates(start[0], rounds=1)
    assert all(rate > 0 for by_batch in rates.values() for rate in by_batch.values())
    assert all(list(by_batch) == [1, 16] for by_batch in rates.values())


def test_torch_draws_the_same(start):
    assert "PyTorch eager" in throughput.inference_rates(start[0], rounds=1, torch_pix2pix=torch_twins())


def test_input_rates():
    rates = throughput.input_rates(32, 4, seconds=0.05, n_pairs=8)
    assert len(rates) == 2 and all(rate > 0 for rate in rates.values())


# ---- the program


def test_turns():
    called = []
    times = take_turns(
        {name: lambda name=name: called.append(name) for name in "ab"}, 2, per_turn=2, untimed=1
    )
    assert "".join(called) == "aaabbb" + "bbbaaa"
    assert {name: len(values) for name, values in times.items()} == {"a": 4, "b": 4}


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="no /proc/self/clear_refs on this system"
)
def test_the_peak_is_what_was_taken_since():
    np.ones(2**25)  # 256 MiB, before
    peak_memory.forget_peak()
    before = peak_memory.memory("VmRSS")
    np.ones(2**23)  # 64 MiB, and free again
    assert 60 * 2**20 < peak_memory.memory("VmHWM") - before < 90 * 2**20


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("--workloads 64x8", "argument --workloads: a workload must be.*Received: '64x8'"),
        ("--workloads 64x8x32,64x0x32", "Received: '64x0x32'"),
        ("--workloads 64x8xbig", "Received: '64x8xbig'"),
        ("--workloads 20x8x32", "image size must be a multiple of 4, at least 24. Received: '20x8x32'"),
        ("--workloads 66x8x32", "image size must be a multiple of 4"),
        ("--rounds 0", "argument --rounds: must be a positive integer. Received: '0'"),
        ("--steps -1", "argument --steps"),
        ("--threads many", "argument --threads: must be a positive integer. Received: 'many'"),
        ("--only cgan,keras", "argument --only: must be among usual-loop, .*Received: keras"),
        ("--json nowhere/figures.json", "argument --json: must be a file in a folder that is there"),
    ],
)
def test_wrong_options_are_named(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        speed.parse_options(arguments.split())
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_defaults_are_the_four_workloads():
    options = speed.parse_options([])
    assert options.workloads == [(64, 8, 32), (64, 32, 32), (128, 16, 64), (256, 1, 64)]
    assert options.only == tuple(CONTESTANTS) and options.memory


def test_without_torch_its_contestants_are_left_out(monkeypatch):
    monkeypatch.setattr(speed_measure, "torch", None)
    left_out = speed_measure.skipped(tuple(CONTESTANTS))
    assert set(left_out) == {"torch", "torch-bfloat16"}
    assert all("PyTorch is not installed" in reason for reason in left_out.values())


def figures(**changes):
    """Results as the program makes them."""
    workload = {
        "workload": "64x8x32",
        "first_steps": {BASE: {"seconds": 2.0}, "cgan": {"seconds": 1.0}},
        "times": {BASE: [60.0, 50.0, 70.0], "cgan": [40.0, 39.0, 90.0], "one pass of D forward": [3.0]},
        "flops": {"sequential": 4e9, "simultaneous": 3e9},
        "memory": {BASE: 300 * 2**20, "cgan": 200 * 2**20},
        "inference": {"traced by tf.function": {1: 100.0, 16: 500.0}},
        "input": {"kept in memory": 4000.0},
    }
    return {
        "machine": {"cpu": "A processor", "cores": 2, "threads": 1, "versions": {"Keras": "3.15.1"}},
        "peaks": {"float32": 200e9, "bfloat16": 400e9},
        "skipped": {"torch": "it is not there"},
        "workloads": [{**workload, **changes}],
    }


def test_tables():
    text = speed_tables.report(figures())
    for line in (
        "A processor, 2 cores, 1 threads; Keras 3.15.1; matrix multiplication "
        + "200 GFLOP/s in float32, 400 GFLOP/s in bfloat16.",
        "| ms a step (speed as a multiple of the tutorial's fused step) | 64 px, batch 8, 32 filters |",
        "| ConditionalGAN | 40.0 (1.50) |",
        "| one pass of D forward | 3.0 |",
        "| ConditionalGAN | 1.0 |",
        "| ConditionalGAN | 200 |",
        "| GFLOP a step, sequential | 4 |",
        "| ConditionalGAN: GFLOP/s (of the float32 peak) | 100 (0.50) |",
        "| ConditionalGAN: training | 200 |",
        "| input, kept in memory | 4000 |",
        "| drawing, batch 16, traced by tf.function | 500 |",
        "PyTorch eager: left out: it is not there.",
    ):
        assert line in text.splitlines(), line
    assert "peak memory" in text and "peak memory" not in speed_tables.report(figures(memory={}))


def test_tables_without_the_tutorial():
    text = speed_tables.report(
        figures(times={"cgan": [40.0]}, first_steps={"cgan": {"seconds": 1.0}}, memory={})
    )
    assert "| ConditionalGAN | 40.0 |" in text


def run_program(options, *paths):
    """Runs the program in a process of its own, with folders before others on its path."""
    path = os.pathsep.join(map(str, [*paths, FOLDER.parent]))
    return subprocess.run(
        [sys.executable, FOLDER / "speed.py", *options.split()],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.slow
def test_the_program(tmp_path):
    json_file = tmp_path / "figures.json"
    options = "--workloads 32x2x4,24x4x4 --rounds 1 --steps 1 --threads 1 --only tutorial,cgan"
    done = run_program(f"{options} --json {json_file}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("32 px, batch 2, 4 filters") == 5
    assert "| ConditionalGAN |" in done.stdout and "ReferenceTrainer" not in done.stdout
    results = json.loads(json_file.read_text())
    assert [result["workload"] for result in results["workloads"]] == ["32x2x4", "24x4x4"]
    assert set(results["workloads"][0]["memory"]) == {"tutorial", "cgan"}
    assert results["machine"]["threads"] == 1


@pytest.mark.slow
def test_the_program_without_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    options = "--workloads 24x2x4 --rounds 1 --steps 1 --no-memory --only"
    done = run_program(f"{options} torch,cgan-simultaneous", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "PyTorch eager: left out: PyTorch is not installed" in done.stdout
    assert "| ConditionalGAN, simultaneous |" in done.stdout
    done = run_program(f"{options} torch", tmp_path)
    assert done.returncode == 1 and "--only: none of these contestants can run here" in done.stderr
