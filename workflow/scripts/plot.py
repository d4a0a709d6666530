r"""Draw a figure from its CSV, and write its caption.

For instance:
  plot.py results/fig4_flan.csv --output figure.pdf \
      --figure '{"kind": "arrangements", "curves": {"NFT": "tma-nearest", "RT": "random"},
                 "reference": "NFT", "caption": "Mean test {metric} of two orders."}'
"""

import argparse
import json
from pathlib import Path

import yaml

from nearfirst.common import cli
from nearfirst.figures.arguments import add_figure
from nearfirst.figures.look import LookSettings
from nearfirst.figures.plot.save import add_outputs, write_figure
from nearfirst.figures.plot.table import read


def main(arguments: argparse.Namespace) -> None:
    """Write the PDF, the caption, and the other files that the flags name."""
    figure = arguments.figure
    table = read(arguments.table)
    beside = {}
    if arguments.record:
        beside[arguments.record] = yaml.safe_dump(
            arguments.config,
            sort_keys=False,
            default_flow_style=None,
            allow_unicode=True,
            width=64,
        )
    drawn = figure.draw(table, arguments.look)
    write_figure(drawn, figure.full_caption(table), arguments, beside)


if __name__ == "__main__":
    parser = cli.parser(__doc__)
    parser.add_argument("table", type=Path, metavar="TABLE", help="numbers of the figure (CSV)")
    add_figure(parser)
    add_outputs(parser)
    parser.add_argument(
        "--config", type=json.loads, default={}, metavar="JSON", help="config that made the CSV"
    )
    parser.add_argument("--record", type=Path, help="file to write that config to (YAML)")
    cli.add_settings(parser, LookSettings, "--look")
    cli.run(main, parser.parse_args())
