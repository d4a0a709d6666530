"""Round-robin, cluster and random, by hand and on random pools."""

from collections import Counter
from itertools import pairwise

import pools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearfirst.arrange.pool import Pool
from nearfirst.arrange.registry import arrange

TASKS = st.lists(st.sampled_from("abcde"), min_size=1, max_size=40)


def order(method: str, tasks: list[str], seed: int) -> list[int]:
    return arrange(Pool(len(tasks), tasks), pools.settings(method), seed).order.tolist()


@given(TASKS, pools.SEEDS)
def test_a_turn_of_round_robin_takes_each_task_that_has_some_left_in_one_order(
    tasks: list[str], seed: int
) -> None:
    left = Counter(tasks)
    names = [tasks[i] for i in order("round-robin", tasks, seed)]
    first_turn = names[: len(left)]
    expected = []
    while left:
        turn = [task for task in first_turn if task in left]
        expected += turn
        left -= Counter(turn)
    assert names == expected


@given(TASKS, pools.SEEDS)
def test_cluster_takes_task_after_task(tasks: list[str], seed: int) -> None:
    names = [tasks[i] for i in order("cluster", tasks, seed)]
    changes = sum(a != b for a, b in pairwise(names))
    assert changes == len(set(tasks)) - 1


@pytest.mark.parametrize("method", ["round-robin", "cluster"])
def test_the_seed_shuffles_tasks_and_the_instances_of_a_task(method: str) -> None:
    tasks = [f"task-{i % 10}" for i in range(100)]
    orders = [order(method, tasks, seed) for seed in range(20)]
    assert len({tuple(dict.fromkeys(tasks[i] for i in rows)) for rows in orders}) == 20
    within_task = {tuple(i for i in rows if tasks[i] == "task-3") for rows in orders}
    assert len(within_task) == 20
    assert tuple(range(3, 100, 10)) not in within_task
