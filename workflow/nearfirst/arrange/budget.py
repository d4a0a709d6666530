"""What is left of an order, whatever method made it: quotas, then a budget kept to exactly."""

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


def within(arranged: Arranged, pool: Pool, settings: ArrangementSettings) -> Arranged:
    """Return the part of an order that its quotas and its budget leave, in the same order.

    Along the order an instance is taken unless a quota is full; of these the budget takes the
    first, or with `balance` the same number for each group, up to one, until a group has no more.

    Raises
    ------
    InputError
        If there are not as many instances or tokens as the budget says, or not one fits it.
    """
    quotas: dict[Group, int | None] = {"task": settings.max_per_task}
    quotas["query"] = settings.max_per_query
    limits = [(_groups(pool, by), most) for by, most in quotas.items() if most]
    places = _within_quotas(arranged.order, limits)
    if (budget := settings.exactly()) is not None:
        if settings.balance:
            groups = _groups(pool, settings.balance)[arranged.order[places]]
            places = places[np.argsort(turns(groups), kind="stable")]
        places = np.sort(places[: _fitting(arranged.order[places], pool, budget)])
    rounds = arranged.rounds
    return replace(
        arranged,
        order=arranged.order[places],
        rounds=None if rounds is None else rounds[places],
    )


def turns(groups: Groups) -> Positions:
    """Return, for each of (n,) values, how many equal ones come before it."""
    _, number = np.unique(groups, return_inverse=True)
    together = np.argsort(number, kind="stable")
    number = number[together]
    found = np.empty(len(groups), dtype=np.int64)
    found[together] = np.arange(len(groups)) - np.searchsorted(number, number)
    return found


def _within_quotas(order: Positions, quotas: Sequence[tuple[Groups, int]]) -> Positions:
    """Return the places in an order that are taken where no group may have more than its quota."""
    if not quotas:
        return np.arange(len(order))
    taken = [Counter[Any]() for _ in quotas]
    kept = []
    its = zip(*(groups[order].tolist() for groups, _ in quotas), strict=True)
    for place, names in enumerate(its):
        if all(
            count[name] < most for count, name, (_, most) in zip(taken, names, quotas, strict=True)
        ):
            kept.append(place)
            for count, name in zip(taken, names, strict=True):
                count[name] += 1
    return np.array(kept, dtype=np.int64)


def _groups(pool: Pool, by: Group) -> Groups:
    """Return the task of each instance, the query it is nearest to, or the task of that."""
    if by == "task":
        return np.asarray(pool.tasks)
    nearest = neighbours(pool.distances, pool.size, len(pool.test), pool.threads).test
    return nearest if by == "query" else np.asarray(pool.query_tasks)[nearest]


def _fitting(order: Positions, pool: Pool, budget: Budget) -> int:
    """Return how many of the first instances a budget takes."""
    where = f"the pool holds {pool.size}"
    if len(order) < pool.size:
        where = f"of the pool's {pool.size} the method and its quotas leave {len(order)}"
    if isinstance(budget, dict):
        limit = budget["tokens"]
        sums = np.cumsum(np.asarray(pool.tokens)[order])
        if limit > sums[-1]:
            raise InputError(f"budget: {limit} tokens, but {where} instances of {sums[-1]} tokens")
        if not (count := int(np.searchsorted(sums, limit, side="right"))):
            raise InputError(f"budget: {limit} tokens, but the first instance has {sums[0]}")
        return count
    count = budget if isinstance(budget, int) else max(1, round(budget * pool.size))
    if count > len(order):
        raise InputError(f"budget: {count} instances, but {where}")
    return count
