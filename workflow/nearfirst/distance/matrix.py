"""The (N, M) distance matrix as a float32 `.npy` file, opened as a memory map."""

import os
from pathlib import Path

import numpy as np

from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.distance.distances import Matrix, distance_matrix


def write_matrix(path: Path, measure: str, train: Matrix, test: Matrix, threads: int = 2) -> None:
    """Write the distances of (N, d) training to (M, d) test points, completely or not at all.

    Raises InputError as `distance_matrix`, or if the disk is full.
    """
    with writing(path) as temporary:
        shape = (len(train), len(test))
        out = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        # Reserve the space first: writing to a memory map on a full disk kills the process.
        with temporary.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
        distance_matrix(measure, train, test, out, threads)
        out.flush()


def read_matrix(path: Path, shape: tuple[int, int]) -> Matrix:
    """Open a distance matrix of the shape (N, M) as a memory map.

    Raises InputError if the file is missing or damaged, or holds another shape.
    """
    try:
        matrix: Matrix = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not a whole .npy file ({error})") from None
    if matrix.shape != shape:
        raise InputError(
            f"{path}: has the shape {matrix.shape}, expected {shape}; compute the distances again"
        )
    return matrix
