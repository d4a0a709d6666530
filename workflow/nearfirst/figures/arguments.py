"""What the programs of figures and tables have in common: tables in, one CSV out."""

import argparse
import json
from pathlib import Path

import pandas as pd

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.figures.figure import Figure
from nearfirst.figures.registry import KINDS


def parser(description: str | None, tables: str) -> argparse.ArgumentParser:
    """Return a parser of the positional tables and of `--output`."""
    result = cli.parser(description)
    result.epilog = "Tables say in their metadata what they are of; those not needed are skipped."
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
        type=cli.checked(_parse_several),
        required=True,
        metavar="JSON",
        help="rows of figures by name, as in the config table `figures` (docs/config.md)",
    )


def write_csv(table: pd.DataFrame, path: Path, float_format: str) -> None:
    """Write a CSV whole or not at all."""
    with writing(path) as temporary:
        table.to_csv(temporary, index=False, float_format=float_format)


def _parse_several(text: str) -> dict[str, Figure]:
    try:
        rows = json.loads(text)
        return {name: KINDS.parse(json.dumps(row)) for name, row in rows.items()}
    except (ValueError, AttributeError) as error:
        raise InputError(f"{text}: not a JSON object of figures ({error})") from None
