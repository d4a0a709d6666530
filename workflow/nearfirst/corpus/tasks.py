"""The tasks of the generated world: skills in four answer forms, and unrelated tasks."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

from . import scenes
from .skills import FORMS, skills
from .wording import Fields, read_words

Exchange = tuple[str, str]
Role = Literal["train", "near", "far", "unlisted"]
T = TypeVar("T")

# After this many repeats in a row there is nothing new to draw.
_MAX_REPEATS = 3000


@dataclass(frozen=True)
class Task:
    """A task: one instruction in several phrasings, and how its instances are drawn."""

    name: str
    """Unique name; the ``source`` of its rows."""
    family: str
    """The skill it asks for, or a group of unrelated tasks."""
    role: Role
    """``train``; or unseen, ``near`` with the same skill in training or ``far`` without; or
    ``unlisted``, in neither part of a published split."""
    phrasings: tuple[str, ...]
    """Instruction templates with ``{fields}``."""
    prompts: tuple[str, ...]
    """The phrasings that P3 has: one for each question."""
    inputs: tuple[str, ...]
    """Templates of NIV2's input, to which its definition adds the rest."""
    draw: Callable[[random.Random], Fields]
    """Draws the fields of one instance."""
    answers: tuple[str, ...]
    """Templates of the right answers; training data use the first."""
    niv2: tuple[str, str, str]
    """NIV2's definition, category and domain."""

    def fill(self, templates: Sequence[str], rng: random.Random) -> tuple[str, list[str]]:
        """Draw an instance: one of the templates, filled, and its right answers."""
        fields = self.draw(rng)
        text = rng.choice(templates).format_map(fields)
        return text, [answer.format_map(fields) for answer in self.answers]


@cache
def all_tasks() -> tuple[Task, ...]:
    """Return the tasks of the skills, the unrelated tasks and the unlisted one."""
    return (*_skill_tasks(), *_other_tasks("unrelated"), *_other_tasks("unlisted"))


def listed_tasks() -> list[Task]:
    """Return the training tasks and the unseen tasks."""
    return [task for task in all_tasks() if task.role != "unlisted"]


def _skill_tasks() -> Iterable[Task]:
    words = read_words(__file__)
    for number, skill in enumerate(skill for skill in skills() if skill.part != "chat"):
        questions = words["skills"][skill.name]["ask"]
        definition, category, domain = words["skills"][skill.name]["niv2"]
        for index, (form, hints) in enumerate(words["forms"].items()):
            is_near = index == number % len(FORMS)
            role: Role = "far" if skill.part == "held_back" else "near" if is_near else "train"
            pairs = [(f"{ask} {hint}", f"{hint} {ask}") for ask in questions for hint in hints]
            yield Task(
                name=f"{skill.name}_{form}",
                family=skill.name,
                role=role,
                phrasings=tuple(phrasing for pair in pairs for phrasing in pair),
                # Alternate both wordings of the form, and its position before or after.
                prompts=tuple(pairs[2 * n + n % 2][n % 2] for n in range(len(questions))),
                inputs=tuple(questions),
                draw=skill.draw,
                answers=tuple(FORMS[form]),
                niv2=(f"{definition} {hints[0]}", category, domain),
            )


def _other_tasks(part: Literal["unrelated", "unlisted"]) -> Iterable[Task]:
    for family, tasks in read_words(__file__)[part].items():
        for name, row in tasks.items():
            questions = tuple(row["ask"])
            yield Task(
                name=name,
                family=family,
                role="train" if part == "unrelated" else "unlisted",
                phrasings=questions,
                prompts=questions,
                inputs=(questions[0].partition(": ")[2],),
                draw=scenes.draw,
                answers=(row["answer"],),
                niv2=(row["niv2"][0], "Text Modification", "Miscellaneous"),
            )


def distinct(draw: Callable[[], tuple[str, T]], count: int) -> dict[str, T]:
    """Draw pairs with distinct first items; fewer than `count` if there are no more.

    Of pairs with the same first item the earliest is kept. A larger count extends a smaller one.
    """
    drawn: dict[str, T] = {}
    repeats = 0
    while len(drawn) < count and repeats <= _MAX_REPEATS:
        key, value = draw()
        repeats = repeats + 1 if key in drawn else 0
        drawn.setdefault(key, value)
    return drawn


def exchanges(rng: random.Random, tasks: Sequence[Task], count: int) -> list[Exchange]:
    """Draw distinct questions from the tasks, in all phrasings, with their answers."""

    def draw() -> tuple[str, list[str]]:
        task = rng.choice(tasks)
        return task.fill(task.phrasings, rng)

    return [(text, answers[0]) for text, answers in distinct(draw, count).items()]


def instances(task: Task, count: int, seed: int) -> list[Exchange]:
    """Draw pairs of instruction and answer, in all phrasings; no instruction occurs twice.

    They depend only on the seed and the task's name; a larger count extends a smaller one.
    """
    rng = random.Random(f"{seed}/{task.name}")
    drawn = distinct(lambda: task.fill(task.phrasings, rng), count)
    return [(text, answers[0]) for text, answers in drawn.items()]
