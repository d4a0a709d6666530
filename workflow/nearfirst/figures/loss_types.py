"""Unseen tasks sorted by the way their loss falls (Section A.6)."""

import numpy as np
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import over_seeds, task_means
from nearfirst.figures.run import Runs, by_label, check_seeds
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

    Returns
    -------
    types
        Every task: columns dataset, task, start, lowest, fall, share (NaN without a fall), type,
        n (seeds). Data sets in the order given, tasks by name.
    curves
        Of each type the tasks that fall furthest, equal falls by name: columns task, step, mean,
        low, high, n, panel, dataset, type, share, instances (of the task), confidence, left_out (of
        the whole test set).

    Raises
    ------
    InputError
        If the runs of a data set cannot be compared, do not begin at step 0, end before
        `within_steps`, or have no checkpoint up to it.
    """
    check_seeds(runs)
    types, parts = [], []
    for dataset, seeds in by_label(runs).items():
        each = [task_means(run, weighting) for run in seeds.values()]
        run, losses = next(iter(seeds.values())), each[0]
        mean = pd.DataFrame(np.mean(each, axis=0), losses.index, losses.columns)
        table = _types(dataset, mean, settings).assign(n=len(each))
        types.append(table)
        for kind in (FLAT, SLOW, LATE, NONE):
            of_kind = table[table["type"] == kind]
            shown = of_kind.sort_values("fall", ascending=False, kind="stable").head(settings.shown)
            for task, share in zip(shown["task"], shown["share"], strict=True):
                columns = {
                    "panel": f"{dataset}: {kind}",
                    "dataset": dataset,
                    "type": kind,
                    "share": share,
                    "instances": int((run.task == task).sum()),
                    "confidence": confidence,
                    **run.counts(),
                }
                curves = [means[task] for means in each]
                parts.append(over_seeds(curves, confidence, {"task": task}, columns))
    return pd.concat(types, ignore_index=True), pd.concat(parts, ignore_index=True)


def _types(dataset: str, mean: pd.DataFrame, settings: LossTypesSettings) -> pd.DataFrame:
    """Return the type of each task, from its (steps, tasks) mean losses."""
    steps, within = mean.index, settings.within_steps
    early = int((steps <= within).sum())
    if steps[0] != 0 or steps[-1] < within or early < 2:
        raise InputError(
            f"{dataset}: loss_types needs step 0, a checkpoint in steps 1 to {within} "
            f"(loss_types.within_steps) and one at step {within} or later; the run has steps "
            f"{', '.join(map(str, steps[:3]))}, … {steps[-1]}"
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
        "dataset": dataset,
        "task": mean.columns,
        "start": start,
        "lowest": lowest,
        "fall": fall,
        "share": share,
        "type": kinds,
    }
    return pd.DataFrame(columns)
