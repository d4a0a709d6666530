r"""Compare the gains of an order on the queries it was made for with its gains on other sets.

For instance:
  query_gap.py results/losses/flan/specialist-*/*/seed-*/*.parquet --output figure.csv \
      --figure '{"kind": "query-gap", "sets": {"in sample": "specialist-1",
                 "held out": "specialist-0"}}'
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.query_gap import query_gap
from nearfirst.figures.read import read_runs, results_by_test
from nearfirst.figures.run import scaled
from nearfirst.figures.settings import ComparisonSettings, CurveSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    figure = arguments.figure
    runs = read_runs(arguments.tables, figure.metric)
    by_test = results_by_test(runs, figure, figure.test_sets())
    sets = {name: scaled(by_test[test], figure.metric) for name, test in figure.sets.items()}
    weighting = arguments.curves.weighting
    table = query_gap(sets, figure.reference, arguments.settings, figure.metric, weighting)
    write_csv(table, arguments.output, "%.6g")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores or rewards (Parquet)")
    add_figure(flags)
    cli.add_settings(flags, ComparisonSettings)
    cli.add_settings(flags, CurveSettings, "--curves")
    cli.run(main, flags.parse_args())
