"""The synthetic instruction corpus: the registry of its tasks and rows in the Flan-mini format."""

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypedDict, TypeVar

from nearfirst.common.errors import InputError

from .task import Task
from .tasks import everyday, facts, forms, lists, logic, numbers, reading, words

__all__ = [
    "FlanRow",
    "Task",
    "all_tasks",
    "distinct",
    "fill",
    "flan_mini_rows",
    "instances",
    "key_lists",
]

# Who repeats himself this often in a row has nothing new to give.
_MOST_REPEATS = 3000

T = TypeVar("T")
Turn = TypedDict("Turn", {"from": str, "value": str})


class FlanRow(TypedDict):
    """A row of ``flan_mini.json``."""

    id: str
    source: str
    conversations: list[Turn]


@cache
def all_tasks() -> tuple[Task, ...]:
    """Return the 64 training tasks and the 16 unseen ones, in registry order."""
    modules = (words, forms, numbers, lists, reading, logic, everyday, facts)
    return tuple(task for module in modules for task in module.TASKS)


def fill(template: str, task: Task, rng: random.Random) -> tuple[str, str]:
    """Draw an instance of a task: the template with its fields, and its answer."""
    fields, answer = task.make(rng)
    return template.format(**fields), answer


def distinct(draw: Callable[[], tuple[str, T]], count: int) -> dict[str, T]:
    """Draw pairs whose first parts differ; fewer than `count` if there are no more of them.

    Parameters
    ----------
    draw
        Draws a pair; of pairs with the same first part the earliest is kept.
    count
        How many pairs; a larger count extends a smaller one.
    """
    found: dict[str, T] = {}
    repeats = 0
    while len(found) < count and repeats <= _MOST_REPEATS:
        key, value = draw()
        repeats = repeats + 1 if key in found else 0
        found.setdefault(key, value)
    return found


def instances(task: Task, count: int, seed: int) -> list[tuple[str, str]]:
    """Draw distinct instances of a task, in all its phrasings.

    Parameters
    ----------
    task
        The task to draw from.
    count
        How many instances; a larger count extends a smaller one.
    seed
        With the name of the task, the only source of randomness.

    Returns
    -------
    list[tuple[str, str]]
        Pairs of instruction and answer; no instruction occurs twice.

    Raises
    ------
    InputError
        If the task does not have that many distinct instances.
    """
    rng = random.Random(f"{seed}/{task.name}")
    found = distinct(lambda: fill(rng.choice(task.phrasings), task, rng), count)
    if len(found) < count:
        raise InputError(
            f"task {task.name} has only about {len(found)} distinct instances, and {count} were "
            "asked for; set corpus.instances_per_task to fewer"
        )
    return list(found.items())


def flan_mini_rows(instances_per_task: int, seed: int) -> Iterator[FlanRow]:
    """Yield the rows of all tasks, shuffled together as in a published mixture.

    Parameters
    ----------
    instances_per_task
        Instances of each task, unseen tasks included.
    seed
        Seed of the instances and of the shuffle.
    """
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
