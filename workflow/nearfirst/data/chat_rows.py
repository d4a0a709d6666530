"""A row of the user's own data, in any of four forms, as a conversation."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.data.conversation import (
    BEGINS_WITH_ASSISTANT,
    MAY_BE_WEIGHT,
    TOOLS,
    Instance,
    Message,
    RowError,
    says,
    unused_columns,
)

FORMS = {
    "messages": ("messages",),
    "conversations": ("conversations",),
    "prompt and completion": ("prompt", "completion"),
    "instruction, input and output": ("instruction", "output"),
}
"""Form to the columns it needs; the first form that fits counts."""

READ = {
    form: {*needed, "id", "references", "source", "system", *more}
    for (form, needed), more in zip(
        FORMS.items(), ((), (), ("history",), ("input", "history")), strict=True
    )
}
"""Form to all columns that are read."""
NAMES = {
    **{column: column for needed in FORMS.values() for column in needed},
    **{column: column for column in ("input", "id", "references", "source", "system", "history")},
    "response": "completion",
}
"""What a column of the user's may be called instead, to the column that is read."""

_SPEAKERS = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("tool", "observation", "ipython"), "tool"),
    "function": "function",
}
_KEYS = (("role", "content"), ("from", "value"))
WEIGHTS = (
    *("weight", "train", "training", "trainable", "train_on_turn"),
    *("loss", "loss_weight", "loss_scale", "masked"),
)
"""Keys of a turn that say with 0 and 1 whether it is trained on; `masked` says the opposite."""
REFUSED = {
    **dict.fromkeys(("tool_calls", "function_call"), "calls of tools are not read"),
    **dict.fromkeys(
        ("train_detail", "training_detail"), "a turn is trained on as a whole or not at all"
    ),
}
"""Keys of a turn without which it would teach something else, to why they are not read."""


_Turn = tuple[str, str, bool]
"""Role, content, and whether it is trained on."""


def form_of(file: Path, columns: Mapping[str, Any]) -> str:
    """Return which of `FORMS` a file has, by its first row.

    Raises InputError if it has none of them.
    """
    for form, needed in FORMS.items():
        if set(needed) <= set(columns):
            return form
    found = ", ".join(columns) or "none"
    for question, answer in (("prompt", "completion"), ("instruction", "output")):
        if question in columns:
            pair = "preference pairs" if "chosen" in columns else "prompts"
            named = "rename 'chosen' to" if "chosen" in columns else "add a column"
            raise InputError(
                f"{file}: {pair} without answers, and a loss needs an answer; found {found}; "
                f"{named} '{answer}', or map one to it by columns"
            )
    known = "; ".join(FORMS)
    hint = "columns may be mapped to these names: `columns: {question: prompt, answer: response}`"
    if any(isinstance(value, dict | list) for value in columns.values()):
        hint = "if its rows lie deeper in the file, write them alone, as a list or a line each"
    raise InputError(f"{file}: columns of no known form: {found}; the forms are: {known}; {hint}")


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


def instance(
    form: str,
    row: dict[str, Any],
    as_read: dict[str, Any],
    where: str,
    id_: str,
    task: str,
    task_column: str | None,
) -> Instance:
    """Return the conversation of a row; if it cannot be used, its `fault` says why.

    `as_read` has the columns as the file names them. `id_` and `task` are for rows without an id,
    and for those of a file without a task column.
    """
    found = Instance(id_, task, [], 0, where, row=as_read)
    unused: dict[str, None] = {}
    try:
        if row.get("id") is not None:
            found.id = _name(row, "id")
        if task_column:
            found.task = _name(as_read, task_column)
        for column in FORMS[form]:
            if column not in row:
                raise RowError(f"column '{column}' is missing; found {', '.join(row) or 'none'}")
        found.messages, found.dropped = _conversation(_turns(form, row, unused))
        found.references = _references(row)
    except RowError as error:
        found.messages, found.fault = [], str(error)
    if isinstance(source := row.get("source"), str):
        found.source = source
    read = READ[form]
    found.unused = [*unused_columns(row, {*read, task_column}), *unused]
    return found


def _name(row: dict[str, Any], column: str) -> str:
    """Return a task or an id: text or a whole number."""
    value = row.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float):
        raise RowError(f"'{column}' is {value}; write a text or a whole number")
    if not isinstance(value, str | int | None) or isinstance(value, bool):
        raise RowError(f"'{column}' is {type(value).__name__}, not a name or a number")
    if value is None or not str(value).strip():
        raise RowError(f"column '{column}' is empty")
    return str(value)


def _references(row: dict[str, Any]) -> tuple[str, ...]:
    references = row.get("references")
    if not references:
        return ()
    references = [references] if isinstance(references, str) else references
    if not isinstance(references, list) or not all(isinstance(one, str) for one in references):
        raise RowError(
            "'references' must be an answer or a list of answers; rename the column if it is "
            "something else"
        )
    return tuple(references)


def _turns(form: str, row: dict[str, Any], unused: dict[str, None]) -> list[_Turn]:
    """Return the turns of a row; what they say that is not read is added to `unused`."""
    turns: list[_Turn] = []
    if (system := _text(row, "system")).strip():
        turns.append(("system", system, False))
    if "history" in READ[form]:
        turns += _history(row)
    if form == "instruction, input and output":
        asked = [_text(row, column) for column in ("instruction", "input")]
        question = "\n\n".join(part for part in asked if part.strip())
        turns += [("user", question, False), ("assistant", _text(row, "output"), True)]
        return turns
    if form == "prompt and completion":
        if isinstance(row["prompt"], list):
            turns += [(*turn[:2], False) for turn in _list_of_turns(row, "prompt", unused)]
            if turns and turns[-1][0] == "assistant":
                raise RowError("the prompt ends in the assistant's turn; end it in the user's")
        else:
            turns.append(("user", _text(row, "prompt"), False))
        if not isinstance(row["completion"], list):
            return [*turns, ("assistant", _text(row, "completion"), True)]
    listed = _list_of_turns(row, FORMS[form][-1], unused)
    # Some files say the same twice.
    if system and listed and listed[0][:2] == ("system", system):
        del listed[0]
    return turns + listed


