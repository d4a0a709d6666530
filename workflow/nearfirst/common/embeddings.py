"""Tables of embeddings: a vector for each id, in memory or on disk."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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
from nearfirst.common.parquet import DAMAGED, check_columns, is_list, open_parquet, read_table

EMBEDDED = 2**24
"""Bytes of embeddings decoded at once: decoding is fastest within a processor's cache."""

WRITTEN = 2**28
"""Bytes of embeddings encoded at once."""

IN_MEMORY = 2**31
"""Bytes of embeddings up to which they are kept in memory; more are read from disk each time."""


def embeddings_schema(dimension: int) -> pa.Schema:
    """Return the schema of an embedding table of the given dimension."""
    return pa.schema([("id", pa.string()), ("embedding", pa.list_(pa.float32(), dimension))])


def read_embeddings(
    *paths: Path, may_be_empty: bool = False
) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Read N ids and their (N, d) matrix; lists of any floating-point numbers become float32.

    Several tables are concatenated. A large matrix is on disk, see `empty_matrix`.

    Raises InputError like `read_table`, and if a row is null, not finite or all zeros, or differs
    in dimension from the first.
    """
    only_ids = pa.schema([("id", pa.string())])
    tables = [read_table(path, only_ids, may_be_empty=may_be_empty)["id"] for path in paths]
    ids: list[str] = [id_ for column in tables for id_ in column.to_pylist()]
    matrix, start = np.empty((0, 0), dtype=np.float32), 0
    # Decode the next rows while the previous ones are written to disk.
    with ThreadPoolExecutor(1) as writer:
        written: Future[None] | None = None
        for path, column, first in _embedding_batches(paths):
            if not start:
                dimension = pc.list_value_length(column)[0].as_py() or 0
                matrix = empty_matrix((len(ids), dimension))
            rows = slice(start, start + len(column))
            vectors = _check_vectors(path, ids[rows], column, matrix.shape[1], first)
            if written:
                written.result()
            written = writer.submit(matrix.__setitem__, rows, vectors)
            start += len(column)
        if written:
            written.result()
    return ids, matrix


def empty_matrix(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return an (N, d) matrix to fill; above `IN_MEMORY` bytes it is a `RowsOnDisk`."""
    if 4 * shape[0] * shape[1] > IN_MEMORY:
        return cast("npt.NDArray[np.float32]", RowsOnDisk(shape))
    return np.empty(shape, dtype=np.float32)


def _embedding_batches(paths: Iterable[Path]) -> Iterator[tuple[Path, pa.Array, int]]:
    """Yield batches of the column `embedding` of tables, each with its path and first row."""
    for path in paths:
        with open_parquet(path) as file:
            schema = file.schema_arrow
            index = schema.get_field_index("embedding")
            if index < 0:
                check_columns(path, schema, embeddings_schema(1))
            kind = schema.field(index).type
            if not is_list(kind) or not pa.types.is_floating(kind.value_type):
                raise InputError(
                    f"{path}: column 'embedding' holds {kind}, expected fixed_size_list<float32>[d]"
                )
            row, size = 0, max(1, EMBEDDED // (4 * getattr(kind, "list_size", 1024) or 1))
            try:
                for batch in file.iter_batches(size, columns=["embedding"]):
                    if len(batch):
                        yield path, batch.column(0), row
                    row += len(batch)
            except DAMAGED as error:
                raise InputError(f"{path}: damaged ({one_line(error)}); make it again") from None


def _check_vectors(
    path: Path, ids: list[str], column: pa.Array, dimension: int, start: int
) -> npt.NDArray[np.float32]:
    """Return the (n, d) rows of a batch that begins at row `start`, after checking them."""

    def check(is_valid: npt.ArrayLike, problem: str) -> None:
        if not np.all(is_valid):
            row = int(np.argmin(is_valid))
            raise InputError(f"{path}: row {start + row} (id '{ids[row]}') {problem}")

    check(column.is_valid().to_numpy(zero_copy_only=False), "has no embedding")
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    check(
        lengths == dimension,
        f"has another dimension than the first, {dimension}; embed all with one model",
    )
    # Numbers too large for float32 become infinity, nulls inside a vector NaN.
    with np.errstate(over="ignore"):
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
    """Write N ids and their (N, d) float32 embeddings, in memory or on disk, atomically."""
    size = max(1, WRITTEN // (4 * embeddings.shape[1] or 1))
    schema = embeddings_schema(embeddings.shape[1]).with_metadata(metadata)
    with (
        writing(path) as temporary,
        pq.ParquetWriter(temporary, schema, write_page_checksum=True) as writer,
    ):
        for start in range(0, max(1, len(ids)), size):
            rows = slice(start, start + size)
            writer.write_table(embeddings_table(ids[rows], embeddings[rows]))
