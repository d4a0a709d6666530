"""What one task of the synthetic instruction corpus is."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Role = Literal["train", "near", "far"]
Make = Callable[[random.Random], tuple[dict[str, str], str]]


@dataclass(frozen=True)
class Task:
    """A task: several phrasings of one instruction and a generator of inputs and answers.

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
    make
        Draws the fields of one instance and its answer.
    """

    name: str
    family: str
    role: Role
    phrasings: tuple[str, ...]
    make: Make
