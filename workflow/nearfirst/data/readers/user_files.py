"""Rows of a user's files: JSON Lines, a JSON array or Parquet, by the end of their names."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from nearfirst.common.errors import InputError, one_line
from nearfirst.data.readers import json_array, parquet

IN_FOLDER = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
"""Ends of the files that are read in a folder; a `.json` file is read if it is named."""

LONGEST = 2**28
"""Bytes of the longest line: a file without line ends would be one line of its whole size."""


def is_hidden(file: Path) -> bool:
    """Return whether a file's name says that it is none of the user's, such as macOS's `._x`."""
    return file.name.startswith(".")


def files(path: Path) -> list[Path]:
    """Return a file, or those of a folder by name; of a fetched folder also those below it.

    Raises InputError if there is none, or its name has none of the known ends.
    """
    if (record := path / "fetched.json").is_file():
        names = sorted(json.loads(record.read_bytes())["files"])
        found = [path / name for name in names if name.lower().endswith((*IN_FOLDER, ".json"))]
        if not found:
            raise InputError(
                f"{path}: of the fetched files none ends in {', '.join(IN_FOLDER)} or .json, but "
                f"there are {', '.join(names[:5])}; choose others by hub.files"
            )
        return found
    if path.is_dir():
        found = sorted(
            file
            for file in path.iterdir()
            if file.name.lower().endswith(IN_FOLDER) and not is_hidden(file)
        )
        if not found:
            raise InputError(f"{path}: the folder holds no file in {', '.join(IN_FOLDER)}")
        return found
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    known = (*IN_FOLDER, ".json")
    if not path.name.lower().endswith(known):
        raise InputError(
            f"{path}: the name ends in none of {', '.join(known)}; rename or convert the file"
        )
    return [path]


def rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place for messages, row) of a file; memory holds a few rows at a time.

    Raises InputError if the file is empty, damaged or not of its form; line or row are named.
    """
    ends = {".parquet": parquet.rows, ".json": json_array.rows}
    read: Any = ends.get(file.suffix.lower(), _lines)
    has_rows = False
    for where, row in read(file):
        if not isinstance(row, dict):
            hint = "; name a JSON array .json" if isinstance(row, list) and read is _lines else ""
            raise InputError(f"{where}: expected an object, found {type(row).__name__}{hint}")
        has_rows = True
        yield where, row
    if not has_rows:
        raise InputError(f"{file}: the file has no rows")


def _lines(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield the rows of JSON Lines, plain or compressed; blank lines are left out."""
    if file.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty")
    number = 0
    try:
        # Arrow knows by the name whether the file is compressed.
        with io.BufferedReader(pa.input_stream(str(file))) as stream:
            while line := stream.readline(LONGEST):
                number += 1
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    where = f"{file}: line {number}"
                    yield where, _parsed(line, where)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{file}: damaged after line {number} ({one_line(error)}); copy or make it again"
        ) from None


def _parsed(line: bytes, where: str) -> Any:
    if len(line) == LONGEST:
        raise InputError(f"{where}: longer than {LONGEST} bytes; JSON Lines has one row a line")
    try:
        row = json.loads(line.decode())
        if b"\\u" in line:
            # Half of a pair of escapes is not a character, and no table could hold it.
            json.dumps(row, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise InputError(f"{where}: not UTF-8 ({error}); save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        hint = "; name a JSON array .json" if line.lstrip().startswith(b"[") else ""
        at = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{where}: not JSON ({getattr(error, 'msg', error)}{at}){hint}") from None
    return row
