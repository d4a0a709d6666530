"""Two tables of embeddings must be of one encoder."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nearfirst.errors import InputError

Matrix = npt.NDArray[np.float32]


def check(train: Path, train_vectors: Matrix, test: Path, test_vectors: Matrix) -> None:
    """Check that the tables of two files have one dimension.

    Parameters
    ----------
    train, test
        The files, for the message.
    train_vectors, test_vectors
        (N, d) and (M, d).

    Raises
    ------
    InputError
        If the dimensions differ.
    """
    own, other = train_vectors.shape[1], test_vectors.shape[1]
    if own != other:
        raise InputError(
            f"{train}: {own} dimensions, but {test} has {other}; embed both with the same model"
        )
