"""Join the paired comparisons of all figures, and correct over all of them at once."""

import argparse
import logging
from pathlib import Path

from nearfirst.common import cli
from nearfirst.common.errors import InputError
from nearfirst.common.files import writing
from nearfirst.tables.comparisons import join_comparisons, read_comparison


def main(arguments: argparse.Namespace) -> None:
    """Write the CSV."""
    figures = {}
    for name, path in arguments.paired:
        if name in figures:
            raise InputError(f"--paired {name} is given twice")
        figures[name] = read_comparison(Path(path))
    table = join_comparisons(figures)
    with writing(arguments.output) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    logging.info("%d tests of %d figures", len(table), len(figures))


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument(
        "--paired",
        nargs=2,
        action="append",
        required=True,
        metavar=("FIGURE", "FILE"),
        help="a figure and the table that compare.py wrote for it (CSV); repeat for each figure",
    )
    parser.add_argument("--output", type=Path, required=True, help="table to write (CSV)")
    cli.run(main, parser.parse_args())
