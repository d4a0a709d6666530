"""Join the shards of an embedding table, and check them against the instances."""

import argparse
import logging
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import embeddings_table, read_embeddings, write_table
from nearfirst.data.instances import read_instances, same_ids


def main(arguments: argparse.Namespace) -> None:
    """Write the joined table, in the instances' order."""
    ids: list[str] = []
    parts: list[npt.NDArray[np.float32]] = []
    for path in arguments.shards:
        shard_ids, vectors = read_embeddings(path, may_be_empty=True)
        if parts and vectors.shape[1] != parts[0].shape[1]:
            raise InputError(
                f"{path}: {vectors.shape[1]} dimensions, but {arguments.shards[0]} has "
                f"{parts[0].shape[1]}; embed both with the same model"
            )
        ids += shard_ids
        parts.append(vectors)
    expected = read_instances(arguments.instances)["id"].to_pylist()
    same_ids(expected, ids, arguments.instances, arguments.output)
    write_table(embeddings_table(ids, np.concatenate(parts)), arguments.output)
    logging.info("%d embeddings from %d shards", len(ids), len(parts))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("shards", type=Path, nargs="+", help="shards in order (Parquet)")
    parser.add_argument("--instances", type=Path, required=True, help="instances (Parquet)")
    parser.add_argument("--output", type=Path, required=True, help="embeddings (Parquet)")
    cli.run(main, parser.parse_args())
