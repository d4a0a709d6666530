"""Your own data: rows of messages, of prompt and completion, or in Alpaca's format.

The columns of a file decide which form its rows have (`chat_rows.FORMS`).
"""

import itertools
import logging
from collections.abc import Iterator
from os.path import realpath
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean
from nearfirst.data import chat_rows
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers import parquet, user_files
from nearfirst.data.readers.streams import log_once
from nearfirst.data.settings import Dataset, HeldOut, Number, Share, TaskSampleSettings

TASK = "mine"
"""The task of all rows without a task column, and the prefix of ids."""


class ChatSampleSettings(TaskSampleSettings):
    """What to hold out of your data, and how much of the rest to train on."""

    held_out: Number | Share | None = Field(
        None,
        description="Number or share of conversations in a test set taken from the pool; null "
        "holds out a tenth, but at most 200.",
    )
    unseen_tasks: Number | Share | Annotated[list[str], Field(min_length=1)] = Field(
        0.15,
        description="Number, share or names of tasks to hold out for a test set of unseen tasks.",
    )


class Settings(Dataset):
    """Your own data: rows of messages, of prompt and completion, or in Alpaca's format."""

    format: Literal["chat"] = Field("chat", description="Form of the data: your own.")
    path: str | None = Field(
        None,
        min_length=1,
        description="The pool: a file in `.jsonl`, `.json` (also `.gz`, `.zst`, `.zip`) or "
        "`.parquet`, or a folder of them.",
    )
    columns: dict[Annotated[str, Field(min_length=1)], str] = Field(
        {},
        description="Names to read columns by, such as `{question: prompt, answer: response}`.",
    )
    test_path: str | None = Field(
        None,
        min_length=1,
        description="The test set, a file or folder like `path`; null takes it from the pool.",
    )
    query_path: str | None = Field(
        None,
        min_length=1,
        description="Prompts to arrange for, a file or folder like `test_path`, if they are not "
        "the test set; the split `query`.",
    )
    task_column: str | None = Field(
        None,
        min_length=1,
        description="Column with each row's task. Without `test_path`, whole tasks are held out.",
    )
    test: str = Field(
        "heldout",
        pattern=r"^(heldout|(generalist|specialist)-(0|[1-9][0-9]*))$",
        description="Test set: `heldout` is `test_path`, or rows of the pool; `specialist-S` (the "
        "default with a `task_column` alone) and `generalist-S` are of held-out tasks, S the seed.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        "epoch", description="Number of steps of a run on these data; null: `train.steps`."
    )
    sample: ChatSampleSettings = ChatSampleSettings()
    is_own: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _choose_test(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("test") is not None:
            return content
        by_task = content.get("task_column") and not content.get("test_path")
        return {**content, "test": "specialist-0" if by_task else "heldout"}

    @field_validator("columns")
    @classmethod
    def _check_names(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns.values():
            if name not in chat_rows.NAMES:
                hint = did_you_mean(name, chat_rows.NAMES)
                raise ValueError(f"{name!r} is none of {', '.join(chat_rows.NAMES)}{hint}")
        if len({chat_rows.NAMES[name] for name in columns.values()}) < len(columns):
            raise ValueError("two columns have the same name")
        return columns

    @model_validator(mode="after")
    def _check_sets(self) -> Self:
        if self.query_path and self.query:
            raise ValueError("query: query_path is a set to arrange for already; leave one out")
        if self.query_path and self.query_path == self.test_path:
            raise ValueError("query_path: it is the test set too; leave it out, or name another")
        sets = list(filter(None, (self.path, self.test_path, self.query_path)))
        for folder, other in itertools.permutations(map(realpath, sets), 2):
            if Path(folder) in Path(other).parents:
                raise ValueError(f"{other} is part of the folder {folder}; move it out of there")
        if not self.path and not self.remote:
            raise ValueError(
                "path: set it to your pool, a .jsonl or .parquet file or a folder, or set hub"
            )
        if self.test != "heldout" and self.test_path:
            raise ValueError(
                f"test: {self.test!r} holds tasks of the pool out, and test_path is a test set "
                "already; leave one of them out"
            )
        if self.test != "heldout" and not self.task_column:
            raise ValueError(f"test: {self.test!r} needs a task_column that names the tasks")
        return self

    @property
    def arranged_for(self) -> str:
        """The split that the data are arranged for."""
        return "query" if self.query_path else super().arranged_for

    def has(self, split: str) -> bool:
        """Return whether a split exists."""
        return bool(self.query_path) if split == "query" else super().has(split)

    @property
    def holds_out(self) -> HeldOut:
        """What is held out of the pool as the test set."""
        return "nothing" if self.test_path else super().holds_out


def files(settings: Settings, path: Path) -> list[Path]:
    """Return a file, or those of a folder by name. Raises InputError if there is none."""
    return user_files.find(path).read


def read(settings: Settings, path: Path, test: str = "") -> Iterator[Instance]:
    """Yield the conversations of all files, sorted by file name, in each file's order.

    A row without an id gets `mine_N`, where N is its number. `chat_rows` says what is read of a
    row; one that cannot be used has no messages.

    `test` names a separate set, whose default ids are `mine_TEST_N`. A file of it may lack the
    `task_column`; its rows then have the task `TASK`. A file of it that has none of `columns` is
    read as it is.

    Raises InputError if a file is missing, empty, damaged or of no known form.
    """
    return unique_ids(_read(settings, path, test))


def _read(settings: Settings, path: Path, test: str) -> Iterator[Instance]:
    number, task_column = 0, settings.task_column
    prefix = f"{TASK}_{test}" if test else TASK
    files, skipped = user_files.find(path)
    if skipped:
        listed = ", ".join(map(str, skipped[:5])) + (", …" if len(skipped) > 5 else "")
        log_once(f"{path}: {len(skipped)} files are not read: {listed}")
    for file in files:
        rows = user_files.rows(file)
        first = next(rows)
        columns = list(first[1])
        applies = not test or not settings.columns.keys().isdisjoint(columns)
        mapped = settings.columns if applies else {}
        rename = chat_rows.renaming(file, columns, mapped)
        form = chat_rows.form_of(file, rename(first[1]), mapped.values())
        has_tasks = task_column in columns
        if task_column and not has_tasks and not test:
            raise InputError(
                f"{file}: no column '{task_column}' (task_column); found {', '.join(columns)}"
            )
        log_once(f"{file}: read as {form}; columns: {', '.join(columns)}", logging.INFO)
        unread = parquet.unread(file) if file.suffix.lower() == ".parquet" else []
        for where, row in itertools.chain([first], rows):
            number += 1
            names = f"{prefix}_{number}", TASK, task_column if has_tasks else None
            instance = chat_rows.instance(form, rename(row), where, *names, original=row)
            if unread:
                instance.unused = [*unread, *instance.unused]
            yield instance
