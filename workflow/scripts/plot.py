"""Draw a figure from its CSV, and write its caption."""

import argparse
import json
import textwrap
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import yaml

from nearfirst import cli
from nearfirst.captions import caption
from nearfirst.files import writing
from nearfirst.plotting.correlations import draw_correlations
from nearfirst.plotting.curves import draw_curves
from nearfirst.plotting.distribution import draw_distribution
from nearfirst.plotting.distribution_table import read_distribution
from nearfirst.plotting.style import save, save_picture
from nearfirst.plotting.table import read_correlations, read_curves
from nearfirst.settings.look import LookSettings


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, the caption, and what else is asked for."""
    look = cast(LookSettings, arguments.look)
    if arguments.kind == "curves":
        table = read_curves(arguments.table, arguments.series)
        figure = draw_curves(table, look, arguments.series)
    elif arguments.kind == "distribution":
        table = read_distribution(arguments.table)
        figure = draw_distribution(table, look)
    else:
        table = read_correlations(arguments.table)
        figure = draw_correlations(table, look)
    name = arguments.name or arguments.table.stem
    text = caption(name, table, arguments.series)
    with ExitStack() as files:
        save(figure, files.enter_context(writing(arguments.output)), text)
        if arguments.picture:
            save_picture(figure, files.enter_context(writing(arguments.picture)))
        if arguments.record:
            record = yaml.safe_dump(
                arguments.made_with,
                sort_keys=False,
                default_flow_style=None,
                allow_unicode=True,
                width=64,
            )
            files.enter_context(writing(arguments.record)).write_text(record)
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
        "--kind",
        choices=("curves", "correlations", "distribution"),
        default="curves",
        help="means against step, one value a measure, or rewards of right and of wrong answers "
        "(default: curves)",
    )
    parser.add_argument(
        "--series",
        choices=("arrangement", "dataset", "metric", "task"),
        default="arrangement",
        help="column that tells curves apart (default: arrangement)",
    )
    parser.add_argument("--output", type=Path, required=True, help="figure to write (PDF)")
    parser.add_argument(
        "--caption", type=Path, help="caption to write; default: beside the PDF, as .txt"
    )
    parser.add_argument("--picture", type=Path, help="the figure for web pages, too (SVG)")
    parser.add_argument(
        "--made-with", type=json.loads, default={}, metavar="JSON", help="config that made the CSV"
    )
    parser.add_argument("--record", type=Path, help="file to write that config to (YAML)")
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
