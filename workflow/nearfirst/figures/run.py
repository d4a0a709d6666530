"""A run held wide: one metric by step and instance, checked once, then only arithmetic."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.metrics import METRICS, MetricName


@dataclass(frozen=True)
class Run:
    """One metric of one run on one test set.

    Attributes
    ----------
    values
        (steps, instances) of the metric: mean token losses in nats, scores from 0 to 1, or rewards;
        both axes sorted, no gaps.
    task, label_tokens
        Of each instance; only a loss has label tokens, elsewhere they are 1.
    left_out
        How many test instances have no value: truncation took their label, or they have no
        reference.
    """

    values: pd.DataFrame
    task: "pd.Series[str]"
    label_tokens: "pd.Series[int]"
    left_out: int = 0


Runs = Mapping[tuple[str, int], Run]
"""The run of each (label, seed)."""

Similarity = Mapping[str, pd.DataFrame]
"""Of each measure the (steps, tasks) distances of what was seen; task "" is the whole test set."""


def make_run(
    parts: Sequence[pd.DataFrame],
    names: Sequence[object],
    left_out: int = 0,
    metric: MetricName = "loss",
) -> Run:
    """Join the segments of a run.

    Parameters
    ----------
    parts
        Rows of each segment: step, id, task and the metric; for a loss label_tokens too.
    names
        What messages call each segment.
    left_out
        How many test instances have no value.
    metric
        The column to take.

    Raises
    ------
    InputError
        If a row lacks its step, id or task, a value is not finite or no score, a row stands twice,
        an instance is not there at every step, or has another task or other labels at another step.
    """
    rows = pd.concat(parts, keys=range(len(parts)))
    if metric != "loss":
        rows = rows.assign(label_tokens=1)

    def refuse(bad: "pd.Series[bool]", what: str) -> None:
        if bad.any():
            part = names[rows.index[bad][0][0]]
            raise InputError(f"{part}: " + what.format(**rows[bad].iloc[0]))

    refuse(rows["step"].isna(), "a row of id '{id}' has no step")
    refuse(rows[["id", "task"]].isna().any(axis=1), "a row of step {step} has no id or no task")
    refuse(
        ~np.isfinite(rows[metric]),
        f"the {metric} of id '{{id}}' at step {{step}} is {{{metric}}}; the run diverged or the "
        "table is damaged",
    )
    # Tables hold scores from 0 to 1, whatever figures show.
    least, most = (bound / METRICS[metric].scale for bound in METRICS[metric].limits)
    refuse(
        ~rows[metric].between(least, most),
        f"the {metric} of id '{{id}}' at step {{step}} is {{{metric}}}; it must be from 0 to 1",
    )
    refuse(rows.duplicated(["step", "id"]), "id '{id}' stands twice at step {step}")
    refuse(~(rows["label_tokens"] > 0), "id '{id}' has no label at step {step}")
    for column in ("task", "label_tokens"):
        refuse(
            rows[column] != rows.groupby("id")[column].transform("first"),
            f"id '{{id}}' has another {column} at step {{step}} than before; evaluate it again",
        )
    wide = rows.pivot(index="step", columns="id", values=metric).astype(np.float64)
    for row, column in np.argwhere(wide.isna().to_numpy())[:1]:
        step, id_ = wide.index[row], wide.columns[column]
        part = names[rows.index[rows["step"] == step][0][0]]
        raise InputError(f"{part}: id '{id_}' has no {metric} at step {step}, but at another step")
    instances = rows.drop_duplicates("id").set_index("id").loc[wide.columns]
    return Run(wide, instances["task"], instances["label_tokens"], left_out)


def scaled(runs: Runs, metric: MetricName) -> dict[tuple[str, int], Run]:
    """Return runs in the units of figures: scores from 0 to 100."""
    scale = METRICS[metric].scale
    return {key: replace(run, values=run.values * scale) for key, run in runs.items()}


def common_tasks(runs: Iterable[Run]) -> list[str]:
    """Return the tasks that all runs hold, by name."""
    return sorted(set.intersection(*(set(run.task) for run in runs)))


def check_seeds(runs: Runs) -> None:
    """Raise InputError unless all runs of a label hold the same steps and instances."""
    first: dict[str, tuple[str, int]] = {}
    for key, run in runs.items():
        other = first.setdefault(key[0], key)
        _check_same("id", runs, other, key)
        _check_same("step", runs, other, key)
        if run.left_out != runs[other].left_out:
            raise InputError(
                f"runs {other} and {key} cannot be compared: they left out "
                f"{runs[other].left_out} and {run.left_out} test instances"
            )


def check_instances(runs: Runs) -> None:
    """Raise InputError unless all runs, of whatever label, hold the same instances."""
    for key in runs:
        _check_same("id", runs, next(iter(runs)), key)


def _check_same(what: str, runs: Runs, one: tuple[str, int], other: tuple[str, int]) -> None:
    """Raise InputError unless two runs have the same steps or ids."""
    tables = runs[one].values, runs[other].values
    axes = [table.index if what == "step" else table.columns for table in tables]
    only = axes[0].symmetric_difference(axes[1])
    if len(only):
        raise InputError(
            f"runs {one} and {other} cannot be compared: only one has {what} '{only[0]}'"
        )
