r"""Compare a pool with a test set before training: distances, rounds of TMA, duplicates, leaks.

For instance:
  explore.py --train-instances I1.parquet --train-embeddings E1.parquet \
      --test-instances I2.parquet --test-embeddings E2.parquet \
      --output explore_mine.csv --pairs explore_mine_pairs.csv
"""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.distance.distances import BY_ROWS
from nearfirst.distance.side import read_sides
from nearfirst.explore.duplicates import duplicates_of
from nearfirst.explore.settings import ExplorationSettings
from nearfirst.explore.table import numbers, table_of, table_of_pairs


def main(arguments: argparse.Namespace) -> None:
    """Write both tables."""
    settings: ExplorationSettings = arguments.settings
    paths = arguments.train_instances, arguments.test_instances
    embeddings = arguments.train_embeddings, arguments.test_embeddings
    train, test = read_sides(paths[0], embeddings[0], paths[1], embeddings[1])
    logging.info("%d training and %d test instances", len(train.ids), len(test.ids))
    pairs = duplicates_of(train, test, *paths, settings)
    if leaked := pairs["identical text"].in_test.sum():
        logging.warning(
            "%d of %d test instances (%s) have the same text as a training instance; %s lists them",
            *(leaked, len(test.ids), paths[1], arguments.pairs),
        )
    rows = numbers(train, test, pairs, arguments.measure, settings, arguments.threads)
    table = table_of(rows, arguments.measure)
    with writing(arguments.output) as output, writing(arguments.pairs) as pairs_output:
        # Nine digits tell float32 distances apart.
        table.to_csv(output, index=False, float_format="%.9g")
        table_of_pairs(pairs, train, test).to_csv(pairs_output, index=False, float_format="%.4f")


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--train-instances", type=Path, required=True, help="training instances (Parquet)")
    add("--train-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--test-instances", type=Path, required=True, help="test instances (Parquet)")
    add("--test-embeddings", type=Path, required=True, help="their embeddings (Parquet)")
    add("--measure", choices=list(BY_ROWS), default="cosine", help="distance (default: cosine)")
    add("--output", type=Path, required=True, help="numbers behind the figure (CSV)")
    add("--pairs", type=Path, required=True, help="leaks and near-duplicates, with ids (CSV)")
    cli.add_threads(parser)
    cli.add_settings(parser, ExplorationSettings)
    cli.run(main, parser.parse_args())
