"""Training orders as functions of arrays: `from nearfirst import tma, wsd, arrange`.

Points are rows of embeddings, (N, d) training points and (M, d) test points, of any real numbers,
converted to float32. The results are those of the workflow, to the bit.
"""

import json
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from nearfirst.arrange import registry
from nearfirst.arrange.methods.wsd import weighted_distances
from nearfirst.arrange.pool import Pool, Positions
from nearfirst.arrange.settings import TRAINING_KEYS
from nearfirst.arrange.tma import Rounds, rounds_by
from nearfirst.common.errors import InputError
from nearfirst.distance.distances import BY_ROWS, Matrix, check_dimensions

__all__ = ["InputError", "__version__", "arrange", "tma", "wsd"]

# Not in `__init__.py`, which is an input of every rule, so that a new version reruns nothing.
__version__ = "0.2.0"

Measure = Literal["cosine", "euclidean"]

WORKFLOW_KEYS = TRAINING_KEYS | {"queries", "representation"}
"""Keys of a row that say what is trained, or what is compared, which here the arrays are."""


def tma(
    train: npt.ArrayLike, test: npt.ArrayLike, *, measure: Measure = "cosine", threads: int = 2
) -> Rounds:
    """Return the round of every training point by Test-centric Multi-turn Arrangement.

    A round is the set of the points that are the nearest remaining one to at least one test point;
    they leave the pool together. Ties go to the lowest index (Algorithm 1).

    Parameters
    ----------
    train, test
        (N, d) training points and (M, d) test points.
    measure
        `cosine` (Eq. 8) or `euclidean` (Eq. 9).
    threads
        CPU threads; they do not change the result.

    Returns
    -------
    (N,) rounds from 1, int32.

    Raises
    ------
    InputError
        If an array is not two-dimensional or has no rows, if d differs, or if a row holds NaN or
        infinity or, for `cosine`, only zeros.
    """
    pool = _build_pool(train, test, measure, threads)
    return rounds_by(pool.distances, pool.size, len(pool.test), threads=threads)


def wsd(
    train: npt.ArrayLike, test: npt.ArrayLike, *, measure: Measure = "cosine", threads: int = 2
) -> npt.NDArray[np.float64]:
    """Return the Weighted Similarity Distance of every training point, (N,) float64 (Eq. 1).

    It is the average distance to the test points plus w times the minimum distance, with
    w = mean(averages) / mean(minima). Parameters are those of `tma`. Raises InputError as `tma`, or
    if w is not positive and finite.
    """
    return weighted_distances(_build_pool(train, test, measure, threads))


def arrange(
    train: npt.ArrayLike,
    test: npt.ArrayLike,
    *,
    method: str = "tma",
    seed: int = 0,
    tasks: Sequence[str] = (),
    measure: Measure = "cosine",
    threads: int = 2,
    **parameters: object,
) -> Positions:
    """Return the training order as indices of the training points.

    Parameters
    ----------
    train, test, measure, threads
        As for `tma`.
    method
        `random`, `round-robin`, `cluster`, `wsd`, `tma`, `optimal-transport`, `cosine`,
        `query-round-robin` or `FILE.py:FUNCTION`; the other methods read texts or scores.
    seed
        Seed of the shuffles, from 0.
    tasks
        (N,) names of the points' tasks, for methods that use them.
    parameters
        Parameters of the method, as in the config: `order`, `within_round`, `rounds`, `budget`, …

    Returns
    -------
    (n,) indices, int64, each at most once; n < N if the method takes only a part.

    Raises
    ------
    InputError
        As `tma` and `wsd`, if the method or a parameter is unknown or only used by the workflow, if
        tasks are missing, or if there are too few rounds or points.
    """
    if unused := sorted(WORKFLOW_KEYS & parameters.keys()):
        raise InputError(
            f"{unused[0]}: only the workflow has this key, and arrays have no use for it"
        )
    settings = registry.METHODS.parse(json.dumps(parameters, default=_to_plain), method=method)
    pool = _build_pool(train, test, measure, threads, tasks)
    return registry.arrange(pool, settings, seed).order


def _to_plain(value: object) -> object:
    """Return NumPy's numbers and arrays as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise InputError(f"parameters: {value!r} is no number, text, list or table of these")


def _build_pool(
    train: npt.ArrayLike, test: npt.ArrayLike, measure: str, threads: int, tasks: Sequence[str] = ()
) -> Pool:
    """Check the points and return them with their distances."""
    if measure not in BY_ROWS:
        raise InputError(f"measure: {measure!r} is none of {', '.join(BY_ROWS)}")
    train, test = _check_points("train", train), _check_points("test", test)
    check_dimensions("train", train, "test", test)
    distances = BY_ROWS[measure](train, test)
    return Pool(len(train), tasks, train, test, distances, measure, threads)


def _check_points(name: str, array: npt.ArrayLike) -> Matrix:
    """Return points as float32, or raise InputError if they cannot be used."""
    points = np.asarray(array)
    if points.dtype.kind not in "fiu":
        raise InputError(f"{name}: holds {points.dtype}, expected real numbers")
    if points.ndim != 2 or 0 in points.shape:
        raise InputError(
            f"{name}: has the shape {points.shape}, expected (points, dimensions), one or more"
        )
    # Numbers too large for float32 become infinite and are reported as such.
    with np.errstate(over="ignore"):
        points = np.ascontiguousarray(points, dtype=np.float32)
    if not (is_finite := np.isfinite(points).all(axis=1)).all():
        raise InputError(f"{name}: row {is_finite.argmin()} holds NaN or infinity (as float32)")
    return points
