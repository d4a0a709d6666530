"""Draw the loss curves of a figure from its CSV."""

import argparse
from pathlib import Path
from typing import cast

import pandas as pd

from nearfirst import cli, plotting
from nearfirst.errors import InputError
from nearfirst.settings.figures import LookSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF."""
    try:
        table = pd.read_csv(arguments.table)
    except ValueError as error:
        raise InputError(f"{arguments.table}: not a whole CSV file ({error})") from None
    missing = {"arrangement", "step", "mean", "low", "high", "n", "confidence"} - {*table.columns}
    if missing or table.empty:
        raise InputError(
            f"{arguments.table}: no rows"
            if not missing
            else f"{arguments.table}: column '{min(missing)}' is missing"
        )
    figure = plotting.loss_curves(table, cast(LookSettings, arguments.look))
    plotting.save(figure, arguments.output)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="numbers to draw (CSV)")
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PDF)")
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
