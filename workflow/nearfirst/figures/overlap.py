"""How far apart two groups of numbers lie: the overlap of their densities, and the AUC."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARGIN = 3.0
"""Bandwidths by which the grid extends beyond all values."""
POINTS_PER_BANDWIDTH = 4
MIN_POINTS, MAX_POINTS = 512, 8192


class Group(NamedTuple):
    """(N,) numbers that come in clusters, and the index of each number's cluster."""

    values: Floats
    cluster: Ints


def bandwidth(values: Floats) -> float:
    """Return the bandwidth of Scott's rule, s · N^(−1/5), or 0 if all values are equal."""
    if len(values) < 2 or np.ptp(values) == 0:
        return 0.0
    return float(values.std(ddof=1) * len(values) ** -0.2)


def grid(one: Floats, other: Floats) -> Floats:
    """Return evenly spaced points on which the densities of two samples are drawn and integrated.

    They extend beyond all values by `MARGIN` times the larger bandwidth. The values of a sample
    must not all be equal.
    """
    widths = [bandwidth(values) for values in (one, other)]
    both = np.concatenate([one, other])
    low, high = both.min() - MARGIN * max(widths), both.max() + MARGIN * max(widths)
    points = np.ceil(POINTS_PER_BANDWIDTH * (high - low) / min(widths))
    return np.linspace(low, high, int(np.clip(points, MIN_POINTS, MAX_POINTS)))


def density(values: Floats, points: Floats) -> Floats:
    """Return the Gaussian kernel density (Scott's rule) of a sample at the points of a grid."""
    return np.asarray(stats.gaussian_kde(values, "scott")(points))


def overlap(one: Floats, other: Floats) -> float:
    """Return the overlap coefficient ∫ min(f, g) of the densities of two samples, in [0, 1]."""
    points = grid(one, other)
    least = np.minimum(density(one, points), density(other, points))
    return float(np.clip(np.trapezoid(least, points), 0, 1))


def resampled_counts(generator: np.random.Generator, n: int, resamples: int) -> Floats:
    """Return how often each of n units is drawn, (1 + resamples, n): first the sample itself."""
    drawn = generator.multinomial(n, [1 / n] * n, resamples)
    return np.concatenate([np.ones((1, n)), drawn])


def aucs(one: Group, other: Group, weights: Floats) -> Floats:
    """Return the (B,) AUCs of resamples, P(one > other) + ½ P(one = other).

    This is Mann and Whitney's U / (N · M), NaN where a group is empty. Pairs are counted once for
    each pair of clusters; the counts are then weighted by `weights`, (B, C): how often each
    resample contains each cluster.
    """
    n = weights.shape[1]
    order = np.argsort(one.values)
    values, cluster = one.values[order], one.cluster[order]
    wins = np.zeros((n, n))
    for i in np.unique(other.cluster):
        others = np.sort(other.values[other.cluster == i])
        below = np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")
        wins[:, i] = np.bincount(cluster, below / 2, n)
    sizes = [weights @ np.bincount(group.cluster, minlength=n) for group in (one, other)]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.einsum("bc,bc->b", weights @ wins, weights) / (sizes[0] * sizes[1]))
