"""Average the losses of runs into curves with intervals over seeds: the numbers of a figure."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst import cli
from nearfirst.files import writing
from nearfirst.runs import add_runs, read_runs
from nearfirst.settings.statistics import CurveSettings
from nearfirst.statistics.curves import curves


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(CurveSettings, arguments.settings)
    runs = read_runs(arguments.run)
    table = curves(runs, settings.weighting, settings.confidence, arguments.by)
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    logging.info("%d runs, %d points", len(runs), len(table))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser)
    parser.add_argument(
        "--by",
        choices=["arrangement", "dataset"],
        default="arrangement",
        help="what a label is: arrangements hold the same test instances, data sets their own",
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, CurveSettings)
    cli.run(main, parser.parse_args())
