"""The synthetic instruction corpus: the registry of its tasks and rows in the Flan-mini format."""

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

from nearfirst.common.errors import InputError

from .task import Task
from .tasks import knowledge, language, numbers, reading

# After so many repeats in a row there is nothing new to draw.
_MAX_REPEATS = 3000

T = TypeVar("T")


@cache
def all_tasks() -> tuple[Task, ...]:
    """Return the 64 training tasks and the 16 unseen ones, in registry order."""
    modules = (language, numbers, reading, knowledge)
    return tuple(task for module in modules for task in module.TASKS)


def distinct(draw: Callable[[], tuple[str, T]], count: int) -> dict[str, T]:
    """Draw pairs whose first parts differ; fewer than `count` if there are no more of them.

    Of pairs with the same first part the earliest is kept. A larger count extends a smaller one.
    """
    found: dict[str, T] = {}
    repeats = 0
    while len(found) < count and repeats <= _MAX_REPEATS:
        key, value = draw()
        repeats = repeats + 1 if key in found else 0
        found.setdefault(key, value)
    return found


def instances(task: Task, count: int, seed: int) -> list[tuple[str, str]]:
    """Draw pairs of instruction and answer, in all phrasings; no instruction occurs twice.

    They depend on the seed and the task's name only; a larger count extends a smaller one.

    Raises
    ------
    InputError
        If the task does not have that many distinct instances.
    """
    rng = random.Random(f"{seed}/{task.name}")
    found = distinct(lambda: task.fill(rng.choice(task.phrasings), rng), count)
    if len(found) < count:
        raise InputError(
            f"task {task.name} has only about {len(found)} distinct instances; set "
            f"corpus.instances_per_task to fewer than {count}"
        )
    return list(found.items())


def flan_mini_rows(instances_per_task: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of all tasks, unseen ones too, shuffled together as in a published mixture."""
    drawn = [
        (task.name, instruction, answer)
        for task in all_tasks()
        for instruction, answer in instances(task, instances_per_task, seed)
    ]
    random.Random(f"{seed}/mixture").shuffle(drawn)
    for number, (name, instruction, answer) in enumerate(drawn):
        yield {
            "id": f"identity_flan_{number}",
            "source": name,
            "conversations": [
                {"from": "human", "value": instruction},
                {"from": "gpt", "value": answer},
            ],
        }


def key_lists() -> dict[str, list[str]]:
    """Name the training and the unseen tasks, as in the published list of Flan-mini."""
    return {
        "train_key_list": [task.name for task in all_tasks() if task.role == "train"],
        "eval_key_list": [task.name for task in all_tasks() if task.role != "train"],
    }
