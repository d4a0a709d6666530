r"""Average a metric of runs into curves with intervals over seeds: the numbers of a figure.

For instance:
  curves.py results/losses/flan/specialist-0/*/seed-*/*.parquet --output figure.csv \
      --figure '{"kind": "arrangements", "curves": {"NFT": "tma-nearest", "RT": "random"},
                 "reference": "NFT"}'
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.curves import curves
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.run import Key, Run, scaled
from nearfirst.figures.settings import CurveSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings, figure = arguments.settings, arguments.figure
    metrics, by = figure.metric_names(), figure.series
    runs: dict[Key, Run] = {}
    for metric in metrics:
        by_label = scaled(results_of(read_runs(arguments.tables, metric), figure), metric)
        for (label, seed), run in by_label.items():
            runs[metric if by == "metric" else label, seed] = run
    table = curves(runs, settings.weighting, settings.confidence, by, metrics[0])
    write_csv(table, arguments.output, "%.6f")
    logging.info("%d runs, %d points", len(runs), len(table))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores or rewards (Parquet)")
    add_figure(flags)
    cli.add_settings(flags, CurveSettings)
    cli.run(main, flags.parse_args())
