r"""Average a metric of runs under several conditions into curves: the numbers of a figure.

For instance:
  interaction.py results/losses/flan/specialist-0/*/seed-*/*.parquet --output figure.csv \
      --figure '{"kind": "interaction", "reference": "NFT", "conditions": {
                 "cosine": {"NFT": "tma-nearest", "RT": "random"},
                 "constant": {"NFT": "tma-nearest-constant", "RT": "random-constant"}}}' \
      --training '{"cosine": {}, "constant": {"schedule": "constant", "mean_of": "cosine"}}'
"""

import argparse
import logging

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.figures.arguments import add_figure, parse_by_name, parser, write_csv
from nearfirst.figures.interaction import condition_curves
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.run import scaled
from nearfirst.figures.settings import CurveSettings
from nearfirst.train.settings import TrainSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    settings, figure = arguments.settings, arguments.figure
    missing = [name for name in figure.conditions if name not in arguments.training]
    if missing:
        raise InputError(f"--training: the settings of condition {missing[0]!r} are missing")
    runs = scaled(results_of(read_runs(arguments.tables, figure.metric), figure), figure.metric)
    conditions = {
        condition: {label: figure.label_of(condition, label) for label in curves}
        for condition, curves in figure.conditions.items()
    }
    training, weighting = arguments.training, settings.weighting
    table = condition_curves(
        runs, conditions, training, weighting, settings.confidence, figure.metric
    )
    write_csv(table, arguments.output, "%.6g")
    logging.info("%d runs, %d points", len(runs), len(table))


if __name__ == "__main__":
    flags = parser(__doc__, "losses, scores or rewards (Parquet)")
    add_figure(flags)
    flags.add_argument(
        "--training",
        type=cli.checked(
            lambda text: parse_by_name(text, TrainSettings.parse, "training settings")
        ),
        required=True,
        metavar="JSON",
        help="training settings of each condition's runs (section `train`)",
    )
    cli.add_settings(flags, CurveSettings)
    cli.run(main, flags.parse_args())
