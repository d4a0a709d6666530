"""Nearest neighbours between a pool and a test set, and what distance counts as near."""

from collections.abc import Mapping
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.distance.distances import BY_ROWS, ROWS, Matrix, RowDistances, in_blocks

Integers = npt.NDArray[np.int64]


class Neighbours(NamedTuple):
    """The nearest neighbours both ways; ties go to the lowest index.

    Attributes
    ----------
    of_train
        (N,) distance of each training point to its nearest test point, float32.
    of_test
        (M,) distance of each test point to its nearest training point, float32.
    train
        (M,) index of that training point.
    """

    of_train: Matrix
    of_test: Matrix
    train: Integers


def neighbours(distances: RowDistances, points: int, tests: int, threads: int = 2) -> Neighbours:
    """Find the nearest neighbours of N training and M test points in one pass.

    Parameters
    ----------
    distances
        Gives the distances of some of the training points to all test points.
    points, tests
        N and M.
    threads
        CPU threads; they do not change the result.
    """
    found = Neighbours(
        np.empty(points, dtype=np.float32),
        np.full(tests, np.inf, dtype=np.float32),
        np.full(tests, points, dtype=np.int64),
    )
    lock = Lock()

    def block(start: int) -> None:
        between = distances(slice(start, start + ROWS))
        found.of_train[start : start + ROWS] = between.min(axis=1)
        rows = between.argmin(axis=0)
        least = between[rows, np.arange(tests)]
        rows += start
        with lock:
            # Blocks may come in any order.
            equal = (least == found.of_test) & (rows < found.train)
            better = (least < found.of_test) | equal
            found.of_test[better], found.train[better] = least[better], rows[better]

    in_blocks(block, range(0, points, ROWS), threads)
    return found


def counts_near(
    distances: RowDistances,
    points: int,
    groups: Mapping[str, Integers],
    near: float,
    threads: int = 2,
) -> Integers:
    """Count the training points that are near to some test point of each group.

    Parameters
    ----------
    distances, points, threads
        As for `neighbours`.
    groups
        Indices of the test points of each of G groups, none without any.
    near
        The largest distance that counts as near.

    Returns
    -------
    (G,) counts.
    """
    columns = np.concatenate(list(groups.values()))
    sizes = np.array([len(its) for its in groups.values()])
    starts = np.cumsum(sizes) - sizes
    counts = np.zeros(len(groups), dtype=np.int64)
    lock = Lock()

    def block(start: int) -> None:
        hits = distances(slice(start, start + ROWS)) <= near
        its = np.logical_or.reduceat(hits[:, columns], starts, axis=1).sum(axis=0)
        with lock:
            counts[:] += its

    in_blocks(block, range(0, points, ROWS), threads)
    return counts


def nearest_others(
    measure: str,
    train: Matrix,
    sample: Integers,
    tasks: Integers | None = None,
    threads: int = 2,
) -> Matrix:
    """Return the distance of some training points to their nearest other one.

    Parameters
    ----------
    measure
        A name in `BY_ROWS`.
    train
        (N, d) float32.
    sample
        (S,) indices of the points that are asked about.
    tasks
        (N,) task of each point, as numbers: only points of another task count. None: all but the
        point itself do.
    threads
        CPU threads; they do not change the result.

    Returns
    -------
    (S,) float32, infinite where there is no other point.
    """
    distances = BY_ROWS[measure](train, train[sample])
    groups = np.arange(len(train)) if tasks is None else tasks
    found = np.full(len(sample), np.inf, dtype=np.float32)
    lock = Lock()

    def block(start: int) -> None:
        between = distances(slice(start, start + ROWS))
        own = groups[start : start + ROWS, None] == groups[sample]
        least = np.where(own, np.float32(np.inf), between).min(axis=0)
        with lock:
            np.minimum(found, least, out=found)

    in_blocks(block, range(0, len(train), ROWS), threads)
    return found


class Near(NamedTuple):
    """What counts as near.

    Attributes
    ----------
    distance
        The largest such distance; NaN if the pool has no two points to take it from.
    basis
        `given`, or what it was taken from: training points of `other tasks`, or `other instances`.
    sample
        Training points behind it.
    """

    distance: float
    basis: str
    sample: int


def near_of_pool(
    measure: str,
    train: Matrix,
    tasks: Integers,
    *,
    unseen: bool,
    quantile: float,
    sample: int,
    seed: int,
    threads: int = 2,
) -> Near:
    """Say what counts as near, by the distances within the pool.

    A test task that was held out is to the pool what one training task is to the others. So its
    points are held against training points and their nearest one of another task; where test tasks
    are training tasks too, or the pool is a single task, against the nearest other point.

    Parameters
    ----------
    measure, train, threads
        As for `nearest_others`.
    tasks
        (N,) task of each training point, as numbers.
    unseen
        Whether no test task is a training task.
    quantile, sample, seed
        Which quantile of the distances of how many points, drawn with which seed.
    """
    by_task = unseen and bool((tasks != tasks[0]).any())
    basis = "other tasks" if by_task else "other instances"
    rows = np.arange(len(train))
    if len(rows) > sample:
        rows = np.sort(np.random.default_rng(seed).choice(rows, sample, replace=False))
    found = nearest_others(measure, train, rows, tasks if by_task else None, threads)
    found = found[np.isfinite(found)]
    if not len(found):
        return Near(float("nan"), basis, 0)
    # One of the distances themselves, so that equal ones stay near.
    return Near(float(np.quantile(found, quantile, method="higher")), basis, len(found))
