r"""Choose which part of a pool to train on and in which order; measure it on other instances.

For instance:
  advice.py results/losses/mine/heldout/*/seed-*/*.parquet --output advice.csv \
      --test results/instances/mine/heldout.parquet \
      --figure '{"kind": "advice", "dataset": "mine", "baseline": "random", "orders": {
                 "nearest first": ["near-half"], "at random": ["random-half", "random"]}}'
"""

import argparse
import json
import logging
from itertools import compress
from pathlib import Path

import pandas as pd

from nearfirst.common import cli
from nearfirst.common.parquet import read_ids
from nearfirst.data.half import half_mask
from nearfirst.figures.advice import advice, seconds
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.read import read_runs, results_of
from nearfirst.figures.settings import ComparisonSettings, CurveSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    figure, settings = arguments.figure, arguments.settings
    runs = results_of(read_runs(arguments.tables), figure)
    ids = read_ids(arguments.test)
    chooses = set(compress(ids, half_mask(ids)))
    table = advice(runs, figure.orders, chooses, settings, arguments.curves.weighting)
    table["baseline"] = (table["arrangement"] == figure.baseline).astype(int)
    times = seconds(arguments.jobs, table["arrangement"].tolist())
    write_csv(pd.concat([table, times], axis=1), arguments.output, "%.6g")
    logging.info("%d runs", len(runs))


if __name__ == "__main__":
    flags = parser(__doc__, "losses (Parquet)")
    add_figure(flags)
    flags.add_argument(
        "--test", type=Path, required=True, help="test instances (Parquet), of which half choose"
    )
    flags.add_argument(
        "--jobs",
        type=json.loads,
        default={},
        metavar="JSON",
        help="benchmark files of each arrangement's selection and training",
    )
    cli.add_settings(flags, ComparisonSettings)
    cli.add_settings(flags, CurveSettings, "--curves")
    cli.run(main, flags.parse_args())
