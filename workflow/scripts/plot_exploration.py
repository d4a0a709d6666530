"""Draw what `explore.py` found in a pool and a test set, and write the caption."""

import argparse
import logging
from pathlib import Path
from typing import cast

from nearfirst.common import cli
from nearfirst.explore.caption import caption, read_exploration, warnings
from nearfirst.explore.plot import SHOWN, draw_exploration
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.save import add_outputs, write_figure


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, the caption, and the picture for web pages."""
    table = read_exploration(arguments.table)
    name = arguments.name or arguments.table.stem
    text = caption(name, table, f"{name}_pairs.csv")
    for warning in warnings(table):
        logging.warning("%s", warning)
    figure = draw_exploration(table, cast(LookSettings, arguments.look), arguments.tasks)
    write_figure(figure, text, arguments)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="numbers to draw (CSV)")
    parser.add_argument("--name", help="figure that the caption is about; default: the CSV's name")
    parser.add_argument(
        "--tasks",
        type=cli.positive,
        default=SHOWN,
        help=f"most test tasks shown, the nearest and the farthest ones (default: {SHOWN})",
    )
    add_outputs(parser)
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
