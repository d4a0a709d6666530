"""Orders, buckets and budgets read off TMA's rounds (Sections 4 and C.3)."""

from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from nearfirst.arrange.pool import Arranged, Pool, Positions, tie_ranks
from nearfirst.arrange.settings import ArrangementSettings, Budget, Need, OrderField
from nearfirst.arrange.tma import Rounds, rounds_by
from nearfirst.common.errors import InputError


class Settings(ArrangementSettings):
    """Order instances by the rounds of Test-centric Multi-turn Arrangement, or take some rounds."""

    method: Literal["tma"] = "tma"
    order: OrderField = "nearest"
    within_round: Literal["shuffle", "pool"] = Field(
        "shuffle",
        description="Order inside a round: a seeded `shuffle`, or `pool` order as in the "
        "published code (which puts a task's instances side by side).",
    )
    rounds: tuple[int, int] | None = Field(
        None, description="Only the rounds from the first number to before the second, from 0."
    )
    budget: Budget | None = Field(
        None,
        description="A number: only so many instances or a few more, in whole rounds (Section "
        "C.3), as `select` says. A share of the pool (`0.25`, `1.0`) or `{tokens: N}`: exactly "
        "that, the first of the order.",
    )
    select: Literal["first", "last", "both"] = Field(
        "both",
        description="Which rounds the budget takes: the first (MIN), the last (MAX), or half of it "
        "from either end.",
    )
    farthest: Literal["reverse", "argmax"] = Field(
        "reverse",
        description="The far end: the last rounds, or the first of a second run that takes the "
        "farthest instances, as in the published code.",
    )

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if self.rounds and not 0 <= self.rounds[0] < self.rounds[1]:
            first, end = self.rounds
            raise ValueError(
                f"rounds: from {first} to before {end} is no range; rounds count from 0"
            )
        if self.rounds and self.budget:
            raise ValueError("budget: cannot be combined with rounds")
        if self.select != "both" and not isinstance(self.budget, int):
            raise ValueError("select: says which rounds a budget takes; set budget to a number")
        return self

    def exactly(self) -> Budget | None:
        """Return a budget that is not one of whole rounds."""
        return None if isinstance(self.budget, int) else self.budget

    def required(self) -> frozenset[Need]:
        """Return that embeddings are needed."""
        return frozenset({"embeddings"})

    def is_seeded(self) -> bool:
        """Return whether anything is shuffled."""
        return self.order == "random" or self.within_round == "shuffle"


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order training instances by the rounds of Test-centric Multi-turn Arrangement.

    `near` is the round of Algorithm 1, `far` the round as counted from the far end: the same rounds
    backwards or, with `farthest: argmax`, those of a second run that takes the farthest points.
    `nearest` (NFT) goes by `near`, `farthest` (FFT) by `far`, and `random` (RT) is a shuffle. Which
    instances there are (`chosen`) does not depend on the order.

    The rounds returned are `near`, or those of the second run where the order goes by it. Raises
    what `chosen` raises.
    """
    shape, ranks = (pool.size, len(pool.test)), tie_ranks(pool.size, seed)
    near = far = rounds_by(pool.distances, *shape, threads=pool.threads, ranks=ranks)
    takes_far_end = isinstance(settings.budget, int) and settings.select != "first"
    if settings.farthest == "reverse":
        far = near.max() + 1 - near
    elif settings.order == "farthest" or takes_far_end:
        far = rounds_by(
            lambda rows: -pool.distances(rows), *shape, threads=pool.threads, ranks=ranks
        )
    instances = chosen(near, far, settings)
    sort_by = far if settings.order == "farthest" else near
    order = np.random.default_rng(seed).permutation(len(instances))
    if settings.order != "random":
        if settings.within_round == "pool":
            order.sort()
        order = order[np.argsort(sort_by[instances[order]], kind="stable")]
    order = instances[order]
    return Arranged(order, (near if settings.farthest == "reverse" else sort_by)[order])


def chosen(near: Rounds, far: Rounds, settings: Settings) -> Positions:
    """Return which instances `rounds` or `budget` leave, whatever the order.

    A budget takes whole rounds until its amount is reached: from the near end, from the far end, or
    half of it from either (Section C.3), no instance twice.

    `near` and `far` are (N,) rounds from 1, counted from either end. Returns (n,) indices,
    ascending.

    Raises
    ------
    InputError
        If there are fewer rounds than `rounds` says, or fewer instances than the budget.
    """
    if settings.rounds:
        first, end = settings.rounds
        if end > (last := near.max()):
            raise InputError(
                f"rounds: [{first}, {end}) goes beyond the last of the {last} rounds of this pool "
                f"(0 to {last - 1})"
            )
        return np.flatnonzero((near > first) & (near <= end))
    everything = np.ones(len(near), dtype=bool)
    if not isinstance(budget := settings.budget, int):
        return np.flatnonzero(everything)
    if budget > len(near):
        raise InputError(f"budget: {budget} instances, but the pool holds {len(near)}")
    if settings.select != "both":
        ends = {"first": near, "last": far}
        return np.flatnonzero(_until(ends[settings.select], budget, everything))
    nearest = _until(near, budget / 2, everything)
    return np.flatnonzero(nearest | _until(far, budget / 2, ~nearest))


def _until(rounds: Rounds, amount: float, free: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which free instances the rounds, taken in order, hold until the amount is reached."""
    held = np.cumsum(np.bincount(rounds[free]))
    taken: npt.NDArray[np.bool_] = free & (rounds <= np.searchsorted(held, amount))
    return taken
