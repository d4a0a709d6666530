"""Which data set, test set, arrangement and seed a table of results is of."""

from pathlib import Path

from nearfirst.common.parquet import open_parquet

KEYS = ("dataset", "test", "arrangement", "seed")


def read_identity(path: Path) -> dict[str, str]:
    """Return those of `KEYS` that a table's metadata hold; a table made by hand may hold none.

    Raises
    ------
    InputError
        If the file is missing or not a whole Parquet file.
    """
    with open_parquet(path) as file:
        metadata = file.schema_arrow.metadata or {}
    return {key: metadata[key.encode()].decode() for key in KEYS if key.encode() in metadata}
