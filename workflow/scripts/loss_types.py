"""Sort unseen tasks by how their loss falls: fast then flat, fast then slow, late, not at all."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.loss_types import loss_types
from nearfirst.figures.run_arguments import add_runs, read_runs
from nearfirst.figures.settings import CurveSettings, LossTypesSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the type of every task, and the curves of those that are drawn."""
    settings = cast(LossTypesSettings, arguments.settings)
    curves = cast(CurveSettings, arguments.curves)
    runs = read_runs(arguments.run)
    types, table = loss_types(runs, curves.weighting, curves.confidence, settings)
    for output, rows in ((arguments.types, types), (arguments.output, table)):
        with writing(output) as path:
            rows.to_csv(path, index=False, float_format="%.6f")
    logging.info("\n%s", types.groupby(["dataset", "type"], sort=False).size().to_string())


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser, label="the data set")
    parser.add_argument("--types", type=Path, required=True, help="type of every task (CSV)")
    parser.add_argument("--output", type=Path, required=True, help="curves to draw (CSV)")
    cli.add_settings(parser, LossTypesSettings)
    cli.add_settings(parser, CurveSettings, "--curves")
    cli.run(main, parser.parse_args())
