"""Flan-mini as published: one JSON array of conversations, plain or zipped, read as a stream."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, exchanges
from nearfirst.data.naming import source_of, unique_ids
from nearfirst.data.readers.json_rows import require, rows
from nearfirst.data.settings import Dataset, SampleSettings
from nearfirst.data.turns import parse

FILES = ("flan_mini.json", "flan_mini.json.zip")

_ROLES = {"human": "user", "gpt": "assistant"}


class Settings(Dataset):
    """Flan-mini: `flan_mini.json` or `flan_mini.json.zip`."""

    format: Literal["flan"] = Field("flan", description="Published form.")
    key_list: str | None = Field(
        None,
        description="JSON file with `train_key_list` and `eval_key_list` (task names). Null: the "
        "generated corpus brings its own, any other file is split by `sample.split_seed`.",
    )
    sample: SampleSettings = SampleSettings()


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of a `flan_mini.json` or `flan_mini.json.zip`, in the file's order.

    Rows are parsed one at a time, so memory does not grow with the file, except for the ids seen:
    the n-th repetition of an id becomes `id#n` (or the next number that is free). The file does not
    say where a task's text comes from: an instance's source is `naming.source_of` its task.

    Parameters
    ----------
    path
        The file, or the folder it lies in.

    Raises
    ------
    InputError
        If the file is missing, empty, cut off, no JSON array, or a row is not of the form
        `{id, source, conversations: [{from: human|gpt, value}]}`; the row is named.
    """
    published = rows(path, *FILES)
    return unique_ids(_instance(row, where) for where, row in published)


def _instance(row: Any, where: str) -> Instance:
    require(row, ("id", "source", "conversations"), where)
    task = row["source"]
    if not isinstance(task, str) or not isinstance(row["conversations"], list):
        raise InputError(f"{where}: 'source' must be a string and 'conversations' a list")
    if not task.strip():
        raise InputError(f"{where}: 'source' is empty; it names the task")
    messages, dropped = exchanges(parse(row["conversations"], _ROLES, where))
    return Instance(str(row["id"]), task, messages, dropped, where, source=source_of(task))
