"""Rows of files of one's own, JSON Lines, a JSON array or Parquet, read as a stream."""

import io
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import open_parquet
from nearfirst.data.readers import json_rows

LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
IN_FOLDER = (*LINES, ".parquet")
"""What is read of a folder; a `.json` file is read if it is named."""

_BATCH = 1024
"""Rows of Parquet decoded at once: texts may be long."""

_LONGEST = 2**28
"""Most bytes of a line: a file without line ends would be one line of its whole size."""


def files(path: Path) -> list[Path]:
    """Return the file, or those of a folder by name.

    Raises
    ------
    InputError
        If there is none, or its name ends in no way that is known.
    """
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.name.lower().endswith(IN_FOLDER))
        if not found:
            raise InputError(f"{path}: the folder holds no file in {', '.join(IN_FOLDER)}")
        return found
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    if not path.name.lower().endswith((*IN_FOLDER, ".json")):
        known = ", ".join((*IN_FOLDER, ".json"))
        raise InputError(f"{path}: the name ends in none of {known}; rename or convert the file")
    return [path]


def columns(file: Path) -> list[str]:
    """Return the columns of a Parquet file, or the keys of the first row.

    Raises
    ------
    InputError
        If the file cannot be read, or has no rows.
    """
    if file.suffix.lower() == ".parquet":
        with open_parquet(file) as table:
            if table.metadata.num_rows == 0:
                raise InputError(f"{file}: the file has no rows")
            return list(table.schema_arrow.names)
    for _, row in rows(file):
        return list(row)
    raise InputError(f"{file}: the file has no rows")


def rows(file: Path, wanted: Collection[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place for messages, row) of a file; no more of it is in memory than a few rows.

    Parameters
    ----------
    file
        One of `files`.
    wanted
        Columns that are read of a Parquet file.

    Raises
    ------
    InputError
        If the file is empty, damaged or not of its form; line or row are named.
    """
    name = file.name.lower()
    if name.endswith(".parquet"):
        yield from _parquet(file, wanted)
    elif name.endswith(".json"):
        for where, row in json_rows.rows(file):
            yield where, _object(row, where)
    else:
        yield from _lines(file)


def _lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSON Lines file; lines of nothing but blanks are left out."""
    if file.stat().st_size == 0:
        raise InputError(f"{file}: the file is empty")
    number = 0
    try:
        # It knows by the name whether the file is compressed.
        with io.BufferedReader(pa.input_stream(str(file))) as stream:
            while line := stream.readline(_LONGEST):
                number += 1
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    where = f"{file}: line {number}"
                    yield where, _object(_parsed(line, where), where)
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{file}: damaged after line {number} ({reason}); copy or make it again"
        ) from None


def _parsed(line: bytes, where: str) -> Any:
    if len(line) == _LONGEST:
        raise InputError(f"{where}: longer than {_LONGEST} bytes; JSON Lines has one row a line")
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: not UTF-8 (byte 0x{line[error.start]:02x} at {error.start + 1}); save the "
            "file as UTF-8"
        ) from None
    try:
        row = json.loads(text)
        if "\\u" in text:
            # Half of a pair of escapes is no character, and nothing could be written of it.
            json.dumps(row, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        hint = "; name a JSON array .json" if text.lstrip().startswith("[") else ""
        raise InputError(
            f"{where}: not JSON ({error.msg} at character {error.pos + 1}){hint}"
        ) from None
    except UnicodeEncodeError:
        raise InputError(f"{where}: \\u… escapes that are no character (half a pair)") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: JSON that cannot be read ({error})") from None
    return row


def _object(row: Any, where: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        hint = "; name a JSON array .json" if isinstance(row, list) else ""
        raise InputError(f"{where}: expected an object, found {type(row).__name__}{hint}")
    return row


def _parquet(file: Path, wanted: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    number = 0
    with open_parquet(file) as table:
        there = [name for name in table.schema_arrow.names if name in wanted]
        try:
            for batch in table.iter_batches(_BATCH, columns=there):
                for row in _decoded(file, batch, number):
                    number += 1
                    yield f"{file}: row {number}", row
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())
            raise InputError(
                f"{file}: damaged after row {number} ({reason}); copy or make it again"
            ) from None


def _decoded(file: Path, batch: pa.RecordBatch, before: int) -> list[dict[str, Any]]:
    """Return the rows of a batch, `before` of which the file has so many."""
    try:
        found: list[dict[str, Any]] = batch.to_pylist()
        return found
    except UnicodeDecodeError:
        for row in range(batch.num_rows):
            try:
                batch.slice(row, 1).to_pylist()
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{file}: row {before + row + 1}: not UTF-8 (byte "
                    f"0x{error.object[error.start]:02x}); write the file anew"
                ) from None
        raise
