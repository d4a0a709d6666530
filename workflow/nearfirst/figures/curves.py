"""From the losses (or scores, or rewards) of runs to curves with intervals over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.figures.run import Run, Runs, by_label, check_instances, check_seeds
from nearfirst.metrics import METRICS, MetricName

Floats = npt.NDArray[np.float64]


def mean_curve(run: Run, weighting: str) -> "pd.Series[float]":
    """Return the (steps,) mean of one run's metric.

    The weighting `instance` is a mean over instances of their mean token loss, `token` one over
    label tokens.
    """
    its = run.weights(weighting)
    return (run.values * its).sum(axis=1) / its.sum()


def task_means(run: Run, weighting: str) -> pd.DataFrame:
    """Return the (steps, tasks) means of one run, each over the task's own instances."""
    its = run.weights(weighting)
    sums = (run.values * its).T.groupby(run.task).sum().T
    return sums / its.groupby(run.task).sum()


def mean_interval(values: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return mean, low and high of Student's interval over the first axis of (n, …) values.

    The bounds of a single value are NaN.
    """
    mean = values.mean(axis=0)
    if len(values) < 2:
        nothing = np.full_like(mean, np.nan)
        return mean, nothing, nothing
    reach = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return mean, mean - reach, mean + reach


def over_seeds(
    each: Sequence["pd.Series[float]"],
    confidence: float,
    first: Mapping[str, object],
    last: Mapping[str, object],
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the mean of curves with equal steps: columns step, mean, low, high, n (curves).

    Further columns come first and last. The interval is clipped to the metric's range, which that
    of a few seeds may exceed.
    """
    mean, low, high = mean_interval(np.stack([curve.to_numpy() for curve in each]), confidence)
    low, high = (np.clip(bound, *METRICS[metric].limits) for bound in (low, high))
    columns = {"step": each[0].index, "mean": mean, "low": low, "high": high, "n": len(each)}
    return pd.DataFrame({**first, **columns, **last})


def curves(
    runs: Runs,
    weighting: str,
    confidence: float,
    by: str = "arrangement",
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the mean curve of each label with an interval over its seeds.

    Labels may differ in their steps and in their number of seeds.

    Parameters
    ----------
    by
        What a label is: `arrangement`, `dataset` or `metric`. Arrangements and metrics are compared
        on the same test instances; data sets have instances of their own.
    metric
        What the means are of; where labels are metrics, any of them: they share an axis.

    Returns
    -------
    Columns arrangement (or dataset, metric), quantity unless it is the loss, step, mean, low, high,
    n (seeds), instances, confidence, left_out, and what else `Run.counts` has.

    Raises
    ------
    InputError
        If the runs of a label differ in their steps or instances, or two arrangements or metrics
        in their instances.
    """
    check_seeds(runs)
    if by != "dataset":
        check_instances(runs)
    # An axis that several metrics share is named after what they have in common.
    shown = METRICS[metric].quantity if by == "metric" else metric
    quantity = {"quantity": shown} if metric != "loss" else {}
    parts = []
    for label, seeds in by_label(runs).items():
        run = next(iter(seeds.values()))
        each = [mean_curve(run, weighting) for run in seeds.values()]
        counts = {
            "instances": run.values.shape[1],
            "confidence": confidence,
            **run.counts(),
        }
        parts.append(over_seeds(each, confidence, {by: label, **quantity}, counts, metric))
    return pd.concat(parts, ignore_index=True)
