"""One conversation of a data set: what readers yield, and how turns become exchanges."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from nearfirst.common.errors import InputError

Part = Literal["train", "unseen"]
"""Side of the published split that a task is on."""


class Message(TypedDict):
    """One turn; `role` is `user` or `assistant`."""

    role: str
    content: str


@dataclass(slots=True)
class Instance:
    """One conversation of a task."""

    id: str
    """Unique within the data set."""
    task: str
    messages: list[Message]
    """Exchanges: user, assistant, user, assistant, … Empty if there is no usable one."""
    dropped: int
    """Turns left out because they were empty or had no counterpart."""
    where: str
    """Place in the file, for error messages."""
    references: tuple[str, ...] = ()
    """All right answers; if empty, the first assistant turn is the only one."""
    source: str = ""
    """The data set that the task's text comes from, such as `quoref`."""
    part: Part | None = None
    """Side of the published split; None if there is no such split."""
    expand: Callable[[], str] | None = None
    """Builds the whole first user turn, where that costs too much to do for every row."""
    row: Any = None
    """The row as it was read, for export."""


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
    where: str,
    *,
    sender: str = "from",
    text: str = "value",
) -> list[tuple[str, str]]:
    """Return the (role, content) of published turns; a null content becomes the empty text.

    A turn is a mapping with the keys `sender` and `text`; `roles` maps a sender in the file to
    `user`, `assistant` or `system`.

    Raises InputError if a sender is unknown, or a content is not text.
    """
    parsed = []
    for turn in turns:
        name = turn.get(sender) if isinstance(turn, dict) else None
        if not isinstance(name, str) or name not in roles:
            known = " or ".join(map(repr, roles))
            raise InputError(f"{where}: a turn is from {name!r}; expected {known}")
        content = turn.get(text)
        if not isinstance(content, str | None):
            raise InputError(f"{where}: a turn's {text} is {type(content).__name__}, not text")
        parsed.append((roles[name], content or ""))
    return parsed


def dialogue(
    id_: str, task: str, turns: Sequence[tuple[str, str]], where: str, row: Any
) -> Instance:
    """Return the instance of a dialogue that may have system turns.

    The template knows only the user and the assistant, so the text of a system turn is put before
    the next user turn, a blank line between them. A dialogue that begins with the assistant answers
    something that is missing: all of it is unusable, and `where` says so.
    """
    speakers = (role for role, _ in turns if role != "system")
    if next(speakers, None) == "assistant":
        where = f"{where} (begins with the assistant)"
        return Instance(id_, task, [], len(turns), where, row=row)
    system: list[str] = []
    merged: list[tuple[str, str]] = []
    for role, content in turns:
        if role == "system":
            system.append(content.strip())
        elif role == "user" and content.strip():
            merged.append((role, "\n\n".join(filter(None, [*system, content]))))
            system = []
        else:
            merged.append((role, content))
    messages, dropped = exchanges(merged)
    return Instance(id_, task, messages, dropped + len(system), where, row=row)


def text_of(messages: Sequence[Message]) -> str:
    """Return `{instruction} {answer}` of the first exchange, the text that is compared (B.3)."""
    return f"{messages[0]['content']} {messages[1]['content']}"


def instruction_of(messages: Sequence[Message]) -> str:
    """Return the first question, without its answer."""
    return messages[0]["content"]
