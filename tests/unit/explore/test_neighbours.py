"""Neighbours, what counts as near, and their rows: by hand, and against whole matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.distance.distances import BY_ROWS, Matrix, whole
from nearfirst.explore import neighbours as module
from nearfirst.explore.neighbours import (
    Near,
    Neighbours,
    counts_near,
    near_of_pool,
    nearest_others,
    neighbours,
)
from nearfirst.explore.table import Row, Side, histograms, of_rounds, of_tasks

# Threads of a busy machine take their time.
patient = settings(deadline=None)
CLOSE: dict[str, float] = {"rtol": 1e-5, "atol": 2e-6}


def points(*values: float) -> Matrix:
    """Points on a line, so that distances are plain to see."""
    return np.array(values, dtype=np.float32)[:, None]


def on_a_line(train: Matrix, test: Matrix) -> Callable[[Any], Matrix]:
    return BY_ROWS["euclidean"](train, test)


def test_neighbours_by_hand() -> None:
    train, test = points(0, 1, 5, 5, 9), points(2, 5, 7)
    found = neighbours(on_a_line(train, test), 5, 3)
    assert found.of_train.tolist() == [2, 1, 0, 0, 2]
    assert found.of_test.tolist() == [1, 0, 2]
    # Of equally near ones the first.
    assert found.train.tolist() == [1, 2, 2]


def test_counts_near_by_hand() -> None:
    train, test = points(0, 1, 5, 5, 9), points(2, 5, 7)
    groups = {"a": np.array([0, 1]), "b": np.array([2])}
    counts = counts_near(on_a_line(train, test), 5, groups, 2)
    # To 2 or 5 within 2: 0, 1, 5, 5. To 7: 5, 5, 9; the bound itself is near.
    assert counts.tolist() == [4, 3]
    assert counts_near(on_a_line(train, test), 5, groups, float("nan")).tolist() == [0, 0]


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Matrix, Matrix, int]:
    """Draw few points in few places, so that there are ties, in blocks of few rows."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    train, test = (
        generator.integers(-3, 4, size=(size, 3)).astype(np.float32) + 0.5 for size in sizes
    )
    return draw(st.sampled_from(sorted(BY_ROWS))), train, test, draw(st.integers(1, 50))


@patient
@given(cases())
def test_blocks_give_what_the_whole_matrix_gives(case: tuple[str, Matrix, Matrix, int]) -> None:
    measure, train, test, rows = case
    matrix = whole(measure, train, test)
    groups = {"even": np.arange(0, len(test), 2), "all": np.arange(len(test))}
    near = float(np.median(matrix))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        # Rows of the matrix itself: the last bits of a product depend on its shape.
        found = neighbours(lambda rows: matrix[rows], *matrix.shape)
        counts = counts_near(lambda rows: matrix[rows], len(train), groups, near)
    np.testing.assert_array_equal(found.of_train, matrix.min(axis=1))
    np.testing.assert_array_equal(found.of_test, matrix.min(axis=0))
    np.testing.assert_array_equal(found.train, matrix.argmin(axis=0))
    expected = [(matrix[:, its] <= near).any(axis=1).sum() for its in groups.values()]
    assert counts.tolist() == expected


