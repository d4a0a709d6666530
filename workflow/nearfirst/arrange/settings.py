"""Settings that every row of the config table `arrangements` shares."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from nearfirst.common.settings import Section
from nearfirst.train.schedules import Schedule

Need = Literal["tasks", "messages", "embeddings"]
Order = Literal["nearest", "farthest", "random"]
OF_TRAINING = {"steps", "schedule", "learning_rate"}
"""Keys of a row that are nothing to its method."""
OrderField = Annotated[Order, Field(description="Which training instances come first.")]


class ArrangementSettings(Section):
    """A method and its parameters; each method has a class of its own."""

    method: str = Field(
        description="`random`, `round-robin`, `cluster`, `wsd`, `tma`, `optimal-transport`, or "
        "`FILE.py:FUNCTION`, a function of your own."
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        None, description="Steps of a run of this arrangement; null: those of its data set."
    )
    schedule: Schedule | None = Field(
        None, description="Schedule of a run of this arrangement; null: `train.schedule`."
    )
    learning_rate: PositiveFloat | None = Field(
        None, description="Highest rate of a run of this arrangement; null: `train.learning_rate`."
    )

    def required(self) -> frozenset[Need]:
        """Return what the method reads besides the number of instances."""
        return frozenset()

    def is_seeded(self) -> bool:
        """Return whether another seed can give another order."""
        return True
