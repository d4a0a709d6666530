"""One conversation of a data set: what readers yield, and how turns become exchanges."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from nearfirst.common.errors import InputError

Part = Literal["train", "unseen"]
"""Side of the published split that a task is on."""


class RowError(InputError):
    """Why a row cannot be used: an error, or the row is left out (`sample.unusable`)."""


MAY_BE_WEIGHT = re.compile("mask|train|loss|weight|ignore|skip")
"""What a key of a turn has in its name that may say whether the turn is trained on."""

TOOLS = frozenset({"tool", "function"})
"""Roles of turns that only a chat template takes."""


class Message(TypedDict):
    """One turn; `role` is `user` or `assistant`, or one of `TOOLS`."""

    role: str
    content: str
    trained: NotRequired[bool | None]
    """Whether it carries labels; if absent or null, an answer does."""


def is_trained(message: Message) -> bool:
    """Return whether a turn is an answer that is trained on, rather than context."""
    return message["role"] == "assistant" and message.get("trained") is not False


def target(messages: Sequence[Message]) -> int:
    """Return the index of the answer that is embedded, generated and scored.

    It is the first that is trained on.
    """
    for index, message in enumerate(messages):
        if is_trained(message):
            return index
    return 1


def has_tools(messages: Sequence[Message]) -> bool:
    """Return whether a conversation has turns of tools."""
    return any(message["role"] in TOOLS for message in messages)


BEGINS_WITH_ASSISTANT = "begins with the assistant, which answers something that is missing"


@dataclass(slots=True)
class Instance:
    """One conversation of a task."""

    id: str
    """Unique within the data set."""
    task: str
    messages: list[Message]
    """Exchanges: user, assistant, user, assistant, …, and tools in between. Empty if there is no
    usable one."""
    dropped: int
    """Turns left out because they were empty or had no counterpart."""
    where: str
    """Place in the file, for error messages."""
    references: tuple[str, ...] = ()
    """All right answers; if empty, the `target` is the only one."""
    source: str = ""
    """The data set that the task's text comes from, such as `quoref`."""
    part: Part | None = None
    """Side of the published split; None if there is no such split."""
    expand: Callable[[], str] | None = None
    """Builds the whole first user turn, where that costs too much to do for every row."""
    row: Any = None
    """The row as it was read, for export."""
    fault: str = ""
    """Why there is no usable exchange, where that is known."""
    unused: Sequence[str] = ()
    """What else the row says, and nothing reads."""


def exchanges(turns: Iterable[tuple[str, str]]) -> tuple[list[Message], int]:
    """Keep the (user, assistant) pairs of adjacent, non-empty turns; also count the other turns.

    An empty turn takes its counterpart with it; a question without an answer and an answer without
    a question are left out.
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


def parse_turns(
    turns: Sequence[Any],
    roles: Mapping[str, str],
    *,
    sender: str = "from",
    text: str = "value",
) -> list[tuple[str, str]]:
    """Return the (role, content) of published turns; a null content becomes the empty text.

    A turn is a mapping with the keys `sender` and `text`; `roles` maps a sender in the file to
    `user`, `assistant` or `system`.

    Raises RowError if a sender is unknown, a content is not text, or a turn may have a weight.
    """
    parsed = []
    for turn in turns:
        name = turn.get(sender) if isinstance(turn, dict) else None
        if not isinstance(name, str) or name not in roles:
            known = " or ".join(map(repr, roles))
            raise RowError(f"a turn is from {name!r}; expected {known}")
        content = turn.get(text)
        if not isinstance(content, str | None):
            raise RowError(f"a turn's {text} is {type(content).__name__}, not text")
        for key in turn if len(turn) > 2 else ():
            if turn[key] is not None and MAY_BE_WEIGHT.search(key):
                raise RowError(f"a turn has '{key}', which only the format chat reads")
        parsed.append((roles[name], content or ""))
    return parsed


def dialogue(
    id_: str,
    task: str,
    turns: Sequence[Any],
    roles: Mapping[str, str],
    where: str,
    row: Any,
    **keys: str,
) -> Instance:
    """Return the instance of a published dialogue that may have system turns, as of `parse_turns`.

    The template knows only the user and the assistant, so the text of a system turn is put before
    the next user turn, a blank line between them. A dialogue that begins with the assistant answers
    something that is missing: all of it is unusable, and `fault` says so.
    """
    found = Instance(id_, task, [], 0, where, row=row)
    try:
        parsed = parse_turns(turns, roles, **keys)
    except RowError as error:
        found.fault = str(error)
        return found
    speakers = (role for role, _ in parsed if role != "system")
    if next(speakers, None) == "assistant":
        found.dropped, found.fault = len(parsed), BEGINS_WITH_ASSISTANT
        return found
    system: list[str] = []
    merged: list[tuple[str, str]] = []
    for role, content in parsed:
        if role == "system":
            system.append(content.strip())
        elif role == "user" and content.strip():
            merged.append((role, "\n\n".join(filter(None, [*system, content]))))
            system = []
        else:
            merged.append((role, content))
    found.messages, dropped = exchanges(merged)
    found.dropped = dropped + len(system)
    return found


def unused_columns(row: Mapping[str, Any], known: Collection[str | None]) -> list[str]:
    """Return the names of columns that say something and are not among the known ones."""
    return [f"column '{name}'" for name in row if name not in known and says(row[name])]


def says(value: Any) -> bool:
    """Return whether a value holds anything: in Parquet all rows have all columns and keys."""
    if isinstance(value, dict):
        return any(map(says, value.values()))
    if isinstance(value, list):
        return any(map(says, value))
    return value is not None and value != ""


def exchange_of(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the answer that counts (`target`) and, before it, the question: the user's turn."""
    at = target(messages)
    asked = next(turn for turn in reversed(messages[:at]) if turn["role"] == "user")
    return asked["content"], messages[at]["content"]


def text_of(messages: Sequence[Message]) -> str:
    """Return `{instruction} {answer}` of an exchange, the text that is compared (B.3)."""
    return " ".join(exchange_of(messages))


def instruction_of(messages: Sequence[Message]) -> str:
    """Return the question, without its answer."""
    return exchange_of(messages)[0]
