"""Turns as published: who speaks in them, and what dialogues hold beside questions and answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, exchanges


def parse(
    turns: Sequence[Any],
    roles: Mapping[str, str],
    where: str,
    *,
    sender: str = "from",
    text: str = "value",
) -> list[tuple[str, str]]:
    """Return the (role, content) of published turns; a null content is empty.

    Parameters
    ----------
    turns
        Mappings with the keys `sender` and `text`.
    roles
        What a sender is called in the file, to the role it has.
    where
        Place of the conversation, for messages.

    Raises
    ------
    InputError
        If a sender is unknown, or a content is no text.
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
    that of the next user turn, a blank line between them. A dialogue that begins with the assistant
    answers something that is not there: as a whole it is unusable, and `where` says so. All else
    is as in `exchanges`.
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
