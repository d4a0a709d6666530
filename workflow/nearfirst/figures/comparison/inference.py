"""Intervals and tests of a mean difference, over seeds and sampled test instances at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

from nearfirst.figures.comparison import CHECKPOINT, END, RUN

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

SIGNS = 2**25
"""Random signs drawn at once, 8 bytes each."""


@dataclass(frozen=True)
class Sample:
    """How a test set was drawn: whole units, from strata.

    Attributes
    ----------
    unit
        (instances,) index of each instance's unit.
    stratum
        (units,) index of each unit's stratum. Strata are fixed, not sampled: a mean over them
        generalizes to other units of the same strata.
    weight
        (instances,) weights in the mean; they sum to 1.
    """

    unit: Ints
    stratum: Ints
    weight: Floats

    @cached_property
    def _unit_weights(self) -> Any:
        """(instances, units) weights, sparse: thousands of conversations may all be units."""
        return _incidence(self.weight, self.unit, len(self.stratum))

    @cached_property
    def _strata(self) -> tuple[Ints, Any]:
        """The number of each unit's stratum, and the sparse (units, strata) indicators."""
        names, number = np.unique(self.stratum, return_inverse=True)
        return number, _incidence(np.ones(len(number)), number, len(names))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the variance over units."""
        return len(self.stratum) - len(np.unique(self.stratum))

    def totals(self, values: Floats) -> Floats:
        """Return the (…, units) weighted sums of (…, instances) values; they add up to the mean."""
        totals: Floats = values @ self._unit_weights
        return totals

    def residuals(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the (…, units) totals centred in their strata, and the variance of the mean.

        This is a stratified ratio estimator (Cochran, Sampling Techniques, 1977, section 6.11). A
        stratum of one unit has no variance; it counts as an average unit of the others.
        """
        totals = self.totals(values - (values @ self.weight)[..., None])
        number, indicators = self._strata
        sizes = np.bincount(number)
        centred = totals - (totals @ indicators / sizes)[..., number]
        centred *= np.sqrt(sizes / np.maximum(sizes - 1, 1))[number]
        n_units = sizes.sum()
        n_varying = max(n_units - (sizes == 1).sum(), 1)
        return centred, (centred**2).sum(axis=-1) * n_units / n_varying


def _incidence(values: Floats, columns: Ints, size: int) -> Any:
    """Return the sparse (rows, `size`) matrix with one value in each row."""
    return sparse.csr_array((values, columns, np.arange(len(values) + 1)), (len(values), size))


class Estimates(NamedTuple):
    """(rows,) mean differences, their intervals, and what `max_t` needs."""

    mean: Floats
    low: Floats
    high: Floats
    units_lower: Floats
    """Share of units with a negative difference; `seeds_lower` is the same for seeds."""
    seeds_lower: Floats
    contributions: Floats
    """(rows, units) that average to `mean`; their signs are exchangeable under the null."""
    discount: Floats
    """(rows,) factor by which the variance over seeds lowers the t of the contributions."""


def variance_over_seeds(difference: Floats, sample: Sample) -> Floats:
    """Return the (rows,) variances of the means of (rows, seeds, instances); 0 for one seed."""
    means = difference @ sample.weight
    seeds = means.shape[1]
    return means.var(axis=1, ddof=1) / seeds if seeds > 1 else np.zeros(len(means))


