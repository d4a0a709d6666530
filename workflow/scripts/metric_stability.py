r"""Find how noisy each metric is between checkpoints, and when it has made most of its change.

For instance:
  metric_stability.py results/{losses,scores,rewards}/p3/generalist-0/random/seed-*/*.parquet \
      --runs '{"datasets": {"P3": "p3"}, "metrics": ["loss", "reward"]}' --output table.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import parser, write_csv
from nearfirst.figures.read import read_runs, results_of
from nearfirst.tables.metric_stability import stability
from nearfirst.tables.settings import MetricTablesSettings, StabilitySettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    runs = arguments.runs
    metrics = {name: results_of(read_runs(arguments.tables, name), runs) for name in runs.metrics}
    table = stability(metrics, arguments.settings)
    write_csv(table, arguments.output, "%.6g")
    logging.info("\n%s", table[table["seed"] == "all"].to_string(index=False))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores and rewards (Parquet)")
    cli.add_settings(flags, MetricTablesSettings, "--runs")
    cli.add_settings(flags, StabilitySettings)
    cli.run(main, flags.parse_args())
