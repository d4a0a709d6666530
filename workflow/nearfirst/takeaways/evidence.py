"""What tests take and give: runs by their roles, effects with intervals and p-values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.inference import Sample, estimates, max_t, variance_over_seeds
from nearfirst.figures.run import Key, Run, Similarity
from nearfirst.figures.settings import ComparisonSettings, DistributionSettings, PredictionSettings
from nearfirst.tables.settings import StabilitySettings
from nearfirst.takeaways.settings import TakeawaySettings

Floats = npt.NDArray[np.float64]
Region = tuple[float, float]
"""Where an effect must lie for its claim to be confirmed, bounds included."""

NEGATIVE, POSITIVE, MOST = (-inf, 0.0), (0.0, inf), (0.5, 1.0)


class NotTestableError(InputError):
    """The data cannot answer the question, for the reason given."""


class Effect(NamedTuple):
    """An effect with its interval, and the p-value of its being on the side where it was found.

    The p-value is two-sided: the claim is confirmed by a small one if the effect is inside of the
    region, and refuted if it is outside.
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
    """All that the tests need beside data."""

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
        """Quantiles that are the bounds of an interval."""
        return [self.settings.alpha / 2, 1 - self.settings.alpha / 2]

    def generator(self) -> np.random.Generator:
        """Return the generator of a test: each begins with the same seed."""
        return np.random.default_rng(self.comparison.seed)


@dataclass(frozen=True)
class Data:
    """The runs of a subject.

    Attributes
    ----------
    runs
        By metric, role and seed, roles in their order.
    similarities
        By role and seed.
    dataset, sample, arrangement
        Of each role: its data set, test set and arrangement.
    paper_steps
        Steps of the paper's run.
    beside
        By arrangement and seed, the losses of the other orders that the figure shows.
    """

    runs: Mapping[str, Mapping[str, Mapping[int, Run]]]
    similarities: Mapping[str, Mapping[int, Similarity]]
    dataset: Mapping[str, str]
    sample: Mapping[str, str]
    arrangement: Mapping[str, str]
    paper_steps: int | None = None
    beside: Mapping[str, Mapping[int, Run]] = field(default_factory=dict)

    def roles(self, metric: str = "loss") -> list[str]:
        """Return the roles in their order."""
        return list(self.runs[metric])

    def keyed(self, metric: str = "loss") -> dict[Key, Run]:
        """Return the runs by role and seed."""
        its = self.runs[metric]
        return {(role, seed): run for role in its for seed, run in its[role].items()}


def over_tasks(values: Floats, method: Method, region: Region, quantity: str) -> Effect:
    """Return the mean of (seeds, tasks) values: min F' interval, sign flips of tasks.

    A task without a value in any seed is left out.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    seeds, tasks = values.shape
    if tasks < 2:
        raise NotTestableError(f"{tasks} tasks have a value; it takes two")
    sample = Sample(np.arange(tasks), np.zeros(tasks, dtype=np.intp), np.full(tasks, 1 / tasks))
    pooled = float(variance_over_seeds(values[None], sample)[0])
    found = estimates(values[None], sample, method.confidence, pooled)
    p_value = max_t(found, method.comparison.resamples, method.comparison.seed)[0]
    return Effect(
        estimate=float(found.mean[0]),
        low=float(found.low[0]),
        high=float(found.high[0]),
        p_value=float(p_value),
        region=region,
        quantity=quantity,
        test="sign flips",
        units="tasks",
        n=tasks,
        seeds=seeds,
    )


def share_of(won: int, n: int, method: Method, units: str, seeds: int) -> Effect:
    """Return a share of units with Clopper and Pearson's interval, and the sign test of a half."""
    test = stats.binomtest(won, n)
    low, high = test.proportion_ci(method.confidence)
    return Effect(
        estimate=won / n,
        low=float(low),
        high=float(high),
        p_value=float(test.pvalue),
        region=MOST,
        quantity=f"of {n} {units}",
        test="sign test",
        units=units,
        n=n,
        seeds=seeds,
    )


def near(
    draws: Floats,
    centre: float,
    margin: float,
    method: Method,
    quantity: str,
    n: int,
    seeds: int,
) -> Effect:
    """Return an effect of resamples, the sample first, with the test of its being near a centre.

    It is near where it differs by less than the margin: two one-sided tests.
    """
    if not np.isfinite(draws).all():
        raise NotTestableError("a resample has no correlation")
    low, high = np.quantile(draws[1:], method.tails)
    beyond = [draws[1:] >= centre + margin, draws[1:] <= centre - margin]
    p_value = float(max((1 + its.sum()) / len(draws) for its in beyond))
    if abs(draws[0] - centre) > margin:
        p_value = bootstrap_p(np.abs(draws - centre) <= margin)
    return Effect(
        estimate=float(draws[0]),
        low=float(low),
        high=float(high),
        p_value=p_value,
        region=(centre - margin, centre + margin),
        quantity=quantity,
        test="equivalence, bootstrap",
        units="tasks",
        n=n,
        seeds=seeds,
    )


def bootstrap_p(inside: npt.NDArray[np.bool_]) -> float:
    """Return twice the share of resamples beyond a bound as seen from the sample, the first."""
    other = (inside[1:] != inside[0]).sum()
    return float(min(1.0, 2 * (1 + other) / len(inside)))
