"""Two tables of embeddings must be of one encoder."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nearfirst.common.errors import InputError

Matrix = npt.NDArray[np.float32]


def check_dimensions(
    train_name: Path | str, train: Matrix, test_name: Path | str, test: Matrix
) -> None:
    """Raise InputError, which names both, unless (N, d) and (M, d) embeddings have the same d."""
    own, other = train.shape[1], test.shape[1]
    if own != other:
        raise InputError(
            f"{train_name}: {own} dimensions, but {test_name} has {other}; embed both with the "
            "same model"
        )
