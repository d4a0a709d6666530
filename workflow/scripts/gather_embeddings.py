"""Join the shards of an embedding table and check them against the instances."""

import argparse
import logging
from pathlib import Path

import pyarrow.parquet as pq

from nearfirst.common import cli
from nearfirst.common.embeddings import read_embeddings, write_embeddings
from nearfirst.common.identity import read_identity
from nearfirst.common.parquet import read_ids
from nearfirst.data.instances import same_ids
from nearfirst.embed.texts import embedding_counts


def main(arguments: argparse.Namespace) -> None:
    """Write the joined table, in the instances' order."""
    ids, vectors = read_embeddings(*arguments.shards, may_be_empty=True)
    same_ids(read_ids(arguments.instances), ids, arguments.instances, arguments.output)
    identity = read_identity(arguments.instances)
    where = f"{identity.get('dataset', arguments.instances)} ({identity.get('test', 'texts')})"
    metadata = [pq.read_schema(path).metadata or {} for path in arguments.shards]
    cut = sum(int(shard.get(b"cut", 0)) for shard in metadata)
    limit = metadata[0].get(b"limit", b"").decode()
    is_pool = identity.get("test") == "train"
    counts = embedding_counts(where, vectors, cut, limit, arguments.max_cut_share, is_pool=is_pool)
    write_embeddings(ids, vectors, arguments.output, identity | counts)
    logging.info("%d embeddings from %d shards", len(ids), len(arguments.shards))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("shards", type=Path, nargs="+", help="shards in order (Parquet)")
    parser.add_argument("--instances", type=Path, required=True, help="instances (Parquet)")
    parser.add_argument(
        "--max-cut-share",
        type=float,
        default=1.0,
        help="largest share of texts that the encoder may cut (default: 1, all)",
    )
    parser.add_argument("--output", type=Path, required=True, help="embeddings (Parquet)")
    cli.run(main, parser.parse_args())
