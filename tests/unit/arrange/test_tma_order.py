"""Orders, buckets and budgets from TMA's rounds."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference import algorithm_1

from nearfirst.arrange.methods.tma import select_instances
from nearfirst.arrange.pool import Arranged, Pool, tie_ranks
from nearfirst.arrange.registry import arrange
from nearfirst.common.errors import InputError

# Each arranges several times; on what rounds are, test_tma.py has more.
few_examples = settings(max_examples=30)
WITHIN = st.sampled_from(["shuffle", "pool"])
FARTHEST = st.sampled_from(["reverse", "argmax"])
ORDERS = st.sampled_from(pools.ORDERS)
SELECT = st.sampled_from(["first", "last", "both"])

# One test point, so that each round is a single point: 3, 1, 0, 4, 2 from the nearest.
LINE = pools.from_matrix([[0.5], [0.25], [0.875], [0.0], [0.75]])


def tma(pool: Pool, seed: int = 0, **parameters: Any) -> Arranged:
    return arrange(pool, pools.settings("tma", **parameters), seed)


def numbers(arranged: Arranged) -> list[int]:
    assert arranged.rounds is not None
    assert arranged.rounds.dtype == np.int32
    return arranged.rounds.tolist()


def rounds_of(pool: Pool, seed: int = 0, sign: int = 1) -> npt.NDArray[np.int64]:
    """The rounds by the reference, with the points in the order that decides between equals."""
    ranks = tie_ranks(pool.size, seed)
    distances = sign * pool.distances(slice(None))
    return np.array(algorithm_1(distances[np.argsort(ranks)]))[ranks]


@few_examples
@given(pools.POOLS, WITHIN, pools.SEEDS)
def test_orders_go_by_the_rounds_of_algorithm_1(pool: Pool, within: str, seed: int) -> None:
    expected = rounds_of(pool, seed)
    nearest, farthest, mixed = (
        tma(pool, seed, order=order, within_round=within) for order in pools.ORDERS
    )
    for arranged in (nearest, farthest, mixed):
        assert numbers(arranged) == expected[arranged.order].tolist()
    assert expected[nearest.order].tolist() == sorted(expected)
    assert expected[farthest.order].tolist() == sorted(expected, reverse=True)
    # Within a round both directions have the points in the same order.
    for number in set(expected):
        assert [i for i in nearest.order if expected[i] == number] == [
            i for i in farthest.order if expected[i] == number
        ]
    if within == "pool":
        assert nearest.order.tolist() == sorted(range(pool.size), key=lambda i: (expected[i], i))
    shuffle = arrange(pool, pools.settings("random"), seed).order
    assert mixed.order.tolist() == shuffle.tolist()


# A second run that takes the farthest ----------------------------------------------------------


@few_examples
@given(pools.POOLS, WITHIN, pools.SEEDS)
@example(pools.random(39, 2, 2, 987), "shuffle", 1)  # two points have the same distance
def test_argmax_goes_by_the_rounds_of_negated_distances(pool: Pool, within: str, seed: int) -> None:
    expected = rounds_of(pool, seed, sign=-1)
    arranged = tma(pool, seed, order="farthest", farthest="argmax", within_round=within)
    assert expected[arranged.order].tolist() == numbers(arranged) == sorted(expected)
    for order in ("nearest", "random"):
        plain, other = (
            tma(pool, seed, order=order, farthest=farthest) for farthest in ("reverse", "argmax")
        )
        assert other.order.tolist() == plain.order.tolist()
        assert numbers(other) == numbers(plain)


# Buckets -------------------------------------------------------------------------------------


@few_examples
@given(pools.POOLS, pools.SEEDS, st.integers(1, 7), ORDERS, FARTHEST)
def test_buckets_partition_the_pool(
    pool: Pool, seed: int, width: int, order: str, farthest: str
) -> None:
    expected = rounds_of(pool, seed)
    last = int(expected.max())
    seen: list[int] = []
    for first in range(0, last, width):
        bucket = (first, min(first + width, last))
        rows = tma(pool, seed, rounds=bucket, order=order, farthest=farthest).order
        assert set(expected[rows]) == set(range(bucket[0] + 1, bucket[1] + 1))
        seen += rows.tolist()
    assert sorted(seen) == list(range(pool.size))


def test_more_than_the_pool_holds() -> None:
    for bucket in ((4, 6), (5, 6)):
        with pytest.raises(InputError, match=r"^rounds: \[.* the last of the 5 rounds"):
            tma(LINE, rounds=bucket)
    with pytest.raises(InputError, match="budget: 6 instances, but the pool holds 5"):
        tma(LINE, budget=6)


# Budgets -------------------------------------------------------------------------------------


NEAR = np.array([1, 1, 1, 2, 2, 3, 3, 3, 3, 4], dtype=np.int32)


@pytest.mark.parametrize(
    ("select", "budget", "rounds"),
    [
        ("first", 4, {1, 2}),  # the round that reaches the budget is not cut
        ("first", 6, {1, 2, 3}),
        ("last", 2, {3, 4}),
        ("both", 6, {1, 3, 4}),
        ("both", 10, {1, 2, 3, 4}),  # both halves include the middle, which is there once
    ],
)
def test_a_budget_takes_whole_rounds(select: str, budget: int, rounds: set[int]) -> None:
    rows = select_instances(NEAR, 5 - NEAR, pools.settings("tma", budget=budget, select=select))
    assert rows.tolist() == np.flatnonzero(np.isin(NEAR, list(rounds))).tolist()


def test_the_far_half_of_a_second_run() -> None:
    # The farthest round of the second run is points 0 and 5; 0 is in the near half already.
    far = np.array([1, 3, 3, 3, 2, 1, 2, 2, 3, 3], dtype=np.int32)
    both = pools.settings("tma", budget=4, farthest="argmax")
    assert select_instances(NEAR, far, both).tolist() == [0, 1, 2, 4, 5, 6, 7]
    last = pools.settings("tma", budget=4, farthest="argmax", select="last")
    assert select_instances(NEAR, far, last).tolist() == [0, 4, 5, 6, 7]


@few_examples
@given(pools.POOLS, SELECT, FARTHEST, WITHIN, pools.SEEDS, st.data())
def test_all_orders_of_one_budget_hold_the_same_set(
    pool: Pool, select: str, farthest: str, within: str, seed: int, data: st.DataObject
) -> None:
    budget = data.draw(st.integers(1, pool.size))
    fixed = {"budget": budget, "select": select, "farthest": farthest, "within_round": within}
    sets = []
    for order in pools.ORDERS:
        rows = tma(pool, seed, order=order, **fixed).order.tolist()
        assert len(set(rows)) == len(rows) >= budget
        sets.append(set(rows))
    assert sets[0] == sets[1] == sets[2]
