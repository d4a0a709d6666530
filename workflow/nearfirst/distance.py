"""Distances between training and test embeddings (Section B.3)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nearfirst.errors import InputError

Matrix = npt.NDArray[np.float32]

ROWS = 4096
"""Training points in one matrix product; fixed, so that the bits do not depend on memory."""


def cosine(train: Matrix, test: Matrix, out: Matrix | None = None) -> Matrix:
    """Return −cos(a, b), in [−1, 1], of every pair (Eq. 8).

    Parameters
    ----------
    train, test
        (N, d) and (M, d) float32.
    out
        (N, M) to write into, such as a memory map; none allocates.

    Returns
    -------
    (N, M) float32.
    """
    return _blockwise(_unit(train), _unit(test), _minus_cosine, out)


def _minus_cosine(block: Matrix, other: Matrix) -> Matrix:
    # Rounding takes equal vectors a little past 1.
    distances: Matrix = np.clip(-(block @ other.T), -1.0, 1.0)
    return distances


def euclidean(train: Matrix, test: Matrix, out: Matrix | None = None) -> Matrix:
    """Return the L2 distance of every pair (Eq. 9); shapes as in `cosine`."""

    def between(block: Matrix, other: Matrix) -> Matrix:
        # |a|² + |b|² − 2ab in float64: in float32 it cancels for close pairs.
        a, b = block.astype(np.float64), other.astype(np.float64)
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None, :] - 2.0 * (a @ b.T)
        distances: Matrix = np.sqrt(np.maximum(squares, 0.0)).astype(np.float32)
        return distances

    return _blockwise(train, test, between, out)


MEASURES: dict[str, Callable[[Matrix, Matrix, Matrix | None], Matrix]] = {
    "cosine": cosine,
    "euclidean": euclidean,
}


def _unit(vectors: Matrix) -> Matrix:
    # In float64 the squares of very long or very short vectors are still numbers.
    squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    norms = np.sqrt(squares).astype(np.float32)[:, None]
    if not norms.all():
        row = int(np.argmin(norms))
        raise InputError(f"embedding {row} is all zeros: it has no cosine; embed again")
    unit: Matrix = vectors / norms
    return unit


def _blockwise(
    train: Matrix, test: Matrix, between: Callable[[Matrix, Matrix], Matrix], out: Matrix | None
) -> Matrix:
    if train.shape[1] != test.shape[1]:
        raise InputError(
            f"training embeddings have {train.shape[1]} dimensions, test embeddings "
            f"{test.shape[1]}; embed both with the same model"
        )
    if out is None:
        out = np.empty((len(train), len(test)), dtype=np.float32)
    for start in range(0, len(train), ROWS):
        out[start : start + ROWS] = between(train[start : start + ROWS], test)
    return out
