r"""Count the tasks and instances of every split, and compare them with the paper's.

For instance:
  table4.py results/instances/flan/train.parquet results/instances/flan/specialist-0.parquet \
      --settings '{"expected": {"flan": {"train": {"tasks": 1600}}}}' --output table4.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import parser, write_csv
from nearfirst.tables.settings import Table4Settings
from nearfirst.tables.splits import read_splits, sizes


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV and warn of every mismatch."""
    table = sizes(read_splits(arguments.tables), arguments.settings.expected)
    write_csv(table, arguments.output, "%.6g")
    logging.info("\n%s", table.to_string(index=False, na_rep=""))
    for row in table[table["matches"] == "no"].itertuples():
        logging.warning(
            "%s %s: %s tasks and %s instances, expected %s and %s",
            *(row.dataset, row.split, row.tasks, row.instances),
            *(row.expected_tasks, row.expected_instances),
        )


if __name__ == "__main__":
    flags = parser(__doc__, "instances of one split (Parquet)")
    cli.add_settings(flags, Table4Settings)
    cli.run(main, flags.parse_args())
