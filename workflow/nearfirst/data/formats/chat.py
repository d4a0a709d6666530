"""Your own data: rows of messages, of prompt and completion, or of Alpaca's three keys.

The columns of a file say which form it has (`chat_rows.FORMS`).
"""

import itertools
import json
import logging
from collections.abc import Iterator
from os.path import abspath, realpath
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from nearfirst.common.errors import InputError
from nearfirst.common.hub import HubSettings
from nearfirst.common.named_modules import did_you_mean
from nearfirst.common.settings import canonical
from nearfirst.data import chat_rows
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers import parquet, user_files
from nearfirst.data.readers.streams import warn_once
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
        description="The pool: a file in `.jsonl`, `.json` (also `.gz`, `.zst`, `.zip`) or "
        "`.parquet`, or a folder of them. `test_path` and `query_path` may lie in the folder: they "
        "are not part of the pool.",
    )
    hub: HubSettings | None = Field(
        None,
        description="Where the pool can be fetched from instead: `{repository, revision, files}`.",
    )
    columns: dict[str, str] = Field(
        {},
        description="Column of your files to the name that this form knows: `{question: prompt, "
        "answer: response}`.",
    )
    test_path: str | None = Field(
        None,
        description="The test set, a file or folder like `path`; null takes it from the pool.",
    )
    query_path: str | None = Field(
        None,
        description="Prompts to arrange for, a file or folder like `test_path`, where the test set "
        "is another one; the split `query`.",
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
        description="Test set: `heldout` is `test_path`, or rows of the pool; "
        "`specialist-S` (the default where there is a `task_column` and no `test_path`) and "
        "`generalist-S` are of held-out tasks, S their seed.",
    )
    steps: PositiveInt | Literal["epoch"] | None = Field(
        "epoch", description="Steps of a run on this data set; null: `train.steps`."
    )
    sample: ChatSampleSettings = ChatSampleSettings()
    has_tools: ClassVar[bool] = True
    warns_of_overlap: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _tasks_are_held_out_if_named(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("test") is not None:
            return content
        by_task = content.get("task_column") and not content.get("test_path")
        return {**content, "test": "specialist-0" if by_task else "heldout"}

    @model_validator(mode="after")
    def _one_query(self) -> Self:
        if self.query_path and self.query:
            raise ValueError("query: query_path is a set to arrange for already; leave one out")
        if self.query_path and self.query_path == self.test_path:
            raise ValueError("query_path: it is the test set too; leave it out, or name another")
        return self

    @model_validator(mode="after")
    def _has_a_path(self) -> Self:
        if not self.path and not self.remote:
            raise ValueError(
                "path: set it to your pool, a .jsonl or .parquet file or a folder, or set hub"
            )
        return self

    @field_validator("columns")
    @classmethod
    def _names_are_known(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns.values():
            if name not in chat_rows.NAMES:
                hint = did_you_mean(name, chat_rows.NAMES)
                raise ValueError(f"{name!r} is none of {', '.join(chat_rows.NAMES)}{hint}")
        if len({chat_rows.NAMES[name] for name in columns.values()}) < len(columns):
            raise ValueError("two columns have one name")
        return columns

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

    def inside(self, folder: str | Path) -> dict[str, str]:
        """Return which sets lie in the folder of another one: key to path."""
        sets = {key: getattr(self, key) for key in ("path", "test_path", "query_path")}
        return {
            key: path
            for key, path in sets.items()
            if path
            and any(Path(at(folder)) in Path(at(path)).parents for at in (abspath, realpath))
        }

    def sampling(self, split: str) -> str:
        """Return, as canonical JSON, what the sampling of one split reads."""
        folders = filter(None, (self.path, self.test_path, self.query_path))
        inside = {key: path for folder in folders for key, path in self.inside(folder).items()}
        return canonical(json.loads(super().sampling(split)) | inside)

    @property
    def arranged_for(self) -> str:
        """The split that the data are arranged for."""
        return "query" if self.query_path else super().arranged_for

    def has(self, split: str) -> bool:
        """Return whether there is such a split."""
        return bool(self.query_path) if split == "query" else super().has(split)

    @property
    def holds_out(self) -> HeldOut:
        """What of the pool is held out as the test set."""
        if self.test_path:
            return "nothing"
        return "rows" if self.test == "heldout" else "tasks"


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or those of a folder by name but for those of a set that lies in it.

    Raises InputError if there is none.
    """
    return _find(settings, path).read


def _find(settings: Settings, path: Path) -> user_files.Files:
    found = user_files.find(path)
    inside = settings.inside(path)
    places = {Path(realpath(its)) for its in inside.values()}
    read = [
        file for file in found.read if places.isdisjoint((at := Path(realpath(file)), *at.parents))
    ]
    if not read:
        raise InputError(f"{path}: the folder holds nothing but {' and '.join(inside)}")
    return found._replace(read=read)


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the conversations of all files, file after file by name, in each file's order.

    A row's id is its own, if it has one, else `mine_N` for the N-th row. For what is read of a row
    see `chat_rows`; one that cannot be used has no messages.

    Raises InputError if a file is missing, empty, damaged or of no known form; file and line are
    named.
    """
    return unique_ids(_read(path, settings, TASK, is_test=False))


def read_test(settings: Settings, path: Path, name: str = "test") -> Iterator[Instance]:
    """Yield the conversations of a test set as `read` does; ids are `mine_NAME_N`.

    A file may lack the `task_column`: its rows have the task `TASK`. One that has none of `columns`
    has the names already.
    """
    return unique_ids(_read(path, settings, f"{TASK}_{name}", is_test=True))


def _read(path: Path, settings: Settings, prefix: str, *, is_test: bool) -> Iterator[Instance]:
    number, column = 0, settings.task_column
    fault = None
    files, passed_over = _find(settings, path)
    for key, its in settings.inside(path).items():
        warn_once(f"{path}: what {key} names, {its}, is not read with the folder")
    if passed_over:
        some = ", ".join(map(str, passed_over[:5])) + (", …" if len(passed_over) > 5 else "")
        warn_once(f"{path}: {len(passed_over)} files are not read: {some}")
    for file in files:
        rows = user_files.rows(file)
        try:
            first = next(rows)
            columns = list(first[1])
            apply = not is_test or not settings.columns.keys().isdisjoint(columns)
            renamed = chat_rows.renaming(file, columns, settings.columns if apply else {})
            form = chat_rows.form_of(file, renamed(first[1]))
        except InputError as error:
            if not user_files.may_hold_none(file, path):
                raise
            fault = error
            warn_once(f"{error}; the file is not read")
            continue
        has_tasks = column in columns
        if column and not has_tasks and not is_test:
            raise InputError(
                f"{file}: no column '{column}', which task_column names; found {', '.join(columns)}"
            )
        logging.info("%s: read as %s; columns: %s", file, form, ", ".join(columns))
        unread = parquet.unread(file) if file.suffix.lower() == ".parquet" else []
        for where, row in itertools.chain([first], rows):
            number += 1
            names = f"{prefix}_{number}", TASK, column if has_tasks else None
            found = chat_rows.instance(form, renamed(row), row, where, *names)
            if unread:
                found.unused = [*unread, *found.unused]
            yield found
    if fault and not number:
        raise fault
