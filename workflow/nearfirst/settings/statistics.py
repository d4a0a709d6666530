"""Knobs of the numbers behind the figures: how they are averaged, sorted and held together."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.settings.base import Section
from nearfirst.settings.metrics import MetricName

Units = Literal["instance", "task"]
"""What a test set is taken to be a sample of."""


class CurveSettings(Section):
    """How losses become a curve with an interval."""

    weighting: Literal["instance", "token"] = Field(
        "instance",
        description="Mean over instances of their mean token loss, or over all label tokens.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the intervals.")


class ComparisonSettings(Section):
    """The paired comparison of arrangements."""

    confidence: float = Field(
        0.95,
        gt=0,
        lt=1,
        description="Level of the bootstrap intervals. The summary speaks of a difference where "
        "the corrected p-value is at most one minus it.",
    )
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples.")
    seed: NonNegativeInt = Field(0, description="Seed of the bootstrap.")
    units: Units = Field(
        "instance",
        description="What stands for the test set in intervals and tests: `instance` speaks of "
        "other instances of the same tasks, `task` of other tasks, and finds less.",
    )


class LossTypesSettings(Section):
    """How unseen tasks are sorted by the way their loss falls."""

    within_steps: PositiveInt = Field(50, description="Steps within which a fall counts as fast.")
    fast_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share of its whole fall that a task reaches within them if it then is flat.",
    )
    late_share: float = Field(
        0.5, ge=0, lt=1, description="Share below which most of the fall comes after them: late."
    )
    shown: PositiveInt = Field(
        3, description="Tasks drawn of each data set and type: those that fall most."
    )


class PredictionSettings(Section):
    """The intervals of the correlations of similarity with loss."""

    resamples: int = Field(1000, ge=100, description="Bootstrap resamples.")
    seed: NonNegativeInt = Field(0, description="Seed of the bootstrap.")


class GeneralizationSettings(Section):
    """When a run counts as generalized to unseen tasks."""

    threshold: float = Field(
        0.5, description="ε: what mean performance over unseen instances must exceed."
    )
    performance: Literal["exp-loss", "rouge1", "rougeL", "exact_match", "reward"] = Field(
        "exp-loss",
        description="Performance on an instance: `exp-loss` is exp(−loss), in (0, 1]; scores are "
        "from 0 to 1; a reward may be any number.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the bootstrap intervals.")
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples.")
    seed: NonNegativeInt = Field(0, description="Seed of the bootstrap.")

    @model_validator(mode="after")
    def _can_be_passed(self) -> Self:
        if self.performance != "reward" and not 0 < self.threshold < 1:
            raise ValueError(
                f"threshold: {self.threshold} can never tell runs apart, {self.performance} is "
                "from 0 to 1; give a number between"
            )
        return self

    @property
    def metric(self) -> MetricName:
        """The metric that the performance is made of."""
        return "loss" if self.performance == "exp-loss" else self.performance
