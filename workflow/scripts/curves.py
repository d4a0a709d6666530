"""Average a metric of runs into curves with intervals over seeds: the numbers of a figure."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.figures.curves import curves
from nearfirst.figures.run import Run, scaled
from nearfirst.figures.run_arguments import add_metric, add_runs, read_runs
from nearfirst.figures.settings import CurveSettings
from nearfirst.metrics import MetricName


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings = cast(CurveSettings, arguments.settings)
    metrics = cast(list[MetricName], arguments.metric)
    if arguments.by != "metric" and len(metrics) > 1:
        raise InputError(f"--metric {' '.join(metrics)}: several need --by metric")
    runs: dict[tuple[str, int], Run] = {}
    for metric in metrics:
        found = scaled(read_runs(arguments.run, metric), metric)
        if arguments.by == "metric":
            labels = list(dict.fromkeys(label for label, _ in found))
            if len(labels) > 1:
                raise InputError(f"--run {labels[1]}: --by metric takes one label, {labels[0]}")
            found = {(metric, seed): run for (_, seed), run in found.items()}
        runs.update(found)
    table = curves(runs, settings.weighting, settings.confidence, arguments.by, metrics[0])
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6f")
    logging.info("%d runs, %d points", len(runs), len(table))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add_runs(parser)
    add_metric(parser, several=True)
    parser.add_argument(
        "--by",
        choices=["arrangement", "dataset", "metric"],
        default="arrangement",
        help="what a curve is: arrangements hold the same test instances, data sets their own; "
        "metrics are those of one label",
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.add_settings(parser, CurveSettings)
    cli.run(main, parser.parse_args())
