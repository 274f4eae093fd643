"""The precision that a machine is fast in, and networks brought back to single precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_cgan
from keras_cgan import precision


def machine(monkeypatch, tmp_path, flags="", *capabilities):
    """A machine with these CPU flags, and GPUs of these compute capabilities."""
    file = tmp_path / "cpuinfo"
    file.write_text(f"model name\t: A CPU\nflags\t\t: fpu {flags}\n")
    monkeypatch.setattr(precision._cpu_flags, "__defaults__", (file,))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(capabilities))
    details = lambda capability: {"compute_capability": capability}  # noqa: E731
    monkeypatch.setattr(tf.config.experimental, "get_device_details", details)


@pytest.mark.parametrize(
    "flags, capabilities, expected",
    [
        ("avx512f avx512_bf16", [], "mixed_bfloat16"),
        ("amx_bf16 amx_tile", [], "mixed_bfloat16"),
        ("avx2 avx512f", [], "float32"),
        ("avx512_bf16", [(6, 1)], "float32"),
        ("", [(7, 5)], "mixed_float16"),
        ("", [(8, 0)], "mixed_bfloat16"),
        ("", [(9, 0), (7, 0)], "mixed_float16"),
    ],
)
def test_the_fastest_precision_of_a_machine(monkeypatch, tmp_path, flags, capabilities, expected):
    machine(monkeypatch, tmp_path, flags, *capabilities)
    policy, reason = precision.fastest_precision()
    assert policy == expected and ("GPU" in reason) == bool(capabilities)


def test_a_system_that_does_not_tell_its_flags(tmp_path):
    assert precision._cpu_flags(tmp_path / "none") == set()


BUILDERS = [
    ("unet_generator", {"n_classes": 3, "filters": 4, "norm": "spectral"}),
    ("resnet_generator", {"filters": 4, "blocks": 1}),
    ("shared_q_discriminator", {"n_classes": 3, "filters": 4, "n_layers": 1}),
    ("resnet_classifier", {"n_classes": 3, "filters": 4, "input_noise": 0.5}),
]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float32"])
@pytest.mark.parametrize("builder, options", BUILDERS)
def test_back_to_single_precision(builder, options, policy):
    keras.config.set_dtype_policy(policy)
    network = getattr(keras_cgan, builder)((16, 16, 3), **options)
    copy = precision.to_float32(network)
    assert {layer.compute_dtype for layer in copy.layers} == {"float32"}
    assert [layer.name for layer in copy.layers] == [layer.name for layer in network.layers]
    for value, expected in zip(copy.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)
    x = {name: np.ones((2, *t.shape[1:]), "float32") for name, t in _inputs(network).items()}
    x = x if isinstance(network.input, dict) else x["image"]
    one, other = (keras.tree.flatten(model(x)) for model in (copy, network))
    for value, expected in zip(one, other, strict=True):
        np.testing.assert_allclose(value, expected, atol=0.0 if policy == "float32" else 0.05)


def _inputs(network):
    return network.input if isinstance(network.input, dict) else {"image": network.input}


def test_the_policy_is_put_back_even_after_an_error():
    keras.config.set_dtype_policy("mixed_bfloat16")
    with pytest.raises(KeyError), precision.float32():
        assert keras.config.dtype_policy().name == "float32"
        raise KeyError
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
