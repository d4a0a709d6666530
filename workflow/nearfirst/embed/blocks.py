"""Blocks of vectors, kept so that a killed job goes on after the last one."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nearfirst.common.embeddings import embeddings_table
from nearfirst.embed.registry import Keep, Matrix
from nearfirst.model.parts import read_part, write_part


def keep_in(folder: Path, digest: str) -> Keep:
    """Return a function that keeps blocks in a folder, as tables of embeddings.

    A block is computed again if it is damaged, or has another digest of what it was made from.
    """

    def keep(name: str, compute: Callable[[], Matrix]) -> Matrix:
        path = folder / f"{name}.parquet"
        if (table := read_part(path, digest)) is not None:
            logging.info("block %s was made by an earlier job", name)
            column = table["embedding"].combine_chunks()
            kept: Matrix = column.flatten().to_numpy().reshape(len(column), -1)
            return kept
        vectors = compute()
        ids = np.arange(len(vectors)).astype(str).tolist()
        write_part(embeddings_table(ids, vectors), path, digest)
        return vectors

    return keep
