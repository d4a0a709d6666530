"""ShareGPT (GPT-4) as published: one JSON array of dialogues, read as a stream.

There are no tasks: all dialogues have the task `sharegpt`. Of system turns and of dialogues that
begin with the assistant, see `turns.dialogue`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance
from nearfirst.data.naming import unique_ids
from nearfirst.data.readers.json_rows import require, rows
from nearfirst.data.settings import Dataset, DialogueSampleSettings
from nearfirst.data.turns import dialogue, parse

FILES = ("sharegpt_gpt4.json",)
TASK = "sharegpt"
_ROLES = {"human": "user", "gpt": "assistant", "system": "system"}


class Settings(Dataset):
    """ShareGPT (GPT-4): `sharegpt_gpt4.json`."""

    format: Literal["sharegpt"] = Field("sharegpt", description="Published form.")
    test: Literal["heldout"] = Field("heldout", description="Test set to arrange for; fixed.")
    sample: DialogueSampleSettings = DialogueSampleSettings()


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the dialogues of a `sharegpt_gpt4.json`, in the file's order.

    A row's id is its own, if it has one, else `sharegpt_N` for the N-th row; repeated ids are
    numbered as in `naming.unique_ids`.

    Parameters
    ----------
    path
        The file, or the folder it lies in.

    Raises
    ------
    InputError
        If the file is missing, empty, cut off, no JSON array, or a row is not of the form
        `{items: [{from: human|gpt|system, value}]}`; the row is named.
    """
    published = enumerate(rows(path, *FILES), start=1)
    return unique_ids(_instance(row, number, where) for number, (where, row) in published)


def _instance(row: Any, number: int, where: str) -> Instance:
    require(row, ["items"], where)
    if not isinstance(row["items"], list):
        raise InputError(f"{where}: 'items' must be a list")
    id_ = row.get("id")
    name = f"{TASK}_{number}" if id_ is None else str(id_)
    return dialogue(name, TASK, parse(row["items"], _ROLES, where), where)
