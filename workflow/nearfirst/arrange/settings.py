"""Settings that every row of the config table `arrangements` shares."""

from numbers import Integral
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from nearfirst.common.settings import Section
from nearfirst.train.schedules import Schedule

Need = Literal["tasks", "messages", "embeddings", "queries", "query_tasks", "scores", "tokens"]
Group = Literal["task", "query", "query-task"]
Order = Literal["nearest", "farthest", "random"]
End = Literal["nearest", "farthest"]
OF_TRAINING = {"steps", "schedule", "learning_rate"}
"""Keys of a row that are nothing to its method."""
OrderField = Annotated[Order, Field(description="Which training instances come first.")]

EndField = Annotated[End, Field(description="Which training instances come first.")]


def _usable(budget: int | float | dict[str, int]) -> int | float | dict[str, int]:
    number = budget.get("tokens", 0) if isinstance(budget, dict) else budget
    if number <= 0 or (isinstance(number, float) and number > 1):
        raise ValueError(
            "expected a number of instances, a share of the pool up to 1.0, or {tokens: N}"
        )
    return budget


def _plain(budget: Any) -> Any:
    # The library's users count with numpy, whose integers would be taken for shares.
    return int(budget) if isinstance(budget, Integral) and not isinstance(budget, bool) else budget


Budget = Annotated[
    int | float | dict[Literal["tokens"], int], BeforeValidator(_plain), AfterValidator(_usable)
]
"""So many instances; a share of the pool, such as 0.25 or 1.0; or so many tokens."""


class ArrangementSettings(Section):
    """A method and its parameters; each method has a class of its own."""

    method: str = Field(
        description="`random`, `round-robin`, `cluster`, `wsd`, `tma`, `optimal-transport`, "
        "`cosine`, `query-round-robin`, `bm25`, `dsir`, `score`, or `FILE.py:FUNCTION`, a function "
        "of your own."
    )
    representation: str = Field(
        "text", description="Row of `representations`: by which vectors instances are near."
    )
    queries: Literal["all", "half"] = Field(
        "all",
        description="For which instances the order is made: all those that data are arranged for, "
        "or, where that is the test set, a half of it, so that the other half was not looked at.",
    )
    budget: Budget | None = Field(
        None,
        description="Only the first of the order: a number of instances, a share of the pool "
        "(`0.25`, `1.0`), or as many as have no more tokens than `{tokens: N}` in all. With `tma` "
        "a number takes whole rounds, as `select` says.",
    )
    max_per_task: PositiveInt | None = Field(
        None, description="Most instances of a training task; null: no limit."
    )
    max_per_query: PositiveInt | None = Field(
        None, description="Most instances that are nearest to the same query; null: no limit."
    )
    balance: Group | None = Field(
        None,
        description="With a budget: as many instances of each `task`, of each `query` that they "
        "are nearest to, or of the task of that query (`query-task`), as far as there are.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Steps of a run of this arrangement; null: those of its data set."
    )
    schedule: Schedule | None = Field(
        None, description="Schedule of a run of this arrangement; null: `train.schedule`."
    )
    learning_rate: PositiveFloat | Literal["mean"] | None = Field(
        None,
        description="Highest rate of a run of this arrangement; null: `train.learning_rate`. "
        "`mean`, with `schedule: constant`: the mean rate of `train.schedule`, so that the rates "
        "of both sum to the same.",
    )

    @model_validator(mode="after")
    def _mean_is_constant(self) -> Self:
        if self.learning_rate == "mean" and self.schedule != "constant":
            raise ValueError("learning_rate: 'mean' needs `schedule: constant`")
        return self

    @model_validator(mode="after")
    def _balance_needs_a_budget(self) -> Self:
        if self.balance and self.exactly() is None:
            raise ValueError("balance: says what an exact budget takes; set budget too")
        return self

    def exactly(self) -> Budget | None:
        """Return the budget that is kept to exactly, once the method has made its order."""
        return self.budget

    def looks_at(self) -> frozenset[Need]:
        """Return what is read besides the number of instances: by the method, quotas, budget."""
        by = {self.balance, self.max_per_task and "task", self.max_per_query and "query"}
        read: set[Need] = set()
        if "task" in by:
            read.add("tasks")
        if by & {"query", "query-task"}:
            read.add("embeddings")
        if "query-task" in by:
            read.add("query_tasks")
        if isinstance(self.exactly(), dict):
            read.add("tokens")
        return self.required() | read

    def required(self) -> frozenset[Need]:
        """Return what the method reads besides the number of instances."""
        return frozenset()

    def is_seeded(self) -> bool:
        """Return whether another seed can give another order."""
        return True