def estimates(difference: Floats, sample: Sample, confidence: float, pooled: float) -> Estimates:
    """Return the mean of (rows, seeds, instances) differences, each row with its interval.

    Every seed is crossed with every unit of the test set, and both make the mean vary. The squared
    standard errors over seeds and over units are added, as in Clark's min F' (Journal of Verbal
    Learning and Verbal Behavior 12, 1973); the interval is Student's with Satterthwaite's degrees
    of freedom. Two or three seeds can agree by chance, the more so at one of many checkpoints, so
    the variance over seeds is at least `pooled`, its mean over similar rows. With a single seed,
    the interval is about this seed only.
    """
    seeds = difference.shape[1]
    over_seeds = difference.mean(axis=1)
    mean = over_seeds @ sample.weight
    residuals, unit_variance = sample.residuals(over_seeds)
    seed_variance = variance_over_seeds(difference, sample)
    if seeds > 1:
        seed_variance = np.maximum(seed_variance, pooled)
    variance = unit_variance + seed_variance
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(variance > 0, seed_variance / variance, 0)
        freedom = 1 / (share**2 / max(seeds - 1, 1) + (1 - share) ** 2 / sample.freedom)
        margin = stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(variance)
        # The t that has this p-value under the variance over units alone.
        p_value = stats.t.sf(np.abs(mean) / np.sqrt(variance), freedom)
        t = stats.t.isf(p_value, sample.freedom) / (np.abs(mean) / np.sqrt(unit_variance))
    totals = sample.totals(over_seeds)
    # Strata are fixed: only residuals within them have exchangeable signs.
    shares = sample.totals(np.ones(len(sample.unit)))
    signed = residuals + mean[:, None] * shares if sample.stratum.any() else totals
    return Estimates(
        mean,
        mean - margin,
        mean + margin,
        units_lower=(totals < 0).mean(axis=1),
        seeds_lower=(difference @ sample.weight < 0).mean(axis=1),
        contributions=len(sample.stratum) * signed,
        discount=np.where(np.isfinite(t), np.minimum(t, 1.0), 1.0),
    )


def max_t(tested: Estimates, flips: int, seed: int) -> Floats:
    """Return the (rows,) p-values of a family of two-sided tests of a mean of zero.

    Each row's |t| is compared with the largest |t| of all rows when the signs of units are flipped,
    equally in all rows (Westfall and Young, Resampling-Based Multiple Testing, 1993). So the
    family-wise error rate is at most the level, and similar rows, such as the checkpoints of a run,
    cost little power. Flips of units ignore seeds, so each t is first lowered to match the p-value
    of Clark's min F' (`estimates`). `flips` random flips are drawn, or all flips enumerated if
    there are no more.
    """
    rows, units = tested.contributions.shape
    if units < 2:
        return np.ones(rows)
    squares = (tested.contributions**2).mean(axis=1)
    blocks = _signs(units, flips, seed)
    means = np.concatenate([signs @ tested.contributions.T / units for signs in blocks])
    # Larger than the rounding error of equal values.
    spread = np.maximum(squares - means**2, 0) + 1e-14 * squares
    with np.errstate(invalid="ignore"):
        t = np.nan_to_num(np.abs(means) / np.sqrt(spread / (units - 1)))
    largest = t.max(axis=1)
    observed = t[0] * tested.discount
    return np.asarray((largest[:, None] >= observed * (1 - 1e-9)).mean(axis=0))


def _signs(units: int, flips: int, seed: int) -> Iterator[Floats]:
    """Yield (n, units) signs of flips, in the first row no flip: a block of them at a time."""
    if 2 ** (units - 1) <= flips:
        numbers = np.arange(2 ** (units - 1))
        yield np.where(numbers[:, None] >> np.arange(units) & 1, -1.0, 1.0)
        return
    yield np.ones((1, units))
    generator, size = np.random.default_rng(seed), max(1, SIGNS // units)
    for start in range(0, flips, size):
        drawn: Floats = generator.choice([-1.0, 1.0], size=(min(size, flips - start), units))
        yield drawn


def questions(
    differences: Sequence[Floats], sample: Sample, confidence: float, flips: int, seed: int
) -> dict[str, tuple[Estimates, Floats]]:
    """Estimate and test the difference over the `run`, at its `end`, and at each `checkpoint`.

    `differences` holds (seeds, checkpoints, instances) paired differences for each comparison. The
    rows of a question are the comparisons in order, for `checkpoint` each with all its checkpoints.
    The p-values of a question are corrected over its rows (`max_t`).
    """
    tables = {
        RUN: [difference.mean(axis=1)[None] for difference in differences],
        CHECKPOINT: [difference.swapaxes(0, 1) for difference in differences],
    }
    rows = {}
    for question, cubes in tables.items():
        variances = [variance_over_seeds(cube, sample) for cube in cubes if cube.shape[1] > 1]
        pooled = float(np.mean(variances)) if variances else 0.0
        rows[question] = [estimates(cube, sample, confidence, pooled) for cube in cubes]
    rows[END] = [Estimates(*(values[-1:] for values in each)) for each in rows[CHECKPOINT]]
    answers = {}
    for question in (RUN, END, CHECKPOINT):
        joined = Estimates(*map(np.concatenate, zip(*rows[question], strict=True)))
        answers[question] = joined, max_t(joined, flips, seed)
    return answers
