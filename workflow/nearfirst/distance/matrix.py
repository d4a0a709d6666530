"""The (N, M) distance matrix as a file: a float32 `.npy` that opens as a memory map."""

import os
from pathlib import Path

import numpy as np

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.distance.distances import Matrix, whole


def write_matrix(path: Path, measure: str, train: Matrix, test: Matrix, threads: int = 2) -> None:
    """Write the distances of (N, d) training to (M, d) test points, whole or not at all.

    Parameters and errors are those of `whole`; a full disk raises InputError too.
    """
    with writing(path) as temporary:
        shape = (len(train), len(test))
        out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        # Reserve the space now: writing to a map on a full disk kills the process.
        with temporary.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
        whole(measure, train, test, out, threads)
        out.flush()


def read_matrix(path: Path, shape: tuple[int, int]) -> Matrix:
    """Open a distance matrix of a given shape (N, M) as a memory map.

    Raises
    ------
    InputError
        If the file is missing or damaged, or holds another shape, another type, or NaN.
    """
    try:
        matrix: Matrix = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not a whole .npy file ({error})") from None
    if matrix.shape != shape or matrix.dtype != np.float32:
        raise InputError(
            f"{path}: {matrix.dtype} of shape {matrix.shape}, expected float32 of shape {shape}; "
            "compute the distances again"
        )
    if np.isnan(matrix.min()):
        raise InputError(f"{path}: holds NaN; compute the distances again")
    return matrix
