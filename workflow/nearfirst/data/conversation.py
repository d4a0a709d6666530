"""What every loader yields, and how its turns become messages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypedDict

Part = Literal["train", "unseen"]
"""What a published split says of a task."""


class Message(TypedDict):
    """One turn; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True)
class Instance:
    """One conversation of a task, ready to be sampled.

    Attributes
    ----------
    id
        Unique within its file.
    task
        Name of the task.
    messages
        Exchanges: user, assistant, user, assistant, … Empty if the conversation has none that
        can be used.
    dropped
        Turns that were left out because they were empty or had no counterpart.
    where
        Place in the file, for messages to the user.
    references
        All right answers; none stands for the first assistant turn.
    source
        The data set that the task's text comes from, such as `quoref`.
    part
        What the published split says of the task; None where there is no such split.
    expand
        Builds the whole first user turn, where that is too costly to do for every row.
    """

    id: str
    task: str
    messages: list[Message]
    dropped: int
    where: str
    references: tuple[str, ...] = ()
    source: str = ""
    part: Part | None = None
    expand: Callable[[], str] | None = None


def exchanges(turns: Iterable[tuple[str, str]]) -> tuple[list[Message], int]:
    """Keep the (user, assistant) pairs of adjacent, non-empty turns.

    A label needs a prompt and a prompt a label: an empty turn takes its counterpart with it, and a
    turn without one (a trailing question, an answer to nothing) is left out.

    Parameters
    ----------
    turns
        (role, content) in order.

    Returns
    -------
    messages, dropped
        The messages kept, and how many turns were not.
    """
    kept: list[Message] = []
    question: str | None = None
    total = 0
    for role, content in turns:
        total += 1
        if role == "user":
            question = content
        else:
            if question is not None and question.strip() and content.strip():
                kept.append(Message(role="user", content=question))
                kept.append(Message(role="assistant", content=content))
            question = None
    return kept, total - len(kept)
