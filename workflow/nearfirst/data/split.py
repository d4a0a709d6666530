"""Which tasks or conversations are the test set, and which ones are trained on."""

import difflib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nearfirst.common.errors import InputError
from nearfirst.data.inventory import Inventory
from nearfirst.data.settings import HeldOut

Rows = dict[str, Sequence[int]]
"""Task to row numbers."""

DEFAULT_HELD_OUT = (0.1, 200)
"""Share of the conversations that is held out by default, and the largest number of them."""


class Split(NamedTuple):
    """The rows to train on and those to test on."""

    train: Rows
    test: Rows


def split(
    found: Inventory,
    sample: Any,
    holds_out: HeldOut,
    key_list: Path | None = None,
    test_first: int | None = None,
) -> Split:
    """Split a data set.

    Parameters
    ----------
    found
        What the data set holds.
    sample
        The section `sample` of its settings.
    holds_out
        What is held out as the test set.
    key_list
        File that lists the training and the unseen tasks, if there is one.
    test_first
        Test only the first instances of an unseen task; None for all of them.

    Raises
    ------
    InputError
        If nothing would be left to train on, or as `published_tasks`, `read_key_list`,
        `named_tasks`, `random_tasks` and `tasks_by_source`.
    """
    rows = found.rows
    if holds_out == "nothing":
        return Split(rows, {})
    if holds_out == "rows":
        test = hold_out(rows, sample.held_out, sample.split_seed)
        return Split(
            {task: [row for row in its if row not in test] for task, its in rows.items()},
            {task: [row for row in its if row in test] for task, its in rows.items()},
        )
    train, unseen = _tasks(found, sample, key_list)
    return Split({t: rows[t] for t in train}, {t: rows[t][:test_first] for t in unseen})


def _tasks(found: Inventory, sample: Any, key_list: Path | None) -> tuple[list[str], list[str]]:
    """Return the training and the unseen tasks."""
    how = getattr(sample, "split", "random")
    if isinstance(sample.unseen_tasks, list):
        return named_tasks(found.rows, sample.unseen_tasks)
    if how == "source":
        return tasks_by_source(found.sources, sample.unseen_tasks, sample.split_seed)
    if how == "published" and key_list:
        return read_key_list(key_list, found.rows)
    if how == "published" and found.parts:
        return published_tasks(found)
    return random_tasks(found.rows, sample.unseen_tasks, sample.split_seed)


def published_tasks(found: Inventory) -> tuple[list[str], list[str]]:
    """Return the training and the unseen tasks of the published split.

    Raises
    ------
    InputError
        If one side is empty.
    """
    train, unseen = (
        [task for task, part in found.parts.items() if part == side] for side in ("train", "unseen")
    )
    if train and unseen:
        return train, unseen
    raise InputError(
        f"the published split leaves {len(train)} training and {len(unseen)} unseen tasks of "
        "those that are here; complete the data, or set sample.split: random"
    )


def read_key_list(path: Path, tasks: Iterable[str]) -> tuple[list[str], list[str]]:
    """Read the training and the unseen tasks from `{"train_key_list", "eval_key_list"}`.

    Raises
    ------
    InputError
        If the file has another form, lists a task twice, or lists one that is not in the data.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such key-list file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        train, unseen = content["train_key_list"], content["eval_key_list"]
        for name, listed in (("train_key_list", train), ("eval_key_list", unseen)):
            if not isinstance(listed, list) or not all(isinstance(task, str) for task in listed):
                raise TypeError(f"{name} is not a list of names")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f'{path}: expected {{"train_key_list": [...], "eval_key_list": [...]}} '
            f"({type(error).__name__}: {error})"
        ) from None
    every, known = [*train, *unseen], set(tasks)
    unknown = [task for task in every if task not in known]
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise InputError(f"{path}: task '{unknown[0]}'{more} is not in the data")
    if len(set(every)) < len(every):
        twice = next(task for task in every if every.count(task) > 1)
        raise InputError(f"{path}: task '{twice}' is listed twice")
    if not train or not unseen:
        raise InputError(f"{path}: both lists must name at least one task")
    return train, unseen


def named_tasks(tasks: Iterable[str], unseen: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the tasks, given the names of the unseen ones; both sides are sorted.

    Raises
    ------
    InputError
        If a name is not in the data, or no training task is left.
    """
    known = set(tasks)
    for name in unseen:
        if name not in known:
            nearest = difflib.get_close_matches(name, sorted(known), 1, 0.6)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise InputError(f"sample.unseen_tasks: no usable row has the task {name!r}{hint}")
    train = sorted(known - set(unseen))
    if not train:
        raise InputError("sample.unseen_tasks: names all tasks, which leaves none to train on")
    return train, sorted(set(unseen))


