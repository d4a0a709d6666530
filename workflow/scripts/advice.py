r"""Choose what part of a pool to train on and in which order, and measure it on other instances.

For instance:
  advice.py results/losses/mine/heldout/*/seed-*/*.parquet --output advice.csv \
      --test results/instances/mine/heldout.parquet \
      --figure '{"kind": "advice", "dataset": "mine", "baseline": "random", "orders": {
                 "nearest first": ["near-half"], "at random": ["random-half", "random"]}}'
"""

import argparse
import json
import logging
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa

from nearfirst.common import cli
from nearfirst.common.parquet import INSTANCES, read_table
from nearfirst.data.half import in_half
from nearfirst.figures.advice import advice, seconds
from nearfirst.figures.arguments import add_figure, parser, write_csv
from nearfirst.figures.kinds.advice import Settings
from nearfirst.figures.read import labelled, read_runs
from nearfirst.figures.settings import ComparisonSettings, CurveSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    figure = cast(Settings, arguments.figure)
    settings = cast(ComparisonSettings, arguments.settings)
    runs = labelled(read_runs(arguments.tables), figure)
    ids = read_table(arguments.test, pa.schema([INSTANCES.field("id")]))["id"].to_pylist()
    chooses = {its for its, is_in in zip(ids, in_half(ids), strict=True) if is_in}
    weighting = cast(CurveSettings, arguments.curves).weighting
    found = advice(runs, figure.orders, chooses, settings, weighting)
    found["baseline"] = (found["arrangement"] == figure.baseline).astype(int)
    times = seconds(arguments.jobs, found["arrangement"].tolist())
    write_csv(pd.concat([found, times], axis=1), arguments.output, "%.6g")
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
        help="of each arrangement the benchmark files of its selection and its training",
    )
    cli.add_settings(flags, ComparisonSettings)
    cli.add_settings(flags, CurveSettings, "--curves")
    cli.run(main, flags.parse_args())
