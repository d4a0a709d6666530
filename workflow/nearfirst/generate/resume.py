"""Parts of a table, one a checkpoint, that outlive a job that is killed while it makes them."""

import hashlib
import shutil
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import read_table, write_table
from nearfirst.common.settings import canonical


class Parts:
    """The folder `OUTPUT.partial/` beside an output, with one file a checkpoint.

    It stands outside of the output, so that it survives when a failed job's outputs are removed.

    Parameters
    ----------
    output
        The table that the parts will make up.
    schema
        Its columns.
    made_from
        All that a part is made from beside the weights: a part of anything else is not taken up.
    """

    def __init__(self, output: Path, schema: pa.Schema, made_from: object) -> None:
        self.folder = output.with_name(f"{output.name}.partial")
        self.schema = schema
        self.made_from = canonical(made_from)

    def find(self, checkpoint: Path) -> pa.Table | None:
        """Return the part of a checkpoint if it is there, whole, and made from the same."""
        try:
            table = read_table(self._path(checkpoint), self.schema)
        except InputError:  # not there, or cut off
            return None
        metadata = table.schema.metadata or {}
        if metadata.get(b"fingerprint") != self._fingerprint(checkpoint).encode():
            return None
        return table.replace_schema_metadata()

    def keep(self, checkpoint: Path, table: pa.Table) -> None:
        """Write the part of a checkpoint, whole or not at all."""
        write_table(table, self._path(checkpoint), {"fingerprint": self._fingerprint(checkpoint)})

    def remove(self) -> None:
        """Remove all parts, once the whole table is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, checkpoint: Path) -> Path:
        return self.folder / f"{checkpoint.name}.parquet"

    def _fingerprint(self, checkpoint: Path) -> str:
        weights = [checkpoint.name, files_of(checkpoint, "model.safetensors")]
        return hashlib.sha256(canonical([self.made_from, weights]).encode()).hexdigest()


def files_of(folder: Path, pattern: str = "*") -> list[tuple[str, int, int]]:
    """Return name, size and time of a folder's files; none if there is no such folder.

    Of weights, size and time must do: hashing 27 GB takes minutes.
    """
    status = [(path.name, path.stat()) for path in sorted(folder.glob(pattern)) if path.is_file()]
    return [(name, found.st_size, found.st_mtime_ns) for name, found in status]
