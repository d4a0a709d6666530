"""Settings for the numbers of figures: means, types of tasks, bootstraps."""

from typing import Literal

from pydantic import Field, PositiveInt

from nearfirst.common.settings import Section, Seed

Units = Literal["task", "instance"]
"""What a test set is regarded as a sample of."""

BETWEEN = "between arrangements"
"""The statistic of `prediction` that is not confounded."""


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
        description="Level of the intervals. The summary reports a difference where the p-value is "
        "at most one minus this level.",
    )
    resamples: int = Field(
        10_000, ge=100, description="Sign flips of the tests; all of them if there are no more."
    )
    seed: Seed = Field(0, description="Seed of the sign flips.")
    units: Units = Field(
        "task",
        description="What intervals and tests generalize to: `task` is other tasks (other "
        "conversations where data have no tasks), `instance` is other instances of the same tasks.",
    )


class LossTypesSettings(Section):
    """How unseen tasks are sorted by the fall of their loss."""

    within_steps: PositiveInt = Field(50, description="Steps within which a fall counts as fast.")
    fast_share: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Minimum share of its fall that a fast then flat task has within these steps.",
    )
    late_share: float = Field(0.5, ge=0, lt=1, description="Share below which a task is late.")
    shown: PositiveInt = Field(
        3, description="Tasks drawn per data set and type: those that fall furthest."
    )


class PredictionSettings(Section):
    """The intervals of the correlations of similarity with loss."""

    resamples: int = Field(1000, ge=100, description="Bootstrap resamples.")
    seed: Seed = Field(0, description="Seed of the bootstrap.")


class DistributionSettings(Section):
    """Rewards of right and of wrong answers (Figure 6)."""

    bins: PositiveInt = Field(30, description="Bins of the histograms, the same for both.")
    min_answers: int = Field(
        20, ge=2, description="Minimum number of right, or of wrong, answers for a density."
    )
    min_instances: int = Field(
        5,
        ge=2,
        description="Minimum number of test instances among these answers, for a density and for "
        "intervals.",
    )
    confidence: float = Field(0.95, gt=0, lt=1, description="Level of the bootstrap intervals.")
    resamples: int = Field(1000, ge=100, description="Bootstrap resamples of test instances.")
    seed: Seed = Field(0, description="Seed of the bootstrap.")
