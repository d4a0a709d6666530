"""Compare one arrangement with the others, paired by seed and test instance, in one metric."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst import cli
from nearfirst.files import writing
from nearfirst.runs import add_metric, add_runs, read_runs
from nearfirst.settings.statistics import ComparisonSettings
from nearfirst.statistics.comparison import paired_comparison
from nearfirst.statistics.run import scaled


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(ComparisonSettings, arguments.settings)
    runs = scaled(read_runs(arguments.run, arguments.metric), arguments.metric)
    table = paired_comparison(
        runs, arguments.reference, settings.confidence, settings.resamples, settings.seed
    )
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser)
    add_metric(parser)
    parser.add_argument("--reference", required=True, help="label held against the others")
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, ComparisonSettings)
    cli.run(main, parser.parse_args())
