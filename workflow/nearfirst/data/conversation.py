"""The conversations that readers yield, and how published turns become exchanges."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from nearfirst.common.errors import InputError

Part = Literal["train", "unseen"]
"""Side of the published split."""


class RowError(InputError):
    """A row that cannot be used; `sample.unusable` decides whether to stop or leave it out."""


MAY_BE_WEIGHT = re.compile("mask|train|loss|weight|ignore|skip")
"""Names of keys that may say whether a turn is trained on."""

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


def has_tools(messages: Sequence[Message]) -> bool:
    """Return whether a conversation has tool turns."""
    return any(message["role"] in TOOLS for message in messages)


BEGINS_WITH_ASSISTANT = "begins with the assistant, so the question is missing"


@dataclass(slots=True)
class Instance:
    """One conversation of a task."""

    id: str
    """Unique within the data set."""
    task: str
    messages: list[Message]
    """Alternating user and assistant turns, with tool turns in between; empty if unusable."""
    dropped: int
    """Number of turns left out because they were empty or had no counterpart."""
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


def exchanges(turns: Iterable[tuple[str, str]]) -> tuple[list[Message], int]:
    """Return adjacent (user, assistant) pairs of non-empty turns, and the number of other turns."""
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


def parse_turns(
    turns: Sequence[Any], roles: Mapping[str, str], *, sender: str = "from", text: str = "value"
) -> list[tuple[str, str]]:
    """Return the (role, content) pairs of published turns; null content becomes empty text.

    Each turn is a mapping with the keys `sender` and `text`; `roles` maps the senders in the file
    to `user`, `assistant` or `system`.

    Raises RowError if a sender is unknown, content is not text, or a turn may have a weight.
    """
    result = []
    for turn in turns:
        name = turn.get(sender) if isinstance(turn, dict) else None
        if not isinstance(name, str) or name not in roles:
            raise RowError(f"a turn is from {name!r}; expected {' or '.join(map(repr, roles))}")
        content = turn.get(text)
        if not isinstance(content, str | None):
            raise RowError(f"a turn's {text} is {type(content).__name__}, not text")
        for key in turn if len(turn) > 2 else ():
            if turn[key] is not None and MAY_BE_WEIGHT.search(key):
                raise RowError(f"a turn has '{key}', which only the format chat reads")
        result.append((roles[name], content or ""))
    return result


def dialogue(
    id_: str,
    task: str,
    turns: Sequence[Any],
    roles: Mapping[str, str],
    where: str,
    row: Any,
    **keys: str,
) -> Instance:
    """Return the instance of a published dialogue; `roles` and `keys` are those of `parse_turns`.

    The template knows only users and assistants, so a system turn is put before the next user turn,
    with a blank line between. A dialogue that begins with the assistant is unusable.
    """
    result = Instance(id_, task, [], 0, where, row=row)
    try:
        parsed = parse_turns(turns, roles, **keys)
    except RowError as error:
        result.fault = str(error)
        return result
    if next((role for role, _ in parsed if role != "system"), None) == "assistant":
        result.dropped, result.fault = len(parsed), BEGINS_WITH_ASSISTANT
        return result
    system: list[str] = []
    merged: list[tuple[str, str]] = []
    for role, content in parsed:
        if role == "system":
            system.append(content.strip())
            continue
        if role == "user" and content.strip():
            content, system = "\n\n".join(filter(None, [*system, content])), []
        merged.append((role, content))
    result.messages, dropped = exchanges(merged)
    result.dropped = dropped + len(system)
    return result


def unused_columns(row: Mapping[str, Any], known: Collection[str | None]) -> list[str]:
    """Describe the columns that hold something and are not among the known ones."""
    return [f"column '{name}'" for name in row if name not in known and says(row[name])]


def says(value: Any) -> bool:
    """Return whether a value holds anything; in Parquet, all rows have all columns and keys."""
    if isinstance(value, dict):
        return any(map(says, value.values()))
    if isinstance(value, list):
        return any(map(says, value))
    return value is not None and value != ""


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
