"""Settings of the tables about the metrics (Section A.5): how far each can be trusted."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from nearfirst.common.settings import Section
from nearfirst.metrics import METRICS, MetricName

if TYPE_CHECKING:
    Performance = str
else:  # larger is better, so not the loss itself
    Performance = Literal[("exp-loss", *(name for name in METRICS if name != "loss"))]


class StabilitySettings(Section):
    """Noise of each metric from checkpoint to checkpoint, against its change in a run."""

    end_checkpoints: PositiveInt = Field(
        3, description="Last checkpoints whose mean is the end that a run comes to."
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
    performance: Performance = Field(
        "exp-loss",
        description="Performance on an instance: `exp-loss` is exp(−loss), in (0, 1]; scores are "
        "from 0 to 1; a reward may be any number.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the bootstrap intervals.")
    resamples: int = Field(2000, ge=100, description="Bootstrap resamples.")
    seed: NonNegativeInt = Field(0, description="Seed of the bootstrap.")

    @model_validator(mode="after")
    def _can_be_passed(self) -> Self:
        metric = METRICS[self.metric]
        low, high = (bound / metric.scale for bound in metric.limits)
        if self.performance == "exp-loss":
            low, high = 0, 1
        if not low < self.threshold < high:
            raise ValueError(
                f"threshold: {self.threshold} can never tell runs apart, {self.performance} is "
                f"from {low:g} to {high:g}; give a number between"
            )
        return self

    @property
    def metric(self) -> MetricName:
        """The metric that the performance is computed from."""
        return "loss" if self.performance == "exp-loss" else self.performance
