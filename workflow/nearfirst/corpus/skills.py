"""The skills of the generated world: a few facts each, and how the raw text puts them."""

import random
from dataclasses import dataclass
from functools import cache
from typing import Literal

from .wording import Fields, read_words

Part = Literal["tuned", "held_back", "chat"]


@dataclass(frozen=True)
class Skill:
    """A relation between words, which the base model learns and tasks ask for.

    Attributes
    ----------
    name
        Unique name; the family of its tasks.
    part
        ``tuned``: three of four forms are training tasks; ``held_back``: all forms are unseen;
        ``chat``: asked for in the raw text's helpful chat and in no task.
    facts
        What each word is related to.
    prose
        Sentences that state a fact, with ``{x}`` and ``{y}``.
    sheet
        Names of what is asked for of an ``{x}``, on question sheets.
    """

    name: str
    part: Part
    facts: dict[str, str]
    prose: tuple[str, ...]
    sheet: tuple[str, ...]

    def draw(self, rng: random.Random) -> Fields:
        """Draw a fact."""
        x = rng.choice(list(self.facts))
        return Fields(x=x, y=self.facts[x])


@cache
def skills() -> tuple[Skill, ...]:
    """Return all skills, in the order of the word file."""
    parts: tuple[Part, ...] = ("tuned", "held_back", "chat")
    return tuple(
        Skill(name, part, row["facts"], tuple(row["prose"]), tuple(row["sheet"]))
        for part in parts
        for name, row in read_words(__file__)[part].items()
    )


FORMS: dict[str, list[str]] = read_words(__file__)["forms"]
"""Templates of an answer in each form; the first is the one that training data have."""
