"""Draw a figure from its CSV, and write its caption."""

import argparse
import json
from pathlib import Path
from typing import cast

import yaml

from nearfirst.common import cli
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.captions import caption
from nearfirst.figures.plot.correlations import draw_correlations
from nearfirst.figures.plot.curves import draw_curves
from nearfirst.figures.plot.read import read_correlations, read_curves, read_distribution
from nearfirst.figures.plot.reward_distribution import draw_distribution
from nearfirst.figures.plot.save import add_outputs, write_figure


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
    beside = {}
    if arguments.record:
        beside[arguments.record] = yaml.safe_dump(
            arguments.config,
            sort_keys=False,
            default_flow_style=None,
            allow_unicode=True,
            width=64,
        )
    write_figure(figure, text, arguments, beside)


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
    add_outputs(parser)
    parser.add_argument(
        "--config", type=json.loads, default={}, metavar="JSON", help="config that made the CSV"
    )
    parser.add_argument("--record", type=Path, help="file to write that config to (YAML)")
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
