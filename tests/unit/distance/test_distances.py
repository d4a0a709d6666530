"""Distances against SciPy, their ranges, and the matrix as a file."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from nearfirst.common.errors import InputError
from nearfirst.distance.distances import BY_ROWS, ROWS, Matrix, distance_matrix, to_reader_scale
from nearfirst.distance.matrix import read_matrix

MEASURES = pytest.mark.parametrize("measure", BY_ROWS)


def vectors(count: int, dimension: int = 16, seed: int = 0) -> Matrix:
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def test_readers_see_1_minus_the_cosine() -> None:
    train, test = np.array([[1, 0], [0, 2]], np.float32), np.array([[2, 0]], np.float32)
    for measure, expected in (("cosine", [0, 1]), ("euclidean", [1, np.sqrt(8)])):
        distances = distance_matrix(measure, train, test)[:, 0]
        np.testing.assert_allclose(to_reader_scale(measure, distances), expected, atol=1e-6)


def test_a_close_pair_does_not_cancel() -> None:
    train = vectors(50, 384)
    test = train + np.float32(1e-4)
    expected = cdist(train.astype(np.float64), test.astype(np.float64)).diagonal()
    np.testing.assert_allclose(
        distance_matrix("euclidean", train, test).diagonal(), expected, rtol=1e-3
    )


def test_cosine_distances_lie_between_minus_one_and_one() -> None:
    train = vectors(500, 384)
    assert distance_matrix("cosine", train, train).min() == -1
    assert distance_matrix("cosine", train, -train).max() == 1


@MEASURES
@pytest.mark.parametrize("count", [ROWS, 2 * ROWS + 3])
def test_blocks_equal_one_product(measure: str, count: int) -> None:
    train, test = vectors(count), vectors(7, seed=1)
    expected = cdist(train.astype(np.float64), test.astype(np.float64), measure)
    distances = distance_matrix(measure, train, test, threads=1)
    # SciPy's cosine distance is 1 − cos, ours −cos.
    np.testing.assert_allclose(distances, expected - (measure == "cosine"), atol=1e-5)
    np.testing.assert_array_equal(distances, distance_matrix(measure, train, test, threads=3))


@pytest.mark.parametrize("side", [0, 1])
def test_a_zero_vector_has_no_cosine(side: int) -> None:
    points = [vectors(4), vectors(4, seed=1)]
    points[side][2] = 0
    with pytest.raises(InputError, match="embedding 2 is all zeros"):
        distance_matrix("cosine", *points)
    assert np.isfinite(distance_matrix("euclidean", *points)).all()


@pytest.mark.parametrize("length", [1e-25, 1e25])
def test_very_short_and_very_long_vectors_have_a_cosine(length: float) -> None:
    train, test = vectors(4), vectors(3, seed=1)
    scaled = distance_matrix("cosine", train * np.float32(length), test)
    np.testing.assert_allclose(scaled, distance_matrix("cosine", train, test), atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no matrix", r"not a whole \.npy file"),
        (None, r"has the shape \(2, 3\), expected \(3, 2\)"),
    ],
)
def test_matrices_that_are_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "matrix.npy"
    np.save(path, np.zeros((2, 3), np.float32))
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"matrix\.npy: {message}"):
        read_matrix(path, (3, 2))
