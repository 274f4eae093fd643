"""Which precision a machine computes fastest in, and models in single precision again."""

import contextlib
from pathlib import Path

import keras


def fastest_precision():
    """The Keras dtype policy that this machine's devices compute fastest in, and why.

    Returns:
        `(policy, reason)`: bfloat16 where GPUs or CPU have instructions for it, float16 on older
        GPUs with tensor cores, else float32.

    Example:

    >>> fastest_precision()
    ('mixed_bfloat16', 'the CPU has bfloat16 instructions')
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        capability = min(detail.get("compute_capability", (0, 0)) for detail in details)
        if capability >= (8, 0):
            return "mixed_bfloat16", "the GPU has tensor cores for bfloat16"
        if capability >= (7, 0):
            return "mixed_float16", "the GPU has tensor cores for float16"
        return "float32", "the GPU has no tensor cores"
    if {"avx512_bf16", "amx_bf16"} & _cpu_flags():
        return "mixed_bfloat16", "the CPU has bfloat16 instructions"
    return "float32", "no bfloat16 instructions were found"


def _cpu_flags(file="/proc/cpuinfo"):
    """What the CPU says it can do; nothing where the system has no such file."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split(":", 1)[1].split()}


@contextlib.contextmanager
def float32():
    """Layers made inside compute in single precision, whatever the policy."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def to_float32(network):
    """A copy of a network that computes in single precision, to be kept, exported and measured.

    A network built under a mixed policy computes in half precision wherever it is loaded.

    Args:
        network: A functional `keras.Model`, of any dtype policy.

    Returns:
        A model of the same layers, names and weights.

    Example:

    >>> to_float32(gan.generator).save("generator.keras")
    """
    with float32():
        copy = network.__class__.from_config(_with_float32(network.get_config()))
    copy.set_weights(network.get_weights())
    return copy


def _with_float32(config):
    """A config with every dtype policy in it replaced."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {**config["config"], "name": "float32"}}
        return {name: _with_float32(value) for name, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_with_float32(value) for value in config)
    return config
