"""Which tasks or conversations are the test set, and which ones are trained on."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.data.inventory import Inventory
from nearfirst.data.readers.json_rows import value
from nearfirst.data.settings import HeldOut

Rows = Mapping[str, Sequence[int]]
"""Task to row numbers."""

Tasks = tuple[list[str], list[str]]
"""Names of the training tasks and of the unseen ones."""

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
    tested_per_task: int | None = None,
) -> Split:
    """Split the usable rows of a data set, by the section `sample` of its settings.

    Only the first `tested_per_task` instances of an unseen task may be tested; None allows all.

    Raises InputError if nothing would be left to train on, or the key list or a task's name is at
    fault.
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
    return Split({t: rows[t] for t in train}, {t: rows[t][:tested_per_task] for t in unseen})


def _tasks(found: Inventory, sample: Any, key_list: Path | None) -> Tasks:
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


def published_tasks(found: Inventory) -> Tasks:
    """Return the tasks of the published split. Raises InputError if a side of it is empty."""
    train = [task for task, part in found.parts.items() if part == "train"]
    unseen = [task for task, part in found.parts.items() if part == "unseen"]
    if not train or not unseen:
        raise InputError(
            f"the published split leaves {len(train)} training and {len(unseen)} unseen tasks of "
            "those that are here; complete the data, or set sample.split: random"
        )
    return train, unseen


class _KeyList(BaseModel):
    train_key_list: Annotated[list[str], Field(min_length=1)]
    eval_key_list: Annotated[list[str], Field(min_length=1)]


def read_key_list(path: Path, tasks: Iterable[str]) -> Tasks:
    """Read the tasks from a JSON file `{"train_key_list": [...], "eval_key_list": [...]}`.

    Raises InputError if the file has another form, lists a task twice, or lists one that is not in
    the data.
    """
    try:
        content = _KeyList.model_validate(value(path))
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise InputError(
            f'{path}: expected {{"train_key_list": [...], "eval_key_list": [...]}} '
            f"({key}{': ' * bool(key)}{fault['msg']})"
        ) from None
    train, unseen = content.train_key_list, content.eval_key_list
    known, seen = set(tasks), set[str]()
    for task in [*train, *unseen]:
        if task not in known:
            raise InputError(f"{path}: task '{task}' is not in the data")
        if task in seen:
            raise InputError(f"{path}: task '{task}' is listed twice")
        seen.add(task)
    return train, unseen


def named_tasks(tasks: Iterable[str], unseen: Sequence[str]) -> Tasks:
    """Split the tasks, given the names of the unseen ones; both sides are sorted.

    Raises InputError if a name is not in the data, or no training task is left.
    """
    known = set(tasks)
    for name in unseen:
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            raise InputError(f"sample.unseen_tasks: no usable row has the task {name!r}{hint}")
    train = sorted(known - set(unseen))
    if not train:
        raise InputError("sample.unseen_tasks: names all tasks, which leaves none to train on")
    return train, sorted(set(unseen))


def random_tasks(tasks: Iterable[str], unseen: int | float, seed: int) -> Tasks:
    """Split the tasks at random, whatever their order; both sides are sorted.

    `unseen` is the number of unseen tasks, or their share if below 1 (at least one task). Raises
    InputError if no training task is left.
    """
    names = sorted(tasks)
    count = _unseen_count(unseen, len(names))
    chosen = set(random.Random(f"split/{seed}").sample(names, count))
    return [name for name in names if name not in chosen], sorted(chosen)


def tasks_by_source(sources: Mapping[str, str], unseen: int | float, seed: int) -> Tasks:
    """Split the tasks as `random_tasks`, but no unseen task has the source of a training task.

    Whole sources are drawn at random as long as their tasks do not exceed the number asked for; if
    even the smallest source has more, it is taken. `sources` maps a task to its source.

    Raises InputError if no training task is left, or all tasks have one source.
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
    return sorted(set(sources) - set(chosen)), sorted(chosen)


def _unseen_count(unseen: int | float, tasks: int) -> int:
    """Return how many tasks are unseen, given their number or their share."""
    count = unseen if isinstance(unseen, int) else max(1, round(unseen * tasks))
    if count >= tasks:
        raise InputError(
            f"sample.unseen_tasks: {count} of {tasks} tasks leaves none to train on; at most "
            f"{tasks - 1}"
        )
    return count


def hold_out(rows: Rows, wanted: int | float | None, seed: int) -> set[int]:
    """Draw the conversations of a test set from all tasks.

    `wanted` is their number, or their share if below 1; None for `DEFAULT_HELD_OUT`. Raises
    InputError if nothing is left to train on.
    """
    every = sorted(row for of_task in rows.values() for row in of_task)
    share, most = DEFAULT_HELD_OUT if wanted is None else (wanted, len(every))
    count = share if isinstance(share, int) else min(most, max(1, round(share * len(every))))
    if count >= len(every):
        raise InputError(
            f"sample.held_out: {count} of {len(every)} conversations leaves none to train on"
        )
    return set(random.Random(f"heldout/{seed}").sample(every, count))
