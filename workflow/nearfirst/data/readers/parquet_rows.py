"""Rows of published Parquet files, read as a stream."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import check_columns, open_parquet

_BATCH = 1024
"""Rows decoded at once: texts may be long."""


def rows(path: Path, schema: pa.Schema) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place for messages, row) of a file; a row holds the columns of `schema` alone.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged or no Parquet, lacks a column (those that are there
        are named), or has one of another type.
    """
    with open_parquet(path) as file:
        check_columns(path, file.schema_arrow, schema)
        number = 0
        try:
            for batch in file.iter_batches(_BATCH, columns=schema.names):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}: row {number}", row
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path}: damaged after row {number} ({' '.join(str(error).split())}); "
                "copy or download it again"
            ) from None
