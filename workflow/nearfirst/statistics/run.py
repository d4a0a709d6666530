"""A run held wide: its losses by step and instance, checked once, then only arithmetic."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nearfirst.errors import InputError


@dataclass(frozen=True)
class Run:
    """The losses of one run on one test set.

    Attributes
    ----------
    loss
        (steps, instances) mean token losses, nats; both axes sorted, no gaps.
    task, label_tokens
        Of each instance.
    left_out
        How many test instances truncation left without a label.
    """

    loss: pd.DataFrame
    task: "pd.Series[str]"
    label_tokens: "pd.Series[int]"
    left_out: int = 0


Runs = Mapping[tuple[str, int], Run]
"""The run of each (label, seed)."""

Similarity = Mapping[str, pd.DataFrame]
"""Of each measure the (steps, tasks) distances of what was seen; task "" is the whole test set."""


def make_run(parts: Sequence[pd.DataFrame], names: Sequence[object], left_out: int = 0) -> Run:
    """Join the segments of a run.

    Parameters
    ----------
    parts
        Rows of each segment: the columns of `tables.LOSSES`.
    names
        What messages call each segment.
    left_out
        How many test instances have no label.

    Raises
    ------
    InputError
        If a row lacks its id or task, a loss is not finite, a row stands twice, an instance is
        not there at every step, or has another task or other labels at another step.
    """
    losses = pd.concat(parts, keys=range(len(parts)))

    def refuse(bad: "pd.Series[bool]", what: str) -> None:
        if bad.any():
            part = names[losses.index[bad][0][0]]
            raise InputError(f"{part}: " + what.format(**losses[bad].iloc[0]))

    refuse(losses[["id", "task"]].isna().any(axis=1), "a row of step {step} has no id or no task")
    refuse(
        ~np.isfinite(losses["loss"]),
        "the loss of id '{id}' at step {step} is {loss}; the run diverged or the table is damaged",
    )
    refuse(losses.duplicated(["step", "id"]), "id '{id}' stands twice at step {step}")
    refuse(~(losses["label_tokens"] > 0), "id '{id}' has no label at step {step}")
    for column in ("task", "label_tokens"):
        refuse(
            losses[column] != losses.groupby("id")[column].transform("first"),
            f"id '{{id}}' has another {column} at step {{step}} than before; evaluate it again",
        )
    wide = losses.pivot(index="step", columns="id", values="loss").astype(np.float64)
    for row, column in np.argwhere(wide.isna().to_numpy())[:1]:
        step, id_ = wide.index[row], wide.columns[column]
        part = names[losses.index[losses["step"] == step][0][0]]
        raise InputError(f"{part}: id '{id_}' has no loss at step {step}, but at another step")
    instances = losses.drop_duplicates("id").set_index("id").loc[wide.columns]
    return Run(wide, instances["task"], instances["label_tokens"], left_out)


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
    losses = runs[one].loss, runs[other].loss
    axes = [loss.index if what == "step" else loss.columns for loss in losses]
    only = axes[0].symmetric_difference(axes[1])
    if len(only):
        raise InputError(
            f"runs {one} and {other} cannot be compared: only one has {what} '{only[0]}'"
        )
