"""Nearest neighbours between training and test points."""

from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.distance.distances import ROWS, Matrix, RowDistances, in_blocks

Integers = npt.NDArray[np.int64]


class Neighbours(NamedTuple):
    """The nearest neighbours both ways; ties go to the lowest index.

    Attributes
    ----------
    of_train, test
        (N,) distance of each training point to its nearest test point, and that point's index.
    of_test, train
        (M,) distance of each test point to its nearest training point, and that point's index.
    """

    of_train: Matrix
    test: Integers
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
        np.empty(points, dtype=np.int64),
        np.full(tests, np.inf, dtype=np.float32),
        np.full(tests, points, dtype=np.int64),
    )
    lock = Lock()

    def block(start: int) -> None:
        between = distances(slice(start, start + ROWS))
        found.of_train[start : start + ROWS] = between.min(axis=1)
        found.test[start : start + ROWS] = between.argmin(axis=1)
        rows = between.argmin(axis=0)
        nearest = between[rows, np.arange(tests)]
        rows += start
        with lock:
            # Blocks may come in any order.
            equal = (nearest == found.of_test) & (rows < found.train)
            better = (nearest < found.of_test) | equal
            found.of_test[better], found.train[better] = nearest[better], rows[better]

    in_blocks(block, range(0, points, ROWS), threads, "nearest neighbours")
    return found
