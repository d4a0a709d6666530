"""Unseen tasks sorted by the way their loss falls (Section A.6)."""

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import over_seeds, task_means
from nearfirst.figures.run import Runs, check_seeds
from nearfirst.figures.settings import LossTypesSettings

FLAT = "fast then flat"
SLOW = "fast then slow"
LATE = "late"
NONE = "no fall"


def loss_types(
    runs: Runs, weighting: str, confidence: float, settings: LossTypesSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sort every unseen task by how soon its loss falls.

    Of the task's curve, a mean over seeds, the fall is the loss at step 0 minus the lowest loss;
    its share is the part of the fall that the lowest loss of the first `within_steps` steps has
    reached. A share of at least `fast_share` is "fast then flat", a smaller one "fast then slow",
    one below `late_share` "late"; a task whose loss is never below its start is "no fall".

    Parameters
    ----------
    runs
        Runs by (data set, seed).
    weighting, confidence
        See `curves.curves`.
    settings
        The criterion, and how many tasks of a type are shown: those that fall most, equal falls
        by name.

    Returns
    -------
    types
        Every task: columns dataset, task, start, lowest, fall, share (NaN without a fall), type,
        n (seeds). Data sets in the order given, tasks by name.
    curves
        The tasks shown: columns task, step, mean, low, high, n, panel, dataset, type, share,
        instances (of the task), confidence, left_out (of the whole test set).

    Raises
    ------
    InputError
        If the runs of a data set cannot be compared, do not begin at step 0, or have no
        checkpoint within the first `within_steps` steps or none as late as that.
    """
    check_seeds(runs)
    types, parts = [], []
    for dataset in dict.fromkeys(dataset for dataset, _ in runs):
        its = [run for (name, _), run in runs.items() if name == dataset]
        each = [task_means(run, weighting) for run in its]
        mean = pd.DataFrame(
            np.mean([losses.to_numpy() for losses in each], axis=0),
            each[0].index,
            each[0].columns,
        )
        table = _types(dataset, mean, settings)
        table["n"] = len(its)
        types.append(table)
        for kind in (FLAT, SLOW, LATE, NONE):
            of_kind = table[table["type"] == kind]
            shown = of_kind.sort_values("fall", ascending=False, kind="stable").head(settings.shown)
            for task, share in zip(shown["task"], shown["share"], strict=True):
                part = over_seeds([losses[task] for losses in each], confidence)
                part.insert(0, "task", task)
                part["panel"] = f"{dataset}: {kind}"
                part["dataset"], part["type"], part["share"] = dataset, kind, share
                part["instances"] = int((its[0].task == task).sum())
                part["confidence"] = confidence
                part["left_out"] = its[0].left_out
                parts.append(part)
    return pd.concat(types, ignore_index=True), pd.concat(parts, ignore_index=True)


def _types(dataset: str, mean: pd.DataFrame, settings: LossTypesSettings) -> pd.DataFrame:
    """Return the type of each task, from its (steps, tasks) mean losses."""
    steps, within = mean.index, settings.within_steps
    if steps[0] != 0:
        raise InputError(f"{dataset}: the losses begin at step {steps[0]}; a fall begins at step 0")
    if steps[-1] < within:
        raise InputError(
            f"{dataset}: the run ends at step {steps[-1]}, before loss_types.within_steps = "
            f"{within}; train longer or lower it"
        )
    early = int((steps <= within).sum())
    if early < 2:
        raise InputError(
            f"{dataset}: no checkpoint in steps 1 to {within} (loss_types.within_steps); the first "
            f"is at step {steps[1]}"
        )
    values = mean.to_numpy()
    start, lowest = values[0], values.min(axis=0)
    fall = start - lowest
    falls = fall > 0
    share = np.full_like(fall, np.nan)
    np.divide(start - values[:early].min(axis=0), fall, out=share, where=falls)
    kinds = np.select(
        [~falls, share >= settings.fast_share, share >= settings.late_share],
        [NONE, FLAT, SLOW],
        LATE,
    )
    columns = {
        "task": mean.columns,
        "start": start,
        "lowest": lowest,
        "fall": fall,
        "share": share,
        "type": kinds,
    }
    table = pd.DataFrame(columns)
    table.insert(0, "dataset", dataset)
    return table