@patient
@given(cases(), st.integers(1, 4))
def test_nearest_others_against_the_whole_matrix(
    case: tuple[str, Matrix, Matrix, int], tasks: int
) -> None:
    measure, train, _, rows = case
    matrix = whole(measure, train, train)
    of = np.arange(len(train)) % tasks
    sample = np.arange(0, len(train), 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        by_task = nearest_others(measure, train, sample, of)
        by_point = nearest_others(measure, train, sample)
    for found, own in (
        (by_task, of[:, None] == of),
        (by_point, np.eye(len(train), dtype=bool)),
    ):
        expected = np.where(own, np.inf, matrix).min(axis=0)[sample]
        np.testing.assert_allclose(found, expected, **CLOSE)


NEAR: dict[str, Any] = {"quantile": 0.5, "sample": 100, "seed": 0}


def test_near_of_pool_by_hand() -> None:
    train, tasks = points(0, 1, 4, 9), np.array([0, 0, 1, 1])
    # To the nearest of the other task: 4, 3, 3, 8.
    near = near_of_pool("euclidean", train, tasks, unseen=True, **NEAR)
    assert near == Near(4, "other tasks", 4)
    # To the nearest other point: 1, 1, 3, 5.
    near = near_of_pool("euclidean", train, tasks, unseen=False, **NEAR)
    assert near == Near(3, "other instances", 4)
    largest = near_of_pool("euclidean", train, tasks, unseen=False, **{**NEAR, "quantile": 1})
    assert largest.distance == 5
    # A pool of a single task has no others.
    near = near_of_pool("euclidean", train, np.zeros(4, dtype=int), unseen=True, **NEAR)
    assert near == Near(3, "other instances", 4)


def test_near_is_drawn_with_the_seed() -> None:
    train = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    tasks = np.arange(300) % 7

    def near(seed: int) -> Near:
        few = {**NEAR, "sample": 5, "seed": seed}
        return near_of_pool("cosine", train, tasks, unseen=True, **few)

    assert near(1) == near(1) != near(2)
    assert near(1).sample == 5


def test_a_single_training_instance_says_nothing_of_near() -> None:
    near = near_of_pool("cosine", points(1), np.array([0]), unseen=True, **NEAR)
    assert np.isnan(near.distance)
    assert near.sample == 0
    found = Neighbours(*(np.array([-1], dtype=np.float32),) * 2, np.array([0]))
    train = Side(["a"], ["t"], np.array([0]))
    counts = np.array([0])
    rows = list(of_tasks(train, {"u": np.array([0])}, found, near, counts, 3))
    assert [row.what for row in rows] == ["min", "q25", "median", "q75", "max", "t"]
    bars = list(histograms(found, near, 4))
    assert [row.value for row in bars if row.what == "test"].count(1) == 1


def test_rows_of_tasks_by_hand() -> None:
    train = Side(list("abcde"), ["x", "y"], np.array([0, 0, 1, 1, 1]))
    found = Neighbours(
        np.zeros(5, dtype=np.float32),
        np.array([1, 2, 3, 9], dtype=np.float32),
        np.array([0, 4, 3, 1]),
    )
    groups = {"u": np.array([0, 1, 2]), "v": np.array([3])}
    rows = list(of_tasks(train, groups, found, Near(2, "given", 0), np.array([4, 0]), 1))
    u, v = ([row for row in rows if row.task == task] for task in groups)
    quantiles = [("min", 1), ("q25", 1.5), ("median", 2), ("q75", 2.5), ("max", 3)]
    assert [(row.what, row.value) for row in u[:5]] == quantiles
    assert u[5:] == [
        Row("task", "near_test", 2, 3, "u"),
        Row("task", "near_train", 4, 5, "u"),
        Row("neighbour", "y", 2, 3, "u", 1),
    ]
    assert (v[5].value, v[6].value, v[7].what) == (0, 0, "x")


def test_rows_of_histograms_and_rounds() -> None:
    found = Neighbours(
        np.array([0, 1, 1, 4], dtype=np.float32), np.array([0, 3], dtype=np.float32), np.zeros(2)
    )
    bars = list(histograms(found, Near(8, "given", 0), 4))
    assert [row.value for row in bars] == [3, 0, 1, 0, 1, 1, 0, 0]
    assert [row.x for row in bars[:4]] == [0, 2, 4, 6]
    assert {(row.what, row.n, row.width) for row in bars} == {("train", 4, 2), ("test", 2, 2)}
    rounds = list(of_rounds(np.array([2, 1, 2, 3], dtype=np.int32)))
    assert [(row.x, row.value, row.n) for row in rounds] == [(1, 1, 4), (2, 2, 4), (3, 1, 4)]
