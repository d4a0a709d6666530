"""Find the first checkpoint at which each run has generalized to the unseen instances."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.run_arguments import FIGURE, add_runs, read_groups
from nearfirst.tables.generalization import generalization
from nearfirst.tables.settings import GeneralizationSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(GeneralizationSettings, arguments.settings)
    table = generalization(read_groups(arguments.run, FIGURE, settings.metric), settings)
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser, FIGURE)
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, GeneralizationSettings)
    cli.run(main, parser.parse_args())
