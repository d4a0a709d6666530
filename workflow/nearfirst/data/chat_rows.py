"""Turn a row of data, in any of five forms, into a conversation."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.data.conversation import TOOLS, Instance, Message, RowError

FORMS = {
    "messages": ("messages",),
    "conversations": ("conversations",),
    "items": ("items",),
    "prompt and completion": ("prompt", "completion"),
    "instruction, input and output": ("instruction", "output"),
}
"""Each form and the columns it requires; the first form that matches is used, or among those with
a column that the user mapped, the first."""

_OPTIONAL = ("id", "references", "source", "system")
_READ = {form: {*required, *_OPTIONAL} for form, required in FORMS.items()}
"""Each form and all columns that are read."""
_READ["prompt and completion"] |= {"history"}
_READ["instruction, input and output"] |= {"input", "history"}

NAMES = {
    **{column: column for required in FORMS.values() for column in required},
    **{column: column for column in ("input", *_OPTIONAL, "history")},
    "response": "completion",
}
"""Names that a user may map a column to, and the column that each one means."""

_ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "observation", "ipython"), "tool"),
    "function": "function",
}
_WEIGHTS = (
    *("weight", "train", "training", "trainable", "train_on_turn"),
    *("loss", "loss_weight", "loss_scale", "masked"),
)
"""Keys of a turn that say, as 0 or 1, whether it is trained on; `masked` means the opposite."""
_MAY_BE_WEIGHT = re.compile("mask|train|loss|weight|ignore|skip")
"""Names of further keys that may say whether a turn is trained on."""

_SPEAKERS = {"prompt": "user", "completion": "assistant"}
"""Columns that may hold a text instead of turns, and whose it is."""

_Turn = tuple[str, str, bool]
"""Role, content, and whether it is trained on."""


def form_of(file: Path, columns: Collection[str], names: Collection[str] = ()) -> str:
    """Return the name of a file's form in `FORMS`, given its columns, renamed.

    A form with one of `names`, to which the user mapped columns, precedes the others. Raises
    InputError if the file has none of them.
    """
    mapped = {NAMES[name] for name in names}
    for form, required in sorted(FORMS.items(), key=lambda form: mapped.isdisjoint(form[1])):
        if {*required} <= {*columns}:
            return form
    raise InputError(
        f"{file}: columns of no known form: {_listed(columns)}; a row needs a question and its "
        f"answer, as {'; '.join(FORMS)}; map other names to these: `columns: {{question: prompt, "
        "answer: response}` (--columns question=prompt answer=response)"
    )


def _listed(columns: Collection[str]) -> str:
    # If a whole file is one object, each of its rows may have a key.
    return shorten(", ".join(columns), 200, placeholder=" …")


def renaming(
    file: Path, columns: Collection[str], names: Mapping[str, str]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that renames the columns of a row as the user mapped them to `NAMES`.

    Raises InputError if a mapped column is missing, or the new name is already taken.
    """
    new_names = {column: NAMES[name] for column, name in names.items()}
    for column, name in new_names.items():
        if column not in columns:
            raise InputError(
                f"{file}: no column '{column}', which columns maps to '{names[column]}'; found "
                f"{_listed(columns)}{did_you_mean(column, columns)}"
            )
        if name in columns and name not in new_names:
            raise InputError(
                f"{file}: columns maps '{column}' to '{name}', but the file already has a column "
                f"'{name}'; map that one to another name, or rename it"
            )
    if not new_names:
        return lambda row: row
    return lambda row: {new_names.get(column, column): value for column, value in row.items()}


