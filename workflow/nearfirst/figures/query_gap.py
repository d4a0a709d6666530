"""Gains of an order on several test sets, and how they differ between the sets."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison import CHECKPOINT, RUN
from nearfirst.figures.comparison.paired import compare_contrasts, paired_comparison
from nearfirst.figures.curves import task_means
from nearfirst.figures.read import read_runs, results_by_test
from nearfirst.figures.run import Run, Runs, scaled
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.metrics import METRICS, MetricName

GAIN, GAP = "Gain", "Gap"
COLUMNS = [
    *("arrangement", "panel", "quantity", "step", "mean", "low", "high", "n", "instances"),
    *("tasks", "confidence", "over_run", "over_run_low", "over_run_high", "p_value"),
]


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the gains of a figure of kind `query-gap` (`Figure.compute`)."""
    metric, weighting = figure.metric, settings.curves.weighting
    by_test = results_by_test(read_runs(tables, metric), figure, figure.test_sets())
    sets = {name: scaled(by_test[test], metric) for name, test in figure.sets.items()}
    return [query_gap(sets, figure.reference, settings.comparison, metric, weighting)]


def query_gap(
    sets: Mapping[str, Runs],
    reference: str,
    settings: ComparisonSettings,
    metric: MetricName = "loss",
    weighting: str = "instance",
) -> pd.DataFrame:
    """Return the gains of the reference over each other label on each set, at each checkpoint.

    The gap is the gain on the first set minus the gain on another. It is paired by task and seed if
    the two sets have the same tasks; otherwise, as with another data set, they are separate
    samples, paired by seed. Each task counts once, or each conversation. Raises InputError like
    `compare_contrasts`, and if another set has the same instances as the first.

    Returns
    -------
    Columns arrangement (where the gain is measured), panel (`Gain` or `Gap`), quantity, step, mean,
    low, high, n (seeds), instances, tasks, confidence, over_run with over_run_low and over_run_high
    (the mean over the checkpoints), p_value (of that mean), and shared (instances that are also in
    the first set).
    """
    ids = {name: set(next(iter(runs.values())).values.columns) for name, runs in sets.items()}
    first, *others = sets
    parts = []
    for name, runs in sets.items():
        shared = len(ids[name] & ids[first]) if name != first else 0
        if name != first and ids[name] == ids[first]:
            raise InputError(
                f"sets: {name!r} has the same instances as {first!r}, so neither is held out; draw "
                "others, or lower data.NAME.sample.specialist_per_task"
            )
        if shared:
            counts = name, shared, len(ids[name]), first
            logging.warning("'%s': %d of %d instances are in '%s'", *counts)
        compared = paired_comparison(runs, reference, settings, metric, weighting)
        parts.append(_gains(compared, metric, name, GAIN).assign(shared=shared))
    by_task = {name: _average(runs, weighting, "task") for name, runs in sets.items()}
    tasks = {name: set(next(iter(runs.values())).values.columns) for name, runs in by_task.items()}
    for name in others:
        if tasks[name] == tasks[first] and len(tasks[first]) > 1:
            pair = {each: by_task[each] for each in (first, name)}
            compared = _compare_paired(pair, reference, settings, metric)
        else:
            both = [_average(sets[each], weighting, "units") for each in (first, name)]
            # A single unit has no variance.
            if min(next(iter(runs.values())).values.shape[1] for runs in both) < 2:
                continue
            by_set = settings.model_copy(update={"units": "instance"})
            compared = paired_comparison(_subtract(*both), reference, by_set, metric)
            compared["tasks"] = compared["instances"]
        parts.append(_gains(compared, metric, f"{first} − {name}", GAP).assign(shared=0))
    return pd.concat(parts, ignore_index=True)


def _compare_paired(
    pair: Mapping[str, Runs], reference: str, settings: ComparisonSettings, metric: MetricName
) -> pd.DataFrame:
    """Compare the gains on two sets with the same tasks, paired by task and seed."""
    first, second = pair
    runs = {
        (f"{label} ({name})", seed): run
        for name in pair
        for (label, seed), run in pair[name].items()
    }
    contrasts = {
        f"{reference}-{other}": {
            f"{reference} ({first})": 1.0,
            f"{other} ({first})": -1.0,
            f"{reference} ({second})": -1.0,
            f"{other} ({second})": 1.0,
        }
        for other in dict.fromkeys(label for label, _ in pair[first] if label != reference)
    }
    return compare_contrasts(runs, contrasts, settings, metric)


def _gains(compared: pd.DataFrame, metric: MetricName, name: str, panel: str) -> pd.DataFrame:
    """Return the checkpoints of a comparison as gains: positive if the reference is better."""
    sign = -1.0 if METRICS[metric].better == "lower" else 1.0
    bounds = ["low", "high"] if sign > 0 else ["high", "low"]
    compared = compared.assign(mean=sign * compared["difference"])
    compared[["low", "high"]] = sign * compared[bounds].to_numpy()
    over_run = compared[compared["question"] == RUN].set_index("comparison")
    rows = compared[compared["question"] == CHECKPOINT].reset_index(drop=True)
    comparison = rows["comparison"]
    several = comparison.nunique() > 1
    rows = rows.rename(columns={"seeds": "n"}).assign(
        arrangement=[f"{name}, {each}" if several else name for each in comparison],
        panel=panel,
        quantity=f"{panel} in {METRICS[metric].name}",
        step=rows["steps"].astype(int),
        over_run=comparison.map(over_run["mean"]),
        over_run_low=comparison.map(over_run["low"]),
        over_run_high=comparison.map(over_run["high"]),
        p_value=comparison.map(over_run["p_value"]),
    )
    return rows[COLUMNS]


def _subtract(first: Runs, second: Runs) -> Runs:
    """Return runs on the instances of both sets whose mean is the difference of the sets' means.

    The sets become the tasks.
    """
    sizes = [next(iter(runs.values())).values.shape[1] for runs in (first, second)]
    result = {}
    for key in first:
        scaled = [
            runs[key].values.add_prefix(f"{i} ") * (sign * sum(sizes) / size)
            for i, runs, sign, size in zip("12", (first, second), (1, -1), sizes, strict=True)
        ]
        values = pd.concat(scaled, axis=1, join="inner").sort_index(axis=1)
        result[key] = _as_run(first[key], values, values.columns.to_series().str[0])
    return result


def _average(runs: Runs, weighting: str, by: Literal["task", "units"]) -> Runs:
    """Return runs whose instances are the means of tasks, or of units."""
    result = {}
    for key, run in runs.items():
        values = task_means(replace(run, task=getattr(run, by)), weighting)
        result[key] = _as_run(run, values, values.columns.to_series())
    return result


def _as_run(run: Run, values: pd.DataFrame, task: "pd.Series[str]") -> Run:
    return replace(run, values=values, task=task, label_tokens=pd.Series(1, index=values.columns))
