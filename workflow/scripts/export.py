r"""Write the training instances in an arrangement's order, as JSONL and Parquet for any trainer.

For instance:
  export.py --arrangement A.parquet --instances I.parquet --train E1.parquet --test E2.parquet \
      --jsonl mine.jsonl --parquet mine.parquet

Each row is as it was read, plus its position, its TMA round, its distance to the nearest test
instance (cosine: 1 - cos) and the id of that instance.
"""

import argparse
import logging
from pathlib import Path

import numpy as np

from nearfirst.arrange.export import annotated_rows, read_pool, write_jsonl, write_parquet
from nearfirst.common import cli
from nearfirst.common.embeddings import read_embeddings
from nearfirst.common.files import writing
from nearfirst.common.parquet import ARRANGEMENT, read_ids, read_table
from nearfirst.data.instances import rows_in_order, same_ids
from nearfirst.distance.distances import BY_ROWS, check_dimensions, to_reader_scale
from nearfirst.distance.neighbours import neighbours


def main(arguments: argparse.Namespace) -> None:
    """Write both files."""
    ids = read_ids(arguments.instances)
    train_ids, train = read_embeddings(arguments.train)
    same_ids(ids, train_ids, arguments.instances, arguments.train)
    test_ids, test = read_embeddings(arguments.test)
    check_dimensions(arguments.train, train, arguments.test, test)
    by_rows = BY_ROWS[arguments.measure](train, test)
    nearest = neighbours(by_rows, len(train), len(test), arguments.threads)
    distances = to_reader_scale(arguments.measure, nearest.of_train).astype(np.float32)
    del train, by_rows  # free the memory before the texts are read
    order = np.array(rows_in_order(arguments.arrangement, ids, arguments.instances), np.int64)
    rounds = read_table(arguments.arrangement, ARRANGEMENT).sort_by("position")["round"]
    logging.info("%d of %d instances", len(order), len(ids))
    pool = read_pool(arguments.instances)
    batches = annotated_rows(pool, order, rounds, distances, test_ids, nearest.test)
    with writing(arguments.jsonl) as jsonl, writing(arguments.parquet) as parquet:
        write_parquet(jsonl, write_jsonl(batches, jsonl), len(order), parquet)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--arrangement", type=Path, required=True, help="order of training (Parquet)")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train", type=Path, required=True, help="their embeddings (Parquet)")
    add("--test", type=Path, required=True, help="test embeddings (Parquet)")
    add("--measure", choices=list(BY_ROWS), default="cosine", help="distance (default: cosine)")
    add("--jsonl", type=Path, required=True, help="JSON Lines to write, UTF-8")
    add("--parquet", type=Path, required=True, help="the same as a table to write (Parquet)")
    cli.add_threads(parser)
    cli.run(main, parser.parse_args())
