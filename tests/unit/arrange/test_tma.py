"""Algorithm 1, taken from lists of the nearest, against a slow reading of it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import algorithm_1

from nearfirst.arrange import tma
from nearfirst.arrange.tma import rounds_by
from nearfirst.common.errors import InputError
from nearfirst.distance import distances as block_distances
from nearfirst.distance.distances import BY_ROWS, ROWS, Matrix, distance_matrix

Rounds = npt.NDArray[np.int32]


def tma_rounds(distances: Matrix) -> Rounds:
    return rounds_by(lambda rows: distances[rows], *distances.shape)


def rescanned(distances: Matrix) -> Rounds:
    """Return the rounds of larger inputs, by one scan of the remaining points per round."""
    rounds = np.zeros(len(distances), dtype=np.int32)
    number = 0
    while len(remaining := np.flatnonzero(rounds == 0)):
        number += 1
        rounds[remaining[distances[remaining].argmin(axis=0)]] = number
    return rounds


SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
ANY = hnp.arrays(np.float32, SHAPES, elements=st.floats(-1, 1, width=32))
# Few values: most distances are ties.
TIED = hnp.arrays(np.float32, SHAPES, elements=st.integers(-1, 2))
# Zeros of both signs are the same distance; an infinite one is the farthest.
ODD = hnp.arrays(np.float32, SHAPES, elements=st.sampled_from([-0.0, 0.0, -1e-45, 1e-45, np.inf]))


@st.composite
def points(draw: st.DrawFn) -> tuple[Matrix, Matrix]:
    """Draw points in a few clusters, duplicates among them, and fewer or more tests."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    centres = generator.normal(size=(draw(st.integers(1, 4)), 3))
    spread = draw(st.sampled_from([0.0, 0.01, 0.5]))

    def near(count: int) -> Matrix:
        vectors = centres[generator.integers(len(centres), size=count)]
        vectors = vectors + spread * generator.normal(size=vectors.shape)
        is_copy = generator.random(count) < draw(st.sampled_from([0, 0.5]))
        vectors[is_copy] = vectors[generator.integers(count, size=is_copy.sum())]
        return vectors.astype(np.float32)

    return near(draw(st.integers(1, 40))), near(draw(st.integers(1, 60)))


CLUSTERED = points().map(lambda sides: distance_matrix("euclidean", *sides))
INPUTS = st.one_of(ANY, TIED, ODD, CLUSTERED)


def in_short_lists(distances: Matrix, length: int, sampled: int, **ranks: Any) -> list[int]:
    count, tests = distances.shape
    sizes = {"max_entries": length * tests, "sample_size": sampled * tests}
    return rounds_by(lambda rows: distances[rows], count, tests, **sizes, **ranks).tolist()


@given(INPUTS, st.integers(1, 12), st.integers(1, 30), st.integers(0, 9))
def test_rounds_are_those_of_algorithm_1(
    distances: Matrix, length: int, sampled: int, seed: int
) -> None:
    """With lists of one entry, when a pass may give one round, to all; guesses may be very bad."""
    expected = algorithm_1(distances)
    assert tma_rounds(distances).tolist() == expected
    assert tma_rounds(np.asfortranarray(distances)).tolist() == expected
    assert rescanned(distances).tolist() == expected
    assert in_short_lists(distances, length, sampled) == expected
    # Ranks break ties.
    ranks = np.random.default_rng(seed).permutation(len(distances))
    expected = np.array(algorithm_1(distances[np.argsort(ranks)]))[ranks].tolist()
    assert in_short_lists(distances, length, sampled, ranks=ranks) == expected


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("order", ["random", "nearest last", "nearest first", "tied"])
def test_many_blocks_and_lists_that_overflow(
    monkeypatch: pytest.MonkeyPatch, order: str, threads: int
) -> None:
    """A bad guess lets too much in, and later blocks hold points that truncated lists need."""
    monkeypatch.setattr(tma, "ROWS", 16)
    monkeypatch.setattr(block_distances, "ROWS", 16)
    distances = np.random.default_rng(0).normal(size=(400, 9)).astype(np.float32)
    if order == "tied":
        distances = distances.round()
    elif order != "random":
        distances.sort(axis=0)
        distances = distances[:: -1 if order == "nearest last" else 1]
    rounds = rounds_by(
        lambda rows: distances[rows], 400, 9, threads=threads, max_entries=90, sample_size=27
    )
    assert rounds.tolist() == rescanned(distances).tolist()


@pytest.mark.parametrize("measure", BY_ROWS)
@pytest.mark.parametrize("spread", [0.02, 1.0])
def test_many_rounds_from_embeddings_of_several_blocks(measure: str, spread: float) -> None:
    """Sizes at which a product of other rows would differ in the last bits."""
    generator = np.random.default_rng(1)
    centres = generator.normal(size=(20, 64))

    def near(count: int) -> Matrix:
        vectors = centres[np.arange(count) % 20] + spread * generator.normal(size=(count, 64))
        return vectors.astype(np.float32)

    train, test = near(3 * ROWS + 100), near(70)
    train[ROWS:] = train[generator.permutation(len(train))[ROWS:] // 2]  # duplicates
    rows, shape = BY_ROWS[measure](train, test), (len(train), len(test))
    rounds = rounds_by(rows, *shape, max_entries=70 * 300)
    assert rounds.tolist() == rescanned(distance_matrix(measure, train, test)).tolist()
    for threads in (1, 2, 5):
        again = rounds_by(rows, *shape, threads=threads, max_entries=70 * 211, sample_size=70 * 500)
        assert again.tolist() == rounds.tolist()


def test_a_fault_in_a_thread_is_raised() -> None:
    def broken(rows: Any) -> Matrix:
        raise MemoryError

    with pytest.raises(MemoryError):
        rounds_by(broken, 5, 5)


@pytest.mark.parametrize("length", [1, 100])
def test_not_a_number_is_refused_and_not_searched_for_ever(length: int) -> None:
    distances = np.zeros((6, 2), dtype=np.float32)
    distances[:, 1] = np.nan
    with pytest.raises(InputError, match="not a number"):
        in_short_lists(distances, length, 3)
