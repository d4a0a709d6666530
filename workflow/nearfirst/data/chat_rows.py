"""A row of the user's own data, in any of four forms, as a conversation."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.data.conversation import Instance, dialogue, parse_turns

FORMS = {
    "messages": ("messages",),
    "conversations": ("conversations",),
    "prompt and completion": ("prompt", "completion"),
    "instruction, input and output": ("instruction", "output"),
}
"""Form to the columns it needs; the first form that fits counts."""

NAMES = {
    **{column: column for needed in FORMS.values() for column in needed},
    **{column: column for column in ("input", "id", "references", "source")},
    "response": "completion",
}
"""What a column of the user's may be called instead, to the column that is read."""

_ROLES = {"user": "user", "assistant": "assistant", "system": "system"}
_SENDERS = {"human": "user", "gpt": "assistant", **_ROLES}
_SPEAKERS = {"prompt": "user", "completion": "assistant"}
"""Who speaks in a column that may hold a text or a list of turns."""


def form_of(file: Path, columns: Collection[str]) -> str:
    """Return which of `FORMS` a file has. Raises InputError if it has none of them."""
    for form, needed in FORMS.items():
        if set(needed) <= set(columns):
            return form
    found = ", ".join(columns) or "none"
    for question, answer in (("prompt", "completion"), ("instruction", "output")):
        if question in columns:
            raise InputError(
                f"{file}: prompts without answers, and a loss needs an answer; found {found}; add "
                f"a column '{answer}'"
            )
    known = "; ".join(FORMS)
    raise InputError(f"{file}: columns of no known form: {found}; the forms are: {known}")


def renaming(
    file: Path, columns: Collection[str], names: Mapping[str, str]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that gives the columns of a row the `NAMES` that they are mapped to.

    Raises InputError if a file lacks one of these columns, or has one of the new name already.
    """
    new = {column: NAMES[name] for column, name in names.items()}
    for column, name in new.items():
        if column not in columns:
            raise InputError(
                f"{file}: no column '{column}', which columns maps to '{names[column]}'; found "
                f"{', '.join(columns)}{did_you_mean(column, columns)}"
            )
        if name in columns and name not in new:
            raise InputError(
                f"{file}: columns maps '{column}' to '{name}', and the file has a column "
                f"'{name}' already; map that one to another name, or rename it"
            )
    if not new:
        return lambda row: row
    return lambda row: {new.get(column, column): value for column, value in row.items()}


def instance(form: str, row: dict[str, Any], task: str, id_: str, where: str) -> Instance:
    """Return the conversation of a row.

    Raises InputError if the row lacks a column of its form, or a value has another type.
    """
    for column in FORMS[form]:
        if column not in row:
            there = ", ".join(row) or "none"
            raise InputError(f"{where}: column '{column}' is missing; found {there}")
    turns = _turns(form, row, where)
    found = dialogue(id_, task, turns, where, row)
    if not found.messages:
        speakers = {role for role, content in turns if content.strip()}
        if "user" not in speakers:
            found.where = f"{where} (no user turn)"
        elif "assistant" not in speakers:
            found.where = f"{where} (no assistant turn, and a loss needs an answer)"
    references = row.get("references") or []
    references = [references] if isinstance(references, str) else references
    if not isinstance(references, list) or not all(isinstance(one, str) for one in references):
        raise InputError(
            f"{where}: 'references' must be an answer or a list of answers; rename the column if "
            "it is something else"
        )
    found.references = tuple(references)
    if isinstance(source := row.get("source"), str):
        found.source = source
    return found


def name(row: dict[str, Any], column: str, where: str) -> str:
    """Return a task or an id: text or a whole number. Raises InputError if it is neither."""
    value = row.get(column)
    if not isinstance(value, str | int | None) or isinstance(value, bool):
        raise InputError(f"{where}: '{column}' is {type(value).__name__}, not a name or a number")
    if value is None or not str(value).strip():
        raise InputError(f"{where}: column '{column}' is empty")
    return str(value)


def _turns(form: str, row: dict[str, Any], where: str) -> list[tuple[str, str]]:
    """Return the (role, content) of a row."""
    if form == "instruction, input and output":
        asked = [_text(row, column, where) for column in ("instruction", "input")]
        question = "\n\n".join(part for part in asked if part.strip())
        return [("user", question), ("assistant", _text(row, "output", where))]
    turns: list[tuple[str, str]] = []
    for column in FORMS[form]:
        if column in _SPEAKERS and not isinstance(row[column], list):
            turns.append((_SPEAKERS[column], _text(row, column, where)))
        else:
            turns += _list_of_turns(row, column, where)
    return turns


def _list_of_turns(row: dict[str, Any], column: str, where: str) -> list[tuple[str, str]]:
    turns = row[column] or []
    if not isinstance(turns, list):
        raise InputError(f"{where}: '{column}' is {type(turns).__name__}, not a list of turns")
    sender, text = ("from", "value") if column == "conversations" else ("role", "content")
    for turn in turns:
        if not isinstance(turn, dict) or not {sender, text} <= turn.keys():
            found = ", ".join(turn) if isinstance(turn, dict) else type(turn).__name__
            raise InputError(
                f"{where}: a turn of '{column}' must have '{sender}' and '{text}'; found {found}"
            )
    roles = _SENDERS if sender == "from" else _ROLES
    return parse_turns(turns, roles, where, sender=sender, text=text)


def _text(row: dict[str, Any], column: str, where: str) -> str:
    value = row.get(column)
    if not isinstance(value, str | None):
        raise InputError(f"{where}: '{column}' is {type(value).__name__}, not text")
    return value or ""
