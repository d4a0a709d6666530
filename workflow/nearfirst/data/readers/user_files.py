"""Files of a user's rows: JSON, plain or compressed, and Parquet, by the end of their names."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nearfirst.common.errors import InputError
from nearfirst.data.readers import json_rows, parquet
from nearfirst.data.readers.streams import is_hidden

_JSON = (".jsonl", ".ndjson", ".json")
ENDS = (*(f"{kind}{end}" for kind in _JSON for end in ("", ".gz", ".zst", ".zip")), ".parquet")
"""Ends of the names of files that are read, in small letters or capitals."""

_KNOWN = f"{', '.join(_JSON)} (also .gz, .zst, .zip), .parquet"
_ABOUT = ("dataset_info.json", "dataset_infos.json", "split.json")
_NO_DATA = ("readme", "license", "licence")
"""How names begin, in small letters, of other files that come with data and hold none."""


class Files(NamedTuple):
    """The files of a path that are read, in order, and those that are passed over."""

    read: list[Path]
    passed_over: list[Path]


def files(path: Path) -> list[Path]:
    """Return the files that are read. Raises InputError as `find`."""
    return find(path).read


def find(path: Path) -> Files:
    """Return a file, or those of a folder and the folders in it, by name.

    Of a fetched folder these are the files in its record. Hidden files are neither read nor passed
    over. Raises InputError if there is none to read.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if not path.is_dir():
        if not _is_read(path):
            raise InputError(
                f"{path}: the name ends in none of {_KNOWN}; rename or convert the file"
            )
        return Files([path], [])
    hint = ""
    if (record := path / "fetched.json").is_file():
        names = sorted(json.loads(record.read_bytes())["files"])
        found = [path / name for name in names]
        hint = f", but there are {', '.join(names[:5])}; choose others by hub.files"
    else:
        found = sorted(_below(path))
    read = list(filter(_is_read, found))
    if not read:
        raise InputError(f"{path}: the folder holds no file in {_KNOWN}{hint}")
    return Files(read, [] if hint else [file for file in found if not _is_read(file)])


def _is_read(file: Path) -> bool:
    return file.name.lower().endswith(ENDS)


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and of those in it, links followed, each folder once."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(parent))
        folders[:] = [
            name
            for name in folders
            if not is_hidden(Path(name)) and os.path.realpath(Path(parent, name)) not in seen
        ]
        yield from (
            Path(parent, name)
            for name in names
            if not is_hidden(Path(name)) and not _is_about(name.lower())
        )


def _is_about(name: str) -> bool:
    return name in _ABOUT or (name.startswith(_NO_DATA) and not name.endswith(ENDS))


def rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place for messages, row) of a file; memory holds a few rows at a time.

    Raises InputError if the file has no rows, is damaged or not of its form; line or row are named.
    """
    is_parquet = file.suffix.lower() == ".parquet"
    has_rows = False
    for where, row in (parquet if is_parquet else json_rows).rows(file):
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected an object, found {type(row).__name__}")
        has_rows = True
        yield where, row
    if not has_rows:
        raise InputError(f"{file}: the file has no rows")


def may_hold_none(file: Path, path: Path) -> bool:
    """Return whether a file of a folder may be of another kind: a config, a part of something."""
    is_json = ".json" in (end.lower() for end in file.suffixes)
    return path.is_dir() and (is_json or file.parent != path)
