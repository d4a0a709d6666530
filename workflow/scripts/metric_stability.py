"""Say of each metric how noisy it is between checkpoints, and when it has made most of its way."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.run_arguments import METRIC, add_runs, read_metrics
from nearfirst.tables.metric_stability import stability
from nearfirst.tables.settings import StabilitySettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(StabilitySettings, arguments.settings)
    table = stability(read_metrics(arguments.run), settings)
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    logging.info("\n%s", table[table["seed"] == "all"].to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser, METRIC, label="the data set")
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, StabilitySettings)
    cli.run(main, parser.parse_args())
