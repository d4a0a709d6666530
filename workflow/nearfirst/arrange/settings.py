"""Knobs of one arrangement: which method orders the training instances, and how."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.settings import Section

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
"""Name of an arrangement: part of paths, and of commands that do not quote it."""


class ArrangementSettings(Section):
    """A method and its parameters; a key that the method does not read must be left alone."""

    method: str = Field(
        description="`random`, `round-robin`, `cluster`, `wsd`, `tma`, `optimal-transport`, or a "
        "method of one's own (`METHODS` in ordering.py)."
    )
    order: Literal["nearest", "farthest", "random"] = Field(
        "nearest", description="Which training data come first (wsd, tma, optimal-transport)."
    )
    within_round: Literal["shuffle", "pool"] = Field(
        "shuffle",
        description="Order inside a TMA round: a seeded `shuffle`, or `pool` order as in the "
        "published code (which puts a task's instances side by side).",
    )
    granularity: Literal["instance", "task"] = Field(
        "instance",
        description="What wsd orders: instances, or whole tasks by their mean embedding.",
    )
    rounds: tuple[int, int] | None = Field(
        None, description="Only the TMA rounds from the first to before the second, from 0."
    )
    budget: PositiveInt | None = Field(
        None,
        description="Only so many instances or a few more, in whole TMA rounds (M in Section C.3).",
    )
    select: Literal["first", "last", "both"] = Field(
        "both",
        description="Which rounds the budget takes: the first (MIN), the last (MAX), or half of it "
        "from either end.",
    )
    farthest: Literal["reverse", "argmax"] = Field(
        "reverse",
        description="The far end of TMA: its last rounds, or the first of a second run that takes "
        "the farthest points, as in the published code.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Steps of a run of this arrangement, instead of its data set's."
    )

    @model_validator(mode="after")
    def _parameters_fit(self) -> Self:
        if self.rounds and not 0 <= self.rounds[0] < self.rounds[1]:
            first, end = self.rounds
            raise ValueError(f"rounds: from {first} to before {end} is none; they count from 0")
        if self.rounds and self.budget:
            raise ValueError("budget: cannot be combined with rounds")
        if self.select != "both" and not self.budget:
            raise ValueError("select: says which rounds a budget takes; set budget too")
        return self
