"""NoRobots: Parquet files of dialogues with a category, which is the task.

The published split into training and test files is not used: all files are read, and the held-out
dialogues are drawn from all of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from nearfirst.common.parquet import MESSAGE
from nearfirst.data import chat_rows
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers.parquet import rows
from nearfirst.data.readers.user_files import find
from nearfirst.data.settings import Dataset, DialogueSampleSettings

COLUMNS = pa.schema(
    [
        ("prompt", pa.string()),
        ("prompt_id", pa.string()),
        ("messages", pa.list_(MESSAGE)),
        ("category", pa.string()),
    ]
)


class Settings(Dataset):
    """NoRobots: Parquet files."""

    title: ClassVar[str] = "NoRobots"

    format: Literal["norobots"] = Field("norobots", description="Published form.")
    test: Literal["heldout"] = Field("heldout", description="Test set to arrange for (fixed).")
    sample: DialogueSampleSettings = DialogueSampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or those in a folder, sorted. Raises InputError if there is none."""
    return [file for file in find(path).read if file.suffix.lower() == ".parquet"]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the dialogues of all `files`, in each file's order.

    Raises InputError if a file is missing, damaged or lacks a column of `COLUMNS`.
    """
    located = (pair for file in files(settings, path) for pair in rows(file, COLUMNS))
    return unique_ids(_instance(row, where) for where, row in located)


def _instance(row: dict[str, Any], where: str) -> Instance:
    named = {"id": row["prompt_id"], "messages": row["messages"], "category": row["category"]}
    return chat_rows.instance("messages", named, where, "norobots", "", "category", row)
