"""Does similarity distance predict loss? Rank correlation of each measure, with intervals."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.prediction import prediction
from nearfirst.figures.run import common_tasks
from nearfirst.figures.run_arguments import (
    TEST,
    add_runs,
    add_similarities,
    read_groups,
    read_similarities,
)
from nearfirst.figures.settings import CurveSettings, PredictionSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(PredictionSettings, arguments.settings)
    curves = cast(CurveSettings, arguments.curves)
    tests = read_groups(arguments.run, TEST)
    runs = [run for group in tests.values() for run in group.values()]
    partly = sorted({task for run in runs for task in run.task} - set(common_tasks(runs)))
    if partly:
        logging.info("%d tasks are not in every run, left out: %s", len(partly), ", ".join(partly))
    table = prediction(
        tests,
        read_similarities(arguments.similarity),
        curves.weighting,
        curves.confidence,
        settings.resamples,
        settings.seed,
    )
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser, TEST)
    add_similarities(parser, required=True)
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, PredictionSettings)
    cli.add_settings(parser, CurveSettings, "--curves")
    cli.run(main, parser.parse_args())
