"""The Parquet tables between stages: their columns, checked reads, whole writes."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nearfirst.common.errors import InputError, one_line
from nearfirst.common.files import writing
from nearfirst.common.on_disk import RowsOnDisk

BUFFER = 2**22
"""Bytes read from a file at once."""

BATCH = 8192
"""Rows read or written at once: texts may be long."""

EMBEDDED = 2**24
"""Bytes of embeddings decoded at once: what a processor's cache holds is decoded soonest."""

WRITTEN = 2**28
"""Bytes of embeddings encoded at once."""

IN_MEMORY = 2**31
"""Bytes of embeddings; more are read from disk, in each pass over them."""

_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What Arrow raises for a file that is no whole Parquet; names in it may be no text."""

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
TURN = pa.struct([*MESSAGE, pa.field("trained", pa.bool_())])
"""A message, and whether it carries labels (`data.conversation.is_trained`), which may be missing
in a table."""

INSTANCES = pa.schema(
    [
        ("id", pa.string()),
        ("task", pa.string()),
        ("messages", pa.list_(TURN)),
        ("references", pa.list_(pa.string())),
    ]
)
SOURCES = INSTANCES.append(pa.field("source", pa.string())).append(pa.field("row", pa.string()))
"""Instances as `sample.py` writes them.

`source` is the data set that the text comes from. `row` holds, in training instances, the row as it
was read, for export: a JSON object with the keys in their order. System turns, an unanswered last
turn and further columns are in it; types that JSON has not became texts, and columns of bytes are
left out. It is null in test sets.
"""
ARRANGEMENT = pa.schema([("position", pa.int32()), ("id", pa.string()), ("round", pa.int32())])
TOKENS = pa.schema([("id", pa.string()), ("tokens", pa.int32())])
LOSSES = pa.schema(
    [
        ("step", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        ("loss", pa.float32()),
        ("label_tokens", pa.int32()),
    ]
)
SIMILARITY = pa.schema(
    [
        ("step", pa.int32()),
        ("seen", pa.int32()),
        ("task", pa.string()),
        ("measure", pa.string()),
        ("distance", pa.float64()),
    ]
)
"""How far the data seen so far are from each unseen task; task "" is the whole test set."""


def embeddings_schema(dimension: int) -> pa.Schema:
    """Return the schema of an embedding table of the given dimension."""
    return pa.schema([("id", pa.string()), ("embedding", pa.list_(pa.float32(), dimension))])


def write_table(table: pa.Table, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table whole or not at all; `metadata` is kept in the file's schema."""
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    with writing(path) as temporary:
        # A bit that flips in a page would be read as another number or letter otherwise.
        pq.write_table(table, temporary, write_page_checksum=True)


