"""The first checkpoint at which a run has generalized to unseen tasks."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.overlap import resampled_counts
from nearfirst.figures.run import Run, Runs, by_label
from nearfirst.tables.settings import GeneralizationSettings

Floats = npt.NDArray[np.float64]


def performance(run: Run, settings: GeneralizationSettings) -> Floats:
    """Return the performance of a run, (steps, instances); larger is better."""
    values = run.values.to_numpy()
    # The geometric mean of the probabilities of the instance's label tokens.
    return np.exp(-values) if settings.performance == "exp-loss" else values


def generalization(figures: Mapping[str, Runs], settings: GeneralizationSettings) -> pd.DataFrame:
    """Find for each run the first checkpoint whose mean performance exceeds ε.

    That is the first step, 0 included, at which (1/|Z|) Σ performance > ε over the unseen
    instances Z. The interval is a percentile bootstrap over the unseen tasks, each with all of its
    instances, or over conversations where data have no tasks, or over the instances of a single
    task. A resample that never passes counts as an infinite step, and an infinite bound is NaN.
    Bounds are checkpoints, without interpolation.

    Raises InputError if the runs of an arrangement cannot be compared, or if ε depends on the base
    model and a run lacks step 0.

    Returns
    -------
    Columns figure, arrangement, seed, performance, threshold (ε), step (NaN: never), low, high,
    passes (share of the resamples that pass), performance_start, performance_best, performance_end
    (means over instances), instances, units (tasks, conversations or instances that are resampled),
    confidence. The runs of an arrangement are followed by a row of seed `all`, in which the
    performance on each instance is averaged over seeds.
    """
    rows = []
    for figure, runs in figures.items():
        threshold = settings.threshold
        if threshold is None:
            threshold = settings.times_base * _base_performance(figure, runs, settings)
        for label, seeds in by_label(runs).items():
            by_seed = {str(seed): performance(run, settings) for seed, run in seeds.items()}
            by_seed["all"] = np.mean(list(by_seed.values()), axis=0)
            run = next(iter(seeds.values()))
            for seed, values in by_seed.items():
                row = {"figure": figure, "arrangement": label, "seed": seed}
                rows.append({**row, **_first_pass(values, run, threshold, settings)})
    return pd.DataFrame(rows)


def _base_performance(figure: str, runs: Runs, settings: GeneralizationSettings) -> float:
    """Return the mean performance of the base model over all runs."""
    for (label, seed), run in runs.items():
        if run.values.index[0] != 0:
            raise InputError(
                f"{figure}: {label}, seed {seed}, begins at step {run.values.index[0]}; without "
                "step 0, set generalization.threshold"
            )
    return float(np.mean([performance(run, settings)[0].mean() for run in runs.values()]))


def _first_pass(
    performance: Floats, run: Run, threshold: float, settings: GeneralizationSettings
) -> dict[str, float | str]:
    """Find when the mean of (steps, instances) performances first exceeds ε, with an interval."""
    steps, means = run.values.index.to_numpy(), performance.mean(axis=1)
    unit, names = pd.factorize(run.units, sort=True)
    if len(names) < 2:
        unit = np.arange(len(unit))
    n_units = unit.max() + 1
    generator = np.random.default_rng(settings.seed)
    counts = resampled_counts(generator, n_units, settings.resamples)[:, unit]
    resampled = counts @ performance.T / counts.sum(axis=1, keepdims=True)
    above = resampled > threshold
    first = np.where(above.any(axis=1), steps[above.argmax(axis=1)], np.inf)
    tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]
    # Without interpolation, bounds are checkpoints or infinity.
    bounds = np.quantile(first[1:], tails, method="inverted_cdf")
    step, low, high = (x if np.isfinite(x) else np.nan for x in (first[0], *bounds))
    return {
        "performance": settings.performance,
        "threshold": threshold,
        "step": step,
        "low": low,
        "high": high,
        "passes": float(np.isfinite(first[1:]).mean()),
        "performance_start": means[0],
        "performance_best": means.max(),
        "performance_end": means[-1],
        "instances": len(unit),
        "units": n_units,
        "confidence": settings.confidence,
    }
