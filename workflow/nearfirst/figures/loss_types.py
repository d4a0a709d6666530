"""Unseen tasks sorted by the way their loss falls (Section A.6)."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import summarize_seeds, task_means
from nearfirst.figures.read import runs_of
from nearfirst.figures.run import Runs, by_label
from nearfirst.figures.settings import CurveSettings, LossTypesSettings

FLAT = "fast then flat"
SLOW = "fast then slow"
LATE = "late"
NONE = "no fall"


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the curves of a figure of kind `loss-types`, and the type of every task."""
    types, table = loss_types(runs_of(figure, tables), settings.curves, settings.loss_types)
    logging.info("\n%s", types.groupby(["dataset", "type"], sort=False).size().to_string())
    return [table, types]


def loss_types(
    runs: Runs, curves: CurveSettings, settings: LossTypesSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sort every unseen task by how soon its loss falls.

    The loss of a task is a mean over seeds. Its fall is the loss at step 0 minus the lowest loss;
    its share is the part of the fall reached by the lowest loss of the first `within_steps` steps.
    The types are "fast then flat" (share of at least `fast_share`), "fast then slow", "late" (share
    below `late_share`), and "no fall" (loss never below its start). Raises InputError if the runs
    of a data set cannot be compared, do not begin at step 0, end before `within_steps`, or have no
    checkpoint between these.

    Returns
    -------
    types
        Every task: columns dataset, task, start, lowest, fall, share (NaN without a fall), type,
        n (seeds). Data sets in the order given, tasks by name.
    curves
        The tasks of each type that fall furthest, equal falls by name: columns task, step, mean,
        low, high, n, panel, dataset, type, share, instances (of the task), confidence, left_out (of
        the whole test set).
    """
    types, parts = [], []
    for dataset, seeds in by_label(runs).items():
        means = [task_means(run, curves.weighting) for run in seeds.values()]
        run = next(iter(seeds.values()))
        mean = pd.DataFrame(np.mean(means, axis=0), means[0].index, means[0].columns)
        table = _sort_tasks(dataset, mean, settings).assign(n=len(means))
        types.append(table)
        by_fall = table.sort_values("fall", ascending=False, kind="stable")
        for kind in (FLAT, SLOW, LATE, NONE):
            shown = by_fall[by_fall["type"] == kind].head(settings.shown)
            for task, share in zip(shown["task"], shown["share"], strict=True):
                columns = {
                    "panel": f"{dataset}: {kind}",
                    "dataset": dataset,
                    "type": kind,
                    "share": share,
                    "instances": int((run.task == task).sum()),
                    "confidence": curves.confidence,
                    **run.counts(),
                }
                of_task = [table[task] for table in means]
                first = {"task": task}
                parts.append(summarize_seeds(of_task, curves.confidence, first, columns))
    return pd.concat(types, ignore_index=True), pd.concat(parts, ignore_index=True)


def _sort_tasks(dataset: str, mean: pd.DataFrame, settings: LossTypesSettings) -> pd.DataFrame:
    """Return the type of each task, given (steps, tasks) mean losses."""
    steps, within = mean.index, settings.within_steps
    early = int((steps <= within).sum())
    if steps[0] != 0 or steps[-1] < within or early < 2:
        raise InputError(
            f"{dataset}: loss_types needs step 0, a checkpoint in steps 1 to {within} "
            f"(loss_types.within_steps) and one at step {within} or later; the run has steps "
            f"{', '.join(map(str, steps[:3]))}, … {steps[-1]}"
        )
    losses = mean.to_numpy()
    start, lowest = losses[0], losses.min(axis=0)
    fall = start - lowest
    with np.errstate(invalid="ignore"):
        share = (start - losses[:early].min(axis=0)) / fall
    is_type = [fall <= 0, share >= settings.fast_share, share >= settings.late_share]
    return pd.DataFrame(
        {
            "dataset": dataset,
            "task": mean.columns,
            "start": start,
            "lowest": lowest,
            "fall": fall,
            "share": share,
            "type": np.select(is_type, [NONE, FLAT, SLOW], LATE),
        }
    )
