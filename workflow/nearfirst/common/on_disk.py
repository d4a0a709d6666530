"""Data too large for memory, in unnamed files in `TMPDIR` that vanish with the process."""

import copy
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile, gettempdir

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.files import explain_full_disk

Matrix = npt.NDArray[np.float32]


class RowsOnDisk:
    """(N, d) float32 matrix whose rows are read on access.

    It can be indexed by a slice without a step, by row numbers or by a mask. Raises InputError if
    `TMPDIR` has no room for it.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self._width = 4 * shape[1]
        self._file = TemporaryFile()  # noqa: SIM115
        self._kept: npt.NDArray[np.int64] | None = None
        try:
            os.posix_fallocate(self._file.fileno(), 0, self._width * shape[0])
        except OSError as error:
            raise InputError(
                f"{gettempdir()}: no room for {self._width * shape[0] / 1e9:.1f} GB of embeddings "
                f"({error.strerror}); set TMPDIR to another folder"
            ) from None

    def __len__(self) -> int:
        return self.shape[0]

    def __setitem__(self, rows: slice, values: Matrix) -> None:
        self._file.seek(rows.start * self._width)
        self._file.write(np.ascontiguousarray(values, dtype=np.float32).data)
        self._file.flush()

    def __getitem__(self, rows: slice | npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Matrix:
        if not isinstance(rows, slice) and rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if self._kept is not None:
            rows = self._kept[rows]
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            matrix = np.empty((max(stop - start, 0), self.shape[1]), dtype=np.float32)
            self._read(matrix, start)
            return matrix
        matrix = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        for vector, row in zip(matrix, rows.tolist(), strict=True):
            self._read(vector, row)
        return matrix

    def keeping(self, rows: npt.NDArray[np.int64]) -> "RowsOnDisk":
        """Return a view with (n,) of the rows, in the same file."""
        result = copy.copy(self)
        result._kept = rows if self._kept is None else self._kept[rows]
        result.shape = (len(rows), self.shape[1])
        return result

    def _read(self, into: Matrix, row: int) -> None:
        buffer, offset = into.reshape(-1).view(np.uint8).data, row * self._width
        while len(buffer):  # one call reads 2 GB at most
            count = os.preadv(self._file.fileno(), [buffer], offset)
            buffer, offset = buffer[count:], offset + count


def mapped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> list[pa.RecordBatch]:
    """Write the batches of a table to a file and return them memory-mapped.

    Raises InputError if `TMPDIR` has no room for them.
    """
    with explain_full_disk(Path(gettempdir())), NamedTemporaryFile() as file:
        with pa.ipc.new_stream(file, schema) as pieces:
            for batch in batches:
                pieces.write(batch)
            file.flush()
        return list(pa.ipc.open_stream(pa.memory_map(file.name)))
