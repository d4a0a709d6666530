"""The loss of single unseen tasks, and how far what was seen is from them."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from nearfirst.common.errors import InputError
from nearfirst.figures.curves import over_seeds, task_means
from nearfirst.figures.run import Runs, Similarity, check_instances, check_seeds

Floats = npt.NDArray[np.float64]
LOSS = "loss"
SCALED = "scaled-cosine-avg"

Panel = Literal["task", "test", "quantity"]
Key = tuple[str, int]
Similarities = Mapping[Key, Similarity]


def pick(tasks: Sequence[str], count: int, offset: int, of: int) -> list[str]:
    """Pick tasks where none is named: some of evenly spread ones.

    Of T tasks, number i of `of` evenly spread ones is at floor((i + 1/2) · T / of); numbers
    `offset` to `offset + count − 1` are taken, counted from 0.

    Raises
    ------
    InputError
        If that many are not there.
    """
    if count < 1 or not 0 <= offset <= of - count:
        raise InputError(f"--pick {count} --offset {offset} --of {of}: these are not there")
    if of > len(tasks):
        raise InputError(f"--of {of}: there are only {len(tasks)} unseen tasks")
    return [tasks[(2 * i + 1) * len(tasks) // (2 * of)] for i in range(offset, offset + count)]


def full_name(name: str, tasks: Sequence[str]) -> str:
    """Return the one task whose name begins with `name` and a `_`, unless `name` is a task's own.

    A paper says `task851`, the data `task851_…`. A name that is none is returned as it is.
    """
    longer = [task for task in tasks if task.startswith(f"{name}_")]
    return longer[0] if name not in tasks and len(longer) == 1 else name


def task_curves(
    tests: Mapping[str, Runs],
    similarities: Mapping[str, Similarities],
    tasks: Sequence[str],
    quantities: Sequence[str],
    panel: Panel,
    weighting: str,
    confidence: float,
) -> pd.DataFrame:
    """Return curves of single tasks, with intervals over seeds.

    Parameters
    ----------
    tests
        Of each test set its runs.
    similarities
        Of each test set the similarity of its runs; needed for all quantities but the loss.
    tasks
        Unseen tasks. Each is the mean over its own instances.
    quantities
        `loss`, measures of the similarity tables, `scaled-cosine-avg` (Eq. 14, in each run).
    panel
        What differs between panels: tasks, test sets or quantities.
    weighting, confidence
        See `curves.curves`.

    Returns
    -------
    Columns arrangement, step, mean, low, high, n (seeds), panel, quantity, task, test, instances
    (of the task), confidence, left_out (of the whole test set), and seed_N, the single run of seed
    N: where the order of tasks differs between seeds, so does the step of a sudden fall, and the
    mean hides it. Similarity begins after step 0.

    Raises
    ------
    InputError
        If runs cannot be compared, a task, a quantity or a similarity is missing, or a panel
        would hold several tasks or several test sets.
    """
    for name, values in (("task", tasks), ("test", list(tests))):
        if len(values) > 1 and panel != name:
            raise InputError(
                f"--panel {panel}: {len(values)} {name}s in one panel ({', '.join(values)}); "
                f"give one, or --panel {name}"
            )
    for test, runs in tests.items():
        check_seeds(runs)
        check_instances(runs)
        for (label, seed), run in runs.items():
            for task in tasks:
                _check_task(task, run.task.unique(), f"--run {label} {seed} {test}")
    losses = {
        test: {key: task_means(run, weighting) for key, run in runs.items()}
        for test, runs in tests.items()
    }
    parts = []
    for task in tasks:
        for test, runs in tests.items():
            run = next(iter(runs.values()))
            for quantity in quantities:
                for label in dict.fromkeys(label for label, _ in runs):
                    keys = [key for key in runs if key[0] == label]
                    if quantity == LOSS:
                        each = [losses[test][key][task] for key in keys]
                    else:
                        its = similarities.get(test, {})
                        each = [_distance(its, test, key, task, quantity) for key in keys]
                        _check_steps(each, test, keys)
                    part = over_seeds(each, confidence)
                    part.insert(0, "arrangement", label)
                    part["panel"] = {"task": task, "test": test, "quantity": quantity}[panel]
                    part["quantity"], part["task"], part["test"] = quantity, task, test
                    part["instances"] = int((run.task == task).sum())
                    part["confidence"] = confidence
                    part["left_out"] = run.left_out
                    for (_, seed), curve in zip(keys, each, strict=True):
                        part[f"seed_{seed}"] = curve.to_numpy()
                    parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _check_task(task: str, found: Iterable[str], where: str) -> None:
    names = [name for name in found if name]
    if task not in names:
        nearest = difflib.get_close_matches(task, names, n=3, cutoff=0)
        raise InputError(
            f"{where}: no unseen task '{task}'; the nearest names are {', '.join(nearest)}"
        )


def _distance(
    similarities: Similarities, test: str, key: Key, task: str, quantity: str
) -> "pd.Series[float]":
    """Return the (steps,) distance of a task in one run."""
    where = f"--similarity {key[0]} {key[1]} {test}"
    if key not in similarities:
        raise InputError(f"{where}: not given, but {quantity} needs it")
    tables = similarities[key]
    needed = ("cosine-avg", "cosine-min") if quantity == SCALED else (quantity,)
    for measure in needed:
        if measure not in tables:
            raise InputError(
                f"{where}: it holds no measure '{measure}'; quantities are {LOSS}, {SCALED}, "
                f"{', '.join(tables)}"
            )
        _check_task(task, tables[measure].columns, where)
    if quantity != SCALED:
        return tables[quantity][task]
    average, minimum = (tables[measure][task] for measure in needed)
    try:
        scaled = scaled_average(average.to_numpy(), minimum.to_numpy())
    except InputError as error:
        raise InputError(f"{where}, task '{task}': {error}") from None
    return pd.Series(scaled, average.index)


def _check_steps(each: Sequence["pd.Series[float]"], test: str, keys: Sequence[Key]) -> None:
    for curve, key in zip(each, keys, strict=True):
        if not curve.index.equals(each[0].index):
            raise InputError(
                f"--similarity of {keys[0]} and {key} on {test}: their steps differ; measure both "
                "for runs of the same length"
            )


def scaled_average(average: Floats, minimum: Floats) -> Floats:
    """Bring the Cosine-Avg of one run to the magnitude of its Cosine-Min (Eq. 14).

    Parameters
    ----------
    average, minimum
        (K,) Cosine-Avg and Cosine-Min at the checkpoints of the run.

    Raises
    ------
    InputError
        If the factor is not positive and finite: the curve would be upside down, or none.
    """
    means = float(minimum.mean()), float(average.mean())
    factor = means[0] / means[1] if means[1] else float("nan")
    if not 0 < factor < float("inf"):
        raise InputError(
            f"Scaled Cosine-Avg: the mean of Cosine-Min is {means[0]:.4g}, that of Cosine-Avg "
            f"{means[1]:.4g}; their ratio must be positive and finite, so these curves cannot be "
            "scaled to each other"
        )
    return average * factor
