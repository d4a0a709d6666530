"""Distances between training and test embeddings (Section B.3)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar
from nearfirst.distance.dimensions import check_dimensions

Matrix = npt.NDArray[np.float32]

RowDistances = Callable[[slice | npt.NDArray[np.int64]], Matrix]
"""Takes n rows of the (N, d) training points, returns their (n, M) distances to the test points."""

ROWS = 1024
"""Training points in one matrix product, aligned to its multiples, on one thread each.

The last bits of a product's element depend on the product's shape, on the row's place in it and on
the number of threads. Computed only in these blocks, a distance has the same bits every time.
"""


def whole(
    measure: str, train: Matrix, test: Matrix, out: Matrix | None = None, threads: int = 2
) -> Matrix:
    """Return the distance of every pair.

    Parameters
    ----------
    measure
        `cosine` or `euclidean`: a name in `BY_ROWS`.
    train, test
        (N, d) and (M, d) float32.
    out
        (N, M) to write into, such as a memory map; allocated if None.
    threads
        CPU threads; they do not change a bit.

    Returns
    -------
    (N, M) float32.

    Raises
    ------
    InputError
        If the dimensions differ, or an embedding has no cosine because it is all zeros.
    """
    distances = BY_ROWS[measure](train, test)
    matrix = np.empty((len(train), len(test)), dtype=np.float32) if out is None else out

    def block(start: int) -> None:
        matrix[start : start + ROWS] = distances(slice(start, start + ROWS))

    in_blocks(block, range(0, len(matrix), ROWS), threads, "distances")
    return matrix


def cosine_rows(train: Matrix, test: Matrix) -> RowDistances:
    """Return a function that gives the −cos of rows of `train` to all of `test` (Eq. 8)."""
    check_dimensions("train", train, "test", test)
    unit, other = at_length_one(train), -at_length_one(test)(slice(None)).T

    def between(rows: slice | npt.NDArray[np.int64]) -> Matrix:
        distances: Matrix = unit(rows) @ other
        # Rounding takes equal vectors a little past 1.
        return np.clip(distances, -1.0, 1.0, out=distances)

    return between


def euclidean_rows(train: Matrix, test: Matrix) -> RowDistances:
    """Return a function that gives the L2 distances of rows of `train` to all of `test` (Eq. 9)."""
    check_dimensions("train", train, "test", test)
    # |a|² + |b|² − 2ab in float64: in float32 it cancels for close pairs.
    b = test[:].astype(np.float64)
    b_squares = (b**2).sum(1)[None, :]

    def between(rows: slice | npt.NDArray[np.int64]) -> Matrix:
        a = train[rows].astype(np.float64)
        squares = (a**2).sum(1)[:, None] + b_squares - 2.0 * (a @ b.T)
        distances: Matrix = np.sqrt(np.maximum(squares, 0.0)).astype(np.float32)
        return distances

    return between


BY_ROWS: dict[str, Callable[[Matrix, Matrix], RowDistances]] = {
    "cosine": cosine_rows,
    "euclidean": euclidean_rows,
}
"""The distance measures by name."""


def shown(measure: str, distances: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return distances as readers expect them, in float64: 1 − cos where Eq. 8 has −cos."""
    return np.asarray(distances, dtype=np.float64) + (measure == "cosine")


def in_blocks(
    work: Callable[[int], None], starts: Sequence[int], threads: int, what: str = "blocks"
) -> None:
    """Call `work` with the first row of each block, in threads of one BLAS thread each.

    A program's log gets a bar called `what`.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        for _ in bar(pool.map(work, starts), what, len(starts)):
            pass


def at_length_one(vectors: Matrix) -> RowDistances:
    """Return a function that gives rows of (N, d) vectors at length 1.

    Raises InputError if one is all zeros.
    """
    norms = _norms(vectors)
    return lambda rows: vectors[rows] / norms[rows]


def _norms(vectors: Matrix) -> Matrix:
    """Return the (N, 1) lengths."""
    norms = np.empty((len(vectors), 1), dtype=np.float32)
    for start in range(0, len(vectors), ROWS):
        # In float64 the squares of very long or very short vectors are still numbers.
        block = vectors[start : start + ROWS].astype(np.float64)
        norms[start : start + ROWS, 0] = np.sqrt((block**2).sum(axis=1))
    if not norms.all():
        row = int(np.argmin(norms))
        raise InputError(f"embedding {row} is all zeros: it has no cosine; embed again")
    return norms
