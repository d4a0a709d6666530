"""Flan-mini: one JSON array of conversations, plain or zipped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, RowError, exchanges, parse_turns, unused_columns
from nearfirst.data.naming import source_of, unique_ids
from nearfirst.data.readers.json_rows import find, rows, take
from nearfirst.data.settings import Dataset, SampleSettings

_NAMES = ("flan_mini.json", "flan_mini.json.zip")

_ROLES = {"human": "user", "gpt": "assistant"}


class Settings(Dataset):
    """Flan-mini: `flan_mini.json` or `flan_mini.json.zip`."""

    title: ClassVar[str] = "Flan-mini"

    format: Literal["flan"] = Field("flan", description="Published form.")
    key_list: str | None = Field(
        None,
        description="JSON file with `train_key_list` and `eval_key_list` (task names). Null: "
        "`split.json` of the data set's folder, or a split by `sample.split_seed`.",
    )
    sample: SampleSettings = SampleSettings()


def files(settings: Settings, path: Path) -> list[Path]:
    """Return the file, or the one in a folder. Raises InputError if there is none."""
    return [find(path, _NAMES)]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of the file, or of the folder that holds it, in the file's order.

    The file does not say where a task's text comes from: the source is `naming.source_of` the task.
    Memory holds the ids seen, for repeated ones are numbered.

    Raises InputError if the file is missing, empty, cut off or not a JSON array, or a row is not of
    the form `{id, source, conversations: [{from: human|gpt, value}]}`; the row is named.
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
    found = Instance(str(row["id"]), task, [], 0, where, source=source_of(task), row=row)
    found.unused = unused_columns(row, ("id", "source", "conversations"))
    try:
        found.messages, found.dropped = exchanges(parse_turns(turns, _ROLES))
    except RowError as error:
        found.fault = str(error)
    return found
