"""One metric of a run as a matrix of steps and instances, and whether runs can be compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.embed.texts import is_reported
from nearfirst.metrics import METRICS, MetricName


@dataclass(frozen=True)
class Run:
    """One metric of one run on one test set.

    Attributes
    ----------
    values
        (steps, instances) mean token losses in nats, scores from 0 to 1, or rewards. Both axes are
        sorted, without gaps.
    task, label_tokens
        (instances,) task, and number of label tokens (1 unless the metric is the loss).
    left_out
        Number of test instances without a value, because truncation removed their answer or they
        have no reference.
    counted
        What the metadata of its tables count, without what is unknown: training instances
        (`trained`), and those that taught nothing because truncation removed their labels
        (`without_label`); instances of the `pool`; `tokens` that the run has read; `rounds` of TMA
        in the pool; its texts that were `embedded`, that the encoder `cut`, and that differ
        (`distinct`).
    content
        A digest, equal for runs whose steps hold the same instances; "" if unknown.
    unit
        What the test set is a sample of: tasks, or conversations where data have no tasks.
    """

    values: pd.DataFrame
    task: "pd.Series[str]"
    label_tokens: "pd.Series[int]"
    left_out: int = 0
    counted: Mapping[str, int] = field(default_factory=dict)
    content: str = ""
    unit: Literal["task", "conversation"] = "task"

    @property
    def units(self) -> "pd.Series[str]":
        """The unit of each instance: its task, or the instance itself if it is a conversation."""
        return self.task if self.unit == "task" else self.task.index.to_series()

    def select(self, mask: npt.NDArray[np.bool_]) -> Self:
        """Return the run on some of its test instances."""
        ids = self.values.columns[mask]
        task, label_tokens = self.task.loc[ids], self.label_tokens.loc[ids]
        return replace(self, values=self.values[ids], task=task, label_tokens=label_tokens)

    def counts(self) -> dict[str, int]:
        """Return the counts for the caption, as columns of a figure, without unknown ones."""
        known, counts = self.counted, {"left_out": self.left_out}
        if "trained" in known:
            counts |= {"trained": known["trained"], "without_label": known.get("without_label", 0)}
        if "rounds" in known:
            counts["rounds"] = known["rounds"]
        texts = {name: known.get(name, 0) for name in ("embedded", "cut", "distinct")}
        return counts | texts if is_reported(**texts) else counts

    def weights(self, weighting: str) -> "pd.Series[float]":
        """Return the weight of each instance in a mean: `instance` 1, `token` its label tokens."""
        ones = pd.Series(1.0, self.values.columns)
        return self.label_tokens.astype(float) if weighting == "token" else ones


Key = tuple[str, int]
"""Label and seed of a run."""

Runs = Mapping[Key, Run]

Similarity = Mapping[str, pd.DataFrame]
"""(steps, tasks) distances to the data seen, by measure; task "" is the whole test set."""


def make_run(
    rows: pd.DataFrame, where: object, metric: MetricName = "loss", left_out: int = 0
) -> Run:
    """Turn the rows of a run (step, id, task, metric; label_tokens for the loss) into a matrix.

    Raises InputError, with a message that begins with `where`, if an instance has two rows at a
    step, or none at a step that other instances have.
    """
    for row in rows[rows.duplicated(["step", "id"])].to_dict("records")[:1]:
        raise InputError(
            f"{where}: two rows of instance '{row['id']}' at step {row['step']}; give each segment "
            "of a run once"
        )
    wide = rows.pivot(index="step", columns="id", values=metric).astype(np.float64)
    for row, column in np.argwhere(wide.isna().to_numpy())[:1]:
        raise InputError(
            f"{where}: no {metric} of instance '{wide.columns[column]}' at step {wide.index[row]}, "
            "unlike at other steps; evaluate the run again"
        )
    instances = rows.drop_duplicates("id").set_index("id").loc[wide.columns]
    ones = pd.Series(1, wide.columns)
    return Run(wide, instances["task"], instances.get("label_tokens", ones), left_out)


def scaled(runs: Runs, metric: MetricName) -> dict[Key, Run]:
    """Return runs in the units of figures, where scores are from 0 to 100."""
    scale = METRICS[metric].scale
    return {key: replace(run, values=run.values * scale) for key, run in runs.items()}


def by_label(runs: Runs) -> dict[str, dict[int, Run]]:
    """Return the runs of each label by seed, in the order given.

    Raises InputError unless all runs of a label have the same steps and instances.
    """
    result: dict[str, dict[int, Run]] = {}
    for (label, seed), run in runs.items():
        seeds = result.setdefault(label, {})
        for first in list(seeds)[:1]:
            _check_axis("instance", runs, (label, first), (label, seed))
            _check_axis("step", runs, (label, first), (label, seed))
        seeds[seed] = run
    return result


def common_tasks(runs: Iterable[Run]) -> list[str]:
    """Return the tasks that all runs share, sorted by name."""
    return sorted(set.intersection(*(set(run.task) for run in runs)))


def common_steps(runs: Iterable[Run]) -> list[int]:
    """Return the steps after 0 that all runs share, in order."""
    return sorted(set.intersection(*(set(run.values.index) for run in runs)) - {0})


def check_instances(runs: Runs) -> None:
    """Raise InputError unless all runs, whatever their labels, have the same instances."""
    for key in runs:
        _check_axis("instance", runs, next(iter(runs)), key)


def _check_axis(name: Literal["step", "instance"], runs: Runs, *keys: Key) -> None:
    axis = 0 if name == "step" else 1
    a, b = (runs[key].values.axes[axis] for key in keys)
    unmatched = a.symmetric_difference(b)
    if len(unmatched):
        names = " and ".join(f"{label} (seed {seed})" for label, seed in keys)
        raise InputError(f"{names} cannot be compared: only one has {name} '{unmatched[0]}'")