def instance(
    form: str,
    row: dict[str, Any],
    where: str,
    id_: str,
    task: str = "",
    task_column: str | None = None,
    original: dict[str, Any] | None = None,
) -> Instance:
    """Return the conversation of a row; if it cannot be used, `fault` says why.

    `id_` is for a row without an id, and `task` for a file without a task column. `original` is the
    row with the column names of the file, if others are mapped to them.
    """
    original = row if original is None else original
    result = Instance(id_, task, [], 0, where, row=original)
    unused: dict[str, None] = {}
    # Where pandas has no value, it writes NaN, the only value that differs from itself.
    row = {column: None if value != value else value for column, value in row.items()}
    for column, value in row.items():
        if column not in _READ[form] and column != task_column and _says(value):
            unused[f"column '{column}'"] = None
    try:
        if row.get("id") is not None:
            result.id = _parse_name(row, "id")
        if task_column:
            result.task = _parse_name(original, task_column)
        for column in FORMS[form]:
            if column not in row:
                raise RowError(f"column '{column}' is missing; found {', '.join(row) or 'none'}")
        result.messages, result.dropped = _merge_turns(_parse_row(form, row, unused))
        result.references = _parse_references(row)
    except RowError as error:
        result.messages, result.fault = [], str(error)
    if isinstance(source := row.get("source"), str):
        result.source = source
    result.unused = [*unused]
    return result


def _says(value: Any) -> bool:
    """Return whether a value holds anything; in Parquet, all rows have all columns and keys."""
    if isinstance(value, dict):
        return any(map(_says, value.values()))
    if isinstance(value, list):
        return any(map(_says, value))
    return value is not None and value != ""


def _parse_name(row: dict[str, Any], column: str) -> str:
    """Return a task or an id: text or a whole number."""
    value = row.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value == "" or (isinstance(value, str) and value.isspace()):
        raise RowError(f"column '{column}' is empty")
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise RowError(f"'{column}' is {type(value).__name__}, not text or a whole number")
    return str(value)


def _parse_references(row: dict[str, Any]) -> tuple[str, ...]:
    references = row.get("references") or []
    if isinstance(references, str):
        references = [references]
    if not isinstance(references, list) or not all(isinstance(text, str) for text in references):
        raise RowError(
            "'references' must be an answer or a list of answers; rename the column otherwise"
        )
    return tuple(references)


def _parse_row(form: str, row: dict[str, Any], unused: dict[str, None]) -> list[_Turn]:
    """Return the turns of a row; add to `unused` what they hold that is not read."""
    turns: list[_Turn] = []
    if (system := _parse_text(row, "system")).strip():
        turns.append(("system", system, False))
    if "history" in _READ[form]:
        turns += _parse_history(row)
    if form == "instruction, input and output":
        parts = [_parse_text(row, column) for column in ("instruction", "input")]
        question = "\n\n".join(part for part in parts if part.strip())
        turns += [("user", question, False), ("assistant", _parse_text(row, "output"), True)]
        return turns
    if form == "prompt and completion":
        prompt = _parse_turns(row, "prompt", unused)
        turns += [(role, content, False) for role, content, _ in prompt]
    listed = _parse_turns(row, FORMS[form][-1], unused)
    # Some files repeat the system column as the first turn.
    if system and listed and listed[0][0] == "system" and listed[0][1].strip() == system.strip():
        del listed[0]
    # Turns of preference pairs often include the prompt, which would then come twice.
    roles = [role for role, _, _ in listed if role != "system"]
    if turns and turns[-1][0] == "user" and roles[:1] == ["user"]:
        raise RowError(
            "the completion begins with a user turn, as if it were the whole conversation; if it "
            "is, map its column to 'messages' (`columns`)"
        )
    return turns + listed


def _parse_history(row: dict[str, Any]) -> Iterator[_Turn]:
    """Yield earlier exchanges, which are only context."""
    history = row.get("history") or []
    for pair in history if isinstance(history, list) else [history]:
        if not isinstance(pair, list) or [type(text) for text in pair] != [str, str]:
            raise RowError("'history' must hold pairs of a question and its answer, both text")
        yield "user", pair[0], False
        yield "assistant", pair[1], False


