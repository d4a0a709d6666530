"""Join the shards of an embedding table, and check them against the instances."""

import argparse
import logging
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from nearfirst.common import cli
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import embeddings_table, read_embeddings, write_table
from nearfirst.data.instances import read_instances, same_ids
from nearfirst.distance.dimensions import check_dimensions
from nearfirst.embed.texts import counted


def main(arguments: argparse.Namespace) -> None:
    """Write the joined table, in the instances' order."""
    shards = [read_embeddings(path, may_be_empty=True) for path in arguments.shards]
    for path, (_, vectors) in zip(arguments.shards, shards, strict=True):
        check_dimensions(arguments.shards[0], shards[0][1], path, vectors)
    ids = [id_ for part, _ in shards for id_ in part]
    expected = read_instances(arguments.instances)["id"].to_pylist()
    same_ids(expected, ids, arguments.instances, arguments.output)
    vectors = np.concatenate([part for _, part in shards])
    identity = read_identity(arguments.instances)
    where = f"{identity.get('dataset', arguments.instances)} ({identity.get('test', 'texts')})"
    facts = [pq.read_schema(path).metadata or {} for path in arguments.shards]
    cut = sum(int(its.get(b"cut", 0)) for its in facts)
    limit = facts[0].get(b"limit", b"").decode()
    is_pool = identity.get("test") == "train"
    counts = counted(where, vectors, cut, limit, arguments.max_cut_share, is_pool=is_pool)
    write_table(embeddings_table(ids, vectors), arguments.output, identity | counts)
    logging.info("%d embeddings from %d shards", len(ids), len(shards))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("shards", type=Path, nargs="+", help="shards in order (Parquet)")
    parser.add_argument("--instances", type=Path, required=True, help="instances (Parquet)")
    parser.add_argument(
        "--max-cut-share",
        type=float,
        default=1.0,
        help="share of texts that the encoder may have cut (default: 1, all)",
    )
    parser.add_argument("--output", type=Path, required=True, help="embeddings (Parquet)")
    cli.run(main, parser.parse_args())
