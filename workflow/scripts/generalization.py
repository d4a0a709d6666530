r"""Find the first checkpoint at which each run has generalized to the unseen instances.

For instance:
  generalization.py results/losses/flan/specialist-0/*/seed-*/*.parquet --output table.csv \
      --figures '{"fig": {"kind": "arrangements", "curves": {"RT": "random"}, "reference": "RT"}}'
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figures, parser, write_csv
from nearfirst.figures.read import read_runs, results_of
from nearfirst.tables.generalization import generalization
from nearfirst.tables.settings import GeneralizationSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    runs = read_runs(arguments.tables, arguments.settings.metric)
    figures = {name: results_of(runs, figure) for name, figure in arguments.figures.items()}
    table = generalization(figures, arguments.settings)
    write_csv(table, arguments.output, "%.6g")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores or rewards (Parquet)")
    add_figures(flags)
    cli.add_settings(flags, GeneralizationSettings)
    cli.run(main, flags.parse_args())
