"""Spearman's rank correlation of weighted points, as a bootstrap needs it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]


class Ranks:
    """The order of S series of P values, found once; ranks for any weights follow from sums.

    Parameters
    ----------
    values
        (S, P), finite.
    """

    def __init__(self, values: Floats) -> None:
        series, points = values.shape
        order = np.argsort(values, axis=1, kind="stable")
        ascending = np.take_along_axis(values, order, axis=1)
        place = np.arange(points)
        rises = ascending[:, 1:] != ascending[:, :-1]
        edge = np.ones((series, 1), dtype=bool)
        # For each value in ascending order, where the values equal to it begin and end.
        begins = np.maximum.accumulate(np.where(np.hstack([edge, rises]), place, 0), axis=1)
        ends = np.where(np.hstack([rises, edge]), place + 1, points)
        ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
        offset = np.arange(series)[:, None] * points
        below, through = np.empty_like(order), np.empty_like(order)
        np.put_along_axis(below, order, begins + offset, axis=1)
        np.put_along_axis(through, order, ends + offset, axis=1)
        self._order = (order + offset).ravel()
        self._below, self._through = below, through

    def centred(self, weights: Counts) -> Floats:
        """Return twice the mid-rank of each value minus its mean, each counted `weights` times."""
        series, points = self._below.shape
        up_to = np.zeros(series * points + 1, dtype=np.int32)
        np.cumsum(weights.take(self._order), out=up_to[1:])
        bounds = up_to[::points]
        ranks = up_to.take(self._below)
        ranks += up_to.take(self._through)
        ranks -= (bounds[:-1] + bounds[1:])[:, None]
        return ranks.astype(np.float64)


def correlations(one: Ranks, others: Sequence[Ranks], weights: Counts) -> Floats:
    """Return the (others, S) rank correlations of one variable with each of others.

    Parameters
    ----------
    one, others
        Ranks of (S, P) values.
    weights
        (S, P) how often each point counts, from 0; their sum must fit into 31 bits.

    Returns
    -------
    NaN where all values of a series that count are equal.
    """
    first = one.centred(weights)
    weighted = first * weights
    spread = np.einsum("sp,sp->s", weighted, first)
    result = np.empty((len(others), len(first)))
    for row, other in zip(result, others, strict=True):
        second = other.centred(weights)
        row[:] = np.einsum("sp,sp->s", weighted, second)
        second *= second
        # Ranks are whole numbers, so equal values have a spread of exactly 0.
        with np.errstate(invalid="ignore"):
            row /= np.sqrt(spread * np.einsum("sp,sp->s", weights, second))
    return result
