"""Which variables does a training step move? For tests of any Keras model."""

import numpy as np


def moved_variables(step, *models):
    """Takes one training step and tells which variables of which model it changed.

    Weights, moving averages, power-iteration vectors and the seeds of Dropout all
    count; optimizer and metric state do not. The models may be compiled in any way.

    Args:
        step: A callable without arguments that takes one training step.
        *models: Built Keras models (or layers), with different names.

    Returns:
        A dict: model name -> sorted paths of the variables whose values changed.

    Raises:
        TypeError: `step` is not callable.
        ValueError: No models, two models of one name, or a model not built yet.

    Example:

    >>> moved = moved_variables(lambda: combined.train_on_batch(x, y), generator, discriminator)
    >>> assert moved["generator"] and not moved["discriminator"]
    """
    if not callable(step):
        raise TypeError(f"`step` must be a callable that takes one training step. Received: step={step!r}")
    if not models or not all(hasattr(model, "variables") for model in models):
        raise ValueError(f"`models` must be one or more Keras models. Received: {models!r}")
    names = [model.name for model in models]
    if len(set(names)) < len(names):
        raise ValueError(f"`models` must have different names. Received: names {names}")
    for model in models:
        if not model.built:
            raise ValueError(
                f"`models` must be built before the step: call {model.name!r} on a batch first. "
                f"Received: {model!r}, not built"
            )
    before = {id(variable): _value(variable) for model in models for variable in model.variables}
    step()
    return {
        model.name: sorted(
            variable.path
            for variable in model.variables  # one that the step made counts as moved
            if not np.array_equal(before.get(id(variable), np.nan), _value(variable), equal_nan=True)
        )
        for model in models
    }


def _value(variable):
    """A copy: on some backends NumPy would otherwise share memory with the variable."""
    value = np.array(variable.numpy(), copy=True)
    return value.astype("float32") if value.dtype.kind == "V" or "bfloat16" in str(value.dtype) else value
