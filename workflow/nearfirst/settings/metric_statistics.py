"""Knobs of the numbers about the metrics themselves (Section A.5): how far each can be trusted."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from nearfirst.settings.base import Section


class DistributionSettings(Section):
    """Rewards of right and of wrong answers (Figure 6)."""

    checkpoints: Literal["all", "last"] = Field(
        "all", description="Answers of every checkpoint of a run, or of its last one."
    )
    bins: PositiveInt = Field(30, description="Bins of the histograms, the same for both.")
    least: int = Field(
        20, ge=2, description="Fewest right, or wrong, answers of which a density is drawn."
    )
    least_instances: int = Field(
        5,
        ge=2,
        description="Fewest test instances that these answers must come from, for a density and "
        "for intervals.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the bootstrap intervals.")
    resamples: int = Field(1000, ge=100, description="Bootstrap resamples of test instances.")
    seed: NonNegativeInt = Field(0, description="Seed of the bootstrap.")


class StabilitySettings(Section):
    """Noise of each metric from checkpoint to checkpoint, against its change in a run."""

    end_checkpoints: PositiveInt = Field(
        3, description="Last checkpoints whose mean is the end that a run comes to."
    )
    share: float = Field(
        0.9, gt=0, le=1, description="Share of its whole change that a metric must have reached."
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the intervals over seeds.")
