"""Average the losses of runs into curves with intervals over seeds: the numbers of a figure."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst import cli
from nearfirst.files import writing
from nearfirst.runs import add_runs, read_runs
from nearfirst.settings.figures import CurveSettings
from nearfirst.statistics import curves


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(CurveSettings, arguments.settings)
    runs, left_out = read_runs(arguments.run)
    table = curves(runs, settings.weighting, settings.confidence)
    table["left_out"] = left_out
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    logging.info("%d runs, %d points", len(runs), len(table))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser)
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, CurveSettings)
    cli.run(main, parser.parse_args())
