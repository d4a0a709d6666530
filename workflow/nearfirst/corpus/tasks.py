"""The tasks of the generated world: skills in four answer forms, and unrelated ones."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

from nearfirst.common.errors import InputError

from . import scenes
from .skills import FORMS, skills
from .wording import Fields, read_words

Role = Literal["train", "near", "far", "unlisted"]
T = TypeVar("T")

# After so many repeats in a row there is nothing new to draw.
_MAX_REPEATS = 3000
_UNRELATED_NIV2 = ("Text Modification", "Miscellaneous")


@dataclass(frozen=True)
class Task:
    """A task: one instruction in several phrasings, and how its instances are drawn.

    Attributes
    ----------
    name
        Unique name; the ``source`` of its rows.
    family
        The skill that it asks for, or a group of unrelated tasks.
    role
        ``train``; or unseen, ``near`` with the same skill in training or ``far`` without; or
        ``unlisted``, in neither part of a published split.
    phrasings
        Instruction templates with ``{fields}``.
    prompts
        Those of the phrasings that P3 has: one for each question.
    inputs
        Templates of NIV2's input, to which its definition adds the rest.
    draw
        Draws the fields of one instance.
    answers
        Templates of the right answers; training data have the first.
    niv2
        NIV2's definition, category and domain.
    """

    name: str
    family: str
    role: Role
    phrasings: tuple[str, ...]
    prompts: tuple[str, ...]
    inputs: tuple[str, ...]
    draw: Callable[[random.Random], Fields]
    answers: tuple[str, ...]
    niv2: tuple[str, str, str]

    def fill(self, templates: Iterable[str], rng: random.Random) -> tuple[str, list[str]]:
        """Draw an instance: one of the templates with its fields, and its right answers."""
        fields = self.draw(rng)
        text = rng.choice(list(templates)).format_map(fields)
        return text, [answer.format_map(fields) for answer in self.answers]


@cache
def all_tasks() -> tuple[Task, ...]:
    """Return all tasks: of the skills, the unrelated ones, and the unlisted one."""
    return (*_skill_tasks(), *_other_tasks("unrelated"), *_other_tasks("unlisted"))


def listed_tasks() -> list[Task]:
    """Return the tasks for training and the unseen ones."""
    return [task for task in all_tasks() if task.role != "unlisted"]


def _skill_tasks() -> Iterable[Task]:
    words = read_words(__file__)
    for number, skill in enumerate(skill for skill in skills() if skill.part != "chat"):
        asked, (definition, *sorts) = (words["skills"][skill.name][key] for key in ("ask", "niv2"))
        for place, (form, hows) in enumerate(words["forms"].items()):
            near = place == number % len(FORMS)
            role: Role = "far" if skill.part == "held_back" else "near" if near else "train"
            both = [(f"{ask} {how}", f"{how} {ask}") for ask in asked for how in hows]
            yield Task(
                name=f"{skill.name}_{form}",
                family=skill.name,
                role=role,
                phrasings=tuple(phrasing for pair in both for phrasing in pair),
                # Both wordings of the form, and both places, in turn.
                prompts=tuple(both[2 * n + n % 2][n % 2] for n in range(len(asked))),
                inputs=tuple(asked),
                draw=skill.draw,
                answers=tuple(FORMS[form]),
                niv2=(f"{definition} {hows[0]}", *sorts),
            )


def _other_tasks(part: Literal["unrelated", "unlisted"]) -> Iterable[Task]:
    for family, tasks in read_words(__file__)[part].items():
        for name, row in tasks.items():
            asked = tuple(row["ask"])
            yield Task(
                name=name,
                family=family,
                role="train" if part == "unrelated" else "unlisted",
                phrasings=asked,
                prompts=asked,
                inputs=(asked[0].partition(": ")[2],),
                draw=scenes.draw,
                answers=(row["answer"],),
                niv2=(row["niv2"][0], *_UNRELATED_NIV2),
            )


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
    found = distinct(lambda: task.fill(task.phrasings, rng), count)
    if len(found) < count:
        raise InputError(
            f"task {task.name} has only about {len(found)} distinct instances; set "
            f"corpus.instances_per_task to fewer than {count}"
        )
    return [(text, answers[0]) for text, answers in found.items()]
