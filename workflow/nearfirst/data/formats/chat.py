"""Data of one's own: rows of messages, of prompt and completion, or of Alpaca's three keys.

Which form a file has is seen from its columns. Of system turns and of conversations that begin with
the assistant, see `turns.dialogue`.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.errors import InputError
from nearfirst.common.settings import Section, canonical
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers import chat_rows
from nearfirst.data.settings import Dataset, HeldOut, Number, Share
from nearfirst.data.turns import dialogue, parse

FILES = ("*.jsonl", "*.jsonl.gz", "*.jsonl.zst", "*.parquet")

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


class ChatSampleSettings(Section):
    """What of data of one's own is held out, and how much of the rest is trained on."""

    held_out: Number | Share | None = Field(
        None,
        description="Conversations of the test set where it comes from the pool: a number, or a "
        "share; null holds out a tenth, and at most 200.",
    )
    unseen_tasks: Number | Share | Annotated[list[str], Field(min_length=1)] = Field(
        0.15,
        description="Tasks that are held out where the test set is of unseen tasks: a number, a "
        "share, or their names.",
    )
    split_seed: int = Field(0, description="Seed of what is held out.")
    train_per_task: PositiveInt | None = Field(
        None,
        description="Most training conversations of a task, or of the pool if there is no "
        "`task_column`; null takes them all.",
    )
    train_seed: int = Field(0, description="Seed of the training sample.")
    specialist_per_task: PositiveInt = Field(
        5, description="Most conversations of an unseen task in a specialist test set."
    )
    generalist: PositiveInt = Field(
        120, description="Conversations of a generalist test set, over all unseen tasks."
    )
    unusable: Literal["error", "skip"] = Field(
        "error",
        description="What to do with a row without a question and its answer: `error` stops and "
        "names it, `skip` leaves it out and counts it.",
    )


class Settings(Dataset):
    """Data of your own: rows of messages, of prompt and completion, or of Alpaca's keys."""

    format: Literal["chat"] = Field("chat", description="Published form.")
    path: str | None = Field(
        None,
        description="The pool: a `.jsonl` (`.gz`, `.zst`), `.json` or `.parquet` file, or a folder "
        "of `.jsonl` and `.parquet` files.",
    )
    hub: None = Field(None, description="Own data are not fetched; fixed.")
    test_path: str | None = Field(
        None,
        description="The test set, a file or folder like `path`; null takes it from the pool.",
    )
    task_column: str | None = Field(
        None,
        min_length=1,
        description="Column that names the task of a row. Without `test_path` whole tasks are held "
        "out by it.",
    )
    test: str = Field(
        "heldout",
        pattern=r"^(heldout|(generalist|specialist)-(0|[1-9][0-9]*))$",
        description="Test set to arrange for: `heldout` is `test_path`, or rows of the pool; "
        "`specialist-S` (the default where there is a `task_column` and no `test_path`) and "
        "`generalist-S` are of held-out tasks, S their seed.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        "epoch", description="Steps of a run on this data set; null: `train.steps`."
    )
    sample: ChatSampleSettings = ChatSampleSettings()

    @model_validator(mode="before")
    @classmethod
    def _tasks_are_held_out_if_named(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("test") is not None:
            return content
        by_task = content.get("task_column") and not content.get("test_path")
        return {**content, "test": "specialist-0" if by_task else "heldout"}

    @model_validator(mode="after")
    def _has_a_path(self) -> Self:
        if not self.path:
            raise ValueError("path: set it to your pool, a .jsonl or .parquet file or a folder")
        return self

    @model_validator(mode="after")
    def _one_test_set(self) -> Self:
        if self.test != "heldout":
            if self.test_path:
                raise ValueError(
                    f"test: {self.test!r} holds tasks of the pool out, and test_path is a test set "
                    "already; leave one of them out"
                )
            if not self.task_column:
                raise ValueError(f"test: {self.test!r} needs a task_column that names the tasks")
        return self

    @property
    def holds_out(self) -> HeldOut:
        """What of the pool is held out as the test set."""
        if self.test_path:
            return "nothing"
        return "rows" if self.test == "heldout" else "tasks"

    def sampling(self, split: str) -> str:
        """Return, as canonical JSON, what the sampling of one split reads."""
        kind = split.partition("-")[0]
        reads = {
            "train": {"train_per_task", "train_seed"},
            "specialist": {"specialist_per_task"},
            "generalist": {"generalist"},
        }.get(kind, set())
        reads |= {
            "rows": {"held_out", "split_seed"},
            "tasks": {"unseen_tasks", "split_seed"},
            "nothing": set[str](),
        }[self.holds_out]
        sample = self.sample.model_dump(mode="json", include=reads | {"unusable"})
        return canonical({"format": self.format, "task_column": self.task_column, "sample": sample})


def read(
    settings: Settings, path: Path, name: str = TASK, *, task_is_optional: bool = False
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
    return unique_ids(_read(path, settings.task_column, name, task_is_optional))


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
