r"""List the unseen tasks whose source (such as `quoref`) a training task has too.

For instance:
  leakage.py results/instances/flan/train.parquet results/instances/flan/specialist-0.parquet \
      --output leakage.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import parser, write_csv
from nearfirst.tables.splits import leaks, read_splits


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV and log how many tasks leak in each split."""
    table = leaks(read_splits(arguments.tables))
    write_csv(table, arguments.output, "%.6g")
    for (dataset, split), part in table.groupby(["dataset", "split"], sort=False):
        shared = int((part["training_tasks"] > 0).sum())
        logging.info(
            "%s %s: %d of %d unseen tasks share a source with a training task",
            *(dataset, split, shared, len(part)),
        )


if __name__ == "__main__":
    flags = parser(__doc__, "instances of one split (Parquet); the training split among them")
    cli.run(main, flags.parse_args())
