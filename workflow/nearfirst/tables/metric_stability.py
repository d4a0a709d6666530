"""Which metric is steady? Noise between checkpoints against change over a run (Section A.5)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import Floats, mean_curve, mean_interval
from nearfirst.figures.run import Run, Runs, by_label, scaled
from nearfirst.metrics import MetricName
from nearfirst.tables.settings import StabilitySettings

Row = dict[str, Any]

MIN_CHECKPOINTS = 4
"""The noise needs two second differences."""
SHARE = 0.9
"""Share of its change that a metric must have made."""
ROUNDING = 1e-12
"""Differences below this share of a curve's largest value are rounding errors."""
NORMAL = 1.4826
"""Ratio of the standard deviation of a normal variable to its median absolute value."""


def noise(steps: npt.NDArray[Any], means: Floats) -> float:
    """Estimate the standard deviation of the noise of a (K,) curve around a smooth trend.

    Each inner point is compared with the straight line between its neighbours (Gasser, Sroka and
    Jennen-Steinmetz 1986, for uneven steps too). These differences c ε̃ are scaled to the standard
    deviation of the noise, and combined by their median absolute value rather than their mean
    square, so that a few steps of steep change do not count as noise. Curvature between three
    checkpoints does count, so with few checkpoints the estimate is an upper bound.

    Returns
    -------
    1.4826 · median |c ε̃|, which for even steps is 1.4826 √(2/3) · median |½ m_{k−1} + ½ m_{k+1} −
    m_k|. If that median is zero, as for a score that seldom moves, the published estimator
    √(mean (c ε̃)²). NaN for fewer than four points.
    """
    if len(steps) < MIN_CHECKPOINTS:
        return np.nan
    before, after = np.diff(steps)[:-1], np.diff(steps)[1:]
    left, right = after / (before + after), before / (before + after)
    difference = left * means[:-2] + right * means[2:] - means[1:-1]
    scaled_difference = np.abs(difference) / np.sqrt(left**2 + right**2 + 1)
    scaled_difference[scaled_difference <= ROUNDING * np.abs(means).max()] = 0
    median = np.median(scaled_difference)
    return float(NORMAL * median if median else np.sqrt(np.mean(scaled_difference**2)))


def step_of_share(steps: npt.NDArray[Any], curves: Floats, n_last: int) -> Floats:
    """Return the first step at which rising (…, K) curves have made 90 % of their change.

    The change is to the mean of the last `n_last` checkpoints after the first. The step is infinite
    for a curve that does not rise.
    """
    start = curves[..., :1]
    change = curves[..., 1:][..., -n_last:].mean(axis=-1, keepdims=True) - start
    reached = (curves - start >= SHARE * change) & (change > 0)
    return np.where(reached.any(axis=-1), steps[reached.argmax(axis=-1)], np.inf)


def stability(metrics: Mapping[MetricName, Runs], settings: StabilitySettings) -> pd.DataFrame:
    """Measure how noisy each metric is from checkpoint to checkpoint, and how soon it changes.

    m_0 … m_K are the means over instances at each checkpoint. `start` is m_0, `end` the mean of the
    last `end_checkpoints` after m_0, `change` end − start, `noise` the result of `noise`, and
    `relative_noise` noise / |change|, infinite without a change. `step_90` is the first checkpoint
    at which (m_k − m_0) / change ≥ 0.9.

    Raises InputError if the runs of a data set cannot be compared, or do not begin at step 0.

    Returns
    -------
    Columns dataset, metric, seed, start, end, change, noise, relative_noise with its _low and
    _high, step_90 with its _low and _high, n (seeds), checkpoints, instances, confidence; scores
    from 0 to 100. The seeds of a data set and metric are followed by a row of seed `all`: the mean
    of each column over seeds, with Student's intervals clipped at zero.
    """
    by_metric = {metric: by_label(scaled(runs, metric)) for metric, runs in metrics.items()}
    rows: list[Row] = []
    for dataset in dict.fromkeys(dataset for runs in by_metric.values() for dataset in runs):
        for metric, by_dataset in by_metric.items():
            seeds = [
                {
                    **{"dataset": dataset, "metric": metric, "seed": str(seed)},
                    **_describe_run(run, f"{metric} of {dataset}, seed {seed}", settings),
                }
                for seed, run in by_dataset.get(dataset, {}).items()
            ]
            if seeds:
                rows += [*seeds, _average_seeds(seeds, settings.confidence)]
    return pd.DataFrame(rows)


def _describe_run(run: Run, name: str, settings: StabilitySettings) -> Row:
    """Compute the columns of one seed's run."""
    curve = mean_curve(run, "instance")
    steps, means = curve.index.to_numpy(), np.asarray(curve, dtype=np.float64)
    if steps[0] != 0:
        raise InputError(f"{name}: it begins at step {steps[0]}; a change begins at step 0")
    end = (means[1:] if len(means) > 1 else means)[-settings.end_checkpoints :].mean()
    change, noise_std = end - means[0], noise(steps, means)
    if abs(change) <= ROUNDING * np.abs(means).max():
        change = 0.0
    step = float(step_of_share(steps, np.sign(change) * means, settings.end_checkpoints))
    return {
        "start": means[0],
        "end": end,
        "change": change,
        "noise": noise_std,
        "relative_noise": noise_std / abs(change) if change else np.inf,
        "relative_noise_low": np.nan,
        "relative_noise_high": np.nan,
        "step_90": step if np.isfinite(step) else np.nan,
        "step_90_low": np.nan,
        "step_90_high": np.nan,
        "n": 1,
        "checkpoints": len(means),
        "instances": run.values.shape[1],
        "confidence": settings.confidence,
    }


def _average_seeds(rows: list[Row], confidence: float) -> Row:
    """Average the rows of the seeds of a data set and metric."""
    result = rows[0] | {"seed": "all", "n": len(rows)}
    for name in ("start", "end", "change", "noise", "relative_noise", "step_90"):
        values = np.array([row[name] for row in rows], dtype=float)
        result[name] = values.mean()
        if f"{name}_low" in result and np.isfinite(values).all():
            _, low, high = mean_interval(values, confidence)
            result[f"{name}_low"], result[f"{name}_high"] = float(np.maximum(low, 0)), float(high)
    return result
