"""Flan-mini: a JSON array of conversations, plain or zipped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, RowError, exchanges, parse_turns, unused_columns
from nearfirst.data.naming import source_of, unique_ids
from nearfirst.data.readers.json_rows import find, rows, take
from nearfirst.data.settings import Dataset, SampleSettings

_ROLES = {"human": "user", "gpt": "assistant"}


class Settings(Dataset):
    """Flan-mini: `flan_mini.json` or `flan_mini.json.zip`."""

    title: ClassVar[str] = "Flan-mini"

    format: Literal["flan"] = Field("flan", description="Published form.")
    key_list: str | None = Field(
        None,
        min_length=1,
        description="JSON file with `train_key_list` and `eval_key_list` (task names). Null: "
        "`split.json` in the folder of the data, or a split by `sample.split_seed`.",
    )
    sample: SampleSettings = SampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or the one in a folder. Raises InputError if there is none."""
    return [find(path, ("flan_mini.json", "flan_mini.json.zip"))]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of the file, or of the file in the folder `path`, in its order.

    The file does not name the source of a task, so `naming.source_of` guesses it.

    Raises InputError if the file is missing, empty, cut off or not a JSON array, or a row does not
    have the form `{id, source, conversations: [{from: human|gpt, value}]}`.
    """
    (file,) = files(settings, path)
    return unique_ids(_instance(row, where) for where, row in rows(file))


def _instance(row: Any, where: str) -> Instance:
    task = take(row, "source", str, where)
    if not task.strip():
        raise InputError(f"{where}: 'source' is empty; it names the task")
    if row.get("id") is None:
        raise InputError(f"{where}: key 'id' is missing; found {', '.join(row)}")
    turns = take(row, "conversations", list, where)
    instance = Instance(str(row["id"]), task, [], 0, where, source=source_of(task), row=row)
    instance.unused = unused_columns(row, ("id", "source", "conversations"))
    try:
        instance.messages, instance.dropped = exchanges(parse_turns(turns, _ROLES))
    except RowError as error:
        instance.fault = str(error)
    return instance
