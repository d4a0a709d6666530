"""Which tasks are unseen, and which instances of each task are kept."""

import json
import random
from array import array
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Part
from nearfirst.data.settings import SampleSettings

PARTS: tuple[Part, Part] = ("train", "unseen")


@dataclass
class Inventory:
    """What one pass over a file found.

    Attributes
    ----------
    rows
        Task to the row numbers of its usable instances, in the file's order.
    parts
        Task to its part in the published split, if there is one.
    sources
        Task to the data set its text comes from.
    total
        All rows.
    unusable
        Rows without a usable exchange.
    dropped_turns
        Turns left out of the usable instances.
    """

    rows: dict[str, MutableSequence[int]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    total: int = 0
    unusable: int = 0
    dropped_turns: int = 0


def take_inventory(instances: Iterable[Instance], *, skip_unusable: bool) -> Inventory:
    """List the usable rows of every task.

    Raises
    ------
    InputError
        If a conversation holds no assistant turn with a question before it and `skip_unusable`
        is false, or if the name of its task cannot stand in a CSV file.
    """
    found = Inventory()
    for number, instance in enumerate(instances):
        found.total += 1
        if "\r" in instance.task:
            raise InputError(
                f"{instance.where}: the task {instance.task!r} holds a carriage return, which no "
                "table would give back; rename it"
            )
        if not instance.messages:
            if not skip_unusable:
                raise InputError(
                    f"{instance.where} (id '{instance.id}'): no question with an answer, both not "
                    "empty; mend the row, or leave such rows out with `sample.unusable: skip`"
                )
            found.unusable += 1
            continue
        found.dropped_turns += instance.dropped
        # Eight bytes a row: a whole P3 has a hundred million.
        found.rows.setdefault(instance.task, array("q")).append(number)
        found.sources.setdefault(instance.task, instance.source)
        if instance.part:
            found.parts[instance.task] = instance.part
    return found


def read_key_list(path: Path, tasks: Iterable[str]) -> tuple[list[str], list[str]]:
    """Read the training and the unseen tasks from `{"train_key_list", "eval_key_list"}`.

    Raises
    ------
    InputError
        If the file has another form, names a task twice, or one that the data do not hold.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such key-list file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        train, unseen = content["train_key_list"], content["eval_key_list"]
        for name, tasks_of in (("train_key_list", train), ("eval_key_list", unseen)):
            if not isinstance(tasks_of, list) or not all(isinstance(t, str) for t in tasks_of):
                raise TypeError(f"{name} is no list of names")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f'{path}: expected {{"train_key_list": [...], "eval_key_list": [...]}} '
            f"({type(error).__name__}: {error})"
        ) from None
    known = set(tasks)
    unknown = [task for task in [*train, *unseen] if task not in known]
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise InputError(f"{path}: task '{unknown[0]}'{more} is not in the data")
    if len({*train, *unseen}) < len(train) + len(unseen):
        twice = next(task for task in [*train, *unseen] if [*train, *unseen].count(task) > 1)
        raise InputError(f"{path}: task '{twice}' is listed twice")
    if not train or not unseen:
        raise InputError(f"{path}: both lists must name at least one task")
    return train, unseen


def split(
    found: Inventory, settings: SampleSettings, key_list: Path | None
) -> tuple[list[str], list[str]]:
    """Return the training and the unseen tasks, as `settings.split` says.

    Raises
    ------
    InputError
        What `read_key_list`, `split_tasks` and `split_by_source` raise.
    """
    if settings.split == "source":
        return split_by_source(found.sources, settings.unseen_tasks, settings.split_seed)
    if settings.split == "published" and key_list:
        return read_key_list(key_list, found.rows)
    if settings.split == "published" and found.parts:
        train, unseen = ([t for t in found.parts if found.parts[t] == p] for p in PARTS)
        if train and unseen:
            return train, unseen
        raise InputError(
            f"the published split leaves {len(train)} training and {len(unseen)} unseen tasks of "
            "those that are here; complete the data, or set sample.split: random"
        )
    return split_tasks(found.rows, settings.unseen_tasks, settings.split_seed)


def split_tasks(
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
        If that would leave no training task.
    """
    names = sorted(tasks)
    count = _number(unseen, len(names))
    chosen = set(random.Random(f"split/{seed}").sample(names, count))
    return [n for n in names if n not in chosen], sorted(chosen)


def split_by_source(
    sources: Mapping[str, str], unseen: int | float, seed: int
) -> tuple[list[str], list[str]]:
    """Split the tasks so that no unseen task shares its source with a training task.

    Whole sources are drawn at random for as long as their tasks do not exceed the number asked
    for; if even the smallest source has more tasks, that one is taken. Parameters and result as in
    `split_tasks`; `sources` maps a task to its source.

    Raises
    ------
    InputError
        If that would leave no training task, or all tasks have one source.
    """
    count = _number(unseen, len(sources))
    tasks_of: dict[str, list[str]] = {}
    for task in sorted(sources):
        tasks_of.setdefault(sources[task], []).append(task)
    if len(tasks_of) < 2:
        raise InputError(f"sample.split: all tasks have the source '{next(iter(tasks_of), '')}'")
    chosen: list[str] = []
    for source in random.Random(f"sources/{seed}").sample(sorted(tasks_of), len(tasks_of)):
        if len(chosen) + len(tasks_of[source]) <= count:
            chosen += tasks_of[source]
    chosen = chosen or min((tasks_of[s] for s in sorted(tasks_of)), key=len)
    unseen_tasks = set(chosen)
    return [task for task in sorted(sources) if task not in unseen_tasks], sorted(chosen)


def _number(unseen: int | float, tasks: int) -> int:
    """Return how many tasks are unseen, given their number or their share."""
    count = unseen if isinstance(unseen, int) else max(1, round(unseen * tasks))
    if count >= tasks:
        raise InputError(
            f"unseen_tasks: {count} of {tasks} tasks leaves none to train on; at most {tasks - 1}"
        )
    return count


def sample_rows(
    rows: Mapping[str, Sequence[int]], tasks: Sequence[str], most: int | None, seed: int
) -> set[int]:
    """Choose up to `most` rows of each task, each task by a generator of its own.

    So a task's sample depends on the seed and on that task alone; a task with fewer rows gives
    all it has, and `most=None` takes everything.
    """
    chosen: set[int] = set()
    for task in tasks:
        have = rows[task]
        count = len(have) if most is None else min(most, len(have))
        chosen.update(random.Random(f"{seed}/{task}").sample(have, count))
    return chosen


def sample_over_tasks(
    rows: Mapping[str, Sequence[int]], tasks: Sequence[str], count: int, seed: int
) -> set[int]:
    """Choose `count` rows spread over all tasks: one of each in turn, in a seeded order.

    Raises
    ------
    InputError
        If the tasks do not have so many rows.
    """
    generator = random.Random(f"generalist/{seed}")
    order = generator.sample(sorted(tasks), len(tasks))
    shuffled = [generator.sample(rows[task], len(rows[task])) for task in order]
    longest = max(len(of_task) for of_task in shuffled)
    in_turn = [
        of_task[turn] for turn in range(longest) for of_task in shuffled if turn < len(of_task)
    ]
    if count > len(in_turn):
        raise InputError(
            f"sample.generalist: {count} instances, but the unseen tasks have {len(in_turn)}"
        )
    return set(in_turn[:count])


def hold_out(found: Inventory, count: int, seed: int) -> tuple[set[int], set[int]]:
    """Return the training rows and `count` held-out ones of data without unseen tasks.

    Raises
    ------
    InputError
        If that would leave nothing to train on.
    """
    rows = sorted(row for of_task in found.rows.values() for row in of_task)
    if count >= len(rows):
        raise InputError(
            f"sample.held_out: {count} of {len(rows)} conversations leaves none to train on"
        )
    chosen = set(random.Random(f"heldout/{seed}").sample(rows, count))
    return set(rows) - chosen, chosen
