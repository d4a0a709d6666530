"""What NIV2 says of a task: its definition, the bare input, and which other answers are right."""

import re
from dataclasses import dataclass

from ..wording import read_words


@dataclass(frozen=True)
class Definition:
    """A task as NIV2 poses it: the same skill and answers, in other words.

    Attributes
    ----------
    text
        The definition, one for all instances of the task.
    input
        Template of the bare input, with the fields of the task.
    bare
        Pattern that finds the bare answer in the full one, where the bare one is right too.
    """

    text: str
    input: str
    bare: str | None = None

    def references(self, answer: str) -> list[str]:
        """List the right answers, the task's own first; raise ValueError if `bare` fits not."""
        if self.bare is None:
            return [answer]
        if match := re.fullmatch(self.bare, answer):
            return [answer, match[1]]
        raise ValueError(f"{self.bare!r} does not match the answer {answer!r}")


DEFINITIONS = {name: Definition(*its) for name, its in read_words(__file__)["tasks"].items()}
"""By name of the task."""

FAMILIES: dict[str, list[str]] = read_words(__file__)["families"]
"""By family: its category and domain in NIV2, and why an answer is right, for the examples."""
