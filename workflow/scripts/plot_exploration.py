"""Draw what `explore.py` found in a pool and a test set, and write the caption."""

import argparse
import logging
import textwrap
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from nearfirst import cli
from nearfirst.files import writing
from nearfirst.plotting.exploration import SHOWN, draw_exploration
from nearfirst.plotting.exploration_table import caption, read_exploration, warnings
from nearfirst.plotting.style import save, save_picture
from nearfirst.settings.look import LookSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, the caption, and the picture for web pages."""
    table = read_exploration(arguments.table)
    name = arguments.name or arguments.table.stem
    text = caption(name, table, f"{name}_pairs.csv")
    for warning in warnings(table):
        logging.warning("%s", warning)
    figure = draw_exploration(table, cast(LookSettings, arguments.look), arguments.tasks)
    with ExitStack() as files:
        save(figure, files.enter_context(writing(arguments.output)), text)
        if arguments.picture:
            save_picture(figure, files.enter_context(writing(arguments.picture)))
        page = files.enter_context(
            writing(arguments.caption or arguments.output.with_suffix(".txt"))
        )
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
    parser.add_argument("--picture", type=Path, help="the figure for web pages, too (SVG)")
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
