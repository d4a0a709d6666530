"""Data of one's own: rows of messages, of prompt and completion, or of Alpaca's three keys.

Which form a file has is seen from its columns. Of system turns and of conversations that begin with
the assistant, see `turns.dialogue`.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.formats import chat_rows
from nearfirst.data.naming import unique_ids
from nearfirst.data.turns import dialogue, parse

TASK = "mine"
"""The task of all rows where no column names one, and what ids begin with."""

FORMS = {
    "messages": ("messages",),
    "conversations": ("conversations",),
    "prompt and completion": ("prompt", "completion"),
    "instruction, input and output": ("instruction", "output"),
}
"""The forms, the first of which counts, and the columns without which a file has not that form."""

_ROLES = {"user": "user", "assistant": "assistant", "system": "system"}
_SENDERS = {"human": "user", "gpt": "assistant", **_ROLES}


def read(
    path: Path,
    task_column: str | None = None,
    name: str = TASK,
    *,
    task_is_optional: bool = False,
) -> Iterator[Instance]:
    """Yield the conversations of all files, file after file by name, in each file's order.

    A row's id is its own, if it has one, else `{name}_N` for the N-th row; repeated ids are
    numbered as in `naming.unique_ids`. Answers in `references` and a `source` are taken if
    they are there.

    Parameters
    ----------
    path
        One file, or a folder of files (`chat_rows.files`).
    task_column
        Column that names the task; None: all rows have the task `TASK`.
    name
        What ids begin with.
    task_is_optional
        Whether a file may lack that column; its rows have the task `TASK` then.

    Raises
    ------
    InputError
        If a file is missing, empty, damaged or of no known form, or a row lacks a column or has a
        value of another type; file and line are named.
    """
    return unique_ids(_read(path, task_column, name, task_is_optional))


def form_of(file: Path, columns: Collection[str]) -> str:
    """Return which of `FORMS` a file has, given its columns.

    Raises
    ------
    InputError
        If it has none of them; its columns and the forms are named.
    """
    for form, needed in FORMS.items():
        if set(needed) <= set(columns):
            return form
    known = "; ".join(FORMS)
    found = ", ".join(columns) or "none"
    alone = {"prompt", "instruction"} & set(columns)
    if alone and not {"completion", "output"} & set(columns):
        raise InputError(
            f"{file}: prompts without answers, and a loss needs an answer; found {found}; add a "
            f"column '{'completion' if 'prompt' in alone else 'output'}'"
        )
    raise InputError(f"{file}: columns of no known form: {found}; the forms are: {known}")


def _read(
    path: Path, task_column: str | None, name: str, task_is_optional: bool
) -> Iterator[Instance]:
    number = 0
    for file in chat_rows.files(path):
        columns = chat_rows.columns(file)
        form = form_of(file, columns)
        task_of = task_column
        if task_column and task_column not in columns:
            if not task_is_optional:
                raise InputError(
                    f"{file}: no column '{task_column}', which task_column names; found "
                    f"{', '.join(columns)}"
                )
            task_of = None
        logging.info("%s: read as %s; columns: %s", file, form, ", ".join(columns))
        optional = ["input", "id", "references", "source", *([task_of] if task_of else [])]
        for where, row in chat_rows.rows(file, {*FORMS[form], *optional}):
            number += 1
            for column in FORMS[form]:
                if column not in row:
                    found = ", ".join(row) or "none"
                    raise InputError(f"{where}: column '{column}' is missing; found {found}")
            task = TASK if task_of is None else _word(row, task_of, where)
            id_ = f"{name}_{number}" if row.get("id") is None else _word(row, "id", where)
            yield _instance(id_, task, _turns(form, row, where), row, where)


def _instance(
    id_: str, task: str, turns: list[tuple[str, str]], row: dict[str, Any], where: str
) -> Instance:
    found = dialogue(id_, task, turns, where)
    if not found.messages:
        speakers = {role for role, content in turns if content.strip()}
        if "user" not in speakers:
            found = replace(found, where=f"{where} (no user turn)")
        elif "assistant" not in speakers:
            found = replace(found, where=f"{where} (no assistant turn, and a loss needs an answer)")
    source = row.get("source")
    return replace(
        found,
        references=_references(row.get("references"), where),
        source=source if isinstance(source, str) else "",
    )


def _turns(form: str, row: dict[str, Any], where: str) -> list[tuple[str, str]]:
    """Return the (role, content) of a row."""
    if form == "messages":
        return _spoken(row["messages"], "messages", where)
    if form == "conversations":
        return _spoken(row["conversations"], "conversations", where, "from", "value")
    if form == "prompt and completion":
        return [
            turn
            for column, role in (("prompt", "user"), ("completion", "assistant"))
            for turn in (
                _spoken(row[column], column, where)
                if isinstance(row[column], list)
                else [(role, _text(row, column, where))]
            )
        ]
    asked = [_text(row, column, where) for column in ("instruction", "input")]
    question = "\n\n".join(part for part in asked if part.strip())
    return [("user", question), ("assistant", _text(row, "output", where))]


def _spoken(
    value: Any, column: str, where: str, sender: str = "role", text: str = "content"
) -> list[tuple[str, str]]:
    if not isinstance(value, list | None):
        raise InputError(f"{where}: '{column}' is {type(value).__name__}, not a list of turns")
    for turn in value or []:
        if not isinstance(turn, dict) or not {sender, text} <= turn.keys():
            found = ", ".join(turn) if isinstance(turn, dict) else type(turn).__name__
            raise InputError(
                f"{where}: a turn of '{column}' must have '{sender}' and '{text}'; found {found}"
            )
    roles = _SENDERS if sender == "from" else _ROLES
    return parse(value or [], roles, where, sender=sender, text=text)


def _text(row: dict[str, Any], column: str, where: str) -> str:
    value = row.get(column)
    if not isinstance(value, str | None):
        raise InputError(f"{where}: '{column}' is {type(value).__name__}, not text")
    return value or ""


def _word(row: dict[str, Any], column: str, where: str) -> str:
    """Return a name: text, or a number, that is not empty."""
    value = row.get(column)
    if not isinstance(value, str | int | None) or isinstance(value, bool):
        raise InputError(f"{where}: '{column}' is {type(value).__name__}, not a name or a number")
    if value is None or not str(value).strip():
        raise InputError(f"{where}: column '{column}' is empty")
    return str(value)


def _references(value: Any, where: str) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value or []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InputError(
            f"{where}: 'references' must be an answer or a list of answers; rename the column if "
            "it is something else"
        )
    return tuple(given)
