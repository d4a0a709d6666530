r"""Compute the numbers of a figure from the tables of its runs.

For instance:
  figure_numbers.py results/losses/flan/specialist-0/*/seed-*/*.parquet --output figure.csv \
      --figure '{"kind": "arrangements", "curves": {"NFT": "tma-nearest", "RT": "random"},
                 "reference": "NFT"}'
"""

import argparse
import json
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.settings import (
    ComparisonSettings,
    CurveSettings,
    DistributionSettings,
    LossTypesSettings,
    PredictionSettings,
)


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV, and the further tables of the figure beside it."""
    figure, output = arguments.figure, arguments.output
    paths = [output, *(output.with_name(output.stem + end) for end in figure.extra_outputs)]
    for table, path in zip(figure.compute(arguments.tables, arguments), paths, strict=True):
        write_csv(table, path, figure.float_format)
        logging.info("%s: %d rows", path, len(table))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores, rewards or similarities (Parquet)")
    add_figure(flags)
    flags.add_argument(
        "--training",
        type=json.loads,
        default={},
        metavar="JSON",
        help="kind `interaction`: training settings of each condition's runs (section `train`)",
    )
    flags.add_argument(
        "--test", type=Path, help="kind `advice`: test instances (Parquet), of which half choose"
    )
    flags.add_argument(
        "--jobs",
        type=json.loads,
        default={},
        metavar="JSON",
        help="kind `advice`: benchmark files of each arrangement's selection and training",
    )
    cli.add_settings(flags, CurveSettings, "--curves")
    cli.add_settings(flags, ComparisonSettings, "--comparison")
    cli.add_settings(flags, LossTypesSettings, "--loss-types")
    cli.add_settings(flags, PredictionSettings, "--prediction")
    cli.add_settings(flags, DistributionSettings, "--distribution")
    cli.run(main, flags.parse_args())
