r"""Does similarity predict loss? Rank correlation of each measure with the loss, with intervals.

For instance:
  prediction.py results/{losses,similarity}/flan/specialist-0/random/seed-*/*.parquet \
      --figure '{"kind": "prediction", "curves": {"RT": "random"}}' --output figure.csv
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.prediction import prediction
from nearfirst.figures.read import read_runs, read_similarities, results_of
from nearfirst.figures.settings import CurveSettings, PredictionSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings, curves = arguments.settings, arguments.curves
    table = prediction(
        results_of(read_runs(arguments.tables), arguments.figure),
        results_of(read_similarities(arguments.tables), arguments.figure),
        curves.weighting,
        curves.confidence,
        settings.resamples,
        settings.seed,
    )
    write_csv(table, arguments.output, "%.6f")
    logging.info("\n%s", table.to_string(index=False))


if __name__ == "__main__":
    flags = parser(__doc__, "losses and similarities (Parquet)")
    add_figure(flags)
    cli.add_settings(flags, PredictionSettings)
    cli.add_settings(flags, CurveSettings, "--curves")
    cli.run(main, flags.parse_args())
