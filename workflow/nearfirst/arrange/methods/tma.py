"""Orders, buckets and budgets from the rounds of TMA (Sections 4 and C.3)."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from nearfirst.arrange.pool import Arranged, Pool, Positions, tie_ranks
from nearfirst.arrange.settings import ArrangementSettings, Budget, Need
from nearfirst.arrange.tma import Rounds, rounds_by
from nearfirst.common.errors import InputError


class Settings(ArrangementSettings):
    """Order instances by the rounds of Test-centric Multi-turn Arrangement, or take some rounds."""

    needed: ClassVar[frozenset[Need]] = frozenset({"embeddings"})

    method: Literal["tma"] = "tma"
    order: Literal["nearest", "farthest", "random"] = Field(
        "nearest", description="Which training instances come first."
    )
    within_round: Literal["shuffle", "pool"] = Field(
        "shuffle",
        description="Order within a round: a seeded `shuffle`, or the `pool` order as in the "
        "published code (which puts a task's instances side by side).",
    )
    rounds: tuple[int, int] | None = Field(
        None,
        description="Only the rounds from the first number up to, not including, the second; "
        "rounds count from 0.",
    )
    budget: Budget | None = Field(
        None,
        description="A number: at least this many instances, in whole rounds (Section C.3), see "
        "`select`. A share of the pool (`0.25`, `1.0`) or `{tokens: N}`: exactly that, from the "
        "start of the order.",
    )
    select: Literal["first", "last", "both"] = Field(
        "both",
        description="Which rounds the budget takes: the first (MIN), the last (MAX), or half the "
        "budget from either end.",
    )
    farthest: Literal["reverse", "argmax"] = Field(
        "reverse",
        description="The far end: the last rounds, or the first rounds of a second run that takes "
        "the farthest instances, as in the published code.",
    )

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if self.rounds and not 0 <= self.rounds[0] < self.rounds[1]:
            first, end = self.rounds
            raise ValueError(f"rounds: [{first}, {end}) is not a range; rounds count from 0")
        if self.rounds and self.budget:
            raise ValueError("budget: cannot be combined with rounds")
        if self.select != "both" and not isinstance(self.budget, int):
            raise ValueError("select: needs a budget in whole rounds; set budget to a number")
        return self

    def exact_budget(self) -> Budget | None:
        """Return a budget that does not take whole rounds."""
        return None if isinstance(self.budget, int) else self.budget

    def is_seeded(self) -> bool:
        """Return whether anything is shuffled."""
        return self.order == "random" or self.within_round == "shuffle"


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Order training instances by the rounds of Test-centric Multi-turn Arrangement.

    `near` is the round of Algorithm 1, `far` the round counted from the far end: the same rounds
    in reverse or, with `farthest: argmax`, those of a second run that takes the farthest points.
    `nearest` (NFT) sorts by `near`, `farthest` (FFT) by `far`, and `random` (RT) shuffles. The set
    of instances (`select_instances`) does not depend on the order.

    The rounds returned are `near`, or those of the second run if it determines the order. Raises
    InputError as `select_instances`.
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
    instances = select_instances(near, far, settings)
    sort_by = far if settings.order == "farthest" else near
    order = np.random.default_rng(seed).permutation(len(instances))
    if settings.order != "random":
        if settings.within_round == "pool":
            order.sort()
        order = order[np.argsort(sort_by[instances[order]], kind="stable")]
    order = instances[order]
    return Arranged(order, (near if settings.farthest == "reverse" else sort_by)[order])


def select_instances(near: Rounds, far: Rounds, settings: Settings) -> Positions:
    """Return the (n,) ascending indices of the instances in `rounds` or the budget.

    A budget takes whole rounds until it is reached: from the near end, from the far end, or half of
    it from either (Section C.3), no instance twice. `near` and `far` are (N,) rounds from 1,
    counted from either end. Raises InputError if `rounds` goes beyond the last round, or if there
    are fewer instances than the budget.
    """
    if settings.rounds:
        first, end = settings.rounds
        if end > (last := near.max()):
            raise InputError(
                f"rounds: [{first}, {end}) goes beyond the last of the {last} rounds of this pool "
                f"(0 to {last - 1})"
            )
        return np.flatnonzero((near > first) & (near <= end))
    if not isinstance(budget := settings.budget, int):
        return np.arange(len(near))
    if budget > len(near):
        raise InputError(f"budget: {budget} instances, but the pool holds {len(near)}")
    free = np.ones(len(near), dtype=bool)
    if settings.select != "both":
        ends = {"first": near, "last": far}
        return np.flatnonzero(_take_rounds(ends[settings.select], budget, free))
    nearest = _take_rounds(near, budget / 2, free)
    return np.flatnonzero(nearest | _take_rounds(far, budget / 2, ~nearest))


def _take_rounds(
    rounds: Rounds, budget: float, free: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return a mask of the free instances in the first rounds that reach the budget."""
    counts = np.cumsum(np.bincount(rounds[free]))
    taken: npt.NDArray[np.bool_] = free & (rounds <= np.searchsorted(counts, budget))
    return taken