def random_tasks(
    tasks: Iterable[str], unseen: int | float, seed: int
) -> tuple[list[str], list[str]]:
    """Split the tasks at random into training and unseen ones, each sorted by name.

    Parameters
    ----------
    tasks
        Names; their order does not matter.
    unseen
        Number of unseen tasks, or their share if below 1 (at least one task).
    seed
        Seed of the split.

    Raises
    ------
    InputError
        If no training task is left.
    """
    names = sorted(tasks)
    count = _unseen_count(unseen, len(names))
    chosen = set(random.Random(f"split/{seed}").sample(names, count))
    return [name for name in names if name not in chosen], sorted(chosen)


def tasks_by_source(
    sources: Mapping[str, str], unseen: int | float, seed: int
) -> tuple[list[str], list[str]]:
    """Split the tasks so that no unseen task has the source of a training task.

    Whole sources are drawn at random as long as their tasks do not exceed the number asked for; if
    even the smallest source has more, it is taken. `sources` maps a task to its source; all else is
    as in `random_tasks`.

    Raises
    ------
    InputError
        If no training task is left, or all tasks have one source.
    """
    count = _unseen_count(unseen, len(sources))
    tasks_of: dict[str, list[str]] = {}
    for task in sorted(sources):
        tasks_of.setdefault(sources[task], []).append(task)
    if len(tasks_of) < 2:
        raise InputError(f"sample.split: all tasks have the source '{next(iter(tasks_of), '')}'")
    chosen: list[str] = []
    for source in random.Random(f"sources/{seed}").sample(sorted(tasks_of), len(tasks_of)):
        if len(chosen) + len(tasks_of[source]) <= count:
            chosen += tasks_of[source]
    chosen = chosen or min((tasks_of[source] for source in sorted(tasks_of)), key=len)
    return [task for task in sorted(sources) if task not in set(chosen)], sorted(chosen)


def _unseen_count(unseen: int | float, tasks: int) -> int:
    """Return how many tasks are unseen, given their number or their share."""
    count = unseen if isinstance(unseen, int) else max(1, round(unseen * tasks))
    if count >= tasks:
        raise InputError(
            f"sample.unseen_tasks: {count} of {tasks} tasks leaves none to train on; at most "
            f"{tasks - 1}"
        )
    return count


def hold_out(rows: Mapping[str, Sequence[int]], wanted: int | float | None, seed: int) -> set[int]:
    """Draw the conversations of a test set from all tasks.

    Parameters
    ----------
    rows
        Task to row numbers.
    wanted
        Number of conversations, or their share if below 1; None for `DEFAULT_HELD_OUT`.
    seed
        Seed of the draw.

    Raises
    ------
    InputError
        If nothing is left to train on.
    """
    every = sorted(row for of_task in rows.values() for row in of_task)
    share, most = DEFAULT_HELD_OUT if wanted is None else (wanted, len(every))
    count = share if isinstance(share, int) else min(most, max(1, round(share * len(every))))
    if count >= len(every):
        raise InputError(
            f"sample.held_out: {count} of {len(every)} conversations leaves none to train on"
        )
    return set(random.Random(f"heldout/{seed}").sample(every, count))
