"""Find and read the user's own files: JSON, plain or compressed, and Parquet."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from nearfirst.common.errors import InputError
from nearfirst.data.readers import json_rows, parquet
from nearfirst.data.readers.streams import is_hidden

_JSON = (".jsonl", ".ndjson", ".json")
_SUFFIXES = (*(f"{kind}{end}" for kind in _JSON for end in ("", ".gz", ".zst", ".zip")), ".parquet")
_SUPPORTED = f"{', '.join(_JSON)} (also .gz, .zst, .zip), .parquet"
_METADATA = (
    *("dataset_info.json", "dataset_infos.json", "split.json"),
    # Of `save_to_disk`, whose rows are in Arrow files.
    *("state.json", "dataset_dict.json"),
)
_NO_DATA = ("readme", "license", "licence")
"""Beginnings, in lower case, of the names of files that accompany data."""
_LFS = b"version https://git-lfs"


class Files(NamedTuple):
    """The files of a path: those to read, in order, and those that are skipped."""

    read: list[Path]
    skipped: list[Path]


def find(path: Path) -> Files:
    """Return a file, or the files below a folder, sorted by name.

    In a fetched folder, they are the files in its record. Hidden files are neither read nor listed
    as skipped. Raises InputError if there is nothing to read.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if not path.is_dir():
        if not _is_supported(path):
            raise InputError(
                f"{path}: the name ends in none of {_SUPPORTED}; rename or convert the file"
            )
        return Files([path], [])
    if (record := path / "fetched.json").is_file():
        found = [path / name for name in sorted(json.loads(record.read_bytes())["files"])]
    else:
        found = sorted(_walk(path))
    found = list(filter(_is_data, found))
    read = list(filter(_is_supported, found))
    if not read:
        listed = ", ".join(file.name for file in found[:5]) or "none"
        raise InputError(f"{path}: the folder holds no file in {_SUPPORTED}; found {listed}")
    return Files(read, [file for file in found if not _is_supported(file)])


def _is_supported(file: Path) -> bool:
    return file.name.lower().endswith(_SUFFIXES)


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder; links are followed, but each folder is visited once."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        if os.path.realpath(parent) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(parent))
        folders[:] = [name for name in folders if not is_hidden(Path(name))]
        yield from (Path(parent, name) for name in names if not is_hidden(Path(name)))


def _is_data(file: Path) -> bool:
    name = file.name.lower()
    return name not in _METADATA and (_is_supported(file) or not name.startswith(_NO_DATA))


def rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (location for messages, row) of a file, with only a few rows in memory.

    Raises InputError, which names the line or row, if the file has no rows, is damaged or is not in
    the format that its name suggests.
    """
    with file.open("rb") as stream:
        if stream.read(len(_LFS)) == _LFS:
            raise InputError(f"{file}: a pointer of Git LFS; `git lfs pull` fetches the file")
    reader = parquet if file.suffix.lower() == ".parquet" else json_rows
    has_rows = False
    for where, row in reader.rows(file):
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected an object, found {type(row).__name__}")
        has_rows = True
        yield where, row
    if not has_rows:
        raise InputError(f"{file}: the file has no rows")
