"""What do codes that nobody labelled say of an image?"""

import numpy as np


def mutual_information_bound(entropy, negative_log_likelihood):
    """At least how much a generator tells of its code, in nats: InfoGAN's L_I.

    Args:
        entropy: H(c) of the code: `Latent.entropy`, 2.30 for ten values.
        negative_log_likelihood: -log Q(c|x) of fakes, in nats: the cross-entropy of Q, one value a
            sample or their mean.

    Returns:
        A float, at most `entropy`; below 0 where Q guesses worse than by chance.

    Example:

    >>> mutual_information_bound(latent.entropy, q_loss)
    2.29

    Source: Chen et al. 2016, "InfoGAN", equations 4 and 5, figure 1.
    """
    return float(entropy - np.mean(np.asarray(negative_log_likelihood, "float64")))


def matching_error(codes, classes):
    """The share of samples that are wrong when each code stands for one class, matched at its best.

    Codes and classes are matched one to one. Where there are more codes than classes, those left
    over are all wrong, as are classes left over: that many values are not told apart.

    Args:
        codes: What was read off each sample, `(n,)` integers, or `(n, n_codes)` with the largest
            number where the code is: the softmax of Q.
        classes: What each sample is, `(n,)` integers, or `(n, n_classes)`, one-hot.

    Returns:
        A float in [0, 1]. Of n codes that say nothing the error is somewhat below chance, for they
        are matched on these very samples.

    Raises:
        ValueError: There are no samples, or not a class for each code.

    Example:

    >>> matching_error([3, 3, 0, 0], [7, 7, 8, 7])
    0.25

    Source: Chen et al. 2016, "InfoGAN", section 7.2; Kuhn 1955, "The Hungarian method for the
    assignment problem".
    """
    codes, classes = (_numbers(values) for values in (codes, classes))
    if codes.ndim != 1 or codes.shape != classes.shape or not len(codes):
        raise ValueError(
            "`codes` and `classes` must be of the same samples, at least one. "
            f"Received: {codes.shape} codes and {classes.shape} classes"
        )
    seen_codes, row = np.unique(codes, return_inverse=True)
    seen_classes, column = np.unique(classes, return_inverse=True)
    counts = np.zeros((len(seen_codes), len(seen_classes)))
    np.add.at(counts, (row, column), 1)
    if counts.shape[0] > counts.shape[1]:
        counts = counts.T
    return float(1 - counts[np.arange(len(counts)), _assignment(-counts)].sum() / len(codes))


def _numbers(values):
    values = np.asarray(values)
    return np.argmax(values, axis=1) if values.ndim == 2 else values


def _assignment(costs):
    """The column of each row, all different, that costs least in sum; no more rows than columns.

    The Hungarian method: row after row is taken in along the cheapest path that reassigns others.
    Row and column n stand for "none".
    """
    n_rows, n_columns = costs.shape
    row_price, column_price = np.zeros(n_rows), np.zeros(n_columns + 1)
    row_of = np.full(n_columns + 1, -1)
    for row in range(n_rows):
        row_of[n_columns] = row
        column = n_columns
        cheapest, came_from = np.full(n_columns, np.inf), np.full(n_columns, -1)
        done = np.zeros(n_columns + 1, bool)
        while row_of[column] >= 0:
            done[column] = True
            open_columns = np.flatnonzero(~done[:-1])
            at = row_of[column]
            price = (costs[at] - row_price[at] - column_price[:-1])[open_columns]
            better = price < cheapest[open_columns]
            cheapest[open_columns[better]] = price[better]
            came_from[open_columns[better]] = column
            nearest = open_columns[np.argmin(cheapest[open_columns])]
            step = cheapest[nearest]
            row_price[row_of[done]] += step
            column_price[done] -= step
            cheapest[open_columns] -= step
            column = nearest
        while column != n_columns:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    columns = np.flatnonzero(row_of[:-1] >= 0)
    return columns[np.argsort(row_of[columns])]
