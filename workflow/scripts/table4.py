"""Count the tasks and instances of every split, and hold them against what the paper has."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.catalogue import Table4Settings
from nearfirst.tables.splits import add_splits, read_splits, sizes


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV and name every mismatch."""
    settings = cast(Table4Settings, arguments.settings)
    table = sizes(read_splits(arguments.split), settings.expected)
    with writing(arguments.output) as path:
        table.to_csv(path, index=False)
    logging.info("\n%s", table.to_string(index=False, na_rep=""))
    for row in table[table["matches"] == "no"].itertuples():
        logging.warning(
            "%s %s: %s tasks and %s instances, expected %s and %s",
            *(row.dataset, row.split, row.tasks, row.instances),
            *(row.expected_tasks, row.expected_instances),
        )


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_splits(parser)
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, Table4Settings)
    cli.run(main, parser.parse_args())
