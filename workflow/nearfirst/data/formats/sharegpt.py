"""ShareGPT (GPT-4): a JSON array of dialogues without tasks."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from nearfirst.data import chat_rows
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers.json_rows import find
from nearfirst.data.readers.user_files import rows
from nearfirst.data.settings import Dataset, DialogueSampleSettings

TASK = "sharegpt"
"""The task of all dialogues."""


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

    Raises InputError if the file is missing, empty, cut off or does not hold JSON objects.
    """
    (file,) = files(settings, path)
    return unique_ids(
        chat_rows.instance("items", row, where, f"{TASK}_{number}", TASK)
        for number, (where, row) in enumerate(rows(file), start=1)
    )
