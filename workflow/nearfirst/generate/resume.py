"""Parts of a table, one for each checkpoint, that outlive a killed job."""

import shutil
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import read_table, write_table
from nearfirst.model import fingerprint


class Parts:
    """The folder `OUTPUT.partial/`, with one file for each checkpoint; `schema` is its columns.

    It lies beside the output, so that it survives when a failed job's outputs are removed. A part
    is reused if it was made from the same weights and the same `made_from` (any JSON).
    """

    def __init__(self, output: Path, schema: pa.Schema, made_from: object) -> None:
        self.folder = output.with_name(f"{output.name}.partial")
        self.schema = schema
        self.made_from = made_from

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
        weights = fingerprint.files(checkpoint, "model.safetensors")
        return fingerprint.digest([self.made_from, checkpoint.name, weights])
