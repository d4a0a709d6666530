"""Read rows of Parquet files as a stream."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from nearfirst.common.errors import InputError, one_line
from nearfirst.common.parquet import check_columns, open_parquet, read_batches

BATCH = 1024
"""Rows decoded at once; fewer if they are long."""


def rows(path: Path, schema: pa.Schema | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (location for messages, row) of a file, with the columns of a schema.

    Without a schema, rows have all columns except binary ones such as images.

    Raises InputError if the file is missing, empty, damaged or not Parquet, lacks a column or has
    one of another type, or contains text that is not UTF-8.
    """
    with open_parquet(path) as file:
        if schema:
            check_columns(path, file.schema_arrow, schema)
        fields = schema or [field for field in file.schema_arrow if not _has_bytes(field.type)]
        number = 0
        try:
            for batch in read_batches(file, [field.name for field in fields], BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", row
        # ValueError and OverflowError: text that is not UTF-8, or a time beyond Python's range.
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise InputError(
                f"{path}: cannot be read after row {number} ({one_line(error)}); copy or make it "
                "again, if need be without the column at fault"
            ) from None


def row_of(where: str) -> tuple[Path, int]:
    """Return the file and the row index, from 0, of a location that `rows` yields."""
    path, _, number = where.rpartition(": row ")
    return Path(path), int(number) - 1


def unread(path: Path) -> list[str]:
    """Describe the columns that `rows` leaves out: binary ones, and all but the last of a name."""
    with open_parquet(path) as file:
        fields = list(file.schema_arrow)
    repeated = [name for name, n in Counter(field.name for field in fields).items() if n > 1]
    return [
        *(f"column '{field.name}' of bytes" for field in fields if _has_bytes(field.type)),
        *(f"all but the last column '{name}'" for name in repeated),
    ]


def _has_bytes(kind: pa.DataType) -> bool:
    """Return whether a type contains bytes, which JSON cannot hold."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    names = ("binary", "large_binary", "fixed_size_binary", "binary_view")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in names) or any(
        _has_bytes(kind.field(index).type) for index in range(kind.num_fields)
    )
