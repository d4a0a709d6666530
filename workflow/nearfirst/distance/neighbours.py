"""Nearest neighbours between training and test points."""

from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.distance.distances import ROWS, Matrix, RowDistances, in_blocks

Integers = npt.NDArray[np.int64]


class Neighbours(NamedTuple):
    """Nearest neighbours in both directions; ties go to the lowest index.

    Attributes
    ----------
    of_train, test
        (N,) distance from each training point to its nearest test point, and that point's index.
    of_test, train
        (M,) distance from each test point to its nearest training point, and that point's index.
    """

    of_train: Matrix
    test: Integers
    of_test: Matrix
    train: Integers


def neighbours(distances: RowDistances, points: int, tests: int, threads: int = 2) -> Neighbours:
    """Find the nearest neighbours of N training points and M test points in one pass."""
    result = Neighbours(
        np.empty(points, dtype=np.float32),
        np.empty(points, dtype=np.int64),
        np.full(tests, np.inf, dtype=np.float32),
        np.full(tests, points, dtype=np.int64),
    )
    lock = Lock()

    def update(start: int) -> None:
        block = distances(slice(start, start + ROWS))
        result.of_train[start : start + ROWS] = block.min(axis=1)
        result.test[start : start + ROWS] = block.argmin(axis=1)
        rows = block.argmin(axis=0)
        nearest = block[rows, np.arange(tests)]
        rows += start
        with lock:
            # Blocks may come in any order.
            is_earlier = (nearest == result.of_test) & (rows < result.train)
            is_better = (nearest < result.of_test) | is_earlier
            result.of_test[is_better], result.train[is_better] = nearest[is_better], rows[is_better]

    in_blocks(update, range(0, points, ROWS), threads, "nearest neighbours")
    return result
