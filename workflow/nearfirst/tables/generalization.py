"""The first checkpoint at which a run has generalized to unseen tasks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.figures.run import Run, Runs, by_label, check_seeds
from nearfirst.tables.settings import GeneralizationSettings

Floats = npt.NDArray[np.float64]


def performance(run: Run, settings: GeneralizationSettings) -> Floats:
    """Return the performance of a run, (steps, instances); larger is better."""
    values = run.values.to_numpy()
    # The probability of a label token, as a geometric mean over the instance's tokens.
    return np.exp(-values) if settings.performance == "exp-loss" else values


def generalization(figures: Mapping[str, Runs], settings: GeneralizationSettings) -> pd.DataFrame:
    """Return for each run the first checkpoint whose mean performance exceeds ε.

    That is the first step, 0 included, at which (1/|Z|) Σ performance > ε over the unseen
    instances Z. Its interval is a percentile bootstrap over these instances; a resample that never
    passes counts as an infinite step, and an infinite bound is NaN. Bounds are checkpoints, never
    values between two.

    Raises InputError if the runs of an arrangement cannot be compared.

    Returns
    -------
    Columns figure, arrangement, seed, performance, threshold, step (NaN: never), low, high, passes
    (share of the resamples that pass), performance_start, performance_best, performance_end (means
    over instances), instances, confidence. The runs of an arrangement are followed by a row of seed
    `all`: the mean of their performances, instance by instance.
    """
    rows = []
    for figure, runs in figures.items():
        check_seeds(runs)
        for label, seeds in by_label(runs).items():
            each = {str(seed): performance(run, settings) for seed, run in seeds.items()}
            each["all"] = np.mean(list(each.values()), axis=0)
            steps = next(iter(seeds.values())).values.index.to_numpy()
            rows += [
                {
                    **{"figure": figure, "arrangement": label, "seed": seed},
                    **_passing(values, steps, settings),
                }
                for seed, values in each.items()
            ]
    return pd.DataFrame(rows)


def _passing(
    performance: Floats, steps: npt.NDArray[Any], settings: GeneralizationSettings
) -> dict[str, float | str]:
    """Return when the mean of (steps, instances) performances first exceeds ε, and its interval."""
    means = performance.mean(axis=1)
    instances = performance.shape[1]
    generator = np.random.default_rng(settings.seed)
    weights = generator.multinomial(instances, [1 / instances] * instances, settings.resamples)
    first = _first(weights @ performance.T / instances, steps, settings.threshold)
    tails = [(1 - settings.confidence) / 2, (1 + settings.confidence) / 2]
    # Without interpolation, bounds are checkpoints or infinity.
    bounds = np.quantile(first, tails, method="inverted_cdf")
    found = [_first(means[None], steps, settings.threshold)[0], *bounds]
    step, low, high = (value if np.isfinite(value) else np.nan for value in found)
    return {
        "performance": settings.performance,
        "threshold": settings.threshold,
        "step": step,
        "low": low,
        "high": high,
        "passes": float(np.isfinite(first).mean()),
        "performance_start": means[0],
        "performance_best": means.max(),
        "performance_end": means[-1],
        "instances": instances,
        "confidence": settings.confidence,
    }


def _first(means: Floats, steps: npt.NDArray[Any], threshold: float) -> Floats:
    """Return the first step at which each (rows, steps) curve exceeds a threshold, or infinity."""
    above = means > threshold
    return np.where(above.any(axis=1), steps[above.argmax(axis=1)], np.inf)
