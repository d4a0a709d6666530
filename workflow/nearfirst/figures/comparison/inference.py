"""Intervals and tests of a mean difference over seeds and a sample of test instances at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from nearfirst.figures.comparison import CHECKPOINT, END, RUN

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Sample:
    """How a test set was drawn: units, each with all of its instances, from strata.

    Attributes
    ----------
    unit
        (instances,) the unit of each instance, from 0.
    stratum
        (units,) the stratum of each unit, from 0. Strata are not a sample: a mean over them
        generalizes to other units of the same strata.
    weight
        (instances,) the weight of each in the mean; they sum to 1.
    """

    unit: Ints
    stratum: Ints
    weight: Floats

    @cached_property
    def _members(self) -> Floats:
        """The (instances, units) weights."""
        return np.equal.outer(self.unit, np.arange(len(self.stratum))) * self.weight[:, None]

    @cached_property
    def _strata(self) -> Floats:
        """The (units, strata) indicators."""
        return np.equal.outer(self.stratum, np.unique(self.stratum)).astype(np.float64)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the variance over units."""
        return len(self.stratum) - len(np.unique(self.stratum))

    def totals(self, values: Floats) -> Floats:
        """Return the (…, units) weighted sums of (…, instances) values; they add up to the mean."""
        return values @ self._members

    def residuals(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the (…, units) totals about the means of their strata, and their variance.

        The variance of the mean of (…, instances) values is that of a stratified ratio estimator
        (Cochran, Sampling Techniques, 1977, section 6.11). A stratum of one unit shows none; it
        counts as an average unit of the others.
        """
        totals = self.totals(values - (values @ self.weight)[..., None])
        sizes = self._strata.sum(axis=0)
        centred = totals - (totals @ self._strata / sizes) @ self._strata.T
        centred *= np.sqrt(sizes / np.maximum(sizes - 1, 1)) @ self._strata.T
        units = sizes.sum()
        shown = max(units - (sizes == 1).sum(), 1)
        return centred, (centred**2).sum(axis=-1) * units / shown


class Estimates(NamedTuple):
    """Mean differences of (rows,), their intervals, and what `max_t` needs."""

    mean: Floats
    low: Floats
    high: Floats
    units_lower: Floats
    """Share of units whose difference is negative; likewise of seeds."""
    seeds_lower: Floats
    contributions: Floats
    """(rows, units) with the mean `mean`, whose signs are exchangeable without a difference."""
    discount: Floats
    """(rows,) by how much the variance over seeds lowers the t of the contributions."""


def variance_over_seeds(difference: Floats, sample: Sample) -> Floats:
    """Return the (rows,) variances of the means of (rows, seeds, instances); 0 of one seed."""
    means = difference @ sample.weight
    seeds = means.shape[1]
    return means.var(axis=1, ddof=1) / seeds if seeds > 1 else np.zeros(len(means))


def estimates(difference: Floats, sample: Sample, confidence: float, pooled: float) -> Estimates:
    """Return the mean of (rows, seeds, instances) differences, each row with its interval.

    Every seed is crossed with every unit of the test set, and the choice of either makes the mean
    vary. The squared standard errors over seeds and over units are added, as in Clark's min F'
    (Journal of Verbal Learning and Verbal Behavior 12, 1973); the interval is Student's with
    Satterthwaite's degrees of freedom. Two or three seeds agree by chance, the more so at one of
    many checkpoints, so the variance over seeds is taken to be no less than `pooled`, its mean over
    what is alike. With a single seed, the interval is about this seed only.
    """
    seeds = difference.shape[1]
    over_seeds = difference.mean(axis=1)
    mean = over_seeds @ sample.weight
    residuals, of_units = sample.residuals(over_seeds)
    of_seeds = variance_over_seeds(difference, sample)
    if seeds > 1:
        of_seeds = np.maximum(of_seeds, pooled)
    variance = of_units + of_seeds
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(variance > 0, of_seeds / variance, 0)
        freedom = 1 / (part**2 / max(seeds - 1, 1) + (1 - part) ** 2 / sample.freedom)
        reach = stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance)
        # The t of the same p-value as with the variance over units alone.
        p_value = stats.t.sf(np.abs(mean) / np.sqrt(variance), freedom)
        t = stats.t.isf(p_value, sample.freedom) / (np.abs(mean) / np.sqrt(of_units))
    totals = sample.totals(over_seeds)
    # Strata are no sample: of them only the residuals have exchangeable signs.
    shares = sample.totals(np.ones(len(sample.unit)))
    signed = residuals + mean[:, None] * shares if sample.stratum.any() else totals
    return Estimates(
        mean,
        mean - reach,
        mean + reach,
        units_lower=(totals < 0).mean(axis=1),
        seeds_lower=(difference @ sample.weight < 0).mean(axis=1),
        contributions=len(sample.stratum) * signed,
        discount=np.where(np.isfinite(t), np.minimum(t, 1.0), 1.0),
    )


def max_t(found: Estimates, flips: int, seed: int) -> Floats:
    """Return the (rows,) p-values of a family of two-sided tests of a mean of zero.

    Each row's |t| is compared with the largest of all rows where the signs of units are flipped,
    the same for all rows (Westfall and Young, Resampling-Based Multiple Testing, 1993): so the
    probability of any false positive is at most the level, and rows that are alike, as the
    checkpoints of a run, cost little. Before, the variance over seeds lowers each t to that of the
    p-value of Clark's min F' (`estimates`): flips of units know nothing of seeds.

    Parameters
    ----------
    flips
        How many random flips to draw; where there are no more, all of them are taken.
    """
    rows, units = found.contributions.shape
    if units < 2:
        return np.ones(rows)
    if 2 ** (units - 1) <= flips:
        numbers = np.arange(2 ** (units - 1))
        signs = 1.0 - 2.0 * (numbers[:, None] >> np.arange(units) & 1)
    else:
        drawn = np.random.default_rng(seed).choice([-1.0, 1.0], size=(flips, units))
        signs = np.concatenate([np.ones((1, units)), drawn])
    squares = (found.contributions**2).mean(axis=1)
    means = signs @ found.contributions.T / units
    # Of equal values rounding leaves less than this.
    spread = np.maximum(squares - means**2, 0) + 1e-14 * squares
    with np.errstate(invalid="ignore"):
        t = np.nan_to_num(np.abs(means) / np.sqrt(spread / (units - 1)))
    largest = t.max(axis=1)
    observed = t[0] * found.discount
    return np.asarray((largest[:, None] >= observed * (1 - 1e-9)).mean(axis=0))


def questions(
    differences: Sequence[Floats], sample: Sample, confidence: float, flips: int, seed: int
) -> dict[str, tuple[Estimates, Floats]]:
    """Return the estimates and p-values that answer each question about some comparisons.

    Parameters
    ----------
    differences
        Of each comparison the (seeds, checkpoints, instances) differences of pairs.

    Returns
    -------
    Is there a difference over the `run`, at its `end`, at a `checkpoint`? Rows of the comparisons
    in their order, one each, or one for each checkpoint. The p-values of a question are corrected
    over its rows, by `max_t`.
    """
    tables = {
        RUN: [difference.mean(axis=1)[None] for difference in differences],
        CHECKPOINT: [difference.swapaxes(0, 1) for difference in differences],
    }
    rows = {}
    for name, its in tables.items():
        several = [variance_over_seeds(table, sample) for table in its if table.shape[1] > 1]
        pooled = float(np.mean(several)) if several else 0.0
        rows[name] = [estimates(table, sample, confidence, pooled) for table in its]
    rows[END] = [Estimates(*(values[-1:] for values in each)) for each in rows[CHECKPOINT]]
    found = {}
    for name in (RUN, END, CHECKPOINT):
        joined = Estimates(*map(np.concatenate, zip(*rows[name], strict=True)))
        found[name] = joined, max_t(joined, flips, seed)
    return found