def _parse_turns(row: dict[str, Any], column: str, unused: dict[str, None]) -> list[_Turn]:
    """Return the turns in a column; add to `unused` the keys that are not read."""
    turns = row[column] or []
    if column in _SPEAKERS and not isinstance(turns, list):
        return [(_SPEAKERS[column], _parse_text(row, column), column == "completion")]
    if not isinstance(turns, list):
        raise RowError(f"'{column}' is {type(turns).__name__}, not a list of turns")
    if column in ("messages", "conversations") and all(isinstance(turn, str) for turn in turns):
        return [
            ("assistant", text, True) if n % 2 else ("user", text, False)
            for n, text in enumerate(turns)
        ]
    result: list[_Turn] = []
    for turn in turns:
        if not isinstance(turn, dict):
            raise RowError(f"a turn of '{column}' is {type(turn).__name__}, not an object")
        sender, text = ("role", "content") if "role" in turn else ("from", "value")
        if sender not in turn or text not in turn:
            raise RowError(
                f"a turn of '{column}' must have 'role' and 'content', or 'from' and 'value'; "
                f"found {', '.join(turn)}"
            )
        role = _ROLES.get(str(turn[sender]).lower())
        if role is None:
            raise RowError(f"a turn is from {turn[sender]!r}; expected one of {', '.join(_ROLES)}")
        trained = role == "assistant"
        for key, value in turn.items() if len(turn) > 2 else ():
            if key in (sender, text) or not _says(value):
                continue
            if key in _WEIGHTS:
                if value not in (0, 1):
                    raise RowError(f"a turn's '{key}' is {value!r}, and only 0 and 1 can be used")
                has_weight = bool(value) != (key == "masked")
                if has_weight and role != "assistant":
                    unused[f"key '{key}' of turns that are not the assistant's"] = None
                trained &= has_weight
            elif key in ("tool_calls", "function_call"):
                raise RowError(f"a turn of '{column}' has '{key}': tool calls are not read")
            elif _MAY_BE_WEIGHT.search(key) and not isinstance(value, str | dict):
                raise RowError(
                    f"a turn has '{key}', which may say whether it is trained on; rename it to "
                    "'train' if 1 means that it is, or to 'masked' if 1 means that it is not"
                )
            else:
                unused[f"key '{key}' of turns"] = None
        content = turn[text]
        content = content if isinstance(content, str) else _join(content, text)
        result.append((role, content, trained))
    return result


def _join(content: Any, key: str) -> str:
    """Return the text of a turn that is null or, as in OpenAI's format, in parts."""
    if content is None:
        return ""
    if not isinstance(content, list):
        raise RowError(f"a turn's {key} is {type(content).__name__}, not text")
    parts: list[Any] = [
        part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        for part in content
    ]
    if not all(isinstance(part, str) for part in parts):
        raise RowError(f"a turn's {key} has parts that are not text")
    return "".join(parts)


def _merge_turns(turns: list[_Turn]) -> tuple[list[Message], int]:
    """Return the exchanges of a row, and the number of turns at the end that belong to none.

    Consecutive turns of one role, other than tools, are joined by a blank line. The text of system
    turns, which not all templates support, is put before the next user turn in the same way. Empty
    turns are ignored, but one inside a conversation is a fault, since the rest would lose its
    context. A tool may return nothing.
    """
    messages: list[Message] = []
    system: list[str] = []
    for role, content, trained in turns:
        is_blank = not content or content.isspace()
        if role == "system":
            system += [] if is_blank else [content.strip()]
            continue
        if system and role == "user" and not is_blank:
            content, system = "\n\n".join([*system, content]), []
        if not messages or messages[-1]["role"] != role or role in TOOLS:
            messages.append({"role": role, "content": content, "trained": trained})
        elif not is_blank:
            last = messages[-1]
            if before := last["content"].strip() and last["content"]:
                if last["trained"] != trained:
                    raise RowError(
                        "two assistant turns in a row, such as a prompt's last turn and the "
                        "completion, of which only one is trained on"
                    )
                content = f"{before}\n\n{content}"
            last["content"], last["trained"] = content, trained
    if messages and (first := messages[0]["role"]) != "user":
        raise RowError(f"begins with a turn of {first}, so the question is missing")
    n_dropped = len(system)
    while messages and (messages[-1]["role"] != "assistant" or not messages[-1]["content"].strip()):
        messages.pop()
        n_dropped += 1
    for message in messages:
        if not message["content"].strip() and message["role"] not in TOOLS:
            raise RowError("a turn before the last answer is empty")
    if messages and not any(message["trained"] for message in messages):
        raise RowError("no turn is trained on: all have a weight of 0")
    return messages, n_dropped


def _parse_text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(f"'{column}' is {type(value).__name__}, not text")
    return value
