"""The loss of single unseen tasks, and how far the data seen so far are from them."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import over_seeds, task_means
from nearfirst.figures.run import (
    Key,
    Runs,
    Similarity,
    by_label,
    check_instances,
    check_seeds,
    similarity_of,
)

Floats = npt.NDArray[np.float64]
LOSS = "loss"
SCALED = "scaled-cosine-avg"

Panel = Literal["task", "test", "quantity"]


def choose_tasks(
    known: Sequence[str], names: Sequence[str] | None, pick: tuple[int, int, int]
) -> list[str]:
    """Return the unseen tasks that a figure shows.

    A name may be the beginning of a task's name up to a `_`: papers say `task851`, data
    `task851_…`. Without names, `pick` (count, first, of) takes evenly spread tasks: of T tasks,
    number i of `of` is at floor((i + 1/2) · T / of), and `count` of them are taken from number
    `first` on, counted from 0.

    Raises
    ------
    InputError
        If there is no task of a name, or there are fewer than `of` tasks.
    """
    if names:
        return list(dict.fromkeys(_full_name(name, known) for name in names))
    count, first, of = pick
    if of > len(known):
        raise InputError(f"pick: {of} evenly spread tasks, but there are {len(known)} unseen tasks")
    return [known[(2 * i + 1) * len(known) // (2 * of)] for i in range(first, first + count)]


def _full_name(name: str, known: Sequence[str]) -> str:
    if name in known:
        return name
    longer = [task for task in known if task.startswith(f"{name}_")]
    if len(longer) == 1:
        return longer[0]
    nearest = ", ".join(difflib.get_close_matches(name, known, n=3, cutoff=0))
    raise InputError(f"no unseen task '{name}' in all runs; the nearest names are {nearest}")


def task_curves(
    tests: Mapping[str, Runs],
    similarities: Mapping[str, Mapping[Key, Similarity]],
    tasks: Sequence[str],
    quantities: Sequence[str],
    panel: Panel,
    weighting: str,
    confidence: float,
) -> pd.DataFrame:
    """Return curves of single tasks, with intervals over seeds.

    Parameters
    ----------
    tests, similarities
        Of each test set its runs, and their similarity, which all quantities but the loss need.
    tasks
        Unseen tasks. Each is the mean over its own instances.
    quantities
        `loss`, measures of the similarity tables, `scaled-cosine-avg` (Eq. 14, in each run).
    panel
        What differs between panels.

    Returns
    -------
    Columns arrangement, step, mean, low, high, n (seeds), panel, quantity, task, test, instances
    (of the task), confidence, left_out (of the whole test set), and seed_N, the single run of seed
    N: where the order of tasks differs between seeds, so does the step of a sudden fall, and the
    mean hides it. Similarity begins after step 0.

    Raises
    ------
    InputError
        If runs cannot be compared, a similarity is missing or of other steps, or an average cannot
        be scaled.
    """
    for runs in tests.values():
        check_seeds(runs)
        check_instances(runs)
    parts = []
    for task in tasks:
        for test, runs in tests.items():
            for quantity in quantities:
                for label, seeds in by_label(runs).items():
                    its = {(label, seed): run for seed, run in seeds.items()}
                    each = list(_curves(its, similarities.get(test, {}), task, quantity, weighting))
                    run = next(iter(seeds.values()))
                    columns: dict[str, object] = {
                        "panel": {"task": task, "test": test, "quantity": quantity}[panel],
                        "quantity": quantity,
                        "task": task,
                        "test": test,
                        "instances": int((run.task == task).sum()),
                        "confidence": confidence,
                        "left_out": run.left_out,
                    }
                    for seed, curve in zip(seeds, each, strict=True):
                        columns[f"seed_{seed}"] = curve.to_numpy()
                    parts.append(over_seeds(each, confidence, {"arrangement": label}, columns))
    return pd.concat(parts, ignore_index=True)


def _curves(
    runs: Runs,
    similarities: Mapping[Key, Similarity],
    task: str,
    quantity: str,
    weighting: str,
) -> Iterator["pd.Series[float]"]:
    """Yield the (steps,) curve of a task in each run."""
    for key, run in runs.items():
        if quantity == LOSS:
            yield task_means(run, weighting)[task]
            continue
        tables = similarity_of(similarities, key, run)
        if quantity != SCALED:
            yield tables[quantity][task]
            continue
        average, minimum = (tables[measure][task] for measure in ("cosine-avg", "cosine-min"))
        try:
            scaled = scaled_average(average.to_numpy(), minimum.to_numpy())
        except InputError as error:
            raise InputError(f"{key[0]}, seed {key[1]}, task '{task}': {error}") from None
        yield pd.Series(scaled, average.index)


def scaled_average(average: Floats, minimum: Floats) -> Floats:
    """Bring the (K,) Cosine-Avg of one run to the magnitude of its Cosine-Min (Eq. 14).

    Raises
    ------
    InputError
        If the factor is not positive and finite: the curve would be upside down, or undefined.
    """
    means = float(minimum.mean()), float(average.mean())
    factor = means[0] / means[1] if means[1] else float("nan")
    if not 0 < factor < float("inf"):
        raise InputError(
            f"Scaled Cosine-Avg: the mean of Cosine-Min is {means[0]:.4g}, that of Cosine-Avg "
            f"{means[1]:.4g}; their ratio must be positive and finite, draw cosine-avg instead"
        )
    return average * factor
