"""The Parquet tables between stages: schemas, checked reads and atomic writes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nearfirst.common.errors import InputError, one_line
from nearfirst.common.files import writing

BUFFER = 2**22
"""Bytes read from a file at once."""

BATCH = 8192
"""Rows read or written at once; fewer if their texts are long."""

TEXT = 2**26
"""Bytes of rows with text that are read or written at once, about. Rows may be of megabytes, and
Arrow reads at most 2 GiB of messages at once."""

Row = TypeVar("Row", bound=Mapping[str, object])

DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)
"""Exceptions Arrow raises for a truncated or damaged Parquet file; names in it may not be UTF-8."""

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
TURN = pa.struct([*MESSAGE, pa.field("trained", pa.bool_())])
"""A message, and whether it carries labels (`data.conversation.is_trained`); the latter is optional
in a table."""

INSTANCES = pa.schema(
    [
        ("id", pa.string()),
        ("task", pa.string()),
        ("messages", pa.list_(TURN)),
        ("references", pa.list_(pa.string())),
    ]
)
ID_AND_TASK = pa.schema([INSTANCES.field("id"), INSTANCES.field("task")])
SOURCES = INSTANCES.append(pa.field("source", pa.string())).append(pa.field("row", pa.string()))
"""Instances as `sample.py` writes them.

`source` is the data set that the text comes from. `row` holds the row of a training instance as it
was read, for export: a JSON object with keys in their order, including system turns, an unanswered
last turn and further columns. Types without JSON equivalent became text; columns of bytes are left
out. It is null in test sets.
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


def write_table(table: pa.Table, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table atomically; `metadata` goes into the file's schema."""
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    with writing(path) as temporary:
        # Without checksums, a flipped bit in a page would be read as another number or letter.
        pq.write_table(table, temporary, write_page_checksum=True)


def write_rows(rows: Iterable[Mapping[str, object]], schema: pa.Schema, path: Path) -> int:
    """Write rows atomically, with a batch in memory at a time; return their number."""
    total = 0
    with (
        writing(path) as temporary,
        pq.ParquetWriter(temporary, schema, write_page_checksum=True) as writer,
    ):
        for batch in in_batches(rows):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            total += len(batch)
    return total


def in_batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield `BATCH` rows at a time; fewer as soon as their texts have `TEXT` characters."""
    batch: list[Row] = []
    text = 0
    for row in rows:
        batch.append(row)
        text += _count_characters(row)
        if len(batch) == BATCH or text >= TEXT:
            yield batch
            batch, text = [], 0
    if batch:
        yield batch


def _count_characters(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list):
        return 0
    return sum(map(_count_characters, value))


def read_batches(
    file: pq.ParquetFile, columns: Sequence[str] | None = None, rows: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield all or some columns of a file, at most `rows` (`BATCH`) and about `TEXT` bytes at once.

    The bytes are those of all columns in the row group with the longest rows.
    """
    # Not of the chosen columns alone: pyarrow aborts where it reads damaged metadata of a column.
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    row_bytes = max([1, *(group.total_byte_size / max(group.num_rows, 1) for group in groups)])
    yield from file.iter_batches(max(1, min(rows or BATCH, int(TEXT / row_bytes))), columns=columns)


def read_ids(path: Path) -> list[str]:
    """Read the ids of an instance table, without its texts; raises as `read_table`."""
    ids: list[str] = read_table(path, pa.schema([INSTANCES.field("id")]))["id"].to_pylist()
    return ids


def left_out(table: pa.Table) -> int:
    """Return how many test instances have no row, according to the table's metadata."""
    return count_of(table, "left_out")


def count_of(table: pa.Table, key: str) -> int:
    """Return a number from the table's metadata; 0 if it is missing."""
    return int((table.schema.metadata or {}).get(key.encode(), b"0"))


def read_table(
    path: Path,
    schema: pa.Schema,
    *,
    unique: str | None = "id",
    may_be_empty: bool = False,
) -> pa.Table:
    """Read the columns of `schema`, and no others.

    Raises InputError if the file is missing or damaged, lacks a column, has one of another type,
    has no rows, or repeats a value of the `unique` column.
    """
    with open_parquet(path) as file:
        file_schema = file.schema_arrow
        check_columns(path, file_schema, schema)
        columns = [file_schema.field(name) for name in schema.names]
        try:
            table = pa.Table.from_batches(
                read_batches(file, schema.names), pa.schema(columns, file_schema.metadata)
            )
        except DAMAGED as error:
            raise InputError(f"{path}: damaged ({one_line(error)}); make it again") from None
        table = table.cast(schema.with_metadata(table.schema.metadata))
    if table.num_rows == 0 and not may_be_empty:
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


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file. Raises InputError if it is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        # Read page by page: otherwise a large column is in memory twice, encoded and decoded.
        # Pages without a checksum, from other writers, are accepted.
        return pq.ParquetFile(
            path, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True
        )
    except DAMAGED as error:
        raise InputError(f"{path}: not a whole Parquet file ({one_line(error)})") from None


def check_columns(path: Path, actual: pa.Schema, expected: pa.Schema) -> None:
    """Raise InputError unless a file has the expected columns with the expected types."""
    for field in expected:
        index = actual.get_field_index(field.name)
        if index < 0:
            raise InputError(
                f"{path}: column '{field.name}' is missing; the file has {', '.join(actual.names)}"
            )
        kind = actual.field(index).type
        if not _same_type(kind, field.type):
            raise InputError(f"{path}: column '{field.name}' holds {kind}, expected {field.type}")


def _same_type(actual: pa.DataType, expected: pa.DataType) -> bool:
    # Writers differ in large variants and in the name of a list's item, which mean the same.
    if pa.types.is_dictionary(actual):
        actual = actual.value_type
    if actual == expected:
        return True
    if pa.types.is_string(expected):
        return bool(pa.types.is_large_string(actual) or pa.types.is_string_view(actual))
    if pa.types.is_list(expected):
        return is_list(actual) and _same_type(actual.value_type, expected.value_type)
    if pa.types.is_struct(expected) and pa.types.is_struct(actual):
        types = {"trained": pa.bool_()} if expected == TURN else {}
        types |= {field.name: field.type for field in actual}
        return all(
            field.name in types and _same_type(types[field.name], field.type) for field in expected
        )
    return False


def is_list(kind: pa.DataType) -> bool:
    """Return whether a column holds lists, of any of Arrow's kinds."""
    names = ("list", "large_list", "list_view", "large_list_view", "fixed_size_list")
    return any(getattr(pa.types, f"is_{name}")(kind) for name in names)
