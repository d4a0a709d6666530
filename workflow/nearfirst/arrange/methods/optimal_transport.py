"""Optimal transport of the training points to the test points (Section C.4)."""

import math
import os
import sys
import warnings
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from nearfirst.arrange.pool import Arranged, Pool, by_distance, tie_ranks
from nearfirst.arrange.settings import Need, UnseededSettings
from nearfirst.common.errors import InputError
from nearfirst.distance.distances import Matrix

MAX_PIVOTS = sys.maxsize
"""Maximum number of steps of the network simplex method."""


class Settings(UnseededSettings):
    """Order instances by their cost in an optimal transport plan to the test set."""

    needed: ClassVar[frozenset[Need]] = frozenset({"embeddings"})

    method: Literal["optimal-transport"] = "optimal-transport"


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order instances by their cost in the optimal plan; raises as `transported_costs`."""
    costs = np.empty((pool.size, len(pool.test)))
    # Which of several optimal plans the solver finds depends on the order of the rows.
    ranks = tie_ranks(pool.size, seed)

    def copy(rows: slice, distances: Matrix) -> None:
        costs[ranks[rows]] = distances

    pool.each_block(copy)
    return Arranged(by_distance(transported_costs(costs)[ranks], settings.order, seed))


def transported_costs(costs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return N times the cost of each training point in an optimal plan with uniform marginals.

    The plan γ minimizes Σ γ_ij c_ij (Eq. 25), with 1/N in each row and 1/M in each column (Eq. 26);
    point i costs Σ_j γ_ij c_ij. Times N, that is the mean of the point's distances, weighted by
    where the plan sends it. `costs` are (N, M) distances, which may be negative. Raises InputError
    if the solver stops before it finds an optimal plan.
    """
    # Integer masses, 1 / N and 1 / M times a common multiple of N and M, make flows exact, so that
    # points of equal cost tie.
    points, tests = costs.shape
    common = math.gcd(points, tests)
    row, column = tests // common, points // common
    # The solver may treat costs below -1 as infeasible; subtracting a constant does not change the
    # plan.
    smallest = costs.min()
    costs = costs - smallest
    # POT imports every array library it finds, and torch takes seconds.
    os.environ.setdefault("POT_BACKEND_DISABLE_PYTORCH", "1")
    import ot

    with warnings.catch_warnings():
        # POT warns and continues where this raises an error.
        warnings.simplefilter("ignore")
        masses = np.full(points, float(row)), np.full(tests, float(column))
        plan, report = ot.emd(*masses, costs, numItermax=MAX_PIVOTS, log=True)
    if report["warning"] is not None:
        raise InputError(f"optimal-transport: no optimal plan found ({report['warning']})")
    plan *= costs
    transported: npt.NDArray[np.float64] = plan.sum(axis=1) / row + smallest
    return transported
