"""The pool in training order, each row as it was read, for any trainer."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from nearfirst.common.on_disk import mapped
from nearfirst.common.parquet import BATCH, INSTANCES, check_columns, open_parquet
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
"""What is added to a row: its place in training, its TMA round (null for other methods), its
distance to the nearest test instance, and the id of that one."""

# They end a line for some readers, and JSON leaves them as they are.
_LINE_ENDS = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"})


def read_pool(path: Path) -> list[pa.RecordBatch]:
    """Open an instance table in pieces, on disk, since a large pool's texts do not fit in memory.

    A table without the column `row` (one made by hand) has only its messages to export. Raises
    InputError if the file is missing or damaged, or lacks a column.
    """
    with open_parquet(path) as file:
        found = file.schema_arrow
        check_columns(path, found, POOL)
        own = [field for field in found if field.name in (*POOL.names, "row")]
        batches = file.iter_batches(BATCH, columns=[field.name for field in own])
        return mapped(batches, pa.schema(own))


def in_order(
    pool: list[pa.RecordBatch],
    order: Integers,
    rounds: pa.ChunkedArray,
    distances: npt.NDArray[np.float32],
    tests: list[str],
    nearest: Integers,
    rows: int = BATCH,
) -> Iterator[list[Row]]:
    """Yield the rows in training order, `rows` at a time.

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
    starts = np.cumsum([0, *(len(piece) for piece in pool)])
    for start in range(0, len(order), rows):
        its = order[start : start + rows]
        of_rounds = rounds.slice(start, len(its)).to_pylist()
        yield [
            {
                "position": start + i,
                "round": of_rounds[i],
                "distance": float(distances[its[i]]),
                "nearest_query": tests[nearest[its[i]]],
                **_as_read(instance),
            }
            for i, instance in enumerate(_take(pool, starts, its).to_pylist())
        ]


def as_read(pool: list[pa.RecordBatch], order: Integers, rows: int = BATCH) -> Iterator[list[Row]]:
    """Yield the rows as they were read, with nothing added, in training order, as `in_order`."""
    starts = np.cumsum([0, *(len(piece) for piece in pool)])
    for start in range(0, len(order), rows):
        its = _take(pool, starts, order[start : start + rows])
        yield [json.loads(text) for text in its["row"].to_pylist()]


def _as_read(instance: Row) -> Row:
    """Return a row as it was read; a key that is called like an added one: `original_NAME`.

    Id, task and messages are those of training where the row has none, such as NIV2's prompts.
    """
    row = json.loads(instance.pop("row", None) or "{}")
    row = {f"original_{name}" if name in ADDED.names else name: its for name, its in row.items()}
    for message in instance["messages"]:
        # Said where it is not what a trainer expects.
        if message.pop("trained", None) is False and message["role"] == "assistant":
            message["trained"] = False
    return {**instance, **row}


def _take(pool: list[pa.RecordBatch], starts: Integers, rows: Integers) -> pa.RecordBatch:
    """Return rows of the pool, whose pieces begin at `starts`."""
    # Row by row of the pool first, so that each piece is asked once; then in the order wanted.
    by_row = np.argsort(rows, kind="stable")
    piece = np.searchsorted(starts, rows[by_row], side="right") - 1
    found = [
        pool[number].take(pa.array(rows[by_row[piece == number]] - starts[number]))
        for number in np.unique(piece).tolist()
    ]
    return pa.concat_batches(found).take(pa.array(np.argsort(by_row)))


def write_jsonl(batches: Iterable[list[Row]], path: Path, added: pa.Schema = ADDED) -> pa.Schema:
    """Write a JSON object a line; return the types of all columns, as a table would have them.

    A column whose values fit no one type is text: the JSON of its values. Those of `added` have
    these types.
    """
    schema = pa.schema([])
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for batch in batches:
            lines.writelines(line(row) for row in batch)
            schema = _unified(schema, batch, added)
    return schema


def write_parquet(jsonl: Path, schema: pa.Schema, count: int, path: Path) -> None:
    """Write the `count` rows of `write_jsonl` as a table."""
    with (
        jsonl.open(encoding="utf-8") as lines,
        pq.ParquetWriter(path, schema, write_page_checksum=True) as table,
    ):
        progress = bar(lines, "rows of the table", count)
        rows = (_as_columns(json.loads(text), schema) for text in progress)
        while batch := list(islice(rows, BATCH)):
            table.write_table(pa.Table.from_pylist(batch, schema))


def write_taken(pool: list[pa.RecordBatch], order: Integers, path: Path) -> None:
    """Write rows of tables of one schema, in training order, with their types."""
    starts = np.cumsum([0, *(len(piece) for piece in pool)])
    with pq.ParquetWriter(path, pool[0].schema, write_page_checksum=True) as table:
        for start in range(0, len(order), BATCH):
            table.write_batch(_take(pool, starts, order[start : start + BATCH]))


def _unified(schema: pa.Schema, rows: list[Row], added: pa.Schema) -> pa.Schema:
    """Return a schema that the rows fit too."""
    names = dict.fromkeys(name for row in rows for name in row)
    fields = {field.name: field for field in schema}
    for name in names:
        if name in added.names:
            fields[name] = added.field(name)
            continue
        known = fields.get(name)
        try:
            found = pa.field(name, pa.array([row.get(name) for row in rows]).type)
            both = [pa.schema([field]) for field in (known, found) if field]
            fields[name] = pa.unify_schemas(both, promote_options="permissive").field(0)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            fields[name] = pa.field(name, pa.string())
    return pa.schema(list(fields.values()))


def _as_columns(row: Row, schema: pa.Schema) -> Row:
    """Return a row whose values fit the schema."""
    return {
        name: json.dumps(value, ensure_ascii=False)
        if pa.types.is_string(schema.field(name).type) and not isinstance(value, str | None)
        else value
        for name, value in row.items()
    }


def line(row: Row) -> str:
    """Return a row as one line of JSON, for every reader's notion of a line."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"
