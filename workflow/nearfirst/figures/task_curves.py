"""The loss of single unseen tasks, and their distance from the data seen so far."""

import difflib
import logging
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import summarize_seeds, task_means
from nearfirst.figures.read import read_runs, read_similarities, results_by_test
from nearfirst.figures.run import (
    Key,
    Runs,
    Similarity,
    by_label,
    check_instances,
    common_tasks,
)
from nearfirst.figures.settings import CurveSettings

Panel = Literal["task", "test", "quantity"]


def compute(figure: Any, tables: Sequence[Path], settings: Any) -> list[pd.DataFrame]:
    """Return the curves of a figure of kind `tasks` (`Figure.compute`)."""
    tests = results_by_test(read_runs(tables), figure, figure.tests)
    similarities = {}
    if figure.needs_similarity():
        similarities = results_by_test(read_similarities(tables), figure, figure.tests)
    unseen = common_tasks(run for runs in tests.values() for run in runs.values())
    tasks = choose_tasks(unseen, figure.tasks, figure.pick)
    logging.info("of %d unseen tasks: %s", len(unseen), ", ".join(tasks))
    quantities, panels = figure.quantities, figure.panels
    return [task_curves(tests, similarities, tasks, quantities, panels, settings.curves)]


def choose_tasks(
    tasks: Sequence[str], names: Sequence[str] | None, pick: tuple[int, int, int]
) -> list[str]:
    """Return the unseen tasks that a figure shows.

    A name may be the part of a task's name before a `_`: papers say `task851`, data `task851_…`.
    Without names, `pick` = (count, first, total) takes evenly spread tasks: `total` of T tasks are
    at floor((i + 1/2) · T / total), and `count` of these are taken, starting with i = `first`.
    Raises InputError if a name matches no task, or there are fewer than `total` tasks.
    """
    if names:
        return list(dict.fromkeys(_full_name(name, tasks) for name in names))
    count, first, total = pick
    n = len(tasks)
    if total > n:
        raise InputError(f"pick: {total} evenly spread tasks, but there are {n} unseen tasks")
    return [tasks[(2 * i + 1) * n // (2 * total)] for i in range(first, first + count)]


def _full_name(name: str, tasks: Sequence[str]) -> str:
    matches = [task for task in tasks if task.startswith(f"{name}_")]
    if name in tasks:
        return name
    if len(matches) == 1:
        return matches[0]
    nearest = ", ".join(difflib.get_close_matches(name, tasks, n=3, cutoff=0))
    raise InputError(f"no unseen task '{name}' in all runs; the nearest names are {nearest}")


def task_curves(
    tests: Mapping[str, Runs],
    similarities: Mapping[str, Mapping[Key, Similarity]],
    tasks: Sequence[str],
    quantities: Sequence[str],
    panel: Panel,
    settings: CurveSettings,
) -> pd.DataFrame:
    """Return curves of single tasks, with intervals over seeds.

    Raises InputError if runs cannot be compared, or an average cannot be scaled.

    Parameters
    ----------
    tests, similarities
        Runs of each test set, and their similarity, which all quantities but the loss need.
    quantities
        `loss`, measures of the similarity tables, `scaled-cosine-avg` (Eq. 14, for each run).
    panel
        What differs between panels.

    Returns
    -------
    Columns arrangement, step, mean, low, high, n (seeds), panel, quantity, task, test, instances
    (of the task), confidence, left_out (of the whole test set), and seed_N, the single run of seed
    N: where seeds differ in the order of tasks, and so in the step of a sudden fall, the mean hides
    it. Similarity begins after step 0.
    """
    for runs in tests.values():
        check_instances(runs)
    parts = []
    for task, test, quantity in product(tasks, tests, quantities):
        for label, seeds in by_label(tests[test]).items():
            curves = {}
            for seed, run in seeds.items():
                if quantity == "loss":
                    curves[f"seed_{seed}"] = task_means(run, settings.weighting)[task]
                else:
                    similarity = {k: v[task] for k, v in similarities[test][label, seed].items()}
                    where = f"{label}, seed {seed}, task '{task}'"
                    curves[f"seed_{seed}"] = _distance(similarity, quantity, where)
            run = next(iter(seeds.values()))
            columns = {
                "panel": {"task": task, "test": test, "quantity": quantity}[panel],
                "quantity": quantity,
                "task": task,
                "test": test,
                "instances": int((run.task == task).sum()),
                "confidence": settings.confidence,
                **run.counts(),
                **{name: curve.to_numpy() for name, curve in curves.items()},
            }
            first = {"arrangement": label}
            parts.append(summarize_seeds([*curves.values()], settings.confidence, first, columns))
    return pd.concat(parts, ignore_index=True)


def _distance(
    similarity: Mapping[str, "pd.Series[float]"], quantity: str, where: str
) -> "pd.Series[float]":
    """Return the curve of a measure, or Cosine-Avg at the magnitude of Cosine-Min (Eq. 14).

    Raises InputError if the factor is not positive and finite, which would turn the curve upside
    down or leave it undefined.
    """
    if quantity != "scaled-cosine-avg":
        return similarity[quantity]
    average = similarity["cosine-avg"]
    mean_min, mean_avg = similarity["cosine-min"].to_numpy().mean(), average.to_numpy().mean()
    if mean_min * mean_avg <= 0:
        raise InputError(
            f"{where}: Scaled Cosine-Avg: the mean of Cosine-Min is {mean_min:.4g}, that of "
            f"Cosine-Avg {mean_avg:.4g}; their ratio must be positive and finite; draw cosine-avg "
            "instead"
        )
    return average * float(mean_min / mean_avg)
