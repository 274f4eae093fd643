"""How near is the distribution of what is drawn to the real one? Each measure compares feature rows.

The features are what a network makes of images, such as the last hidden layer of a judge. Numbers
compare only where the network, and how many images there are, are the same.
"""

import numpy as np

from keras_cgan.checks import check_at_least


def frechet_distance(features, real_features):
    """The Frechet distance of normal distributions that are fitted to two sets of feature rows.

    In the features phi of a judge it is named FID-phi, never to be compared with a FID, which is in
    Inception's. It is biased: fewer rows give a larger distance.

    Args:
        features: Of what was drawn, `(n, d)`, at least 2 rows; n may be below d.
        real_features: Of the real images, `(n_real, d)`, likewise.

    Returns:
        A float, from 0, in the squared unit of the features.

    Raises:
        ValueError: The rows are of other lengths, fewer than 2, or not finite.

    Example:

    >>> frechet_distance(phi.predict(drawn), phi.predict(real))
    14.2

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local
    Nash equilibrium", equation 6; Dowson and Landau 1982 for the distance.
    """
    drawn, real = _rows(features, real_features)
    difference = drawn.mean(axis=0) - real.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (drawn, real)]
    # tr((S1 S2)^1/2), of a product that is not symmetric, in a form that is: S1^1/2 S2 S1^1/2.
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ covariances[1] @ root)
    overlap = np.sqrt(np.maximum(mixed, 0)).sum()
    distance = difference @ difference + sum(np.trace(c) for c in covariances) - 2 * overlap
    return float(max(distance, 0.0))  # of equal sets, rounding may leave less than nothing


def kernel_distance(features, real_features):
    """The squared maximum mean discrepancy of two sets of feature rows: KID, where they are Inception's.

    Unbiased, so that it is right for few rows, and may be below 0 where the distributions are alike.
    The kernel is (x . y / d + 1)^3. All rows are taken at once, not subsets as in the paper: for sets
    of a few thousand at most.

    Args:
        features: Of what was drawn, `(n, d)`, at least 2 rows.
        real_features: Of the real images, `(n_real, d)`, likewise.

    Returns:
        A float: around 0 where both are of one distribution.

    Raises:
        ValueError: The rows are of other lengths, fewer than 2, or not finite.

    Example:

    >>> kernel_distance(phi.predict(drawn), phi.predict(real))
    0.031

    Source: Binkowski et al. 2018, "Demystifying MMD GANs", where it is named; Gretton et al. 2012, "A kernel
    two-sample test", lemma 6.
    """
    drawn, real = _rows(features, real_features)
    return float(_mean_of_pairs(drawn) + _mean_of_pairs(real) - 2 * _kernel(drawn, real).mean())


def density_and_coverage(features, real_features, k=5):
    """How much of what was drawn lies among the real, and how much of the real is reached by it.

    Around each real row there is a ball that reaches to its k-th nearest other real row. What lies on
    its edge is outside, as in the paper's code.

    Args:
        features: Of what was drawn, `(n, d)`, at least 2 rows.
        real_features: Of the real images, `(n_real, d)`, more than k rows.
        k: Which neighbour the balls reach to; 5 in the paper.

    Returns:
        A dict of floats: `"density"`, how many balls a drawn row lies in, over k: around 1 where both
        are of one distribution, above it where the drawn ones crowd where real ones are dense;
        `"coverage"`, the share of the balls, in [0, 1], that a drawn row lies in.

    Raises:
        ValueError: The rows are of other lengths, too few, or not finite; `k` is not from 1 to below
            the number of real rows.

    Example:

    >>> density_and_coverage(phi.predict(drawn), phi.predict(real))
    {'density': 0.83, 'coverage': 0.61}

    Source: Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models",
    section 3.
    """
    drawn, real = _rows(features, real_features)
    check_at_least(1, k=k)
    if k >= len(real):
        raise ValueError(
            f"`k` must be below the number of real rows, {len(real)}: a row is no neighbour of its own. "
            f"Received: k={k}"
        )
    counts = np.empty(len(real), int)
    for index, row in enumerate(real):
        # The row itself is the nearest of all. By differences, so that equal rows are at 0.
        radius = np.partition(_squared_distances(row, real), k)[k]
        counts[index] = np.count_nonzero(_squared_distances(row, drawn) < radius)
    return {"density": float(counts.sum() / (k * len(drawn))), "coverage": float(np.mean(counts > 0))}


def _rows(features, real_features):
    """Both as float64; a `ValueError` that names the one that is not as it must be."""
    given = {"features": features, "real_features": real_features}
    given = {argument: np.asarray(rows, "float64") for argument, rows in given.items()}
    for argument, rows in given.items():
        if rows.ndim != 2 or len(rows) < 2 or not rows.shape[1]:
            raise ValueError(
                f"`{argument}` must be (n, d), at least 2 rows of features. Received: a shape of {rows.shape}"
            )
        if not np.isfinite(rows).all():
            bad = np.count_nonzero(~np.isfinite(rows))
            raise ValueError(f"`{argument}` must be finite. Received: {bad} values that are not")
    drawn, real = given.values()
    if drawn.shape[1] != real.shape[1]:
        raise ValueError(
            "`features` and `real_features` must have rows of one length. "
            f"Received: {drawn.shape[1]} and {real.shape[1]}"
        )
    return drawn, real


def _kernel(one, other):
    return (one @ other.T / one.shape[1] + 1) ** 3


def _mean_of_pairs(rows):
    """The mean kernel of all pairs of different rows."""
    kernel, n = _kernel(rows, rows), len(rows)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))


def _squared_distances(row, rows):
    return np.sum((rows - row) ** 2, axis=1)
