"""ShareGPT (GPT-4): a JSON array of dialogues without tasks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from nearfirst.data.conversation import Instance, dialogue, unused_columns
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers.json_rows import find, rows, take
from nearfirst.data.settings import Dataset, DialogueSampleSettings

TASK = "sharegpt"
"""The task of all dialogues."""

_ROLES = {"human": "user", "gpt": "assistant", "system": "system"}


class Settings(Dataset):
    """ShareGPT (GPT-4): `sharegpt_gpt4.json`."""

    title: ClassVar[str] = "ShareGPT"

    format: Literal["sharegpt"] = Field("sharegpt", description="Published form.")
    test: Literal["heldout"] = Field("heldout", description="Test set to arrange for (fixed).")
    sample: DialogueSampleSettings = DialogueSampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or the one in a folder. Raises InputError if there is none."""
    return [find(path, ("sharegpt_gpt4.json",))]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the dialogues of the file, or of the file in the folder `path`, in its order.

    A row without an id gets `sharegpt_N`, where N is its number.

    Raises InputError if the file is missing, empty, cut off or not a JSON array, or a row does not
    have the form `{items: [{from: human|gpt|system, value}]}`.
    """
    (file,) = files(settings, path)
    numbered = enumerate(rows(file), start=1)
    return unique_ids(_instance(row, number, where) for number, (where, row) in numbered)


def _instance(row: Any, number: int, where: str) -> Instance:
    turns = take(row, "items", list, where)
    id_ = f"{TASK}_{number}" if row.get("id") is None else str(row["id"])
    instance = dialogue(id_, TASK, turns, _ROLES, where, row)
    instance.unused = unused_columns(row, ("id", "items"))
    return instance