def write_rows(rows: Iterable[Mapping[str, object]], schema: pa.Schema, path: Path) -> int:
    """Write rows as they come, whole or not at all, `BATCH` in memory; return their number."""
    total, rows = 0, iter(rows)
    with (
        writing(path) as temporary,
        pq.ParquetWriter(temporary, schema, write_page_checksum=True) as writer,
    ):
        while batch := list(islice(rows, BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            total += len(batch)
    return total


def left_out(table: pa.Table) -> int:
    """Return how many test instances have no row, as the table's metadata count them; else 0."""
    return counted(table, "left_out")


def counted(table: pa.Table, key: str) -> int:
    """Return a number of the table's metadata; 0 if they do not say it."""
    return int((table.schema.metadata or {}).get(key.encode(), b"0"))


def read_table(
    path: Path,
    schema: pa.Schema,
    *,
    unique: str | None = "id",
    may_be_empty: bool = False,
    rows: tuple[int, int] | None = None,
) -> pa.Table:
    """Read the columns of `schema`; further columns are left alone.

    `rows` are the first one and that behind the last, which are read without the others.

    Raises InputError if the file is missing or damaged, lacks a column, has one of another type,
    has no rows, or repeats a value of the `unique` column.
    """
    with open_parquet(path) as file:
        found = file.schema_arrow
        check_columns(path, found, schema)
        own = pa.schema([found.field(name) for name in schema.names], found.metadata)
        try:
            # Read at once, messages with more than 2 GiB of text are refused by Arrow.
            batches = file.iter_batches(BATCH, columns=schema.names)
            table = pa.Table.from_batches(_between(batches, rows) if rows else batches, own)
        except _DAMAGED as error:
            raise InputError(f"{path}: damaged ({one_line(error)}); make it again") from None
        table = table.cast(schema.with_metadata(table.schema.metadata))
        # None of a file's rows may be asked for, as of a shard that gets none.
        asked = rows is None or rows[0] < rows[1] or file.metadata.num_rows == 0
    if table.num_rows == 0 and asked and not may_be_empty:
        raise InputError(f"{path}: the table has no rows")
    if unique:
        if table[unique].null_count:
            row = pc.index(table[unique].is_null(), True).as_py()
            raise InputError(f"{path}: row {row} has no {unique}")
        counts = pc.value_counts(table[unique])
        repeated = counts.filter(pc.greater(counts.field("counts"), 1))
        if len(repeated):
            value, count = repeated[0]["values"], repeated[0]["counts"]
            raise InputError(
                f"{path}: {unique} '{value}' stands in {count} rows; it must be unique"
            )
    return table


def _between(batches: Iterator[pa.RecordBatch], rows: tuple[int, int]) -> Iterator[pa.RecordBatch]:
    """Yield the rows from the first to before the last; read no further."""
    start = 0
    for batch in batches:
        first, last = (min(max(row - start, 0), len(batch)) for row in rows)
        start += len(batch)
        if first < last:
            yield batch.slice(first, last - first)
        if start >= rows[1]:
            return


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file. Raises InputError if it is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        # Read page by page: else a large column lies in memory twice, as stored and as decoded.
        # Pages without a checksum, as other writers leave them, are read all the same.
        return pq.ParquetFile(
            path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
        )
    except _DAMAGED as error:
        raise InputError(f"{path}: not a whole Parquet file ({one_line(error)})") from None


def check_columns(path: Path, found: pa.Schema, expected: pa.Schema) -> None:
    """Raise InputError unless a file has the expected columns, of the expected types."""
    for field in expected:
        index = found.get_field_index(field.name)
        if index < 0:
            raise InputError(
                f"{path}: column '{field.name}' is missing; the file has {', '.join(found.names)}"
            )
        kind = found.field(index).type
        if not _same_type(kind, field.type):
            raise InputError(f"{path}: column '{field.name}' holds {kind}, expected {field.type}")


def _same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    # Names of a list's item and large variants differ between writers and mean the same.
    if pa.types.is_dictionary(found):
        found = found.value_type
    if found == expected:
        return True
    if pa.types.is_string(expected):
        return bool(pa.types.is_large_string(found) or pa.types.is_string_view(found))
    if pa.types.is_list(expected):
        return _is_list(found) and _same_type(found.value_type, expected.value_type)
    if pa.types.is_fixed_size_list(expected):
        same_size = pa.types.is_fixed_size_list(found) and found.list_size == expected.list_size
        return bool(same_size and found.value_type == expected.value_type)
    if pa.types.is_struct(expected) and pa.types.is_struct(found):
        kinds = {field.name: field.type for field in found}
        if expected == TURN:
            kinds = {"trained": pa.bool_(), **kinds}
        return all(
            field.name in kinds and _same_type(kinds[field.name], field.type) for field in expected
        )
    return False


def _is_list(kind: pa.DataType) -> bool:
    names = ("list", "large_list", "list_view", "large_list_view", "fixed_size_list")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in names)


def read_embeddings(
    *paths: Path, may_be_empty: bool = False
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Read N ids and their (N, d) matrix; lists of any floating-point numbers become float32.

    Several tables are read as one, in their order. The matrix is one of `empty_matrix`.

    Raises InputError as `read_table`, or if a row is null, has another dimension than the first, or
    is not finite or all zeros.
    """
    only_ids = pa.schema([("id", pa.string())])
    tables = [read_table(path, only_ids, may_be_empty=may_be_empty)["id"] for path in paths]
    ids: list[str] = [id_ for column in tables for id_ in column.to_pylist()]
    matrix, start = np.empty((0, 0), dtype=np.float32), 0
    # The next rows are decoded while a disk takes the ones before.
    with ThreadPoolExecutor(1) as writer:
        written: Future[None] | None = None
        for path, column, first in _columns(paths):
            if not start:
                dimension = pc.list_value_length(column)[0].as_py() or 0
                matrix = empty_matrix((len(ids), dimension))
            rows = slice(start, start + len(column))
            found = _embeddings(path, ids[rows], column, matrix.shape[1], first)
            if written:
                written.result()
            written = writer.submit(matrix.__setitem__, rows, found)
            start += len(column)
        if written:
            written.result()
    return ids, matrix


def empty_matrix(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return an (N, d) matrix to fill; one of more than `IN_MEMORY` bytes is `RowsOnDisk`."""
    if 4 * shape[0] * shape[1] > IN_MEMORY:
        return cast("npt.NDArray[np.float32]", RowsOnDisk(shape))
    return np.empty(shape, dtype=np.float32)


def _columns(paths: Iterable[Path]) -> Iterator[tuple[Path, pa.Array, int]]:
    """Yield pieces of the column `embedding` of tables, each with its path and its first row."""
    for path in paths:
        with open_parquet(path) as file:
            found = file.schema_arrow
            index = found.get_field_index("embedding")
            if index < 0:
                check_columns(path, found, embeddings_schema(1))
            kind = found.field(index).type
            if not _is_list(kind) or not pa.types.is_floating(kind.value_type):
                raise InputError(
                    f"{path}: column 'embedding' holds {kind}, expected fixed_size_list<float32>[d]"
                )
            row, size = 0, max(1, EMBEDDED // (4 * getattr(kind, "list_size", 1024) or 1))
            try:
                for batch in file.iter_batches(size, columns=["embedding"]):
                    if len(batch):
                        yield path, batch.column(0), row
                    row += len(batch)
            except _DAMAGED as error:
                raise InputError(f"{path}: damaged ({one_line(error)}); make it again") from None


def _embeddings(
    path: Path, ids: list[str], column: pa.Array, dimension: int, start: int
) -> npt.NDArray[np.float32]:
    """Return the (n, d) rows of a batch, which begins at the row `start`, if they can be used."""

    def check(usable: npt.ArrayLike, what: str) -> None:
        if not np.all(usable):
            row = int(np.argmin(usable))
            raise InputError(f"{path}: row {start + row} (id '{ids[row]}') {what}")

    check(column.is_valid().to_numpy(zero_copy_only=False), "has no embedding")
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    check(
        lengths == dimension,
        f"has another dimension than the first, {dimension}; embed all with one model",
    )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity
        # A null inside a vector becomes NaN.
        flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    rows: npt.NDArray[np.float32] = flat.reshape(len(ids), dimension)
    check(np.isfinite(rows).all(axis=1), "holds NaN or infinity; embed again")
    check(rows.any(axis=1), "is all zeros; embed again")
    return rows


def embeddings_table(ids: list[str], embeddings: npt.NDArray[np.float32]) -> pa.Table:
    """Return the table of N ids and their (N, d) float32 embeddings."""
    dimension = embeddings.shape[1]
    flat = pa.array(np.ascontiguousarray(embeddings, dtype=np.float32).reshape(-1))
    column = pa.FixedSizeListArray.from_arrays(flat, dimension)
    return pa.Table.from_arrays([pa.array(ids), column], schema=embeddings_schema(dimension))


def write_embeddings(
    ids: list[str],
    embeddings: npt.NDArray[np.float32],
    path: Path,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write N ids and their (N, d) float32 embeddings, in memory or on disk, piece by piece.

    The table is whole or not there, as that of `write_table`.
    """
    size = max(1, WRITTEN // (4 * embeddings.shape[1] or 1))
    schema = embeddings_schema(embeddings.shape[1]).with_metadata(metadata)
    with (
        writing(path) as temporary,
        pq.ParquetWriter(temporary, schema, write_page_checksum=True) as writer,
    ):
        for start in range(0, max(1, len(ids)), size):
            rows = slice(start, start + size)
            writer.write_table(embeddings_table(ids[rows], embeddings[rows]))
