"""Gains of an order on several test sets, and how they differ between these."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.comparison import CHECKPOINT, RUN
from nearfirst.figures.comparison.paired import compare_contrasts, paired_comparison
from nearfirst.figures.curves import task_means
from nearfirst.figures.run import Key, Run, Runs
from nearfirst.figures.settings import ComparisonSettings
from nearfirst.metrics import METRICS, MetricName

GAIN, GAP = "Gain", "Gap"


def query_gap(
    sets: Mapping[str, Runs],
    reference: str,
    settings: ComparisonSettings,
    metric: MetricName = "loss",
    weighting: str = "instance",
) -> pd.DataFrame:
    """Return what the reference gains over each other label on each set, at each checkpoint.

    The gains are compared too: that of the first set minus that of another, the gap. Of sets with
    the same tasks it is paired by task and seed; others, such as those of another data set, are
    samples of their own, paired by seed. Each task counts once, or each conversation.

    Parameters
    ----------
    sets
        Of each set its runs, by label and seed.

    Returns
    -------
    Columns arrangement (what the gain is on), panel (`Gain` or `Gap`), quantity, step, mean, low,
    high, n (seeds), instances, units, confidence, over_run with over_run_low and over_run_high (the
    mean over the checkpoints), p_value (of that mean), and shared (instances that the first set has
    too).

    Raises
    ------
    InputError
        As `compare_contrasts`, and if two sets have the same instances.
    """
    names = list(sets)
    ids = {name: set(next(iter(runs.values())).values.columns) for name, runs in sets.items()}
    first = names[0]
    parts = []
    for name in names:
        shared = len(ids[name] & ids[first]) if name != first else 0
        if name != first and ids[name] == ids[first]:
            raise InputError(
                f"sets: {name!r} has the instances of {first!r}, so neither is held out; draw "
                "others, or lower data.NAME.sample.specialist_per_task"
            )
        if shared:
            counts = name, shared, len(ids[name]), first
            logging.warning("'%s': %d of %d instances are in '%s'", *counts)
        found = paired_comparison(sets[name], reference, settings, metric, weighting)
        parts.append(_gains(found, metric, name, GAIN).assign(shared=shared))
    by_task = {name: _by(runs, weighting, "task") for name, runs in sets.items()}
    tasks = {name: set(next(iter(runs.values())).values.columns) for name, runs in by_task.items()}
    for name in names[1:]:
        if tasks[name] != tasks[first] or len(tasks[first]) < 2:
            both = [_by(sets[which], weighting, "units") for which in (first, name)]
            if apart := _side_by_side(*both):
                by_set = settings.model_copy(update={"units": "instance"})
                found = paired_comparison(apart, reference, by_set, metric)
                found["tasks"] = found["instances"]
                parts.append(_gains(found, metric, f"{first} − {name}", GAP).assign(shared=0))
            continue
        of_both = {
            (f"{label} ({which})", seed): run
            for which in (first, name)
            for (label, seed), run in by_task[which].items()
        }
        others = dict.fromkeys(label for label, _ in sets[first] if label != reference)
        contrasts = {
            f"{reference}-{other}": {
                f"{reference} ({first})": 1.0,
                f"{other} ({first})": -1.0,
                f"{reference} ({name})": -1.0,
                f"{other} ({name})": 1.0,
            }
            for other in others
        }
        found = compare_contrasts(of_both, contrasts, settings, metric)
        parts.append(_gains(found, metric, f"{first} − {name}", GAP).assign(shared=0))
    return pd.concat(parts, ignore_index=True)


def _gains(found: pd.DataFrame, metric: MetricName, name: str, panel: str) -> pd.DataFrame:
    """Return the checkpoints of a comparison as gains: a lower loss is one, and a higher score."""
    better = -1.0 if METRICS[metric].better == "lower" else 1.0
    bounds = ["low", "high"] if better > 0 else ["high", "low"]
    found = found.assign(mean=better * found["difference"])
    found[["low", "high"]] = better * found[bounds].to_numpy()
    several = found["comparison"].nunique() > 1
    over = found[found["question"] == RUN].set_index("comparison")
    its = found[found["question"] == CHECKPOINT].reset_index(drop=True)
    columns = {"over_run": "mean", "over_run_low": "low", "over_run_high": "high"}
    return pd.DataFrame(
        {
            "arrangement": [f"{name}, {one}" if several else name for one in its["comparison"]],
            "panel": panel,
            "quantity": f"{panel} in {METRICS[metric].name}",
            "step": its["steps"].astype(int),
            **{key: its[key] for key in ("mean", "low", "high")},
            "n": its["seeds"],
            **{key: its[key] for key in ("instances", "tasks", "confidence")},
            **{key: its["comparison"].map(over[value]) for key, value in columns.items()},
            "p_value": its["comparison"].map(over["p_value"]),
        }
    )


def _side_by_side(first: Runs, other: Runs) -> dict[Key, Run] | None:
    """Return runs whose mean over the instances of both sets is a difference of the sets' means.

    Tasks are the two sets. None if one of them has a single instance, which shows no variance.
    """
    sizes = [next(iter(runs.values())).values.shape[1] for runs in (first, other)]
    if min(sizes) < 2:
        return None
    found = {}
    for key in first:
        scaled = [
            runs[key].values.add_prefix(f"{which} ") * (sign * sum(sizes) / size)
            for which, runs, sign, size in zip("12", (first, other), (1, -1), sizes, strict=True)
        ]
        values = pd.concat(scaled, axis=1, join="inner").sort_index(axis=1)
        task = values.columns.to_series().str[0]
        found[key] = replace(
            first[key], values=values, task=task, label_tokens=pd.Series(1, index=values.columns)
        )
    return found


def _by(runs: Runs, weighting: str, what: Literal["task", "units"]) -> dict[Key, Run]:
    """Return runs whose instances are the means of tasks, or of units."""
    found = {}
    for key, run in runs.items():
        values = task_means(replace(run, task=getattr(run, what)), weighting)
        names = pd.Series(values.columns, index=values.columns)
        ones = pd.Series(1, index=values.columns)
        found[key] = replace(run, values=values, task=names, label_tokens=ones)
    return found
