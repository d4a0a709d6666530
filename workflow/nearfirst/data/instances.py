"""Read tables of instances, and rows in the order of an arrangement."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import ARRANGEMENT, INSTANCES, read_table
from nearfirst.data.conversation import Message
from nearfirst.data.readers import parquet


def read_instances(path: Path) -> pa.Table:
    """Read an instance table. Raises InputError as `read_table` does."""
    return read_table(path, INSTANCES)


def conversations(table: pa.Table) -> list[list[Message]]:
    """Return the messages of every row."""
    result: list[list[Message]] = table["messages"].to_pylist()
    return result


def read_conversations(path: Path, rows: tuple[int, int] | None = None) -> Iterator[list[Message]]:
    """Yield the messages of an instance table, or of a range of its rows, a few at a time.

    The texts of a large pool do not fit into memory. Raises InputError if the file is missing or
    damaged, or lacks the column.
    """
    schema = pa.schema([INSTANCES.field("messages")])
    talks = (row["messages"] for _, row in parquet.rows(path, schema))
    return islice(talks, *rows) if rows else talks


def rows_in_order(arrangement: Path, ids: Sequence[str], instances: Path) -> list[int]:
    """Return the row indices of the training instances in the order of an arrangement.

    `ids` are those of the file `instances`; the arrangement (Parquet) may leave some out. Raises
    InputError as `read_table` does, or if an id is unknown.
    """
    table = read_table(arrangement, ARRANGEMENT).sort_by("position")
    row_of = {id_: row for row, id_ in enumerate(ids)}
    try:
        return [row_of[id_] for id_ in table["id"].to_pylist()]
    except KeyError as error:
        raise InputError(
            f"{arrangement}: the id {error} is not in {instances}; arrange these instances again"
        ) from None


def same_ids(expected: list[str], found: list[str], expected_in: Path, found_in: Path) -> None:
    """Raise InputError unless two tables have the same ids in the same order."""
    if expected != found:
        raise InputError(
            f"{found_in}: its ids, in this order, are not those of {expected_in}; make it again"
        )
