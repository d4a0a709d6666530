"""NoRobots: Parquet files of dialogues, each of a category.

The category is the task. The published split into training and test files is not used: all files
are read, and the held-out dialogues are drawn from all of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import MESSAGE
from nearfirst.data.conversation import Instance, dialogue
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers.parquet import rows
from nearfirst.data.readers.streams import is_hidden
from nearfirst.data.settings import Dataset, DialogueSampleSettings

COLUMNS = pa.schema(
    [
        ("prompt", pa.string()),
        ("prompt_id", pa.string()),
        ("messages", pa.list_(MESSAGE)),
        ("category", pa.string()),
    ]
)
_ROLES = {"user": "user", "assistant": "assistant", "system": "system"}


class Settings(Dataset):
    """NoRobots: Parquet files."""

    title: ClassVar[str] = "NoRobots"

    format: Literal["norobots"] = Field("norobots", description="Published form.")
    test: Literal["heldout"] = Field("heldout", description="Test set to arrange for; fixed.")
    sample: DialogueSampleSettings = DialogueSampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or those of a folder, itself or its `data/`, by name.

    Raises InputError if there is none.
    """
    if not path.is_dir():
        return [path]
    found = (file for pattern in ("*.parquet", "data/*.parquet") for file in path.glob(pattern))
    shown = sorted(file for file in found if not is_hidden(file))
    if not shown:
        raise InputError(f"{path}: no Parquet file, neither here nor in data/")
    return shown


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the dialogues of all files, file after file by name, in each file's order.

    `path` is one Parquet file, or the folder that holds them, itself or in `data/`. The id is
    `prompt_id`. For system turns and dialogues that begin with the assistant see
    `conversation.dialogue`.

    Raises InputError if there is no such file, a file is damaged or lacks a column of `COLUMNS`, or
    a row has no id, no category or a turn of an unknown role.
    """
    published = (found for file in files(settings, path) for found in rows(file, COLUMNS))
    return unique_ids(_instance(row, where) for where, row in published)


def _instance(row: dict[str, Any], where: str) -> Instance:
    for column in ("prompt_id", "category"):
        if not row[column]:
            raise InputError(f"{where}: column '{column}' is empty")
    its = (row["prompt_id"], row["category"], row["messages"] or [])
    return dialogue(*its, _ROLES, where, row, sender="role", text="content")
