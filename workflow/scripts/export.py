r"""Write the training instances in an arrangement's order, as JSONL and Parquet for any trainer.

For instance:
  export.py --arrangement A.parquet --instances I.parquet --train E1.parquet --test E2.parquet \
      --jsonl mine.jsonl --parquet mine.parquet
"""

import argparse
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from nearfirst.arrange.export import Integers, in_order, nearest_tests, read_texts, write_arranged
from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.common.parquet import ARRANGEMENT, BATCH, INSTANCES, read_embeddings, read_table
from nearfirst.common.progress import bar
from nearfirst.data.instances import rows_in_order, same_ids
from nearfirst.distance.distances import BY_ROWS, Matrix, check_dimensions


class Near(NamedTuple):
    """The ids of both sides, and the nearest test point of each training point."""

    ids: list[str]
    tests: list[str]
    distances: Matrix
    nearest: Integers


def main(arguments: argparse.Namespace) -> None:
    """Write both files."""
    near = _nearest(arguments)
    only_ids = pa.schema([INSTANCES.field("id")])
    ids = read_table(arguments.instances, only_ids)["id"].to_pylist()
    same_ids(ids, near.ids, arguments.instances, arguments.train)
    order = np.array(rows_in_order(arguments.arrangement, ids, arguments.instances), np.int64)
    rounds = read_table(arguments.arrangement, ARRANGEMENT).sort_by("position")["round"]
    logging.info("%d of %d instances", len(order), len(ids))
    texts = read_texts(arguments.instances)
    batches = in_order(texts, order, rounds, near.distances, near.tests, near.nearest)
    with writing(arguments.jsonl) as jsonl, writing(arguments.parquet) as parquet:
        pieces = bar(batches, f"{BATCH} instances", -(-len(order) // BATCH))
        write_arranged(pieces, jsonl, parquet)


def _nearest(arguments: argparse.Namespace) -> Near:
    # The embeddings are gone from memory before the texts are read.
    ids, train = read_embeddings(arguments.train)
    tests, test = read_embeddings(arguments.test)
    check_dimensions(arguments.train, train, arguments.test, test)
    distances = BY_ROWS[arguments.measure](train, test)
    return Near(ids, tests, *nearest_tests(distances, len(train), arguments.threads))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--arrangement", type=Path, required=True, help="order of training (Parquet)")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train", type=Path, required=True, help="their embeddings (Parquet)")
    add("--test", type=Path, required=True, help="test embeddings (Parquet)")
    add("--measure", choices=list(BY_ROWS), default="cosine", help="distance (default: cosine)")
    add("--jsonl", type=Path, required=True, help="JSON object a line to write, UTF-8")
    add("--parquet", type=Path, required=True, help="the same as a table to write (Parquet)")
    cli.add_threads(parser)
    cli.run(main, parser.parse_args())
