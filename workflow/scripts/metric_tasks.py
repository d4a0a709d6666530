"""Average each metric over the instances of each unseen task, with intervals over seeds."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.run_arguments import METRIC, add_runs, read_metrics
from nearfirst.figures.settings import CurveSettings
from nearfirst.tables.metric_tasks import metric_tasks


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(CurveSettings, arguments.settings)
    table = metric_tasks(read_metrics(arguments.run), settings.weighting, settings.confidence)
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    logging.info("%d rows", len(table))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser, METRIC, label="the data set")
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, CurveSettings)
    cli.run(main, parser.parse_args())
