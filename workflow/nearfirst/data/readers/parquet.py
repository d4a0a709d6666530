"""Rows of Parquet files, read as a stream."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from nearfirst.common.errors import InputError, one_line
from nearfirst.common.parquet import check_columns, open_parquet

BATCH = 1024
"""Rows decoded at once: texts may be long."""


def rows(path: Path, schema: pa.Schema | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place for messages, row) of a file, with the columns of a schema.

    Without a schema these are all columns but those of bytes, such as images.

    Raises InputError if the file is missing, empty, damaged or not Parquet, lacks a column (those
    that are there are named) or has one of another type, or a text is not UTF-8.
    """
    with open_parquet(path) as file:
        if schema:
            check_columns(path, file.schema_arrow, schema)
        fields = schema or [field for field in file.schema_arrow if not _has_bytes(field.type)]
        number = 0
        try:
            for batch in file.iter_batches(BATCH, columns=[field.name for field in fields]):
                for row in _decoded(batch):
                    number += 1
                    yield f"{path}: row {number}", row
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path}: damaged after row {number} ({one_line(error)}); copy or make it again"
            ) from None
        except (ValueError, OverflowError) as error:
            # Fields of one name, or a time beyond what Python has.
            raise InputError(
                f"{path}: row {number + 1}: a column that cannot be read ({one_line(error)}); "
                "write the file without it"
            ) from None


def row_of(where: str) -> tuple[Path, int]:
    """Return the file and the row, from 0, of a place that `rows` yields."""
    path, _, number = where.rpartition(": row ")
    return Path(path), int(number) - 1


def unread(path: Path) -> list[str]:
    """Return which columns `rows` leaves out: those of bytes, and of one name all but the last."""
    with open_parquet(path) as file:
        fields = list(file.schema_arrow)
    repeated = [name for name, n in Counter(field.name for field in fields).items() if n > 1]
    return [
        *(f"column '{field.name}' of bytes" for field in fields if _has_bytes(field.type)),
        *(f"all but the last column '{name}'" for name in repeated),
    ]


def _decoded(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        # One by one up to the row that is at fault.
        for at in range(len(batch)):
            yield from batch.slice(at, 1).to_pylist()


def _has_bytes(kind: pa.DataType) -> bool:
    """Return whether bytes, which JSON cannot hold, are in a type."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    names = ("binary", "large_binary", "fixed_size_binary", "binary_view")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in names) or any(
        _has_bytes(kind.field(at).type) for at in range(kind.num_fields)
    )
