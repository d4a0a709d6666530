"""Which metric is steady? Noise between checkpoints against change over a run (Section A.5)."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import Floats, mean_curve, mean_interval
from nearfirst.figures.run import Runs, by_label, scaled
from nearfirst.metrics import MetricName
from nearfirst.tables.settings import StabilitySettings

Row = dict[str, Any]

MIN_CHECKPOINTS = 4
"""The noise needs two second differences."""
STANDARD_ERRORS = 2.0
"""A change counts as seen if it exceeds this many standard errors due to noise."""
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


def stability(metrics: Mapping[MetricName, Runs], settings: StabilitySettings) -> pd.DataFrame:
    """Measure how noisy each metric is from checkpoint to checkpoint, and how soon it changes.

    m_0 … m_K are the means over instances at each checkpoint. `start` is m_0, `end` the mean of the
    last `end_checkpoints` after m_0, `change` end − start, `noise` the result of `noise`, and
    `relative_noise` noise / |change|, infinite without a change. `step_90` is the first checkpoint
    at which (m_k − m_0) / change ≥ 0.9, and `stays_90` the first from which on this holds (NaN if
    it does not at the last); the names depend on `share`. `change_seen` is false if noise alone may
    explain the change: |change| ≤ 2 · noise · √(1 + 1 / end_checkpoints), two standard errors.

    Raises InputError if the runs of a data set cannot be compared, or do not begin at step 0.

    Returns
    -------
    Columns dataset, metric, seed, start, end, change, noise, relative_noise with its _low and
    _high, step_N with its _low and _high, stays_N, change_seen, n (seeds), checkpoints, instances,
    confidence, left_out; scores from 0 to 100. The seeds of a data set and metric are followed by a
    row of seed `all`: the mean of each column over seeds, with Student's intervals clipped at zero.
    Its change is seen if every seed's is.
    """
    by_metric = {metric: by_label(scaled(runs, metric)) for metric, runs in metrics.items()}
    rows: list[Row] = []
    for dataset in dict.fromkeys(dataset for runs in by_metric.values() for dataset in runs):
        for metric, by_dataset in by_metric.items():
            seed_rows = []
            for seed, run in by_dataset.get(dataset, {}).items():
                curve = mean_curve(run, "instance")
                if curve.index[0] != 0:
                    raise InputError(
                        f"{metric} of {dataset}, seed {seed}: it begins at step {curve.index[0]}; "
                        "a change begins at step 0"
                    )
                if len(curve) < MIN_CHECKPOINTS:
                    logging.warning(
                        "%s of %s, seed %d: %d checkpoints are too few (%d) for its noise; lower "
                        "train.checkpoint_every",
                        *(metric, dataset, seed, len(curve), MIN_CHECKPOINTS),
                    )
                row = {
                    **{"dataset": dataset, "metric": metric, "seed": str(seed)},
                    **_describe_curve(curve, settings),
                    "n": 1,
                    "checkpoints": len(curve),
                    "instances": run.values.shape[1],
                    "confidence": settings.confidence,
                    "left_out": run.left_out,
                }
                seed_rows.append(row)
            if seed_rows:
                rows += [*seed_rows, _average_seeds(seed_rows, settings)]
    return pd.DataFrame(rows)


def _step_columns(settings: StabilitySettings) -> tuple[str, str]:
    """Name the columns of the steps at which the share is reached, and from which it stays so."""
    percent = f"{100 * settings.share:g}"
    return f"step_{percent}", f"stays_{percent}"


def _describe_curve(curve: "pd.Series[float]", settings: StabilitySettings) -> Row:
    """Compute the columns of one seed's curve."""
    steps, means = curve.index.to_numpy(), np.asarray(curve, dtype=np.float64)
    tail = means[1:][-settings.end_checkpoints :] if len(means) > 1 else means
    start, end = means[0], tail.mean()
    change, noise_std = end - start, noise(steps, means)
    if abs(change) <= ROUNDING * np.abs(means).max():
        change = 0.0
    share = (means - start) / change if change else np.zeros_like(means)
    is_reached = share >= settings.share
    # One after the last checkpoint below the share.
    first_to_stay = np.max(np.flatnonzero(~is_reached), initial=-1) + 1
    reached, stays = _step_columns(settings)
    error = noise_std * np.sqrt(1 + 1 / len(tail))
    return {
        "start": start,
        "end": end,
        "change": change,
        "noise": noise_std,
        "relative_noise": noise_std / abs(change) if change else np.inf,
        "relative_noise_low": np.nan,
        "relative_noise_high": np.nan,
        reached: steps[is_reached.argmax()] if is_reached.any() else np.nan,
        f"{reached}_low": np.nan,
        f"{reached}_high": np.nan,
        stays: steps[first_to_stay] if first_to_stay < len(steps) else np.nan,
        "change_seen": bool(abs(change) > STANDARD_ERRORS * error),
    }


def _average_seeds(rows: list[Row], settings: StabilitySettings) -> Row:
    """Average the rows of the seeds of a data set and metric."""
    reached, stays = _step_columns(settings)
    with_interval = ("relative_noise", reached)
    result = rows[0] | {"seed": "all", "n": len(rows)}
    for name in ("start", "end", "change", "noise", stays, *with_interval):
        values = np.array([row[name] for row in rows], dtype=float)
        result[name] = values.mean()
        if name in with_interval and np.isfinite(values).all():
            _, low, high = mean_interval(values, settings.confidence)
            result[f"{name}_low"], result[f"{name}_high"] = float(np.maximum(low, 0)), float(high)
    result["change_seen"] = all(row["change_seen"] for row in rows)
    return result
