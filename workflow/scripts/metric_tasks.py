r"""Average each metric over the instances of each unseen task, with intervals over seeds.

For instance:
  metric_tasks.py results/{losses,scores,rewards}/p3/generalist-0/random/seed-*/*.parquet \
      --runs '{"datasets": {"P3": "p3"}, "metrics": ["loss", "reward"]}' --output table.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import parser, write_csv
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.settings import CurveSettings
from nearfirst.tables.metric_tasks import metric_tasks
from nearfirst.tables.settings import MetricTablesSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings, runs = arguments.settings, arguments.runs
    metrics = {name: results_of(read_runs(arguments.tables, name), runs) for name in runs.metrics}
    table = metric_tasks(metrics, settings.weighting, settings.confidence)
    write_csv(table, arguments.output, "%.6f")
    logging.info("%d rows", len(table))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores and rewards (Parquet)")
    cli.add_settings(flags, MetricTablesSettings, "--runs")
    cli.add_settings(flags, CurveSettings)
    cli.run(main, flags.parse_args())
