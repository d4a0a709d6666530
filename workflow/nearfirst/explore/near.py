"""Which distance counts as near."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from nearfirst.distance.distances import BY_ROWS, Matrix
from nearfirst.distance.neighbours import Integers, neighbours
from nearfirst.distance.side import Side

SAMPLE = 1000
"""Training instances drawn at random for the quantile."""


class Near(NamedTuple):
    """Which distance counts as near."""

    distance: float
    """The largest near distance, −cos for cosine; NaN if the pool is too small to tell."""
    basis: str
    """Where it comes from: training points of `other tasks`, or `other instances`."""
    distances: tuple[float, ...] = ()
    """The distances of the training points that it comes from."""


def nearness(train: Side, test: Side, measure: str, quantile: float, threads: int = 2) -> Near:
    """Return which distance counts as near: a quantile of distances within the pool.

    A held-out test task is to the pool what one training task is to the others. So the distances
    are from training points to the nearest one of another task, or to the nearest other point if
    test tasks are also training tasks or the pool is a single task.
    """
    n_train = len(train.ids)
    groups, tasks = pd.Series(train.tasks).factorize()
    by_task = len(tasks) > 1 and set(tasks).isdisjoint(test.tasks)
    basis = "other tasks" if by_task else "other instances"
    groups = groups if by_task else np.arange(n_train)
    sample = np.arange(n_train)
    if n_train > SAMPLE:
        sample = np.sort(np.random.default_rng(0).choice(sample, SAMPLE, replace=False))
    distances = BY_ROWS[measure](train.embeddings, train.embeddings[sample])

    def to_others(rows: slice | Integers) -> Matrix:
        same_group = groups[rows, None] == groups[sample]
        return np.where(same_group, np.float32(np.inf), distances(rows))

    nearest = neighbours(to_others, n_train, len(sample), threads).of_test
    nearest = nearest[np.isfinite(nearest)]
    if not len(nearest):
        return Near(float("nan"), basis)
    # A distance that occurs, so that equal ones count as near.
    limit = np.quantile(nearest, quantile, method="higher")
    return Near(float(limit), basis, tuple(nearest.tolist()))
