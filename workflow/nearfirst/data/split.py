"""Split a data set into training and test rows, by tasks or by conversations."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.data.inventory import Inventory
from nearfirst.data.readers.json_rows import take, value
from nearfirst.data.settings import HeldOut

Rows = Mapping[str, Sequence[int]]
"""Task to row indices."""

Tasks = tuple[list[str], list[str]]
"""Names of the training tasks and of the unseen tasks."""


class Split(NamedTuple):
    """The rows to train on and to test on."""

    train: Rows
    test: Rows


def split(
    inventory: Inventory,
    sample: Any,
    holds_out: HeldOut,
    key_list: Path | None = None,
    tested_per_task: int | None = None,
) -> Split:
    """Split the usable rows of a data set, given the section `sample` of its settings.

    Only the first `tested_per_task` instances of an unseen task may be tested; None allows all.

    Raises InputError if nothing is left to train or test on, or a task's name is wrong.
    """
    rows = inventory.rows
    if holds_out == "nothing":
        return Split(rows, {})
    if holds_out == "rows":
        test = hold_out(rows, sample.held_out, sample.split_seed)
        parts = Split(
            {task: [row for row in of_task if row not in test] for task, of_task in rows.items()},
            {task: [row for row in of_task if row in test] for task, of_task in rows.items()},
        )
    else:
        train, unseen = _split_tasks(inventory, sample, key_list)
        parts = Split({t: rows[t] for t in train}, {t: rows[t][:tested_per_task] for t in unseen})
    n_train, n_test = (sum(map(len, part.values())) for part in parts)
    if not n_train or not n_test:
        key = "held_out" if holds_out == "rows" else "split or unseen_tasks"
        raise InputError(
            f"sample: the split leaves {n_train} rows to train on and {n_test} to test on; change "
            f"{key}, or complete the data"
        )
    return parts


def _split_tasks(inventory: Inventory, sample: Any, key_list: Path | None) -> Tasks:
    kind = getattr(sample, "split", "random")
    if isinstance(sample.unseen_tasks, list):
        return _named_tasks(inventory.rows, sample.unseen_tasks)
    if kind == "source":
        return tasks_by_source(inventory.sources, sample.unseen_tasks, sample.split_seed)
    if kind == "published" and key_list:
        return read_key_list(key_list, inventory.rows)
    if kind == "published" and inventory.parts:
        train = [task for task, part in inventory.parts.items() if part == "train"]
        return train, [task for task in inventory.parts if task not in set(train)]
    return random_tasks(inventory.rows, sample.unseen_tasks, sample.split_seed)


def read_key_list(path: Path, tasks: Iterable[str]) -> Tasks:
    """Read the split from a JSON file `{"train_key_list": [...], "eval_key_list": [...]}`.

    Raises InputError if the file lacks a list, or lists a task twice or an unknown one.
    """
    keys = ("train_key_list", "eval_key_list")
    content = value(path)
    train, unseen = (take(content, key, list, str(path)) for key in keys)
    known = set(tasks)
    for task, count in Counter([*train, *unseen]).items():
        if task not in known:
            raise InputError(f"{path}: task '{task}' is not in the data")
        if count > 1:
            raise InputError(f"{path}: task '{task}' is listed twice")
    return train, unseen


def _named_tasks(tasks: Iterable[str], unseen: Sequence[str]) -> Tasks:
    """Split the tasks, given the names of the unseen ones; both sides are sorted."""
    known = set(tasks)
    for name in unseen:
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            raise InputError(f"sample.unseen_tasks: no usable row has the task {name!r}{hint}")
    return sorted(known - set(unseen)), sorted(set(unseen))


def random_tasks(tasks: Iterable[str], unseen: int | float, seed: int) -> Tasks:
    """Split the tasks at random, whatever their order; both sides are sorted.

    `unseen` is the number of unseen tasks, or their share if below 1 (at least one task).
    """
    names = sorted(tasks)
    chosen = set(random.Random(f"split/{seed}").sample(names, _count_unseen(unseen, len(names))))
    return [name for name in names if name not in chosen], sorted(chosen)


def tasks_by_source(sources: Mapping[str, str], unseen: int | float, seed: int) -> Tasks:
    """Split the tasks as `random_tasks` does, but the two sides share no source.

    Whole sources are drawn at random as long as their tasks do not exceed the number requested; if
    even the smallest source has more, it is taken. `sources` maps each task to its source.
    """
    count = _count_unseen(unseen, len(sources))
    tasks_of: dict[str, list[str]] = {}
    for task in sorted(sources):
        tasks_of.setdefault(sources[task], []).append(task)
    chosen: list[str] = []
    for source in random.Random(f"sources/{seed}").sample(sorted(tasks_of), len(tasks_of)):
        if len(chosen) + len(tasks_of[source]) <= count:
            chosen += tasks_of[source]
    chosen = chosen or min((tasks_of[source] for source in sorted(tasks_of)), key=len)
    return sorted(set(sources) - set(chosen)), sorted(chosen)


def _count_unseen(unseen: int | float, n_tasks: int) -> int:
    return min(n_tasks, unseen if isinstance(unseen, int) else max(1, round(unseen * n_tasks)))


def hold_out(rows: Rows, held_out: int | float | None, seed: int) -> set[int]:
    """Draw the conversations of a test set from all tasks.

    `held_out` is their number, or their share if below 1; None is a tenth, but at most 200.
    """
    pool = sorted(row for of_task in rows.values() for row in of_task)
    share, max_count = (0.1, 200) if held_out is None else (held_out, len(pool))
    count = share if isinstance(share, int) else min(max_count, max(1, round(share * len(pool))))
    return set(random.Random(f"heldout/{seed}").sample(pool, min(count, len(pool))))
