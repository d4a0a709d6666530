"""The skills of the generated world: a few facts each, and how the raw text states them."""

import random
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from .wording import Fields, read_words

Part = Literal["tuned", "held_back", "chat"]


@dataclass(frozen=True)
class Skill:
    """A relation between words, which the base model learns and tasks ask for."""

    name: str
    """Unique name; the family of its tasks."""
    part: Part
    """``tuned``: three of four forms are training tasks; ``held_back``: all forms are unseen;
    ``chat``: asked for in the raw text's helpful chat and in no task."""
    facts: dict[str, str]
    """Maps x to y."""
    prose: tuple[str, ...]
    """Sentences that state a fact, with ``{x}`` and ``{y}``."""
    sheet: tuple[str, ...]
    """Names of the relation on question sheets, with ``{x}``."""

    def draw(self, rng: random.Random) -> Fields:
        """Draw a fact."""
        x = rng.choice(list(self.facts))
        return Fields(x=x, y=self.facts[x])


@cache
def skills() -> tuple[Skill, ...]:
    """Return all skills, in the order of the word file."""
    return tuple(
        Skill(name, part, row["facts"], tuple(row["prose"]), tuple(row["sheet"]))
        for part in get_args(Part)
        for name, row in read_words(__file__)[part].items()
    )


FORMS: dict[str, list[str]] = read_words(__file__)["forms"]
"""Answer templates of each form; training data use the first."""
