"""Rows of a JSON array, plain or zipped, read as a stream."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import ijson

from nearfirst.common.errors import InputError, one_line

_DAMAGED = (
    *(ijson.JSONError, UnicodeDecodeError, zlib.error, EOFError, zipfile.BadZipFile),
    # A zip with a password, or compressed in another way; JSON too deep to read.
    *(RuntimeError, NotImplementedError),
)
_KINDS: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
Kind = TypeVar("Kind")


def rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (place for messages, row) of a JSON array; memory holds one row at a time.

    Raises InputError if the file is empty, cut off, not a JSON array or an empty one.
    """
    number = 0
    try:
        with _open(path) as file:
            for number, row in enumerate(_items(file), start=1):
                yield f"{path}: row {number}", row
    except _DAMAGED as error:
        kind = "zip" if path.suffix == ".zip" else "JSON"
        raise InputError(
            f"{path}: cut off, damaged or no {kind} after row {number} "
            f"({one_line(error)[:120]}); copy or download it again"
        ) from None
    if number == 0:
        raise InputError(f"{path}: no JSON array of conversations, or an empty one")


def take(row: Any, key: str, kind: type[Kind], where: str) -> Kind:
    """Return a value of a row. Raises InputError if it is missing or of another type."""
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected an object, found {type(row).__name__}")
    if key not in row:
        raise InputError(f"{where}: key '{key}' is missing; found {', '.join(row) or 'none'}")
    if not isinstance(value := row[key], kind):
        raise InputError(f"{where}: '{key}' is {type(value).__name__}, not {_KINDS[kind]}")
    return value


def find(path: Path, names: Sequence[str]) -> Path:
    """Return a file, or the one that a folder holds under the first of `names` that is there.

    Raises InputError if there is none.
    """
    if path.is_dir():
        found = next((path / name for name in names if (path / name).is_file()), None)
        if found is None:
            raise InputError(f"{path}: the folder holds no {' or '.join(names)}")
        return found
    if not path.is_file():
        raise InputError(f"{path}: no such file; set the data set's path to {' or '.join(names)}")
    return path


def _items(file: IO[bytes]) -> Iterator[Any]:
    """Yield the items of an array; nothing of an object, whose keys ijson would look at."""
    while (first := file.read(1)).isspace():
        pass
    file.seek(0)
    if first != b"{":
        yield from ijson.items(file, "item")


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    if path.suffix != ".zip":
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        names = [
            name
            for name in archive.namelist()
            if name.endswith(".json") and not name.startswith("__MACOSX/")
        ]
        if len(names) != 1:
            some = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            raise InputError(f"{path}: expected one .json file inside, found {some or 'none'}")
        # It is read as a stream: nothing is unpacked, so its name leads nowhere.
        with archive.open(names[0]) as member:
            yield member
