"""The pool in training order, as a table that any trainer reads."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import BATCH, INSTANCES, check_columns, open_parquet
from nearfirst.distance.distances import ROWS, Matrix, RowDistances, in_blocks

Integers = npt.NDArray[np.int64]

ARRANGED = pa.schema(
    [
        ("position", pa.int32()),
        ("id", pa.string()),
        ("task", pa.string()),
        ("messages", INSTANCES.field("messages").type),
        ("round", pa.int32()),
        ("distance", pa.float32()),
        ("nearest_test", pa.string()),
    ]
)
"""What a line of the file is: an instance, its TMA round (null for other methods), and its distance
to its nearest test instance."""

TEXTS = pa.schema([INSTANCES.field(name) for name in ("id", "task", "messages")])

# They end a line for some readers, and JSON leaves them as they are.
_LINE_ENDS = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"})


def nearest_tests(
    distances: RowDistances, points: int, threads: int = 2
) -> tuple[Matrix, Integers]:
    """Return the distance of each of N training points to its nearest test point, and its index.

    Parameters
    ----------
    distances
        Gives the distances of some of the training points to all test points.
    points
        N.
    threads
        CPU threads; they do not change the result.

    Returns
    -------
    distances, tests
        (N,) float32 and (N,) int64; ties go to the lowest index.
    """
    least, tests = np.empty(points, dtype=np.float32), np.empty(points, dtype=np.int64)

    def block(start: int) -> None:
        between = distances(slice(start, start + ROWS))
        least[start : start + ROWS] = between.min(axis=1)
        tests[start : start + ROWS] = between.argmin(axis=1)

    in_blocks(block, range(0, points, ROWS), threads, "nearest tests")
    return least, tests


def read_texts(path: Path, rows: int = BATCH) -> list[pa.RecordBatch]:
    """Read ids, tasks and messages of an instance table, in pieces of at most so many rows.

    Text of a large pool does not fit one Arrow array, which ends at 2 GiB.

    Raises
    ------
    InputError
        If the file is missing or damaged, or lacks a column.
    """
    with open_parquet(path) as file:
        check_columns(path, file.schema_arrow, TEXTS)
        try:
            return [
                pa.RecordBatch.from_arrays(
                    [batch.column(field.name).cast(field.type) for field in TEXTS],
                    schema=TEXTS,
                )
                for batch in file.iter_batches(rows, columns=TEXTS.names)
            ]
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: damaged ({reason}); make it again") from None


def in_order(
    texts: list[pa.RecordBatch],
    order: Integers,
    rounds: pa.ChunkedArray,
    distances: Matrix,
    tests: list[str],
    nearest: Integers,
    rows: int = BATCH,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `ARRANGED`, some at a time.

    Parameters
    ----------
    texts
        Pieces of the pool, N rows together.
    order
        (n,) rows of the pool, in training order.
    rounds
        n rounds in that order.
    distances, nearest
        (N,) distance of each row of the pool to its nearest test instance, and its index.
    tests
        M ids of test instances.
    rows
        Rows at a time.
    """
    starts = np.cumsum([0, *(len(piece) for piece in texts)])
    for start in range(0, len(order), rows):
        its = order[start : start + rows]
        taken = _take(texts, starts, its)
        columns = [
            pa.array(np.arange(start, start + len(its), dtype=np.int32)),
            *taken.columns,
            rounds.slice(start, len(its)).combine_chunks(),
            pa.array(distances[its]),
            pa.array([tests[i] for i in nearest[its].tolist()], pa.string()),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=ARRANGED)


def _take(texts: list[pa.RecordBatch], starts: Integers, rows: Integers) -> pa.RecordBatch:
    """Return rows of the pool, whose pieces begin at `starts`."""
    # Row by row of the pool first, so that each piece is asked once; then in the order wanted.
    by_row = np.argsort(rows, kind="stable")
    piece = np.searchsorted(starts, rows[by_row], side="right") - 1
    found = []
    for number in np.unique(piece).tolist():
        inside = rows[by_row[piece == number]] - starts[number]
        found.append(texts[number].take(pa.array(inside)))
    back = np.empty_like(by_row)
    back[by_row] = np.arange(len(by_row))
    return pa.concat_batches(found).take(pa.array(back))


def write_arranged(batches: Iterable[pa.RecordBatch], jsonl: Path, parquet: Path) -> None:
    """Write rows of `ARRANGED` as a JSON object a line, and as Parquet."""
    with (
        jsonl.open("w", encoding="utf-8", newline="\n") as lines,
        pq.ParquetWriter(parquet, ARRANGED, write_page_checksum=True) as table,
    ):
        for batch in batches:
            table.write_batch(batch)
            lines.writelines(line(row) for row in batch.to_pylist())


def line(row: dict[str, object]) -> str:
    """Return a row as one line of JSON, for every reader's notion of a line."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS) + "\n"