def _history(row: dict[str, Any]) -> Iterator[_Turn]:
    """Yield earlier exchanges, which are context: the row is about its own question."""
    history = row.get("history") or []
    if not isinstance(history, list):
        raise RowError(f"'history' is {type(history).__name__}, not a list of exchanges")
    for pair in history:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not all(isinstance(t, str) for t in pair)
        ):
            raise RowError("'history' must hold pairs of a question and its answer, both texts")
        yield "user", pair[0], False
        yield "assistant", pair[1], False


def _list_of_turns(row: dict[str, Any], column: str, unused: dict[str, None]) -> list[_Turn]:
    turns = row[column] or []
    if not isinstance(turns, list):
        raise RowError(f"'{column}' is {type(turns).__name__}, not a list of turns")
    usual = _KEYS[column == "conversations"]
    found: list[_Turn] = []
    for turn in turns:
        if not isinstance(turn, dict):
            turn = {type(turn).__name__: None}
        sender, text = _KEYS["role" not in turn] if "role" in turn or "from" in turn else usual
        is_plain = len(turn) == 2 and sender in turn and text in turn
        if not is_plain:
            _check_keys(turn, column, sender, text)
        name = turn[sender]
        role = _SPEAKERS.get(name.lower()) if isinstance(name, str) else None
        if role is None:
            raise RowError(f"a turn is from {name!r}; expected one of {', '.join(_SPEAKERS)}")
        trained = role == "assistant"
        for key, value in () if is_plain else turn.items():
            if key in WEIGHTS and value is not None:
                trained &= _weight(key, value, role, unused)
            elif key not in (sender, text) and says(value):
                if MAY_BE_WEIGHT.search(key) and not isinstance(value, str | dict):
                    raise RowError(
                        f"a turn has '{key}', which may say whether it is trained on; call it "
                        "'train' if 1 means that it is, 'masked' if 1 means that it is not"
                    )
                unused[f"key '{key}' of turns"] = None
        content = turn[text]
        content = content if isinstance(content, str) else _joined(content, text)
        found.append((role, content, trained))
    return found


def _check_keys(turn: dict[str, Any], column: str, sender: str, text: str) -> None:
    for key, why in REFUSED.items():
        if key in turn and says(turn[key]):
            raise RowError(f"a turn of '{column}' has '{key}': {why}")
    if sender not in turn or text not in turn:
        raise RowError(
            f"a turn of '{column}' must have '{sender}' and '{text}'; found {', '.join(turn)}"
        )


def _weight(key: str, value: Any, role: str, unused: dict[str, None]) -> bool:
    """Return whether a turn is trained on, by one of `WEIGHTS`."""
    if value not in (0, 1):
        raise RowError(f"a turn's '{key}' is {value!r}, and only 0 and 1 can be used")
    trained = bool(value) != (key == "masked")
    if trained and role != "assistant":
        unused[f"key '{key}' of turns that are not the assistant's"] = None
    return trained


def _joined(content: Any, key: str) -> str:
    """Return a turn's text that is null, or in parts as in OpenAI's form."""
    if isinstance(content, list):
        parts: list[Any] = [
            part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
            for part in content
        ]
        if not all(isinstance(part, str) for part in parts):
            raise RowError(f"a turn's {key} has parts that are not text")
        return "".join(parts)
    if content is not None:
        raise RowError(f"a turn's {key} is {type(content).__name__}, not text")
    return ""


def _conversation(turns: list[_Turn]) -> tuple[list[Message], int]:
    """Return the exchanges of turns, and how many turns at the end belong to none.

    Turns of one speaker in a row become one, a blank line between them, but not those of tools. The
    text of system turns, which not all templates know, is put before the next user turn in the same
    way. An empty turn counts for nothing, but inside a conversation it is a fault, since the rest
    would lose its context; a tool may return nothing.
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
                    raise RowError("of two turns of the assistant in a row one is trained on")
                content = f"{before}\n\n{content}"
            last["content"], last["trained"] = content, trained
    if messages and (first := messages[0]["role"]) != "user":
        is_tool = first in TOOLS
        raise RowError("begins with the turn of a tool" if is_tool else BEGINS_WITH_ASSISTANT)
    left_out = len(system)
    while messages and (messages[-1]["role"] != "assistant" or not messages[-1]["content"].strip()):
        messages.pop()
        left_out += 1
    contents = [message["content"] for message in messages if message["role"] not in TOOLS]
    if not contents or not all(contents) or any(map(str.isspace, contents)):
        if not any(role == "user" and content.strip() for role, content, _ in turns):
            raise RowError("no user turn")
        if not contents:
            raise RowError("no assistant turn, and a loss needs an answer")
        raise RowError("a turn before the last answer is empty")
    if True not in [message["trained"] for message in messages]:
        raise RowError("no turn is trained on: each has a weight of 0")
    return messages, left_out


def _text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    if not isinstance(value, str | None):
        raise RowError(f"'{column}' is {type(value).__name__}, not text")
    return value or ""
