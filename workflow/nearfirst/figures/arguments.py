"""Command lines of the programs of figures and tables: tables in, one CSV out."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pandas as pd

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.figures.registry import KINDS

T = TypeVar("T")


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
        type=cli.checked(lambda text: parse_by_name(text, KINDS.parse, "figures")),
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


def parse_by_name(text: str, parse: Callable[[str], T], what: str) -> dict[str, T]:
    """Parse each value of a JSON object; `what` names them in the InputError for other input."""
    try:
        return {name: parse(json.dumps(part)) for name, part in json.loads(text).items()}
    except (ValueError, AttributeError) as error:
        raise InputError(f"{text}: not a JSON object of {what} ({error})") from None
