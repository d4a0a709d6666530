"""Tables of long jobs, made and kept part by part, so that a killed job goes on where it was."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from nearfirst.common.errors import InputError
from nearfirst.common.files import partial_folder, remove
from nearfirst.common.parquet import open_parquet, read_table, write_table
from nearfirst.model import fingerprint


def write_in_parts(
    output: Path,
    parts: Mapping[str, object],
    compute: Callable[[list[str]], Iterable[pa.Table]],
    made_from: object,
    metadata: Mapping[str, str],
) -> pa.Table:
    """Write a table that consists of parts, and return it. Raises whatever `compute` raises.

    Each part is written to the folder `OUTPUT.partial/` (`partial_folder`) as soon as it is
    computed. The folder is removed once the whole table is written.

    Parameters
    ----------
    parts
        For the name of each part, in order, what it alone depends on (any JSON).
    compute
        Yields the tables of the parts with these names, in their order. It gets the names of parts
        that are missing, damaged, or made from something else.
    made_from
        What all parts depend on (any JSON), with `fingerprint.code` of the code.
    metadata
        For the schema of the output.
    """
    folder = partial_folder(output)
    common = fingerprint.digest(made_from)
    digests = {name: fingerprint.digest([common, own]) for name, own in parts.items()}
    paths = {name: folder / f"{name}.parquet" for name in parts}
    tables = {
        name: table
        for name, path in paths.items()
        if (table := read_part(path, digests[name])) is not None
    }
    if tables:
        logging.info("%d of %d parts were made by an earlier job", len(tables), len(parts))
    missing = [name for name in parts if name not in tables]
    for name, table in zip(missing, compute(missing), strict=True):
        write_part(table, paths[name], digests[name])
        tables[name] = table
    whole = pa.concat_tables([tables[name] for name in parts])
    write_table(whole, output, metadata)
    remove(folder)
    return whole


def write_by_checkpoint(
    output: Path,
    windows: Sequence[Sequence[Path]],
    compute: Callable[[list[Sequence[Path]]], Iterable[pa.Table]],
    made_from: object,
    metadata: Mapping[str, str],
) -> pa.Table:
    """Write a table with a part for each window of checkpoints (`checkpoints.windows`).

    A part is named for its last checkpoint, and made from the weights files of its window;
    `compute` gets windows. Otherwise as `write_in_parts`.
    """
    by_name = {window[-1].name: window for window in windows}
    weights = {
        name: [[step.name, fingerprint.files(step, "*model.safetensors")] for step in window]
        for name, window in by_name.items()
    }
    return write_in_parts(
        *(output, weights, lambda names: compute([by_name[name] for name in names])),
        *(made_from, metadata),
    )


def write_part(table: pa.Table, path: Path, digest: str) -> None:
    """Write a part atomically, with the digest of what it was made from."""
    write_table(table, path, {"fingerprint": digest})


def read_part(path: Path, digest: str) -> pa.Table | None:
    """Return a part, or None if it is missing, damaged or made from something else."""
    try:
        with open_parquet(path) as file:
            schema = file.schema_arrow
        if (schema.metadata or {}).get(b"fingerprint") != digest.encode():
            return None
        table = read_table(path, schema, unique=None, may_be_empty=True)
    except InputError:
        return None
    return table.replace_schema_metadata()
