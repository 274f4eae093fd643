"""How likely is real data under what a generator draws?"""

import numpy as np

_BATCH = 100


def parzen_log_likelihood(samples, validation, test, sigmas=None):
    """The log-likelihood of test data under normal distributions around a generator's samples.

    A rough measure in many dimensions, kept to compare with the papers of its time: the training
    images themselves score below some models. It depends on the scale of the data; papers have
    pixels in [0, 1], and 10,000 samples.

    Args:
        samples: What the generator drew, `(n_samples, ...)`; all axes but the first make one vector.
        validation: Real data to choose the width by, `(n_validation, ...)`, of the same size.
        test: Other real data, `(n_test, ...)`, at least two.
        sigmas: The widths (standard deviations) to choose from, above 0, in the unit of the data; by
            default 10 from 0.1 to 1, evenly spaced in their logarithms, as in the paper's code.

    Returns:
        A dict: `"log_likelihood"`, the mean over the test data in nats, `"standard_error"`, that of
        this mean, `"sigma"`, the width chosen, and `"validation"`, a list with the mean
        log-likelihood of the validation data for each width. Where the first or last width is
        chosen, try others beyond it.

    Raises:
        ValueError: Sizes differ, an array is too short, or a width is not above 0.

    Example:

    >>> result = parzen_log_likelihood(drawn, mnist[50_000:], mnist_test)
    >>> f"{result['log_likelihood']:.0f} +- {result['standard_error']:.1f}"
    '225 +- 2.0'

    Source: Breuleux et al. 2011, "Quickly generating representative samples from an RBM-derived
    process"; Goodfellow et al. 2014, section 5.
    """
    rows = {"samples": _rows(samples), "validation": _rows(validation), "test": _rows(test)}
    for argument, least in {"samples": 1, "validation": 1, "test": 2}.items():
        if len(rows[argument]) < least:
            raise ValueError(
                f"`{argument}` must have at least {least} rows. Received: {len(rows[argument])} rows"
            )
        if rows[argument].shape[1] != rows["samples"].shape[1]:
            raise ValueError(
                f"`{argument}` must have as many numbers a row as `samples`, {rows['samples'].shape[1]}. "
                f"Received: {rows[argument].shape[1]}"
            )
    sigmas = np.logspace(-1, 0, 10) if sigmas is None else np.asarray(sigmas, "float64")
    if sigmas.ndim != 1 or not len(sigmas) or not (sigmas > 0).all():
        raise ValueError(f"`sigmas` must be a list of numbers above 0. Received: sigmas={sigmas.tolist()}")
    chosen = _log_likelihoods(rows["samples"], rows["validation"], sigmas).mean(axis=0)
    sigma = sigmas[np.argmax(chosen)]
    values = _log_likelihoods(rows["samples"], rows["test"], np.array([sigma]))[:, 0]
    return {
        "log_likelihood": float(values.mean()),
        "standard_error": float(values.std(ddof=1) / np.sqrt(len(values))),
        "sigma": float(sigma),
        "validation": chosen.tolist(),
    }


def _rows(data):
    data = np.asarray(data, "float64")
    return data.reshape(len(data), -1) if data.size else data.reshape(len(data), 0)


def _log_likelihoods(samples, data, sigmas):
    """One value for each row of the data and each width."""
    n, size = samples.shape
    lengths = np.sum(samples**2, axis=1)
    values = np.empty((len(data), len(sigmas)))
    # Batch by batch: 10,000 rows at once would need 800 MB for the distances alone.
    for start in range(0, len(data), _BATCH):
        batch = data[start : start + _BATCH]
        squares = np.sum(batch**2, axis=1)[:, None] - 2 * batch @ samples.T + lengths
        nearest = squares.min(axis=1, keepdims=True)  # taken out, so that no sum of exponentials is 0
        for k, sigma in enumerate(sigmas):
            sums = np.exp((nearest - squares) / (2 * sigma**2)).sum(axis=1)
            exponent = np.log(sums) - nearest[:, 0] / (2 * sigma**2)
            values[start : start + _BATCH, k] = (
                exponent - np.log(n) - size * np.log(sigma * np.sqrt(2 * np.pi))
            )
    return values
