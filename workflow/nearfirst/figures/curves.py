"""From the losses (or scores, or rewards) of runs to curves with intervals over seeds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from nearfirst.figures.read import runs_of
from nearfirst.figures.run import Key, Run, Runs, by_label, check_instances
from nearfirst.figures.settings import CurveSettings
from nearfirst.metrics import METRICS, MetricName

Floats = npt.NDArray[np.float64]


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the curves of a figure of arrangements, data sets or metrics (`Figure.compute`)."""
    metrics, by = figure.metric_names(), figure.series
    runs: dict[Key, Run] = {}
    for metric in metrics:
        for (label, seed), run in runs_of(figure, tables, metric).items():
            runs[metric if by == "metric" else label, seed] = run
    return [curves(runs, settings.curves, by, metrics[0])]


def mean_curve(run: Run, weighting: str) -> "pd.Series[float]":
    """Return the (steps,) mean of one run's metric.

    The weighting `instance` averages instances by their mean token loss, `token` all label tokens.
    """
    weights = run.weights(weighting)
    return (run.values * weights).sum(axis=1) / weights.sum()


def task_means(run: Run, weighting: str) -> pd.DataFrame:
    """Return the (steps, tasks) means of one run, weighted as in `mean_curve`."""
    weights = run.weights(weighting)
    sums = (run.values * weights).T.groupby(run.task).sum().T
    return sums / weights.groupby(run.task).sum()


def mean_interval(values: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return the mean and Student's interval of (n, …) values over n; NaN bounds if n is 1."""
    mean = values.mean(axis=0)
    margin = np.full_like(mean, np.nan)
    if len(values) > 1:
        margin = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return mean, mean - margin, mean + margin


def summarize_seeds(
    curves: Sequence["pd.Series[float]"],
    confidence: float,
    first: Mapping[str, object],
    last: Mapping[str, object],
    metric: MetricName = "loss",
) -> pd.DataFrame:
    """Return the mean of curves with equal steps: columns step, mean, low, high, n (curves).

    Columns `first` and `last` are added before and after these. The interval is clipped to the
    metric's range, which an interval from few seeds may exceed.
    """
    mean, low, high = mean_interval(np.stack([curve.to_numpy() for curve in curves]), confidence)
    low, high = (np.clip(bound, *METRICS[metric].limits) for bound in (low, high))
    columns = {"step": curves[0].index, "mean": mean, "low": low, "high": high, "n": len(curves)}
    return pd.DataFrame({**first, **columns, **last})


def curves(
    runs: Runs, settings: CurveSettings, by: str = "arrangement", metric: MetricName = "loss"
) -> pd.DataFrame:
    """Return the mean curve of each label with an interval over its seeds.

    Labels may differ in their steps and in their number of seeds. Raises InputError if the runs of
    a label differ in their steps or instances, or two arrangements or metrics in their instances.

    Parameters
    ----------
    by
        What labels stand for: `arrangement`, `dataset` or `metric`. Arrangements and metrics must
        share their test instances; each data set has different ones.
    metric
        Metric of the runs; where labels are metrics, any of them, since they share an axis.

    Returns
    -------
    Columns arrangement (or dataset, metric), quantity unless it is the loss, step, mean, low, high,
    n (seeds), instances, confidence, and those of `Run.counts`.
    """
    if by != "dataset":
        check_instances(runs)
    # An axis that several metrics share is named after what they have in common.
    shown = METRICS[metric].quantity if by == "metric" else metric
    quantity = {"quantity": shown} if metric != "loss" else {}
    parts = []
    for label, seeds in by_label(runs).items():
        run = next(iter(seeds.values()))
        means = [mean_curve(run, settings.weighting) for run in seeds.values()]
        level, first = settings.confidence, {by: label, **quantity}
        counts = {"instances": run.values.shape[1], "confidence": level, **run.counts()}
        parts.append(summarize_seeds(means, level, first, counts, metric))
    return pd.concat(parts, ignore_index=True)
