"""Settings of the order score."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.settings import Section, Seed
from nearfirst.distance.settings import MEASURES

if TYPE_CHECKING:
    Measure = str
else:  # the config accepts only these names
    Measure = Literal[MEASURES[:-1]]


class OrderScoreSettings(Section):
    """How well measures of similarity predict the effect of order (`order_score.pdf`)."""

    dataset: str | None = Field(
        None,
        min_length=1,
        description="Data set whose pool is trained on. Null: the first of `data`.",
    )
    representations: tuple[str, ...] = Field(
        ("text",), min_length=1, description="Rows of `representations` to compare."
    )
    measures: tuple[Measure, ...] = Field(
        ("cosine-min", "cosine-avg", "cosine-centroid"),
        min_length=1,
        description="Distance of a training instance to the test instances of a task: the "
        "smallest, the largest, the mean, or the distance to their mean vector.",
    )
    orders: int = Field(
        200,
        ge=8,
        description="Random orders, each trained once. τ is fitted on half of them and judged on "
        "the others.",
    )
    steps: PositiveInt = Field(
        40, description="Steps of a run; its other settings are those of `train`."
    )
    early: PositiveInt = Field(
        10, description="Step at which losses are measured, besides the last one."
    )
    seed: Seed = Field(0, description="Seed of the instances and of their orders.")

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        if self.early >= self.steps:
            raise ValueError(f"early: {self.early} is not below steps {self.steps}")
        return self
