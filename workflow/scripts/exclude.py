r"""List the training instances to leave out: what the test set has too, and repeats.

For instance:
  exclude.py --settings '{"exact": true, "near_text": 0.8}' --train-instances I1.parquet \
      --test-instances I2.parquet --output excluded.csv
"""

import argparse
import csv
import logging
from collections import Counter
from pathlib import Path
from typing import cast

import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.common.parquet import INSTANCES, read_table
from nearfirst.data.settings import ExcludeSettings
from nearfirst.distance.side import read_sides
from nearfirst.explore.exclude import Excluded, by_embedding, by_text
from nearfirst.explore.settings import ExplorationSettings
from nearfirst.explore.texts import read_exchanges

COLUMNS = ("id", "task", "reason", "of", "of_id", "similarity")


def main(arguments: argparse.Namespace) -> None:
    """Write the list, in the order of the file."""
    settings = cast(ExcludeSettings, arguments.settings)
    grams = cast(ExplorationSettings, arguments.explore)
    paths = {"train": arguments.train_instances, "test": arguments.test_instances}
    schema = pa.schema([INSTANCES.field("id"), INSTANCES.field("task")])
    tables = {side: read_table(path, schema) for side, path in paths.items()}
    ids = {side: table["id"].to_pylist() for side, table in tables.items()}
    found: Excluded = {}
    if settings.exact or settings.near_text is not None:
        found = by_text(
            (one for block in read_exchanges(paths["train"]) for one in block),
            [one for block in read_exchanges(paths["test"]) for one in block],
            len(ids["train"]),
            exact=settings.exact,
            near=settings.near_text,
            n=grams.ngram,
            of=grams.ngram_of,
            threads=arguments.threads,
        )
    if settings.near_embedding is not None:
        if not (arguments.train_embeddings and arguments.test_embeddings):
            raise InputError("near_embedding: needs --train-embeddings and --test-embeddings")
        train, test = read_sides(
            *(paths["train"], arguments.train_embeddings),
            *(paths["test"], arguments.test_embeddings),
        )
        found |= by_embedding(
            *(train.embeddings, test.embeddings, settings.near_embedding, found, arguments.threads)
        )
    if len(found) == len(ids["train"]):
        raise InputError(f"{paths['train']}: all instances would be left out; exclude fewer")
    for (kind, of), count in sorted(Counter((its.kind, its.of) for its in found.values()).items()):
        logging.info("%s of %s: %d of %d left out", kind, of, count, len(ids["train"]))
    tasks = tables["train"]["task"].to_pylist()
    with writing(arguments.output) as path, path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row, (kind, of, other, similarity) in sorted(found.items()):
            its = ids["train"][row], tasks[row], kind, of, ids[of][other], f"{similarity:.4f}"
            table.writerow(its)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train-instances", type=Path, required=True, help="training instances (Parquet)")
    add("--test-instances", type=Path, required=True, help="test instances (Parquet)")
    add("--train-embeddings", type=Path, help="embeddings (Parquet), for near_embedding")
    add("--test-embeddings", type=Path, help="those of the test instances (Parquet)")
    add(
        "--explore",
        type=cli.checked(ExplorationSettings.parse),
        default=ExplorationSettings(),
        metavar="JSON",
        help="section `explore`, for its n-grams",
    )
    cli.add_threads(parser)
    cli.add_settings(parser, ExcludeSettings)
    add("--output", type=Path, required=True, help="list of what is left out (CSV)")
    cli.run(main, parser.parse_args())
