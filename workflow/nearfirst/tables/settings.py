"""Settings of the tables: how steady a metric is, and when a run has generalized."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.settings import Section
from nearfirst.metrics import MetricName


class StabilitySettings(Section):
    """Noise of each metric from checkpoint to checkpoint, against its change in a run."""

    end_checkpoints: PositiveInt = Field(
        3, description="Last checkpoints, whose mean is the end of a run."
    )
    share: float = Field(
        0.9, gt=0, le=1, description="Share of its whole change that a metric must have reached."
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the intervals over seeds.")


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
                f"threshold: {self.threshold} tells no runs apart: {self.performance} is "
                "from 0 to 1; give a number between"
            )
        return self

    @property
    def metric(self) -> MetricName:
        """The metric that the performance is made of."""
        return "loss" if self.performance == "exp-loss" else self.performance
