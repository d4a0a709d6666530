r"""Sort unseen tasks by how their loss falls: fast then flat, fast then slow, late, or not.

For instance:
  loss_types.py results/losses/flan/specialist-0/random/seed-*/*.parquet --output figure.csv \
      --figure '{"kind": "loss-types", "curves": {"Flan": "flan"}}' --types tasks.csv
"""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.loss_types import loss_types
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.settings import CurveSettings, LossTypesSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the type of every task, and the curves of the tasks that are drawn."""
    curves = arguments.curves
    runs = results_of(read_runs(arguments.tables), arguments.figure)
    types, table = loss_types(runs, curves.weighting, curves.confidence, arguments.settings)
    write_csv(types, arguments.types, "%.6f")
    write_csv(table, arguments.output, "%.6f")
    logging.info("\n%s", types.groupby(["dataset", "type"], sort=False).size().to_string())


if __name__ == "__main__":
    flags = parser(__doc__, "losses (Parquet)")
    add_figure(flags)
    flags.add_argument("--types", type=Path, required=True, help="type of every task (CSV)")
    cli.add_settings(flags, LossTypesSettings)
    cli.add_settings(flags, CurveSettings, "--curves")
    cli.run(main, flags.parse_args())
