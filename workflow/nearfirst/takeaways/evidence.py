"""What tests take and return: runs by role, and effects with intervals and p-values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.inference import Sample, estimates, max_t, variance_over_seeds
from nearfirst.figures.curves import Floats
from nearfirst.figures.figure import Curve
from nearfirst.figures.run import Key, Runs, Similarity, by_label
from nearfirst.figures.settings import ComparisonSettings, DistributionSettings, PredictionSettings
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.settings import TakeawaySettings

Region = tuple[float, float]
"""Where an effect must lie for its claim to be confirmed, bounds included."""

NEGATIVE, POSITIVE, MAJORITY = (-inf, 0.0), (0.0, inf), (0.5, 1.0)


class Effect(NamedTuple):
    """An effect with its interval and p-value.

    The p-value is two-sided: a small one confirms the claim if the effect is inside the region, and
    refutes it if the effect is outside.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    region: Region
    quantity: str
    """What the effect is, with its unit."""
    test: str
    units: str
    """What was sampled, in the plural."""
    n: int
    seeds: int
    note: str = ""


@dataclass(frozen=True)
class Method:
    """Settings of the tests."""

    settings: TakeawaySettings = field(default_factory=TakeawaySettings)
    comparison: ComparisonSettings = field(default_factory=ComparisonSettings)
    stability: StabilitySettings = field(default_factory=StabilitySettings)
    prediction: PredictionSettings = field(default_factory=PredictionSettings)
    distribution: DistributionSettings = field(default_factory=DistributionSettings)
    weighting: str = "instance"

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return 1 - self.settings.alpha

    @property
    def tails(self) -> list[float]:
        """Quantiles that bound an interval."""
        return [self.settings.alpha / 2, 1 - self.settings.alpha / 2]

    def generator(self) -> np.random.Generator:
        """Return a generator for one test; all tests start from the same seed."""
        return np.random.default_rng(self.comparison.seed)


@dataclass(frozen=True)
class Data:
    """The runs of a subject.

    Attributes
    ----------
    roles
        In the order of the claim.
    runs, similarities
        By role and seed; the runs of each metric.
    others
        Losses of the other orders in the figure, by arrangement and seed.
    paper_steps
        Steps of the paper's run.
    """

    roles: Sequence[Curve]
    runs: Mapping[str, Runs]
    similarities: Mapping[Key, Similarity]
    others: Runs = field(default_factory=dict)
    paper_steps: int | None = None

    @property
    def names(self) -> list[str]:
        """The names of the roles."""
        return [role.label for role in self.roles]

    def max_seeds(self) -> int:
        """Return the largest number of seeds of a role."""
        return max(map(len, by_label(self.runs["loss"]).values()))


def mean_over_tasks(values: Floats, method: Method, region: Region, quantity: str) -> Effect:
    """Average (seeds, tasks) values: min F' interval, sign-flip test over tasks.

    Tasks without a value in some seed are left out.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    seeds, tasks = values.shape
    if tasks < 2:
        raise InputError(f"{tasks} tasks have a value; it takes two")
    sample = Sample(np.arange(tasks), np.zeros(tasks, dtype=np.intp), np.full(tasks, 1 / tasks))
    variance = float(variance_over_seeds(values[None], sample)[0])
    result = estimates(values[None], sample, method.confidence, variance)
    return Effect(
        estimate=result.mean[0],
        low=result.low[0],
        high=result.high[0],
        p_value=max_t(result, method.comparison.resamples, method.comparison.seed)[0],
        region=region,
        quantity=quantity,
        test="sign flips",
        units="tasks",
        n=tasks,
        seeds=seeds,
    )


def equivalence_test(
    draws: Floats,
    centre: float,
    margin: float,
    method: Method,
    quantity: str,
    n: int,
    seeds: int,
) -> Effect:
    """Test whether an effect differs from a centre by less than the margin, by two one-sided tests.

    `draws` holds the estimate, followed by those of the resamples.
    """
    if not np.isfinite(draws).all():
        raise InputError("a resample has no correlation")
    low, high = np.quantile(draws[1:], method.tails)
    beyond = [draws[1:] >= centre + margin, draws[1:] <= centre - margin]
    p_value = max((1 + side.sum()) / len(draws) for side in beyond)
    if abs(draws[0] - centre) > margin:
        p_value = bootstrap_p_value(np.abs(draws - centre) <= margin)
    return Effect(
        estimate=draws[0],
        low=low,
        high=high,
        p_value=p_value,
        region=(centre - margin, centre + margin),
        quantity=quantity,
        test="equivalence, bootstrap",
        units="tasks",
        n=n,
        seeds=seeds,
    )


def bootstrap_p_value(inside: npt.NDArray[np.bool_]) -> float:
    """Return twice the share of resamples on the other side of a bound than the estimate.

    `inside` holds the side of the estimate, followed by those of the resamples.
    """
    n_other = (inside[1:] != inside[0]).sum()
    return float(min(1.0, 2 * (1 + n_other) / len(inside)))
