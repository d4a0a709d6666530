"""What one task of the synthetic instruction corpus is, and how tasks are read."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from .wording import Fields, read_words

Role = Literal["train", "near", "far"]
Draw = Callable[[random.Random], Mapping[str, str]]

_ROLES: dict[str, Role] = {
    name: role for role, names in read_words(__file__).items() for name in names
}


@dataclass(frozen=True)
class Task:
    """A task: one instruction in several phrasings, and how its instances are drawn.

    Attributes
    ----------
    name
        Unique name; the ``source`` of its rows.
    family
        The skill. Tasks of one family ask for the same skill in similar words.
    role
        ``train``; or an unseen test task, ``near`` with siblings in training or ``far`` without.
    phrasings
        Instruction templates with ``{fields}``.
    draw
        Draws the fields of one instance.
    answer
        Template of the answer.
    """

    name: str
    family: str
    role: Role
    phrasings: tuple[str, ...]
    draw: Draw
    answer: str

    def fill(self, template: str, rng: random.Random) -> tuple[str, str]:
        """Draw an instance: the template with its fields, and its answer."""
        fields = Fields(self.draw(rng))
        return template.format_map(fields), self.answer.format_map(fields)


def read_tasks(module: str, answered: Mapping[str, tuple[Draw, str]]) -> tuple[Task, ...]:
    """Read the tasks of a module: families, names and phrasings are in its word file.

    Parameters
    ----------
    module
        The module's ``__file__``.
    answered
        By name of the task, what draws its fields and the template of its answer.
    """
    return tuple(
        Task(name, family, _ROLES.get(name, "train"), tuple(phrasings), *answered[name])
        for family, tasks in read_words(module).items()
        for name, phrasings in tasks.items()
    )


def look_up(table: Mapping[str, str], field: str, rng: random.Random) -> dict[str, str]:
    """Draw an entry of a table: its key is the field, its value the ``answer``."""
    key = rng.choice(list(table))
    return {field: key, "answer": table[key]}
