"""Draw what `explore.py` found in a pool and a test set, and write the caption."""

import argparse
import logging
import textwrap
from pathlib import Path
from typing import cast

from nearfirst import cli
from nearfirst.files import writing
from nearfirst.plotting.exploration import SHOWN, draw_exploration
from nearfirst.plotting.exploration_table import caption, read_exploration, warnings
from nearfirst.plotting.style import save
from nearfirst.settings.look import LookSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF and the caption."""
    table = read_exploration(arguments.table)
    name = arguments.name or arguments.table.stem
    text = caption(name, table, f"{name}_pairs.csv")
    for warning in warnings(table):
        logging.warning("%s", warning)
    figure = draw_exploration(table, cast(LookSettings, arguments.look), arguments.tasks)
    with (
        writing(arguments.output) as pdf,
        writing(arguments.caption or arguments.output.with_suffix(".txt")) as page,
    ):
        save(figure, pdf, text)
        lines = textwrap.fill(text, 90, break_long_words=False, break_on_hyphens=False)
        page.write_text(lines + "\n")


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
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PDF)")
    parser.add_argument(
        "--caption", type=Path, help="caption to write; default: beside the PDF, as .txt"
    )
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
