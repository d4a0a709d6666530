"""Weighted Similarity Distance, of instances and of tasks."""

from dataclasses import replace

import numpy as np
import pools
import pytest

from nearfirst.arrange.methods.wsd import weighted_distances
from nearfirst.arrange.registry import arrange
from nearfirst.common.errors import InputError
from nearfirst.distance.distances import ROWS

# Averages 0.5, 0.25, 0.75 with mean 0.5; minima 0.25, 0.125, 0.375 with mean 0.25; so w is 2.
BY_HAND = [[0.25, 0.75], [0.375, 0.125], [0.375, 1.125]]


def test_distances_by_hand() -> None:
    assert weighted_distances(pools.from_matrix(BY_HAND)).tolist() == [1.0, 0.5, 1.5]
    # Averages -0.5, -0.25; minima -1, -0.5; w is 1/2: the nearer in both comes first.
    pool = pools.from_matrix([[-0.5, 0.0], [-1.0, 0.0]])
    assert weighted_distances(pool).tolist() == [-0.5, -1.0]


@pytest.mark.parametrize(
    ("distances", "means"),
    [
        ([[-0.5, 1.0], [-0.25, 0.5]], "0.1875, the minimum distances -0.375"),  # opposite signs
        ([[0.0, 1.0], [0.0, 0.5]], "0.375, the minimum distances 0;"),
        ([[np.inf, 1.0]], "mean inf, the minimum distances 1;"),
    ],
)
def test_a_factor_that_is_not_positive_is_refused(distances: list[list[float]], means: str) -> None:
    with pytest.raises(InputError, match="inverts the order") as error:
        arrange(pools.from_matrix(distances), pools.settings("wsd"), 0)
    assert means in str(error.value)
    assert "method tma" in str(error.value)


@pytest.mark.parametrize("threads", [1, 3])
def test_several_blocks(threads: int) -> None:
    generator = np.random.default_rng(0)
    sides = (1 + 0.5 * generator.random((size, 6)) for size in (2 * ROWS + 5, 5))
    pool = replace(pools.from_embeddings(*sides), threads=threads)
    matrix = pool.distances(slice(None)).astype(np.float64)
    factor = matrix.mean() / matrix.min(axis=1).mean()
    expected = matrix.mean(axis=1) + factor * matrix.min(axis=1)
    np.testing.assert_allclose(weighted_distances(pool), expected, rtol=1e-6)


# Whole tasks ---------------------------------------------------------------------------------

# Tasks in order of appearance: b with the mean (3, 1), a with (1, 2), c with (1, 0).
TASKS = ["b", "a", "b", "a", "c"]
TRAIN = [[4, 0], [1, 4], [2, 2], [1, 0], [1, 0]]


@pytest.mark.parametrize(("order", "expected"), [("nearest", "aabbc"), ("farthest", "cbbaa")])
def test_whole_tasks_by_hand(order: str, expected: str) -> None:
    # One test point: average and minimum are the same, so the WSD is twice the distance of the
    # mean: -0.41 for b, -0.91 for a, -0.1 for c.
    pool = pools.from_embeddings(TRAIN, [[0.1, 1.0]], TASKS)
    settings = pools.settings("wsd", order=order, granularity="task")
    orders = [arrange(pool, settings, seed).order.tolist() for seed in range(20)]
    assert {"".join(TASKS[i] for i in rows) for rows in orders} == {expected}
    # The seed shuffles the instances of a task.
    assert {tuple(i for i in rows if TASKS[i] == "a") for rows in orders} == {(1, 3), (3, 1)}


def test_the_factor_of_tasks_is_a_mean_over_tasks() -> None:
    """A factor that counts a task by its instances would turn these two around."""
    means = np.eye(2, 3)
    # Cosines to the first mean 0.15, 0.65, 0.65; to the second 0.98, -0.055, -0.055.
    test = [[0.15, 0.98, 0.131], [0.65, -0.055, 0.758], [0.65, -0.055, 0.758]]
    pool = pools.from_embeddings(means[[0] * 8 + [1]], test, list("aaaaaaaab"))
    assert weighted_distances(pool).argmin() == 8
    order = arrange(pool, pools.settings("wsd", granularity="task"), 0).order
    assert "".join(pool.tasks[i] for i in order) == "aaaaaaaab"


def test_the_measure_of_tasks_is_that_of_the_pool() -> None:
    # By Euclidean distance the short mean of a is nearer, by cosine the mean of b.
    pool = pools.from_embeddings([[0.5, 0.2], [9, 1]], [[1, 0]], ["a", "b"])
    settings = pools.settings("wsd", granularity="task")
    assert arrange(pool, settings, 0).order.tolist() == [1, 0]
    assert arrange(replace(pool, measure="euclidean"), settings, 0).order.tolist() == [0, 1]
