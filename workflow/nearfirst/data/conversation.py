"""The conversations that readers yield."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from nearfirst.common.errors import InputError

Part = Literal["train", "unseen"]
"""Side of the published split."""


class RowError(InputError):
    """A row that cannot be used; `sample.unusable` decides whether to stop or leave it out."""


TOOLS = frozenset({"tool", "function"})
"""Roles that only a chat template can render."""


class Message(TypedDict):
    """One turn; `role` is `user`, `assistant` or one of `TOOLS`."""

    role: str
    content: str
    trained: NotRequired[bool | None]
    """Whether the turn carries labels; if absent or null, assistant turns do."""


def is_trained(message: Message) -> bool:
    """Return whether a turn is an answer to train on, rather than context."""
    return message["role"] == "assistant" and message.get("trained") is not False


def target(messages: Sequence[Message]) -> int:
    """Return the index of the answer to embed, generate and score: the first to train on."""
    return next((index for index, turn in enumerate(messages) if is_trained(turn)), 1)


@dataclass(slots=True)
class Instance:
    """One conversation of a task."""

    id: str
    """Unique within the data set."""
    task: str
    messages: list[Message]
    """Alternating user and assistant turns, with tool turns in between; empty if unusable."""
    dropped: int
    """Number of turns at the end that were left out, since no answer follows."""
    where: str
    """Location in the file, for error messages."""
    references: tuple[str, ...] = ()
    """All correct answers; if empty, the `target` is the only one."""
    source: str = ""
    """The data set that the task was built from, such as `quoref`."""
    part: Part | None = None
    """Side of the published split, if there is one."""
    expand: Callable[[], str] | None = None
    """Builds the full first user turn, if that is too expensive to do for every row."""
    row: Any = None
    """The original row, for export."""
    fault: str = ""
    """Why there is no usable exchange, if known."""
    unused: Sequence[str] = ()
    """Columns and keys of the row that hold something but are not read."""


def exchange(question: str, answer: str) -> list[Message]:
    """Return a user turn and its answer, or no turns if one of them is blank."""
    if not question.strip() or not answer.strip():
        return []
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def exchange_of(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the question, the user turn before the `target` answer, and that answer."""
    index = target(messages)
    question = next(turn for turn in reversed(messages[:index]) if turn["role"] == "user")
    return question["content"], messages[index]["content"]


def text_of(messages: Sequence[Message]) -> str:
    """Return `{instruction} {answer}` of the exchange, the text to compare (B.3)."""
    return " ".join(exchange_of(messages))


def instruction_of(messages: Sequence[Message]) -> str:
    """Return the question without its answer."""
    return exchange_of(messages)[0]
