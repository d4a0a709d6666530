"""Limits on an order, whatever method made it: quotas, then an exact budget."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nearfirst.arrange.pool import Arranged, Pool, Positions
from nearfirst.arrange.settings import ArrangementSettings, Budget, Group
from nearfirst.common.errors import InputError
from nearfirst.distance.neighbours import neighbours

Groups = npt.NDArray[Any]


def limit_order(arranged: Arranged, pool: Pool, settings: ArrangementSettings) -> Arranged:
    """Apply the quotas and the exact budget of the settings to an order.

    Going along the order, take each instance unless a quota is full. Of these the budget keeps the
    first; with `balance`, one from each group in turn until a group has no more. Raises InputError
    if there are fewer instances or tokens than the budget, or if not one instance fits it.
    """
    quotas: dict[Group, int | None] = {
        "task": settings.max_per_task,
        "query": settings.max_per_query,
    }
    limits = [(_groups_by(pool, unit), quota) for unit, quota in quotas.items() if quota]
    positions = _apply_quotas(arranged.order, limits)
    if (budget := settings.exact_budget()) is not None:
        if settings.balance:
            groups = _groups_by(pool, settings.balance)[arranged.order[positions]]
            positions = positions[np.argsort(cumcount(groups), kind="stable")]
        positions = np.sort(positions[: _count_within(arranged.order[positions], pool, budget)])
    rounds = arranged.rounds
    return replace(
        arranged,
        order=arranged.order[positions],
        rounds=None if rounds is None else rounds[positions],
    )


def cumcount(groups: Groups) -> Positions:
    """Return, for each of (n,) values, how many equal ones come before it."""
    _, codes = np.unique(groups, return_inverse=True)
    by_group = np.argsort(codes, kind="stable")
    codes = codes[by_group]
    counts = np.empty(len(groups), dtype=np.int64)
    counts[by_group] = np.arange(len(groups)) - np.searchsorted(codes, codes)
    return counts


def _apply_quotas(order: Positions, quotas: Sequence[tuple[Groups, int]]) -> Positions:
    """Return the positions in an order that remain if no group may exceed its quota."""
    if not quotas:
        return np.arange(len(order))
    limits = [quota for _, quota in quotas]
    counters = [Counter[Any]() for _ in quotas]
    kept = []
    names_in_order = zip(*(groups[order].tolist() for groups, _ in quotas), strict=True)
    for position, names in enumerate(names_in_order):
        counts = [counter[name] for counter, name in zip(counters, names, strict=True)]
        if all(count < limit for count, limit in zip(counts, limits, strict=True)):
            kept.append(position)
            for counter, name in zip(counters, names, strict=True):
                counter[name] += 1
    return np.array(kept, dtype=np.int64)


def _groups_by(pool: Pool, unit: Group) -> Groups:
    """Return the number of each instance's task, nearest query, or the task of that query."""
    if unit == "task":
        return _number(pool.tasks)
    nearest = neighbours(pool.distances, pool.size, len(pool.test), pool.threads).test
    return nearest if unit == "query" else _number(pool.query_tasks)[nearest]


def _number(names: Sequence[str]) -> Groups:
    """Return a number for each name: in an array of text, every name is as long as the longest."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def _count_within(order: Positions, pool: Pool, budget: Budget) -> int:
    """Return how many instances from the start of an order a budget takes."""
    if isinstance(budget, dict):
        limit = budget["tokens"]
        sums = np.cumsum(np.asarray(pool.tokens)[order])
        if limit > sums[-1]:
            raise InputError(
                f"budget: {limit} tokens, but the {len(order)} that can be taken have {sums[-1]}"
            )
        if not (count := int(np.searchsorted(sums, limit, side="right"))):
            raise InputError(f"budget: {limit} tokens, but the first instance has {sums[0]}")
        return count
    count = budget if isinstance(budget, int) else max(1, round(budget * pool.size))
    if count > len(order):
        raise InputError(f"budget: {count} instances, but only {len(order)} can be taken")
    return count
