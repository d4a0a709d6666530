"""One file of answers per checkpoint, kept when a job is killed."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.parquet import read_table, write_table
from nearfirst.generate.table import GENERATIONS
from nearfirst.model import fingerprint


class Parts:
    """The folder `OUTPUT.partial/`, with a GENERATIONS table for each checkpoint.

    A window ends with its checkpoint, after those that are averaged with it.

    The folder lies beside the output, so it survives when a failed job's outputs are removed. A
    part is reused if it was made from the same weights and the same `made_from` (any JSON).
    """

    def __init__(self, output: Path, made_from: object) -> None:
        self.folder = output.with_name(f"{output.name}.partial")
        self.made_from = made_from

    def find(self, window: Sequence[Path]) -> pa.Table | None:
        """Return the part of a window, or None if it is missing, damaged or out of date."""
        try:
            table = read_table(self._path(window), GENERATIONS)
        except InputError:
            return None
        metadata = table.schema.metadata or {}
        if metadata.get(b"fingerprint") != self._fingerprint(window).encode():
            return None
        return table.replace_schema_metadata()

    def keep(self, window: Sequence[Path], table: pa.Table) -> None:
        """Write the part of a window atomically."""
        write_table(table, self._path(window), {"fingerprint": self._fingerprint(window)})

    def remove(self) -> None:
        """Remove all parts, once the whole table is written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, window: Sequence[Path]) -> Path:
        return self.folder / f"{window[-1].name}.parquet"

    def _fingerprint(self, window: Sequence[Path]) -> str:
        weights = [(step.name, fingerprint.files(step, "*model.safetensors")) for step in window]
        return fingerprint.digest([self.made_from, weights])
