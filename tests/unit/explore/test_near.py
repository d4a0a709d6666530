"""What counts as near, and the rows of the figure: by hand, and against whole matrices."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nearfirst.distance import neighbours as module
from nearfirst.distance.distances import BY_ROWS, Matrix, distance_matrix
from nearfirst.distance.side import Side
from nearfirst.explore import table
from nearfirst.explore.near import Near, nearness
from nearfirst.explore.table import Row, histograms, task_rows


def side(points: Any, tasks: str) -> Side:
    """Return points with a letter for the task of each."""
    embeddings = np.array(points, dtype=np.float32).reshape(len(tasks), -1)
    return Side([f"id-{i}" for i in range(len(tasks))], list(tasks), embeddings)


TEST = side([0], "u")


def test_near_by_hand() -> None:
    train = side([0, 1, 4, 9], "aabb")
    # To the nearest of the other task: 4, 3, 3, 8.
    assert nearness(train, TEST, "euclidean", 0.5) == Near(4, "other tasks", (4, 3, 3, 8))
    # To the nearest other point: 1, 1, 3, 5.
    expected = Near(3, "other instances", (1, 1, 3, 5))
    assert nearness(train, side([0], "a"), "euclidean", 0.5) == expected
    assert nearness(side([0, 1, 4, 9], "aaaa"), TEST, "euclidean", 0.5) == expected
    alone = nearness(side([1], "a"), TEST, "cosine", 0.5)
    assert np.isnan(alone.distance)
    assert alone.distances == ()


@settings(deadline=None, max_examples=50)
@given(
    st.sampled_from(sorted(BY_ROWS)),
    st.integers(2, 40),
    st.integers(1, 50),
    st.integers(0, 2**32),
)
def test_near_against_the_whole_matrix(measure: str, count: int, rows: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Few places, so that there are ties.
    points: Matrix = generator.integers(-3, 4, size=(count, 3)).astype(np.float32) + 0.5
    tasks = "".join(generator.choice(list("ab"), count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ROWS", rows)
        near = nearness(side(points, tasks), TEST, measure, 0.5)
    matrix = distance_matrix(measure, points, points)
    groups = np.array(list(tasks)) if len(set(tasks)) > 1 else np.arange(count)
    others = np.where(groups[:, None] == groups, np.inf, matrix).min(axis=0)
    expected = np.quantile(others, 0.5, method="higher")
    assert near.distance == pytest.approx(expected, rel=1e-5, abs=2e-6)


def test_rows_of_a_task_by_hand() -> None:
    rows = list(task_rows("u", np.array([1.0, 2, 3]), ["x", "y", "y"]))
    quantiles = [("min", 1), ("q25", 1.5), ("median", 2), ("q75", 2.5), ("max", 3)]
    assert [(row.what, row.value) for row in rows[:5]] == quantiles
    assert rows[5:] == [
        Row("neighbour", "y", "u", x=1, value=2, n=3),
        Row("neighbour", "x", "u", x=2, value=1, n=3),
    ]


def test_rows_of_histograms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "BINS", 4)
    sides = {"train": np.array([0.0, 1, 1, 4]), "test": np.array([0.0, 3])}
    bars = list(histograms(sides, 8))
    assert [row.value for row in bars] == [3, 0, 1, 0, 1, 1, 0, 0]
    assert [row.x for row in bars[:4]] == [0, 2, 4, 6]
    assert {(row.what, row.n, row.width) for row in bars} == {("train", 4, 2), ("test", 2, 2)}
    assert sum(row.value for row in histograms(sides, float("nan"))) == 6
