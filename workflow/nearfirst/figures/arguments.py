"""Command lines of the programs of figures and tables: tables in, one CSV out."""

import argparse
import json
from pathlib import Path

import pandas as pd

from nearfirst.common import cli
from nearfirst.common.files import writing
from nearfirst.figures.registry import KINDS


def parser(description: str | None, tables: str) -> argparse.ArgumentParser:
    """Return a parser with the positional tables and `--output`."""
    result = cli.parser(description)
    result.epilog = "Tables are identified by their metadata; those not needed are skipped."
    result.add_argument("tables", nargs="+", type=Path, metavar="TABLE", help=tables)
    result.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    return result


def add_figure(to: argparse.ArgumentParser) -> None:
    """Add the flag that takes the row of a figure as JSON."""
    to.add_argument(
        "--figure",
        type=cli.checked(KINDS.parse),
        required=True,
        metavar="JSON",
        help="row of the figure, as in the config table `figures` (docs/config.md)",
    )


def add_figures(to: argparse.ArgumentParser) -> None:
    """Add the flag that takes several figures by name as JSON."""
    to.add_argument(
        "--figures",
        type=cli.checked(
            lambda text: {k: KINDS.parse(json.dumps(row)) for k, row in json.loads(text).items()}
        ),
        required=True,
        metavar="JSON",
        help="rows of figures by name, as in the config table `figures` (docs/config.md)",
    )


def add_weighting(to: argparse.ArgumentParser) -> None:
    """Add the flag of comparisons for the mean over instances or tokens."""
    to.add_argument(
        "--weighting",
        choices=["instance", "token"],
        default="instance",
        help="mean over instances, or over all label tokens, as in the curves",
    )


def write_csv(table: pd.DataFrame, path: Path, float_format: str) -> None:
    """Write a CSV atomically."""
    with writing(path) as temporary:
        table.to_csv(temporary, index=False, float_format=float_format)
