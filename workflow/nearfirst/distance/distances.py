"""Distances between training and test embeddings (Section B.3)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from nearfirst.common.errors import InputError
from nearfirst.common.progress import bar

Matrix = npt.NDArray[np.float32]

RowDistances = Callable[[slice | npt.NDArray[np.int64]], Matrix]
"""Takes n rows of the (N, d) training points, returns their (n, M) distances to the test points."""

ROWS = 1024
"""Training points in one matrix product, aligned to multiples of it, each on one thread.

The last bits of an element depend on the shape of the product, the position of its row and the
number of threads. Computed only in these blocks, a distance has the same bits every time.
"""


def check_dimensions(
    train_name: Path | str, train: Matrix, test_name: Path | str, test: Matrix
) -> None:
    """Raise InputError, naming both, unless (N, d) and (M, d) embeddings have the same d."""
    if train.shape[1] != test.shape[1]:
        raise InputError(
            f"{train_name}: {train.shape[1]} dimensions, but {test_name} has {test.shape[1]}; "
            "embed both with the same model"
        )


def distance_matrix(
    measure: str, train: Matrix, test: Matrix, out: Matrix | None = None, threads: int = 2
) -> Matrix:
    """Return the (N, M) distances of (N, d) and (M, d) embeddings, all float32.

    `out` is an array to write into, such as a memory map. The number of threads does not change a
    bit. Raises InputError if an embedding is all zeros and so has no cosine.
    """
    distances = BY_ROWS[measure](train, test)
    matrix = np.empty((len(train), len(test)), dtype=np.float32) if out is None else out

    def fill_block(start: int) -> None:
        matrix[start : start + ROWS] = distances(slice(start, start + ROWS))

    in_blocks(fill_block, range(0, len(matrix), ROWS), threads, "distances")
    return matrix


def cosine_rows(train: Matrix, test: Matrix) -> RowDistances:
    """Return a function that gives −cos between rows of `train` and all of `test` (Eq. 8)."""
    unit_rows, negated = to_unit_length(train), -to_unit_length(test)(slice(None)).T

    def distances_of(rows: slice | npt.NDArray[np.int64]) -> Matrix:
        distances: Matrix = unit_rows(rows) @ negated
        # Rounding can take equal vectors slightly past 1.
        return np.clip(distances, -1.0, 1.0, out=distances)

    return distances_of


def euclidean_rows(train: Matrix, test: Matrix) -> RowDistances:
    """Return a function that gives L2 distances of rows of `train` to all of `test` (Eq. 9)."""
    # |a|² + |b|² − 2ab in float64: in float32, close pairs would cancel.
    b = test[:].astype(np.float64)
    b_squares = (b**2).sum(1)[None, :]

    def distances_of(rows: slice | npt.NDArray[np.int64]) -> Matrix:
        a = train[rows].astype(np.float64)
        squares = (a**2).sum(1)[:, None] + b_squares - 2.0 * (a @ b.T)
        distances: Matrix = np.sqrt(np.maximum(squares, 0.0)).astype(np.float32)
        return distances

    return distances_of


BY_ROWS: dict[str, Callable[[Matrix, Matrix], RowDistances]] = {
    "cosine": cosine_rows,
    "euclidean": euclidean_rows,
}
"""Distance measures by name."""


def to_reader_scale(measure: str, distances: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return distances as shown to readers, in float64: 1 − cos where Eq. 8 has −cos."""
    return np.asarray(distances, dtype=np.float64) + (measure == "cosine")


def in_blocks(
    work: Callable[[int], None], starts: Sequence[int], threads: int, label: str = "blocks"
) -> None:
    """Call `work` with the first row of each block, in threads with one BLAS thread each.

    `label` names the progress bar in a program's log.
    """
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        for _ in bar(pool.map(work, starts), label, len(starts)):
            pass


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which NumPy's matrix products use one thread."""
    limit: AbstractContextManager[object] = _loaded_libraries().limit(limits=1, user_api="blas")
    return limit


@cache
def _loaded_libraries() -> ThreadpoolController:
    # Looking for them takes some 7 ms, and a small pool has many passes of one block.
    return ThreadpoolController()


def to_unit_length(vectors: Matrix) -> RowDistances:
    """Return a function that gives rows of (N, d) vectors scaled to length 1.

    Raises InputError if a vector is all zeros.
    """
    norms = np.empty((len(vectors), 1), dtype=np.float32)
    for start in range(0, len(vectors), ROWS):
        # In float64 the squares of very long or very short vectors neither over- nor underflow.
        block = vectors[start : start + ROWS].astype(np.float64)
        norms[start : start + ROWS, 0] = np.sqrt((block**2).sum(axis=1))
    if not norms.all():
        row = int(np.argmin(norms))
        raise InputError(f"embedding {row} is all zeros: it has no cosine; embed again")
    return lambda rows: vectors[rows] / norms[rows]
