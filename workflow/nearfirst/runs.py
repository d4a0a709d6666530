"""Runs on the command line: which loss tables belong to which arrangement and seed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from nearfirst.errors import InputError
from nearfirst.statistics import read_run


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Add `--run LABEL SEED FILE [FILE …]`, which may be repeated."""
    parser.add_argument(
        "--run",
        nargs="+",
        action="append",
        required=True,
        metavar=("LABEL SEED FILE", "FILE"),
        help="losses of one run, segment by segment (Parquet); repeat for each run",
    )


def read_runs(
    given: Sequence[Sequence[str]],
) -> tuple[dict[tuple[str, int], pd.DataFrame], int]:
    """Read the runs that `--run` named.

    Returns
    -------
    runs, left_out
        Losses by (label, seed), and the test instances without a label.

    Raises
    ------
    InputError
        If a run is named without files or twice, or its tables cannot be read.
    """
    runs: dict[tuple[str, int], pd.DataFrame] = {}
    left_out = 0
    for label, *rest in given:
        if len(rest) < 2 or not rest[0].isdigit():
            raise InputError(f"--run {label}: expected LABEL SEED FILE [FILE …]")
        key = label, int(rest[0])
        if key in runs:
            raise InputError(f"--run {label} {rest[0]} is given twice")
        runs[key], left_out = read_run([Path(path) for path in rest[1:]])
    return runs, left_out
