"""Paired comparisons of arrangements."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison.crossed import Counts, CrossedBootstrap, Floats, crossed_p_values
from nearfirst.figures.comparison.holm import holm
from nearfirst.figures.run import Run, Runs, check_instances, check_seeds
from nearfirst.figures.settings import Units
from nearfirst.metrics import MetricName


class _Units(NamedTuple):
    """What the test set is a sample of: single instances, or tasks with all of theirs."""

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
    """Compare one arrangement with each other one, paired by seed and test instance.

    The difference of a pair is the reference's value minus the other's: of a loss, negative means
    that the reference is better. It is taken at each checkpoint after step 0 that all arrangements
    have, and as a mean over all of them. The one run of an arrangement that no seed changes stands
    for every seed.

    The interval is a bootstrap over seeds and units at once (`CrossedBootstrap`). There are two
    tests. `p_value` is Wilcoxon's signed-rank test over units, each averaged over seeds: robust
    against single units, but it speaks of these runs alone, and of a typical unit rather than of
    the mean. `p_crossed` is of the mean, and takes seeds and units both as samples
    (`crossed_p_values`); it is the one that is corrected, by Holm's method (`holm`):

    - `p_adjusted` over all rows of the table, every checkpoint and the mean of each comparison;
    - `p_windows` over the first checkpoint, the last one and the mean of each comparison, and only
      these rows have it: for who asked for no more before looking.

    Units are instances by default: what is found then holds for other instances of these tasks.
    Instances of one task are alike, so that more is needed to speak of other tasks: units are then
    whole tasks. A test set of one task has instances as units in any case.

    Returns
    -------
    Columns comparison, metric, steps (a checkpoint, or first and last of a mean), difference, low,
    high, p_value, p_crossed, p_windows, p_adjusted, instances_lower and seeds_lower (shares in
    which the reference is lower), seeds (pairs of runs), instances, tasks, units, confidence. Of
    each comparison the checkpoints in their order, then the mean, if there are two to average.

    Raises
    ------
    InputError
        If the reference is no label, there is nothing to compare it with, or the runs cannot be
        paired: other instances, other seeds, no common checkpoint after step 0.
    """
    check_seeds(runs)
    check_instances(runs)
    by_label = {name: sorted(s for label, s in runs if label == name) for name, _ in runs}
    if reference not in by_label or len(by_label) < 2:
        raise InputError(
            f"reference {reference!r}: expected one of two or more labels, "
            f"found {', '.join(by_label)}"
        )
    _check_pairs(by_label)
    steps = _common_steps(runs)
    first_run = next(iter(runs.values()))
    sampled = _units(first_run, units)
    bootstrap = CrossedBootstrap(confidence, resamples, seed, sampled.sizes)
    # The same when the mean is over one checkpoint.
    windows = {str(steps[0]), f"{steps[0]}-{steps[-1]}", str(steps[-1])}
    rows = []
    for other in (label for label in by_label if label != reference):
        # (seeds, steps, instances); a single run is paired with every seed of the other.
        difference = _cube(runs, reference, steps) - _cube(runs, other, steps)
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
    in_windows = table["steps"].isin(windows)
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
        # Filled when all rows are there.
        "p_windows": np.nan,
        "p_adjusted": np.nan,
        "instances_lower": (difference.mean(axis=0) < 0).mean(),
        "seeds_lower": (difference.mean(axis=1) < 0).mean(),
        "seeds": difference.shape[0],
        "instances": difference.shape[1],
    }


def _units(run: Run, units: Units) -> _Units:
    """Return the units that a test set is taken to be a sample of."""
    codes, names = pd.factorize(run.task, sort=True)
    if units == "instance" or len(names) < 2:
        count = len(run.task)
        return _Units("instance", np.arange(count), np.ones(count, dtype=np.int64))
    return _Units("task", codes, np.bincount(codes))


def _check_pairs(by_label: dict[str, list[int]]) -> None:
    """Raise InputError unless labels have the same seeds, or one run beside others' several."""
    several = {name: seeds for name, seeds in by_label.items() if len(seeds) > 1} or by_label
    first, expected = next(iter(several.items()))
    for name, seeds in several.items():
        if seeds != expected:
            raise InputError(f"{name} has seeds {seeds}, but {first} {expected}: no pairs")


def _common_steps(runs: Runs) -> list[int]:
    """Return the steps after 0 that all runs have."""
    common = set.intersection(*(set(run.values.index) for run in runs.values())) - {0}
    if not common:
        found = {label: [s for s in run.values.index if s > 0] for (label, _), run in runs.items()}
        last = ", ".join(f"{label} {steps[-1] if steps else 0}" for label, steps in found.items())
        raise InputError(
            "a comparison needs a checkpoint after step 0 that all arrangements have; their last "
            f"steps are: {last}; lower train.checkpoint_every"
        )
    return sorted(common)


def _cube(runs: Runs, label: str, steps: list[int]) -> Floats:
    """Return the (seeds, steps, instances) values of an arrangement."""
    seeds = sorted(seed for name, seed in runs if name == label)
    return np.stack([runs[label, seed].values.loc[steps].to_numpy() for seed in seeds])
