"""Paired comparisons of arrangements."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.crossed import Counts, CrossedBootstrap, Floats, crossed_p_values
from nearfirst.figures.comparison.holm import holm
from nearfirst.figures.run import Run, Runs, by_label, check_instances, check_seeds
from nearfirst.figures.settings import Units
from nearfirst.metrics import MetricName


class _Units(NamedTuple):
    """What the test set is a sample of: instances, or tasks with all of theirs."""

    name: Units
    of_instance: npt.NDArray[np.intp]
    sizes: Counts

    def means(self, values: Floats) -> Floats:
        """Return the (…, units) means of (…, instances) values."""
        if self.name == "instance":
            return values
        members = [self.of_instance == unit for unit in range(len(self.sizes))]
        return np.stack([values[..., its].mean(axis=-1) for its in members], axis=-1)

    def p_values(self, difference: Floats) -> list[float]:
        """Return the p-value at each checkpoint of (seeds, checkpoints, instances) differences."""
        by_checkpoint = self.means(difference).swapaxes(0, 1)
        return [float(p) for p in crossed_p_values(by_checkpoint, self.sizes)]


def paired_comparison(
    runs: Runs,
    reference: str,
    confidence: float,
    resamples: int,
    seed: int,
    metric: MetricName = "loss",
    units: Units = "instance",
) -> pd.DataFrame:
    """Compare one arrangement with each of the others, paired by seed and test instance.

    The difference of a pair is the reference's value minus the other's: of a loss, negative means
    that the reference is better. It is taken at each checkpoint after step 0 that all arrangements
    have, and as a mean over these. The single run of an arrangement that no seed changes is paired
    with every seed.

    Units are what the test set is a sample of. With instances the findings generalize to other
    instances of these tasks. Instances of one task are alike, so that generalizing to other tasks
    takes more evidence; units are then whole tasks. A test set of one task has instances as units.

    Returns
    -------
    Of each comparison the checkpoints in order, then their mean if there are two or more. Columns:

    comparison, metric, steps
        Labels, and a checkpoint, or first and last of a mean.
    difference, low, high
        Mean and its interval by a bootstrap over seeds and units (`CrossedBootstrap`).
    p_value
        Wilcoxon's signed-rank test over units, each averaged over seeds. Robust against outliers,
        but about these runs only, and about a typical unit rather than the mean.
    p_crossed
        Test of the mean, with both seeds and units as samples (`crossed_p_values`).
    p_windows
        `p_crossed` corrected by Holm's method (`holm`) over first checkpoint, last checkpoint and
        mean of each comparison; only these rows have it. For whoever chose these beforehand.
    p_adjusted
        `p_crossed` corrected by Holm's method over all rows.
    instances_lower, seeds_lower
        Shares of instances and seeds in which the reference is lower.
    seeds, instances, tasks, units, confidence
        Pairs of runs, size of the test set, and what was asked for.

    Raises
    ------
    InputError
        If the reference is not a label, there is nothing to compare it with, or the runs cannot be
        paired: other instances, other seeds, no common checkpoint after step 0.
    """
    check_seeds(runs)
    check_instances(runs)
    labels = by_label(runs)
    if reference not in labels or len(labels) < 2:
        raise InputError(
            f"reference {reference!r}: expected one of two or more labels, not {', '.join(labels)}"
        )
    _check_pairs(labels)
    steps = _common_steps(runs)
    first_run = next(iter(runs.values()))
    sampled = _units(first_run, units)
    bootstrap = CrossedBootstrap(confidence, resamples, seed, sampled.sizes)
    rows = []
    for other in (label for label in labels if label != reference):
        # (seeds, steps, instances); a single run is paired with every seed of the other.
        difference = _cube(labels[reference], steps) - _cube(labels[other], steps)
        parts = {str(step): difference[:, at] for at, step in enumerate(steps)}
        p_values = sampled.p_values(difference)
        if len(steps) > 1:
            mean = difference.mean(axis=1)
            parts[f"{steps[0]}-{steps[-1]}"] = mean
            p_values += sampled.p_values(mean[:, None])
        rows += [
            {"comparison": f"{reference}-{other}", "metric": metric, "steps": name}
            | _numbers(part, p_value, sampled, bootstrap)
            for (name, part), p_value in zip(parts.items(), p_values, strict=True)
        ]
    table = pd.DataFrame(rows)
    ends = {str(steps[0]), f"{steps[0]}-{steps[-1]}", str(steps[-1])}
    in_windows = table["steps"].isin(ends)
    table.loc[in_windows, "p_windows"] = holm(table.loc[in_windows, "p_crossed"].to_numpy())
    table["p_adjusted"] = holm(table["p_crossed"].to_numpy())
    table["tasks"] = first_run.task.nunique()
    return table.assign(units=sampled.name, confidence=confidence)


def _numbers(
    difference: Floats, p_crossed: float, units: _Units, bootstrap: CrossedBootstrap
) -> dict[str, float]:
    """Return the numbers of one row, from (seeds, instances) differences."""
    of_units = units.means(difference)
    per_unit = of_units.mean(axis=0)
    low, high = bootstrap.interval(of_units)
    return {
        "difference": difference.mean(),
        "low": low,
        "high": high,
        "p_value": stats.wilcoxon(per_unit).pvalue if np.any(per_unit) else 1.0,
        "p_crossed": p_crossed,
        # Corrected values need all rows.
        "p_windows": np.nan,
        "p_adjusted": np.nan,
        "instances_lower": (difference.mean(axis=0) < 0).mean(),
        "seeds_lower": (difference.mean(axis=1) < 0).mean(),
        "seeds": difference.shape[0],
        "instances": difference.shape[1],
    }


def _units(run: Run, units: Units) -> _Units:
    codes, names = pd.factorize(run.task, sort=True)
    if units == "instance" or len(names) < 2:
        count = len(run.task)
        return _Units("instance", np.arange(count), np.ones(count, dtype=np.int64))
    return _Units("task", codes, np.bincount(codes))


def _check_pairs(labels: dict[str, dict[int, Run]]) -> None:
    """Raise InputError unless labels have the same seeds; a single run may stand beside several."""
    several = {name: sorted(seeds) for name, seeds in labels.items() if len(seeds) > 1}
    several = several or {name: sorted(seeds) for name, seeds in labels.items()}
    first, expected = next(iter(several.items()))
    for name, seeds in several.items():
        if seeds != expected:
            raise InputError(f"{name} has seeds {seeds}, but {first} {expected}: no pairs")


def _common_steps(runs: Runs) -> list[int]:
    """Return the steps after 0 that all runs have."""
    common = set.intersection(*(set(run.values.index) for run in runs.values())) - {0}
    if not common:
        last = {label: run.values.index[-1] for (label, _), run in runs.items()}
        raise InputError(
            "a comparison needs a checkpoint after step 0 that all arrangements have; their last "
            f"steps are {', '.join(f'{label} {step}' for label, step in last.items())}; lower "
            "train.checkpoint_every"
        )
    return sorted(common)


def _cube(seeds: dict[int, Run], steps: list[int]) -> Floats:
    """Return the (seeds, steps, instances) values of an arrangement, seeds in rising order."""
    return np.stack([seeds[seed].values.loc[steps].to_numpy() for seed in sorted(seeds)])
