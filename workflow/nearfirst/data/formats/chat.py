"""Your own data: rows of messages, of prompt and completion, or of Alpaca's three keys.

The columns of a file say which form it has (`chat_rows.FORMS`).
"""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from nearfirst.common.errors import InputError
from nearfirst.data import chat_rows
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers import user_files
from nearfirst.data.settings import Dataset, HeldOut, Number, Share, TaskSampleSettings

TASK = "mine"
"""The task of all rows where no column names one, and what ids begin with."""


class ChatSampleSettings(TaskSampleSettings):
    """What is held out of your data, and how much of the rest is trained on."""

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


class Settings(Dataset):
    """Data of your own: rows of messages, of prompt and completion, or of Alpaca's keys."""

    format: Literal["chat"] = Field("chat", description="Published form.")
    path: str | None = Field(
        None,
        description="The pool: a `.jsonl` (`.gz`, `.zst`), `.json` or `.parquet` file, or a folder "
        "of `.jsonl` and `.parquet` files.",
    )
    hub: None = Field(None, description="Your data are not fetched; fixed.")
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
    warns_of_overlap: ClassVar[bool] = True

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


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or those of a folder by name. Raises InputError if there is none."""
    return user_files.files(path)


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the conversations of all files, file after file by name, in each file's order.

    A row's id is its own, if it has one, else `mine_N` for the N-th row. Answers in `references`
    and a `source` are taken if they are there. For system turns and conversations that begin with
    the assistant see `conversation.dialogue`.

    Raises InputError if a file is missing, empty, damaged or of no known form, or a row lacks a
    column or has a value of another type; file and line are named.
    """
    return unique_ids(_read(path, settings.task_column, TASK, may_lack_tasks=False))


def read_test(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the conversations of a test set as `read` does; ids are `mine_test_N`.

    A file may lack the `task_column`: its rows have the task `TASK`.
    """
    return unique_ids(_read(path, settings.task_column, f"{TASK}_test", may_lack_tasks=True))


def _read(
    path: Path, column: str | None, prefix: str, *, may_lack_tasks: bool
) -> Iterator[Instance]:
    number = 0
    for file in user_files.files(path):
        rows = user_files.rows(file)
        first = next(rows)
        columns = list(first[1])
        form = chat_rows.form_of(file, columns)
        has_tasks = column in columns
        if column and not has_tasks and not may_lack_tasks:
            raise InputError(
                f"{file}: no column '{column}', which task_column names; found {', '.join(columns)}"
            )
        logging.info("%s: read as %s; columns: %s", file, form, ", ".join(columns))
        for where, row in itertools.chain([first], rows):
            number += 1
            task = chat_rows.name(row, column, where) if column and has_tasks else TASK
            own_id = row.get("id") is not None
            id_ = chat_rows.name(row, "id", where) if own_id else f"{prefix}_{number}"
            yield chat_rows.instance(form, row, task, id_, where)
