"""Nearest neighbours by hand, and against the whole matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.distance import neighbours as module
from nearfirst.distance.neighbours import neighbours


@settings(max_examples=50)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 50), st.integers(0, 2**32))
def test_blocks_give_what_the_whole_matrix_gives(
    points: int, tests: int, rows: int, seed: int
) -> None:
    # Few values, so that there are ties.
    matrix = np.random.default_rng(seed).integers(5, size=(points, tests)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        nearest = neighbours(lambda rows: matrix[rows], points, tests)
    np.testing.assert_array_equal(nearest.of_train, matrix.min(axis=1))
    np.testing.assert_array_equal(nearest.test, matrix.argmin(axis=1))
    np.testing.assert_array_equal(nearest.of_test, matrix.min(axis=0))
    np.testing.assert_array_equal(nearest.train, matrix.argmin(axis=0))
