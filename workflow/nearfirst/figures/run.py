"""One metric of a run as a matrix of steps and instances, and whether runs can be compared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.embed.texts import is_told
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
        How many test instances have no value: truncation removed their answer, or they have no
        reference.
    trained, without_label
        How many training instances the run had, and how many of these taught nothing, since
        truncation removed their labels; 0 and 0 where that is not known.
    pool, tokens
        How many instances the pool has, and how many tokens the run has read of it; 0 likewise.
    rounds
        How many rounds of TMA the pool has; 0 for other orders, or if it is not known.
    embedded, cut, distinct
        How many texts of the pool were embedded, how many of them the encoder cut, and how many
        embeddings differ; 0 likewise.
    content
        A digest that runs share if each of their steps holds the same; "" if it is not known.
    unit
        What the test set is a sample of: tasks, or conversations where data have no tasks.
    """

    values: pd.DataFrame
    task: "pd.Series[str]"
    label_tokens: "pd.Series[int]"
    left_out: int = 0
    trained: int = 0
    without_label: int = 0
    rounds: int = 0
    embedded: int = 0
    cut: int = 0
    distinct: int = 0
    content: str = ""
    unit: Literal["task", "conversation"] = "task"
    pool: int = 0
    tokens: int = 0

    @property
    def units(self) -> "pd.Series[str]":
        """The task of each instance, or the conversation that it is."""
        return self.task if self.unit == "task" else self.task.index.to_series()

    def counts(self) -> dict[str, int]:
        """Return what a caption counts, as columns of a figure; what is not known has none."""
        known = {"trained": self.trained, "without_label": self.without_label}
        rounds = {"rounds": self.rounds} if self.rounds else {}
        its = {"embedded": self.embedded, "cut": self.cut, "distinct": self.distinct}
        told = its if is_told(**its) else {}
        return {"left_out": self.left_out, **(known if self.trained else {}), **rounds, **told}

    def weights(self, weighting: str) -> "pd.Series[float]":
        """Return the weight of each instance in a mean: `instance` 1, `token` its label tokens."""
        ones = pd.Series(1.0, self.values.columns)
        return self.label_tokens.astype(float) if weighting == "token" else ones


Key = tuple[str, int]
"""Label and seed of a run."""

Runs = Mapping[Key, Run]

Similarity = Mapping[str, pd.DataFrame]
"""Of each measure the (steps, tasks) distances of what was seen; task "" is the whole test set."""


def make_run(
    rows: pd.DataFrame, where: object, metric: MetricName = "loss", left_out: int = 0
) -> Run:
    """Turn the rows of a run (step, id, task, the metric; for a loss label_tokens) into a matrix.

    Raises
    ------
    InputError
        If an instance has two rows at a step, or none at a step that others have. The message
        begins with `where`.
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
            "but at other steps; evaluate the run again"
        )
    instances = rows.drop_duplicates("id").set_index("id").loc[wide.columns]
    ones = pd.Series(1, wide.columns)
    return Run(wide, instances["task"], instances.get("label_tokens", ones), left_out)


def scaled(runs: Runs, metric: MetricName) -> dict[Key, Run]:
    """Return runs in the units of figures: scores from 0 to 100."""
    scale = METRICS[metric].scale
    return {key: replace(run, values=run.values * scale) for key, run in runs.items()}


def by_label(runs: Runs) -> dict[str, dict[int, Run]]:
    """Return the runs of each label by seed, in the order given."""
    found: dict[str, dict[int, Run]] = {}
    for (label, seed), run in runs.items():
        found.setdefault(label, {})[seed] = run
    return found


def common_tasks(runs: Iterable[Run]) -> list[str]:
    """Return the tasks that all runs have, sorted by name."""
    return sorted(set.intersection(*(set(run.task) for run in runs)))


def check_seeds(runs: Runs) -> None:
    """Raise InputError unless all runs of a label have the same steps and instances."""
    first: dict[str, Key] = {}
    for key in runs:
        other = first.setdefault(key[0], key)
        _check_equal("instance", runs, other, key)
        _check_equal("step", runs, other, key)


def check_instances(runs: Runs) -> None:
    """Raise InputError unless all runs, of whatever label, have the same instances."""
    for key in runs:
        _check_equal("instance", runs, next(iter(runs)), key)


def _check_equal(what: str, runs: Runs, *keys: Key) -> None:
    steps, instances = ([runs[key].values.axes[axis] for key in keys] for axis in (0, 1))
    one, other = steps if what == "step" else instances
    only = one.symmetric_difference(other)
    if len(only):
        names = " and ".join(f"{label} (seed {seed})" for label, seed in keys)
        raise InputError(f"{names} cannot be compared: only one has {what} '{only[0]}'")


def similarity_of(similarities: Mapping[Key, Similarity], key: Key, run: Run) -> Similarity:
    """Return the similarity of a run.

    Raises
    ------
    InputError
        If there is none, or its checkpoints are not those of the run after step 0.
    """
    label, seed = key
    if key not in similarities:
        raise InputError(f"{label}, seed {seed}: the similarity table of this run is missing")
    found = similarities[key]
    steps = run.values.index.drop([0], errors="ignore")
    only = next(iter(found.values())).index.symmetric_difference(steps)
    if len(only):
        raise InputError(
            f"{label}, seed {seed}: only one of losses and similarity has step {only[0]}; compute "
            "both for runs of the same length"
        )
    return found
