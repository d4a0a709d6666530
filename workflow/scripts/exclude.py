r"""List the training instances to exclude: those also in the test set, and repeats.

For instance:
  exclude.py --settings '{"exact": true, "near_text": 0.8}' --train-instances I1.parquet \
      --test-instances I2.parquet --output excluded.csv
"""

import argparse
import logging
from collections import Counter
from pathlib import Path

import pandas as pd

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.common.parquet import ID_AND_TASK, read_table
from nearfirst.data.settings import ExcludeSettings
from nearfirst.distance.side import read_sides
from nearfirst.explore.exclude import Excluded, exclude_by_embedding, exclude_by_text
from nearfirst.explore.texts import read_exchanges

COLUMNS = ("id", "task", "reason", "of", "of_id", "similarity")


def main(arguments: argparse.Namespace) -> None:
    """Write the list, in the order of the training instances."""
    settings: ExcludeSettings = arguments.settings
    paths = {"train": arguments.train_instances, "test": arguments.test_instances}
    tables = {side: read_table(path, ID_AND_TASK) for side, path in paths.items()}
    ids = {side: table["id"].to_pylist() for side, table in tables.items()}
    excluded: Excluded = {}
    if settings.exact or settings.near_text is not None:
        excluded = exclude_by_text(
            read_exchanges(paths["train"]),
            list(read_exchanges(paths["test"])),
            len(ids["train"]),
            exact=settings.exact,
            near=settings.near_text,
            n=arguments.ngram,
            unit=arguments.ngram_of,
            threads=arguments.threads,
        )
    if settings.near_embedding is not None:
        if not (arguments.train_embeddings and arguments.test_embeddings):
            raise InputError("near_embedding: needs --train-embeddings and --test-embeddings")
        train, test = read_sides(
            *(paths["train"], arguments.train_embeddings),
            *(paths["test"], arguments.test_embeddings),
        )
        limit, threads = settings.near_embedding, arguments.threads
        excluded |= exclude_by_embedding(
            train.embeddings, test.embeddings, limit, excluded, threads
        )
    if len(excluded) == len(ids["train"]):
        raise InputError(f"{paths['train']}: all instances would be left out; exclude fewer")
    counts = Counter((reason.kind, reason.side) for reason in excluded.values())
    for (kind, side), count in sorted(counts.items()):
        logging.info("%s of %s: %d of %d left out", kind, side, count, len(ids["train"]))
    tasks = tables["train"]["task"].to_pylist()
    rows = [
        (ids["train"][row], tasks[row], kind, side, ids[side][other], similarity)
        for row, (kind, side, other, similarity) in sorted(excluded.items())
    ]
    with writing(arguments.output) as path:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False, float_format="%.4f")


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train-instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train-embeddings", type=Path, help="their embeddings (Parquet), for near_embedding")
    add("--test-instances", type=Path, required=True, help="test instances (Parquet)")
    add("--test-embeddings", type=Path, help="their embeddings (Parquet)")
    add("--ngram", type=cli.positive, default=3, help="words or characters in an n-gram")
    add("--ngram-of", choices=["words", "characters"], default="words", help="unit of n-grams")
    cli.add_threads(parser)
    cli.add_settings(parser, ExcludeSettings)
    add("--output", type=Path, required=True, help="excluded instances (CSV)")
    cli.run(main, parser.parse_args())
