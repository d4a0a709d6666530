"""Settings that every row of the config table `arrangements` shares."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from nearfirst.common.settings import Section
from nearfirst.train.schedules import Schedule

Need = Literal["tasks", "messages", "embeddings", "queries", "query_tasks", "scores", "tokens"]
Group = Literal["task", "query", "query-task"]
TRAINING_KEYS = {"steps", "schedule", "learning_rate"}
"""Keys of a row that configure training, not the method."""


def _check_budget(budget: int | float | dict[str, int]) -> int | float | dict[str, int]:
    number = budget.get("tokens", 0) if isinstance(budget, dict) else budget
    if number <= 0 or (isinstance(number, float) and number > 1):
        raise ValueError(
            "expected a number of instances, a share of the pool up to 1.0, or {tokens: N}"
        )
    return budget


Budget = Annotated[
    int | float | dict[Literal["tokens"], int],
    AfterValidator(_check_budget),
]
"""A number of instances, a share of the pool such as 0.25 or 1.0, or a number of tokens."""


class ArrangementSettings(Section):
    """A method and its parameters; each method has a subclass."""

    needed: ClassVar[frozenset[Need]] = frozenset()
    """What the method reads besides the number of instances, see `required`."""

    method: str = Field(
        description="`random`, `round-robin`, `cluster`, `wsd`, `tma`, `optimal-transport`, "
        "`cosine`, `query-round-robin`, `bm25`, `dsir`, `score`, or `FILE.py:FUNCTION`, a function "
        "of your own."
    )
    representation: str = Field(
        "text", description="Row of `representations`: the vectors whose distances are used."
    )
    queries: Literal["all", "half"] = Field(
        "all",
        description="Queries that the order is made for: all, or one half of the test set, so that "
        "the other half stays unseen. A query set that is not the test set is always used whole.",
    )
    budget: Budget | None = Field(
        None,
        description="Keep only the start of the order: a number of instances, a share of the pool "
        "(`0.25`, `1.0`), or as many as fit into `{tokens: N}`. With `tma` a number takes whole "
        "rounds, see `select`.",
    )
    max_per_task: PositiveInt | None = Field(
        None, description="Maximum number of instances per training task; null: no limit."
    )
    max_per_query: PositiveInt | None = Field(
        None,
        description="Maximum number of instances with the same nearest query; null: no limit.",
    )
    balance: Group | None = Field(
        None,
        description="With a budget (of `tma`, a share or tokens): take equally many instances per "
        "`task`, per nearest `query`, or per task of the nearest query (`query-task`), as far as "
        "there are enough.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Training steps of this arrangement; null: those of its data set."
    )
    schedule: Schedule | None = Field(
        None, description="Learning-rate schedule of this arrangement; null: `train.schedule`."
    )
    learning_rate: PositiveFloat | Literal["mean"] | None = Field(
        None,
        description="Peak learning rate of this arrangement; null: `train.learning_rate`. `mean`, "
        "with `schedule: constant`: the mean rate of `train.schedule`, so that the rates of both "
        "have the same sum.",
    )

    @model_validator(mode="after")
    def _mean_is_constant(self) -> Self:
        if self.learning_rate == "mean" and self.schedule != "constant":
            raise ValueError("learning_rate: 'mean' needs `schedule: constant`")
        return self

    @model_validator(mode="after")
    def _balance_needs_a_budget(self) -> Self:
        if self.balance and self.exact_budget() is None:
            raise ValueError(
                "balance: needs an exact budget; set budget too, with tma to a share of the pool "
                "or {tokens: N}"
            )
        return self

    def exact_budget(self) -> Budget | None:
        """Return the budget that the finished order is cut to exactly."""
        return self.budget

    def all_needs(self) -> frozenset[Need]:
        """Return what the method, quotas and budget read besides the number of instances."""
        units = {self.balance, self.max_per_task and "task", self.max_per_query and "query"}
        needs = set(self.required())
        if "task" in units:
            needs.add("tasks")
        if units & {"query", "query-task"}:
            needs.add("embeddings")
        if "query-task" in units:
            needs.add("query_tasks")
        if isinstance(self.exact_budget(), dict):
            needs.add("tokens")
        return frozenset(needs)

    def required(self) -> frozenset[Need]:
        """Return what the method reads besides the number of instances."""
        return self.needed

    def is_seeded(self) -> bool:
        """Return whether the seed can change the order."""
        return True


class UnseededSettings(ArrangementSettings):
    """A method that orders by nearness alone."""

    order: Literal["nearest", "farthest"] = Field(
        "nearest", description="Which training instances come first."
    )

    def is_seeded(self) -> bool:
        """Return False: the seed only breaks ties."""
        return False
