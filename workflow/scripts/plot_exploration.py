"""Draw the comparison that `explore.py` wrote, and write the caption."""

import argparse
from pathlib import Path

from nearfirst.common import cli
from nearfirst.explore.caption import caption
from nearfirst.explore.plot import draw_exploration
from nearfirst.explore.read import read_exploration
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.save import add_outputs, write_figure


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, the caption and the picture for web pages."""
    table = read_exploration(arguments.table)
    figure = draw_exploration(table, arguments.look)
    write_figure(figure, caption(arguments.table.stem, table), arguments)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="numbers to draw (CSV)")
    add_outputs(parser)
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
