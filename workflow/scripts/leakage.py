"""List the unseen tasks whose source (such as `quoref`) a training task has too."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.tables.splits import add_splits, leaks, read_splits


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV and say how many tasks leak in each split."""
    table = leaks(read_splits(arguments.split))
    with writing(arguments.output) as path:
        table.to_csv(path, index=False)
    for (dataset, split), part in table.groupby(["dataset", "split"], sort=False):
        shared = int((part["training_tasks"] > 0).sum())
        logging.info(
            "%s %s: %d of %d unseen tasks share a source with a training task",
            *(dataset, split, shared, len(part)),
        )


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_splits(parser)
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.run(main, parser.parse_args())
