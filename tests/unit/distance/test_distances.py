"""Distances against SciPy, their ranges, and what has no distance."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist

from nearfirst.common.errors import InputError
from nearfirst.distance.distances import BY_ROWS, ROWS, Matrix, whole

FINITE = st.floats(-100, 100, width=32)


def vectors(count: int, dimension: int = 16, seed: int = 0) -> Matrix:
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def unit(points: Matrix) -> Matrix:
    norms: Matrix = np.linalg.norm(points, axis=1, keepdims=True)
    return (points / norms).astype(np.float32)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Matrix, Matrix]:
    """Draw two sets of points of one dimension, none of them near zero."""
    dimension = draw(st.integers(1, 5))
    kind = hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(dimension)), elements=FINITE)
    long = kind.filter(lambda points: bool((np.linalg.norm(points, axis=1) > 1e-3).all()))
    return draw(long), draw(long)


def test_by_hand() -> None:
    train = np.array([[1, 0], [0, 2], [-3, 0], [1, 1]], dtype=np.float32)
    test = np.array([[2, 0], [0, -1]], dtype=np.float32)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(
        whole("cosine", train, test), [[-1, 0], [0, 1], [1, 0], [-half, half]], atol=1e-7
    )
    np.testing.assert_allclose(
        whole("euclidean", train, test),
        np.sqrt([[1, 2], [8, 9], [25, 10], [2, 5]]),
        rtol=1e-6,
    )


@given(pairs())
def test_against_scipy(points: tuple[Matrix, Matrix]) -> None:
    train, test = (side.astype(np.float64) for side in points)
    found = whole("cosine", *points)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, cdist(train, test, "cosine") - 1, atol=1e-6)
    found = whole("euclidean", *points)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, cdist(train, test), rtol=1e-6, atol=1e-5)


def test_a_close_pair_does_not_cancel() -> None:
    train = unit(vectors(50, 384))
    test = train + np.float32(1e-5)
    expected = cdist(train.astype(np.float64), test.astype(np.float64)).diagonal()
    np.testing.assert_allclose(whole("euclidean", train, test).diagonal(), expected, rtol=1e-3)


@given(pairs())
def test_cosine_distances_lie_between_minus_one_and_one(points: tuple[Matrix, Matrix]) -> None:
    for other in (points[0], -points[0], points[1]):
        distances = whole("cosine", points[0], other)
        assert distances.min() >= -1
        assert distances.max() <= 1


def test_many_cosine_distances_of_a_point_to_itself_are_not_below_minus_one() -> None:
    train = vectors(500, 384)
    assert whole("cosine", train, train).min() >= -1


@given(pairs())
def test_of_unit_vectors_one_measure_follows_from_the_other(points: tuple[Matrix, Matrix]) -> None:
    train, test = unit(points[0]), unit(points[1])
    expected = np.sqrt(np.maximum(0, 2 + 2 * whole("cosine", train, test).astype(np.float64)))
    # Near zero the root makes 1e-7 of the cosine 3e-4 of the distance.
    np.testing.assert_allclose(whole("euclidean", train, test), expected, atol=1e-3)


@given(pairs(), st.floats(0.25, 8, width=32))
def test_cosine_does_not_see_lengths(points: tuple[Matrix, Matrix], factor: float) -> None:
    train, test = points
    np.testing.assert_allclose(
        whole("cosine", train * np.float32(factor), test), whole("cosine", train, test), atol=1e-6
    )


@pytest.mark.parametrize("measure", BY_ROWS)
@pytest.mark.parametrize("count", [ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 3])
def test_blocks_equal_one_product(measure: str, count: int) -> None:
    train, test = vectors(count), vectors(7, seed=1)
    found = whole(measure, train, test)
    expected = cdist(train.astype(np.float64), test.astype(np.float64), measure)
    # SciPy's is 1 - cos, ours -cos.
    np.testing.assert_allclose(found, expected - (measure == "cosine"), atol=1e-5)


@pytest.mark.parametrize("measure", BY_ROWS)
def test_a_memory_map_gets_the_same_bits(measure: str, tmp_path: Path) -> None:
    train, test = vectors(ROWS + 10), vectors(5, seed=1)
    path = tmp_path / "matrix.npy"
    out = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=(len(train), len(test)))
    assert whole(measure, train, test, out) is out
    out.flush()
    np.testing.assert_array_equal(np.load(path), whole(measure, train, test))


@pytest.mark.parametrize("measure", BY_ROWS)
def test_embeddings_of_two_models(measure: str) -> None:
    with pytest.raises(InputError, match="384 dimensions, test embeddings 768"):
        whole(measure, vectors(2, 384), vectors(3, 768))


@pytest.mark.parametrize("side", [0, 1])
def test_a_zero_vector_has_no_cosine(side: int) -> None:
    points = [vectors(4), vectors(4, seed=1)]
    points[side][2] = 0
    with pytest.raises(InputError, match="embedding 2 is all zeros"):
        whole("cosine", *points)
    assert np.isfinite(whole("euclidean", *points)).all()


@pytest.mark.parametrize("length", [1e-25, 1e25])
def test_very_short_and_very_long_vectors_have_a_cosine(length: float) -> None:
    train, test = vectors(4), vectors(3, seed=1)
    found = whole("cosine", train * np.float32(length), test)
    np.testing.assert_allclose(found, whole("cosine", train, test), atol=1e-6)
