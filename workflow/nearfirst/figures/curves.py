"""From the losses (or scores, or rewards) of runs to curves with intervals over seeds."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.figures.run import Run, Runs, check_instances, check_seeds
from nearfirst.metrics import METRICS, MetricName

Floats = npt.NDArray[np.float64]


def mean_curve(run: Run, weighting: str) -> "pd.Series[float]":
    """Return the mean of one run's metric at each step.

    Parameters
    ----------
    run
        Its losses.
    weighting
        `instance`: mean over instances of their mean token loss; `token`: over label tokens.
    """
    weights = _weights(run, weighting)
    return (run.values * weights).sum(axis=1) / weights.sum()


def task_means(run: Run, weighting: str) -> pd.DataFrame:
    """Return the (steps, tasks) means of one run, each over the task's own instances."""
    weights = _weights(run, weighting)
    sums = (run.values * weights).T.groupby(run.task).sum().T
    return sums / weights.groupby(run.task).sum()


def _weights(run: Run, weighting: str) -> "pd.Series[float]":
    ones = pd.Series(1.0, run.values.columns)
    return run.label_tokens.astype(float) if weighting == "token" else ones


def mean_interval(values: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return the mean over the first axis and its Student interval.

    Parameters
    ----------
    values
        (n, …) independent values; n = 1 gives NaN bounds.
    confidence
        Level of the interval.

    Returns
    -------
    mean, low, high
        Of the shape of one value.
    """
    mean = values.mean(axis=0)
    if len(values) < 2:
        nothing = np.full_like(mean, np.nan)
        return mean, nothing, nothing
    reach = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return mean, mean - reach, mean + reach


def over_seeds(
    each: Sequence["pd.Series[float]"], confidence: float, metric: MetricName = "loss"
) -> pd.DataFrame:
    """Return the mean of curves with equal steps: columns step, mean, low, high, n (curves).

    The interval is cut where the metric ends: few seeds would else have scores below zero.
    """
    mean, low, high = mean_interval(np.stack([curve.to_numpy() for curve in each]), confidence)
    low, high = (np.clip(bound, *METRICS[metric].limits) for bound in (low, high))
    columns = {"step": each[0].index, "mean": mean, "low": low, "high": high, "n": len(each)}
    return pd.DataFrame(columns)


def curves(
    runs: Runs,
    weighting: str,
    confidence: float,
    by: Literal["arrangement", "dataset", "metric"] = "arrangement",
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the mean curve of each label with an interval over its seeds.

    Labels may differ in their steps and in their number of seeds.

    Parameters
    ----------
    runs
        Runs by (label, seed).
    weighting
        See `mean_curve`.
    confidence
        Level of the intervals.
    by
        What a label is. Arrangements and metrics are compared on the same test instances; data
        sets have instances of their own.
    metric
        What the means are of; where labels are metrics, any that share its axis.

    Returns
    -------
    Columns arrangement (or dataset, metric), quantity unless it is the loss, step, mean, low, high,
    n (seeds), instances, confidence, left_out.

    Raises
    ------
    InputError
        If the runs of a label were not evaluated at the same steps on the same instances, or
        those of two arrangements on different instances.
    """
    check_seeds(runs)
    if by != "dataset":
        check_instances(runs)
    parts = []
    for label in dict.fromkeys(label for label, _ in runs):
        its = [run for (name, _), run in runs.items() if name == label]
        part = over_seeds([mean_curve(run, weighting) for run in its], confidence, metric)
        part.insert(0, by, label)
        if metric != "loss":
            # Where every curve is the same score, that is what the axis is called after.
            part.insert(1, "quantity", METRICS[metric].quantity if by == "metric" else metric)
        part["instances"] = its[0].values.shape[1]
        part["confidence"] = confidence
        part["left_out"] = its[0].left_out
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
