"""Nearest neighbours by hand, and against the whole matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.distance import neighbours as module
from nearfirst.distance.neighbours import neighbours


def test_by_hand() -> None:
    # Training points 0, 1, 5, 5, 9 and test points 2, 5, 7 on a line.
    matrix = np.abs(np.array([[0], [1], [5], [5], [9]], np.float32) - np.array([2, 5, 7]))
    found = neighbours(lambda rows: matrix[rows], *matrix.shape)
    assert found.of_train.tolist() == [2, 1, 0, 0, 2]
    assert found.test.tolist() == [0, 0, 1, 1, 2]
    assert found.of_test.tolist() == [1, 0, 2]
    # Of equally near ones the first.
    assert found.train.tolist() == [1, 2, 2]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 50), st.integers(0, 2**32))
def test_blocks_give_what_the_whole_matrix_gives(
    points: int, tests: int, rows: int, seed: int
) -> None:
    # Few values, so that there are ties.
    matrix = np.random.default_rng(seed).integers(5, size=(points, tests)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        found = neighbours(lambda rows: matrix[rows], points, tests)
    for axis, distances, indices in (
        (1, found.of_train, found.test),
        (0, found.of_test, found.train),
    ):
        np.testing.assert_array_equal(distances, matrix.min(axis=axis))
        np.testing.assert_array_equal(indices, matrix.argmin(axis=axis))
