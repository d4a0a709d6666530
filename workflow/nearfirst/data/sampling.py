"""Which tasks are unseen, and which instances of each task are kept."""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nearfirst.data.conversation import Instance
from nearfirst.errors import InputError


@dataclass
class Inventory:
    """What one pass over a file found.

    Attributes
    ----------
    rows
        Task to the row numbers of its usable instances, in the file's order.
    total
        All rows.
    unusable
        Rows without a usable exchange.
    dropped_turns
        Turns left out of the usable instances.
    """

    rows: dict[str, list[int]] = field(default_factory=dict)
    total: int = 0
    unusable: int = 0
    dropped_turns: int = 0


def take_inventory(instances: Iterable[Instance], *, skip_unusable: bool) -> Inventory:
    """List the usable rows of every task.

    Raises
    ------
    InputError
        If a conversation holds no assistant turn with a question before it and `skip_unusable`
        is false.
    """
    found = Inventory()
    for number, instance in enumerate(instances):
        found.total += 1
        if not instance.messages:
            if not skip_unusable:
                raise InputError(
                    f"{instance.where} (id '{instance.id}'): no assistant turn that answers a user "
                    "turn; mend the row, or leave such rows out with `sample.unusable: skip`"
                )
            found.unusable += 1
            continue
        found.dropped_turns += instance.dropped
        found.rows.setdefault(instance.task, []).append(number)
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
    count = unseen if isinstance(unseen, int) else max(1, round(unseen * len(names)))
    if count >= len(names):
        raise InputError(
            f"unseen_tasks: {count} of {len(names)} tasks leaves none to train on; "
            f"at most {len(names) - 1}"
        )
    chosen = set(random.Random(f"split/{seed}").sample(names, count))
    return [n for n in names if n not in chosen], sorted(chosen)


def sample_rows(
    rows: Mapping[str, Sequence[int]], tasks: Sequence[str], most: int, seed: int
) -> set[int]:
    """Choose up to `most` rows of each task, each task by a generator of its own.

    So a task's sample depends on the seed and on that task alone; a task with fewer rows gives
    all it has.
    """
    chosen: set[int] = set()
    for task in tasks:
        have = rows[task]
        chosen.update(random.Random(f"{seed}/{task}").sample(have, min(most, len(have))))
    return chosen


def keep(
    read: Callable[[], Iterator[Instance]], train: set[int], test: set[int]
) -> Iterator[tuple[str, Instance]]:
    """Read again and yield ("train" or "test", instance) for the chosen rows."""
    for number, instance in enumerate(read()):
        if number in train:
            yield "train", instance
        elif number in test:
            yield "test", instance
