"""The pool in training order, each row as it was read, for any trainer."""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from nearfirst.common.on_disk import mapped
from nearfirst.common.parquet import (
    BATCH,
    INSTANCES,
    TEXT,
    check_columns,
    in_batches,
    open_parquet,
    read_batches,
)
from nearfirst.common.progress import bar

Integers = npt.NDArray[np.int64]
Row = dict[str, Any]

POOL = pa.schema([*(INSTANCES.field(name) for name in ("id", "task", "messages"))])
ADDED = pa.schema(
    [
        ("position", pa.int32()),
        ("round", pa.int32()),
        ("distance", pa.float32()),
        ("nearest_query", pa.string()),
    ]
)
"""Columns added to a row: its position in training, its TMA round (null for other methods), its
distance to the nearest test instance, and the id of that instance."""

# Some readers take these for line ends, and JSON does not escape them.
_LINE_ENDS = str.maketrans({char: f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"})


def read_pool(path: Path) -> list[pa.RecordBatch]:
    """Open an instance table in pieces, on disk, since a large pool's texts do not fit in memory.

    The column `row` is optional: a table made by hand lacks it. Raises InputError if the file is
    missing or damaged, or lacks another column.
    """
    with open_parquet(path) as file:
        check_columns(path, file.schema_arrow, POOL)
        names = {*POOL.names, "row"}
        schema = pa.schema([field for field in file.schema_arrow if field.name in names])
        return mapped(read_batches(file, schema.names), schema)


def annotated_rows(
    pool: list[pa.RecordBatch],
    order: Integers,
    rounds: pa.ChunkedArray,
    distances: npt.NDArray[np.float32],
    tests: list[str],
    nearest: Integers,
    rows: int = BATCH,
) -> Iterator[list[Row]]:
    """Yield the rows in training order with the columns `ADDED`, at most `rows` at a time.

    Parameters
    ----------
    pool
        Pieces of the pool, N rows together.
    order, rounds
        (n,) rows of the pool in training order, and their rounds.
    distances, nearest
        (N,) distance of each row of the pool to its nearest test instance, and its index.
    tests
        M ids of test instances.
    """
    for start, instances in _in_blocks(pool, order, rows):
        indices = order[start : start + len(instances)]
        columns = zip(
            range(start, start + len(indices)),
            rounds.slice(start, len(indices)).to_pylist(),
            distances[indices].tolist(),
            [tests[i] for i in nearest[indices]],
            strict=True,
        )
        yield [
            {**dict(zip(ADDED.names, added, strict=True)), **_restore_row(instance)}
            for added, instance in zip(columns, instances.to_pylist(), strict=True)
        ]


def original_rows(pool: list[pa.RecordBatch], order: Integers) -> Iterator[list[Row]]:
    """Yield the rows as they were read, with nothing added, in training order."""
    for _, instances in _in_blocks(pool, order, BATCH):
        yield [json.loads(text) for text in instances["row"].to_pylist()]


def _restore_row(instance: Row) -> Row:
    """Return a row as it was read; a key with the name of an added column gets `original_NAME`.

    If the row lacks id, task or messages, as NIV2's prompts do, they are those used in training.
    """
    row = json.loads(instance.pop("row", None) or "{}")
    row = {f"original_{key}" if key in ADDED.names else key: value for key, value in row.items()}
    for message in instance["messages"]:
        # Keep `trained` only where it differs from what trainers assume.
        if message.pop("trained", None) is False and message["role"] == "assistant":
            message["trained"] = False
    return {**instance, **row}


def _in_blocks(
    pool: list[pa.RecordBatch], order: Integers, size: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield (n,) rows of the pool in each block, and the position of the first."""
    lengths = [len(piece) for piece in pool]
    offsets = np.cumsum([0, *lengths])
    row_bytes = np.repeat([piece.nbytes / max(len(piece), 1) for piece in pool], lengths)
    blocks = _cut_into_blocks(row_bytes[order], size)
    for start, stop in bar(blocks, "blocks of rows", len(blocks)):
        rows = order[start:stop]
        # First by their row in the pool, to read each piece once; then in the order of training.
        by_row = np.argsort(rows, kind="stable")
        piece = np.searchsorted(offsets, rows[by_row], side="right") - 1
        parts = [
            pool[i].take(pa.array(rows[by_row[piece == i]] - offsets[i]))
            for i in np.unique(piece).tolist()
        ]
        yield start, pa.concat_batches(parts).take(pa.array(np.argsort(by_row)))


def _cut_into_blocks(row_bytes: npt.NDArray[np.float64], size: int) -> list[tuple[int, int]]:
    """Return the bounds of blocks of at most `size` rows, and about `TEXT` bytes or one row."""
    ends = np.cumsum(row_bytes)
    bounds, start = [], 0
    while start < len(ends):
        in_text = int(np.searchsorted(ends, ends[start] + TEXT, side="right"))
        stop = min(start + size, in_text)
        bounds.append((start, stop))
        start = stop
    return bounds


def write_jsonl(batches: Iterable[list[Row]], path: Path, added: pa.Schema = ADDED) -> pa.Schema:
    """Write one JSON object per line; return the schema that a table of the rows would have.

    A column whose values fit no common type, or hold an object that never has a key, which Parquet
    cannot store, is text: the JSON of its values. Columns in `added` have the types given there.
    """
    schema = pa.schema([])
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for batch in batches:
            lines.writelines(to_json_line(row) for row in batch)
            schema = _extend_schema(schema, batch, added)
    return pa.schema(
        [field.with_type(pa.string()) if _is_keyless(field.type) else field for field in schema]
    )


def write_parquet(jsonl: Path, schema: pa.Schema, count: int, path: Path) -> None:
    """Write the `count` rows of `write_jsonl` as a table; warn of columns that become JSON text."""
    as_json: dict[str, None] = {}
    with (
        jsonl.open(encoding="utf-8") as lines,
        pq.ParquetWriter(path, schema, write_page_checksum=True) as table,
    ):
        progress = bar(lines, "rows of the table", count)
        rows = (_fit_schema(json.loads(text), schema, as_json) for text in progress)
        for batch in in_batches(rows):
            table.write_table(pa.Table.from_pylist(batch, schema))
    if as_json:
        logging.warning(
            "in Parquet these columns are text, the JSON of each value, since there is no type for "
            "all of their values: %s",
            ", ".join(as_json),
        )


def write_in_order(pool: list[pa.RecordBatch], order: Integers, path: Path) -> None:
    """Write rows of tables with the same schema, in training order, with their types."""
    with pq.ParquetWriter(path, pool[0].schema, write_page_checksum=True) as table:
        for _, rows in _in_blocks(pool, order, BATCH):
            table.write_batch(rows)


def _extend_schema(schema: pa.Schema, rows: list[Row], added: pa.Schema) -> pa.Schema:
    """Return a schema that also fits the rows."""
    fields = {field.name: field for field in schema}
    for name in dict.fromkeys(name for row in rows for name in row):
        if name in added.names:
            fields[name] = added.field(name)
            continue
        try:
            new = pa.schema([(name, pa.array([row.get(name) for row in rows]).type)])
            old = pa.schema([fields[name]] if name in fields else [])
            fields[name] = pa.unify_schemas([old, new], promote_options="permissive").field(0)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            fields[name] = pa.field(name, pa.string())
    return pa.schema(list(fields.values()))


def _is_keyless(kind: pa.DataType) -> bool:
    """Return whether a type contains an object without keys."""
    fields = [kind.field(index).type for index in range(kind.num_fields)]
    return (pa.types.is_struct(kind) and not fields) or any(map(_is_keyless, fields))


def _fit_schema(row: Row, schema: pa.Schema, as_json: dict[str, None]) -> Row:
    """Return a row whose values fit the schema; add to `as_json` the columns that become JSON."""
    result = dict(row)
    for name, value in row.items():
        if not isinstance(value, str | None) and pa.types.is_string(schema.field(name).type):
            result[name] = json.dumps(value, ensure_ascii=False)
            as_json[name] = None
    return result


def to_json_line(row: Row) -> str:
    """Return a row as JSON that every reader takes for one line."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"
