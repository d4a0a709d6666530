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
    """One conversation of a task.

    Attributes
    ----------
    id
        Unique within the data set.
    task
        Name of the task.
    messages
        Exchanges: user, assistant, user, assistant, … Empty if there is no usable one.
    dropped
        Turns left out because they were empty or had no counterpart.
    where
        Place in the file, for error messages.
    references
        All right answers; if empty, the first assistant turn is the only one.
    source
        The data set that the task's text comes from, such as `quoref`.
    part
        Side of the published split; None if there is no such split.
    expand
        Builds the whole first user turn, where that costs too much to do for every row.
    row
        The row as it was read, for export.
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
    row: Any = None


def exchanges(turns: Iterable[tuple[str, str]]) -> tuple[list[Message], int]:
    """Keep the (user, assistant) pairs of adjacent, non-empty turns.

    An empty turn takes its counterpart with it; a trailing question and an answer to nothing are
    left out.

    Parameters
    ----------
    turns
        (role, content) in order.

    Returns
    -------
    messages, dropped
        The messages kept, and how many turns were left out.
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

    Parameters
    ----------
    turns
        Mappings with the keys `sender` and `text`.
    roles
        Maps a sender's name in the file to `user`, `assistant` or `system`.
    where
        Place of the conversation, for error messages.

    Raises
    ------
    InputError
        If a sender is unknown, or a content is not text.
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


def dialogue(id_: str, task: str, turns: Sequence[tuple[str, str]], where: str) -> Instance:
    """Return the instance of a dialogue that may have system turns.

    The template knows only the user and the assistant, so the text of a system turn is put before
    the next user turn, a blank line between them. A dialogue that begins with the assistant answers
    something that is missing: all of it is unusable, and `where` says so.
    """
    speakers = (role for role, _ in turns if role != "system")
    if next(speakers, None) == "assistant":
        return Instance(id_, task, [], len(turns), f"{where} (begins with the assistant)")
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
    return Instance(id_, task, messages, dropped + len(system), where)
