"""Settings that every row of the config table `arrangements` shares."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from nearfirst.common.settings import Section
from nearfirst.train.schedules import Schedule

Need = Literal["tasks", "messages", "embeddings", "queries", "scores"]
Order = Literal["nearest", "farthest", "random"]
End = Literal["nearest", "farthest"]
OF_TRAINING = {"steps", "schedule", "learning_rate"}
"""Keys of a row that are nothing to its method."""
OrderField = Annotated[Order, Field(description="Which training instances come first.")]

EndField = Annotated[End, Field(description="Which training instances come first.")]


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

    def required(self) -> frozenset[Need]:
        """Return what the method reads besides the number of instances."""
        return frozenset()

    def is_seeded(self) -> bool:
        """Return whether another seed can give another order."""
        return True
