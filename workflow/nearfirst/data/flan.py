"""Flan-mini as published: one JSON array of conversations, plain or zipped, read as a stream."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import ijson

from nearfirst.data.conversation import Instance, exchanges
from nearfirst.errors import InputError

_ROLES = {"human": "user", "gpt": "assistant"}


def read(path: Path) -> Iterator[Instance]:
    """Yield the instances of a `flan_mini.json` or `flan_mini.json.zip`, in the file's order.

    Rows are parsed one at a time, so memory does not grow with the file, except for the ids seen:
    the n-th repetition of an id becomes `id#n` (or the next number that is free).

    Raises
    ------
    InputError
        If the file is missing, empty, cut off, no JSON array, or a row is not of the form
        `{id, source, conversations: [{from: human|gpt, value}]}`; the row is named.
    """
    seen: dict[str, int] = {}  # id to the highest number given to it
    number = 0
    with _open(path) as file:
        try:
            for number, row in enumerate(_items(file), start=1):
                instance = _instance(row, f"{path}: row {number}")
                yield replace(instance, id=_unique(instance.id, seen))
        except ijson.IncompleteJSONError as error:
            raise InputError(
                f"{path}: cut off or damaged after row {number} ({_short(error)}); "
                "copy or download it again"
            ) from None
        except ijson.JSONError as error:
            raise InputError(
                f"{path}: no valid JSON after row {number} ({_short(error)})"
            ) from None
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError(
                f"{path}: damaged zip after row {number} ({error}); copy or download it again"
            ) from None
    if number == 0:
        raise InputError(f"{path}: no JSON array of conversations, or an empty one")


def _items(file: IO[bytes]) -> Iterator[Any]:
    """Yield the items of an array; nothing if it is an object, whose keys ijson would look at."""
    while (first := file.read(1)).isspace():
        pass
    file.seek(0)
    if first != b"{":
        yield from ijson.items(file, "item")


def _unique(id_: str, seen: dict[str, int]) -> str:
    number = seen.get(id_, 0) + 1
    name = id_ if number == 1 else f"{id_}#{number}"
    while number > 1 and name in seen:
        number += 1
        name = f"{id_}#{number}"
    seen[id_] = number
    seen.setdefault(name, 1)
    return name


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; set data.flan.path to a Flan-mini file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    if path.suffix != ".zip":
        with path.open("rb") as file:
            yield file
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise InputError(f"{path}: not a whole zip file; copy or download it again") from None
    with archive:
        names = [
            name
            for name in archive.namelist()
            if name.endswith(".json") and not name.startswith("__MACOSX/")
        ]
        if len(names) != 1:
            raise InputError(
                f"{path}: expected one .json file inside, found {', '.join(names) or 'none'}"
            )
        try:
            member = archive.open(names[0])
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise InputError(
                f"{path}: damaged zip, or a kind that cannot be read ({error})"
            ) from None
        with member:
            yield member


def _instance(row: Any, where: str) -> Instance:
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected an object, found {type(row).__name__}")
    for key in ("id", "source", "conversations"):
        if row.get(key) is None:
            raise InputError(f"{where}: key '{key}' is missing; the row has {', '.join(row)}")
    if not isinstance(row["source"], str) or not isinstance(row["conversations"], list):
        raise InputError(f"{where}: 'source' must be a string and 'conversations' a list")
    turns = []
    for turn in row["conversations"]:
        sender = turn.get("from") if isinstance(turn, dict) else None
        if sender not in _ROLES:
            raise InputError(f"{where}: a turn is from {sender!r}; expected 'human' or 'gpt'")
        value = turn.get("value")
        if not isinstance(value, str | None):
            raise InputError(f"{where}: a turn's value is {type(value).__name__}, not text")
        turns.append((_ROLES[sender], value or ""))
    messages, dropped = exchanges(turns)
    return Instance(str(row["id"]), row["source"], messages, dropped, where)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
