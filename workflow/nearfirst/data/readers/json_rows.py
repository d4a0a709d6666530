"""Rows of a published JSON array, plain or zipped, read as a stream."""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import ijson

from nearfirst.common.errors import InputError


def rows(path: Path, *names: str) -> Iterator[tuple[str, Any]]:
    """Yield (place for messages, row) of a JSON array, in the file's order.

    Rows are parsed one at a time, so memory does not grow with the file.

    Parameters
    ----------
    path
        The file, or the folder that holds it under one of `names`.

    Raises
    ------
    InputError
        If the file is missing, empty, cut off, no JSON array or an empty one.
    """
    file_path = _find(path, names)
    number = 0
    with _open(file_path) as file:
        try:
            for number, row in enumerate(_items(file), start=1):
                yield f"{file_path}: row {number}", row
        except ijson.IncompleteJSONError as error:
            raise InputError(
                f"{file_path}: cut off or damaged after row {number} ({_short(error)}); "
                "copy or download it again"
            ) from None
        except ijson.JSONError as error:
            raise InputError(
                f"{file_path}: no valid JSON after row {number} ({_short(error)})"
            ) from None
        except UnicodeDecodeError as error:
            # Half a surrogate pair, too, is no character.
            raise InputError(f"{file_path}: no valid UTF-8 after row {number} ({error})") from None
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError(
                f"{file_path}: damaged zip after row {number} ({error}); copy or download it again"
            ) from None
    if number == 0:
        raise InputError(f"{file_path}: no JSON array of conversations, or an empty one")


def require(row: Any, keys: Iterable[str], where: str) -> None:
    """Raise an InputError if a row is no object, or if one of the keys is missing or null."""
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected an object, found {type(row).__name__}")
    for key in keys:
        if row.get(key) is None:
            raise InputError(f"{where}: key '{key}' is missing; found {', '.join(row) or 'none'}")


def _find(path: Path, names: tuple[str, ...]) -> Path:
    if path.is_dir():
        for name in names:
            if (path / name).is_file():
                return path / name
        raise InputError(f"{path}: the folder holds no {' or '.join(names)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file; set the data set's path to {' or '.join(names)}")
    return path


def _items(file: IO[bytes]) -> Iterator[Any]:
    """Yield the items of an array; nothing if it is an object, whose keys ijson would look at."""
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
            some = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            raise InputError(f"{path}: expected one .json file inside, found {some or 'none'}")
        # It is read as a stream: nothing is unpacked, so its name leads nowhere.
        try:
            member = archive.open(names[0])
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise InputError(
                f"{path}: damaged zip, or a kind that cannot be read ({error})"
            ) from None
        with member:
            yield member


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
