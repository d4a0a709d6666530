"""Budgets and quotas, by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pools
import pytest

from nearfirst.arrange.budget import limit_order
from nearfirst.arrange.pool import Arranged
from nearfirst.arrange.registry import arrange
from nearfirst.common.errors import InputError

# Eight instances and three queries: 0 to 3 are nearest to query 0, 4 to 6 to query 1, 7 to query 2.
NEAREST = [0, 0, 0, 0, 1, 1, 1, 2]
POOL = replace(
    pools.from_matrix(
        [[0.0 if query == nearest else 1.0 for query in range(3)] for nearest in NEAREST]
    ),
    tasks=list("aababbcc"),
    query_tasks=["x", "y", "x"],
    tokens=[10, 20, 30, 40, 50, 60, 70, 80],
)
ORDER = [7, 0, 1, 2, 4, 3, 5, 6]


def limited(**row: Any) -> list[int]:
    order = Arranged(np.array(ORDER), np.array(ORDER, dtype=np.int32))
    result = limit_order(order, POOL, pools.settings("random", **row))
    assert result.rounds is not None
    assert result.order.tolist() == result.rounds.tolist()
    return result.order.tolist()


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, ORDER),
        ({"budget": 3}, [7, 0, 1]),
        ({"budget": 8}, ORDER),
        ({"budget": 1.0}, ORDER),
        ({"budget": 0.25}, [7, 0]),
        # 1.6 instances, rounded.
        ({"budget": 0.2}, [7, 0]),
        # At least one.
        ({"budget": 0.01}, [7]),
        # 80, 90, 110, 140: the sums along the order.
        ({"budget": {"tokens": 139}}, [7, 0, 1]),
        ({"budget": {"tokens": 140}}, [7, 0, 1, 2]),
        ({"budget": {"tokens": 360}}, ORDER),
        ({"max_per_task": 1}, [7, 0, 2]),
        ({"max_per_query": 1}, [7, 0, 4]),
        # Query 0 is full for instance 1, which therefore does not count towards task a.
        ({"max_per_query": 2, "max_per_task": 2}, [7, 0, 1, 4, 5]),
        ({"max_per_query": 1, "budget": 2}, [7, 0]),
        # A quarter of the pool, not of the three that the quota leaves.
        ({"max_per_query": 1, "budget": 0.25}, [7, 0]),
        ({"balance": "query", "budget": 3}, [7, 0, 4]),
        # Query 2 has no more.
        ({"balance": "query", "budget": 6}, [7, 0, 1, 2, 4, 5]),
        # Queries 0 and 2, of which 0 and 7 are the first, have the same task.
        ({"balance": "query-task", "budget": 2}, [7, 4]),
        ({"balance": "task", "budget": 3}, [7, 0, 2]),
        # The quota leaves 7, 0, 1, 2, 4 and 6; in turn 7, 0, 4, then 1, 6, are taken.
        ({"balance": "query", "max_per_task": 2, "budget": 5}, [7, 0, 1, 4, 6]),
        # In turn 7, 0, 4 are taken, 80 + 10 + 50 tokens, then 1 with 20.
        ({"balance": "query", "budget": {"tokens": 160}}, [7, 0, 1, 4]),
    ],
    ids=str,
)
def test_limits_of_an_order(row: dict[str, Any], expected: list[int]) -> None:
    assert limited(**row) == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"budget": 9}, "budget: 9 instances, but only 8 can be taken"),
        ({"budget": 4, "max_per_task": 1}, "4 instances, but only 3 can be taken"),
        ({"budget": {"tokens": 361}}, "361 tokens, but the 8 that can be taken have 360"),
        ({"budget": {"tokens": 79}}, "79 tokens, but the first instance has 80"),
    ],
    ids=str,
)
def test_a_budget_that_cannot_be_met(row: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        limited(**row)


@pytest.mark.parametrize("budget", [0, -1, 1.5, 0.0, {"tokens": 0}, {}, "many"], ids=str)
def test_invalid_budgets(budget: Any) -> None:
    for method in ("random", "tma"):
        with pytest.raises(ValueError, match="budget"):
            pools.settings(method, budget=budget)


def test_balance_needs_an_exact_budget() -> None:
    with pytest.raises(ValueError, match="balance: needs an exact budget"):
        pools.settings("tma", balance="query", budget=100)


def test_a_share_of_tma_is_exact_and_a_number_takes_whole_rounds() -> None:
    pool = pools.random(60, tests=7)
    whole = arrange(pool, pools.settings("tma"), 0).order.tolist()
    share = arrange(pool, pools.settings("tma", budget=0.25), 0)
    assert share.order.tolist() == whole[:15]
    assert share.rounds is not None
    assert len(share.rounds) == 15
    assert len(arrange(pool, pools.settings("tma", budget=15, select="first"), 0).order) > 15


def test_what_quotas_and_budgets_read() -> None:
    settings = pools.settings(
        "random", budget={"tokens": 9}, max_per_task=1, max_per_query=1, balance="query-task"
    )
    assert settings.all_needs() == {"tokens", "tasks", "embeddings", "query_tasks"}
    assert pools.settings("random", budget=0.5).all_needs() == set()
    balanced = pools.settings("random", budget=4, balance="query-task")
    with pytest.raises(InputError, match="needs query_tasks, and got 0"):
        arrange(pools.random(9, tests=2), balanced, 0)


def test_one_long_name_among_many_instances_takes_no_more_memory() -> None:
    size = 100_000
    # Padded to the longest, the names would take 4 TB.
    pool = replace(
        pools.from_matrix([[0.0]]), size=size, tasks=["a", "b" * 10_000_000] * (size // 2)
    )
    order = Arranged(np.arange(size))
    result = limit_order(order, pool, pools.settings("random", max_per_task=1))
    assert result.order.tolist() == [0, 1]
